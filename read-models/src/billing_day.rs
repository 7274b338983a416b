//! The clinic's money of one day, which is the clinic's own, in each currency: for the count in the evening.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use events::{DomainEvent, InvoiceEvent, Recorded};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Projection, count::Counts};

/// `read.billing_day_1`: one row per day on which money was asked for or moved, or for which some was.
pub struct BillingDays;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BillingDayRow {
    pub id: NaiveDate,
    /// By ISO 4217 code.
    pub by_currency: BTreeMap<String, DayMoney>,
    pub position: i64,
}

/// In minor units.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DayMoney {
    /// On invoices issued that day.
    pub billed: i64,
    /// By credit notes issued that day, for invoices of any day.
    pub credited: i64,
    /// That day, by method, for invoices of any day.
    pub paid: Counts,
    /// Given back that day, by method, for invoices of any day.
    pub refunded: Counts,
    /// Of what was billed that day, what is still to be paid.
    pub due: i64,
}

impl Projection for BillingDays {
    const NAME: &'static str = "billing_day";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.billing_day_1";
    const ONE_STREAM: bool = false;
    type Key = NaiveDate;
    type Row = BillingDayRow;

    /// The day on which it happened, and that of the invoice, on which something else is due now.
    fn keys(event: &Recorded) -> Vec<NaiveDate> {
        let DomainEvent::Invoice(change) = &event.event else { return Vec::new() };
        match change {
            InvoiceEvent::InvoiceIssued { day, .. } => vec![*day],
            InvoiceEvent::PaymentRecorded { day, issued_on, .. }
            | InvoiceEvent::CreditNoteIssued { day, issued_on, .. }
            | InvoiceEvent::RefundIssued { day, issued_on, .. } => {
                if day == issued_on {
                    vec![*day]
                } else {
                    vec![*day, *issued_on]
                }
            }
        }
    }

    fn fold(row: Option<BillingDayRow>, of: &NaiveDate, event: &Recorded) -> Option<BillingDayRow> {
        let DomainEvent::Invoice(change) = &event.event else { return row };
        let empty = || BillingDayRow { id: *of, by_currency: BTreeMap::new(), position: 0 };
        let mut row = row.unwrap_or_else(empty);
        row.take(change);
        row.position = event.position;
        Some(row)
    }
}

impl BillingDayRow {
    fn take(&mut self, change: &InvoiceEvent) {
        let of = self.id;
        match change {
            InvoiceEvent::InvoiceIssued { currency, total, .. } => {
                let money = self.money(currency);
                money.billed += total;
                money.due += total;
            }
            InvoiceEvent::PaymentRecorded { amount, method, day, issued_on, .. } => {
                let money = self.money(&amount.currency);
                if *day == of {
                    money.paid.add(method, amount.minor);
                }
                if *issued_on == of {
                    money.due -= amount.minor;
                }
            }
            InvoiceEvent::CreditNoteIssued { amount, day, issued_on, .. } => {
                let money = self.money(&amount.currency);
                if *day == of {
                    money.credited += amount.minor;
                }
                if *issued_on == of {
                    money.due -= amount.minor;
                }
            }
            InvoiceEvent::RefundIssued { amount, method, day, issued_on, .. } => {
                let money = self.money(&amount.currency);
                if *day == of {
                    money.refunded.add(method, amount.minor);
                }
                if *issued_on == of {
                    money.due += amount.minor;
                }
            }
        }
    }

    fn money(&mut self, currency: &str) -> &mut DayMoney {
        self.by_currency.entry(currency.to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use events::{
        ChargeId, InvoiceId, Number, PatientId, PaymentId, RefundId, Sealed,
        charge::ChargeAmount,
        invoice::{AdjustmentReason, InvoiceIssuer, InvoiceLine, InvoiceStatus, PaymentMethod, PaymentReference},
        values::Money,
    };
    use uuid::Uuid;

    use super::*;
    use crate::{invoice::Invoices, sample::History};

    const INVOICE: InvoiceId = InvoiceId(Uuid::from_u128(1));
    const PATIENT: PatientId = PatientId(Uuid::from_u128(2));

    fn day(n: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 3, n).unwrap()
    }

    fn inr(minor: i64) -> Money {
        Money { minor, currency: "INR".into() }
    }

    /// An invoice over 10 rupees of the 2nd of March.
    fn issued() -> History {
        let mut history = History::new();
        let amount =
            ChargeAmount { unit_price: inr(1_000), quantity: 1, tax_basis_points: 0, net: 1_000, tax: 0, total: 1_000 };
        let lines = vec![InvoiceLine { charge: ChargeId(Uuid::from_u128(3)), amount }];
        let issued = InvoiceEvent::InvoiceIssued {
            patient: PATIENT,
            number: Number::Given("INV-2026-00001".into()),
            day: day(2),
            issuer: InvoiceIssuer { name: "Asha Clinic".into(), address: None, tax_id: None },
            currency: "INR".into(),
            lines,
            net: 1_000,
            tax: 0,
            total: 1_000,
        };
        history.push(INVOICE.into(), issued);
        history
    }

    fn paid(history: &mut History, minor: i64, method: PaymentMethod, on: NaiveDate) {
        let (payment, sealed) = (PaymentId(history.fresh()), PaymentReference { reference: Some("UTR 7".into()) });
        let paid = InvoiceEvent::PaymentRecorded {
            patient: PATIENT,
            payment,
            amount: inr(minor),
            method,
            day: on,
            issued_on: day(2),
            sealed: sealed.into(),
        };
        history.push(INVOICE.into(), paid);
    }

    fn money(history: &History, n: u32) -> DayMoney {
        history.row::<BillingDays>(day(n)).unwrap().by_currency["INR"].clone()
    }

    #[test]
    fn money_counts_on_the_day_on_which_it_moves_and_is_due_on_the_invoices() {
        let mut history = issued();
        paid(&mut history, 300, PaymentMethod::Cash, day(2));
        paid(&mut history, 500, PaymentMethod::Upi, day(3));
        let refunded = InvoiceEvent::RefundIssued {
            patient: PATIENT,
            refund: RefundId(history.fresh()),
            amount: inr(100),
            method: PaymentMethod::Cash,
            reason: AdjustmentReason::Goodwill,
            day: day(4),
            issued_on: day(2),
            sealed: Sealed::Erased,
        };
        history.push(INVOICE.into(), refunded);
        let first = money(&history, 2);
        assert_eq!((first.billed, first.due, first.paid.get("cash"), first.paid.total()), (1_000, 300, 300, 300));
        let second = money(&history, 3);
        assert_eq!((second.billed, second.due, second.paid.get("upi")), (0, 0, 500));
        assert_eq!(money(&history, 4).refunded.get("cash"), 100);
        let row = history.row::<Invoices>(INVOICE.0).unwrap();
        assert_eq!((row.due, row.status, row.payments.len()), (300, InvoiceStatus::PartiallyPaid, 2));
    }

    #[test]
    fn amounts_still_count_when_the_patient_is_erased() {
        let mut history = issued();
        paid(&mut history, 1_000, PaymentMethod::Upi, day(2));
        let erased = history.erased();
        assert_eq!(erased.row::<BillingDays>(day(2)), history.row::<BillingDays>(day(2)));
        let row = erased.row::<Invoices>(INVOICE.0).unwrap();
        assert_eq!((row.paid, row.status, row.payments[0].reference.clone()), (1_000, InvoiceStatus::Paid, None));
    }
}
