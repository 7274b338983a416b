//! Money is asked for, paid and given back.

use chrono::NaiveDate;
use events::{
    ChargeEvent, ChargeId, CreditNoteId, InvoiceEvent, InvoiceId, Number, PatientId, PaymentId, RefundId,
    charge::{ChargeAmount, ChargeCancellationReason, ChargeDescription, ChargeText},
    invoice::{AdjustmentReason, AdjustmentText, Balance, InvoiceIssuer, InvoiceLine, PaymentMethod, PaymentReference},
    values::Money,
};

use super::life::{Chance, Life, NAMES};

/// What was asked for by now.
#[derive(Clone, Debug, Default)]
pub(super) struct Till {
    /// On no invoice yet.
    charges: Vec<(PatientId, ChargeId, ChargeAmount)>,
    invoices: Vec<Bill>,
}

#[derive(Clone, Debug)]
struct Bill {
    id: InvoiceId,
    patient: PatientId,
    currency: String,
    day: NaiveDate,
    balance: Balance,
}

impl Life {
    pub(super) fn money_moves(&mut self, chance: &mut Chance) {
        match chance.of(6) {
            0 | 1 => self.charged(chance),
            2 => self.billed(chance),
            _ => self.settled(chance),
        }
    }

    fn charged(&mut self, chance: &mut Chance) {
        if let Some((patient, charge, _)) = self.till.charges.pop().filter(|_| chance.of(4) == 0) {
            let sealed = ChargeText { text: Some(chance.pick(&NAMES).to_owned()) }.into();
            let reason = ChargeCancellationReason::Waived;
            return self.history.push(charge.into(), ChargeEvent::ChargeCancelled { patient, reason, sealed });
        }
        let Some(patient) = self.patients.get(chance.of(self.patients.len())).map(|person| person.id) else { return };
        let unit_price = Money { minor: chance.of(90_000) as i64, currency: chance.pick(&["INR", "USD"]).to_owned() };
        let quantity = 1 + chance.of(3) as i64;
        let net = unit_price.minor * quantity;
        let amount = ChargeAmount { unit_price, quantity, tax_basis_points: 0, net, tax: 0, total: net };
        let charge = ChargeId(self.history.fresh());
        let sealed = ChargeDescription { description: chance.pick(&NAMES).to_owned() }.into();
        let captured = ChargeEvent::ChargeCaptured {
            patient,
            amount: amount.clone(),
            procedure: None,
            visit: None,
            prescription: None,
            sealed,
        };
        self.history.push(charge.into(), captured);
        self.till.charges.push((patient, charge, amount));
    }

    fn billed(&mut self, chance: &mut Chance) {
        if self.till.charges.is_empty() {
            return;
        }
        let (patient, charge, amount) = self.till.charges.remove(chance.of(self.till.charges.len()));
        let (id, day) = (InvoiceId(self.history.fresh()), self.history.now.date_naive());
        let (currency, total) = (amount.unit_price.currency.clone(), amount.total);
        let issued = InvoiceEvent::InvoiceIssued {
            patient,
            number: Number::Given(format!("INV-2026-{:05}", self.till.invoices.len() + 1)),
            day,
            issuer: InvoiceIssuer { name: chance.pick(&NAMES).to_owned(), address: None, tax_id: None },
            currency: currency.clone(),
            net: amount.net,
            tax: amount.tax,
            total,
            lines: vec![InvoiceLine { charge, amount }],
        };
        let balance = Balance::default().after(&issued);
        self.history.push(id.into(), issued);
        self.history.push(charge.into(), ChargeEvent::ChargeInvoiced { patient, invoice: id });
        self.till.invoices.push(Bill { id, patient, currency, day, balance });
    }

    /// Days later, for some.
    fn settled(&mut self, chance: &mut Chance) {
        let index = chance.of(self.till.invoices.len());
        let Some(Bill { id, patient, currency, day: issued_on, balance }) = self.till.invoices.get(index).cloned()
        else {
            return;
        };
        let day = self.history.now.date_naive() + chrono::Days::new(chance.of(3) as u64);
        let part = |limit: i64, chance: &mut Chance| 1 + chance.of(usize::try_from(limit).unwrap_or(1)) as i64;
        let money = |minor| Money { minor, currency: currency.clone() };
        let reason = AdjustmentReason::Goodwill;
        let method = chance.pick(&[PaymentMethod::Cash, PaymentMethod::Upi]);
        let text = Some(chance.pick(&NAMES).to_owned());
        let event = match (chance.of(4), balance.due(), balance.held()) {
            (0, _, held @ 1..) => InvoiceEvent::RefundIssued {
                patient,
                refund: RefundId(self.history.fresh()),
                amount: money(part(held, chance)),
                method,
                reason,
                day,
                issued_on,
                sealed: AdjustmentText { text, reference: None }.into(),
            },
            (1, due @ 1.., _) => InvoiceEvent::CreditNoteIssued {
                patient,
                credit_note: CreditNoteId(self.history.fresh()),
                number: Number::Given(format!("CN-2026-{index:05}")),
                amount: money(part(due, chance)),
                reason,
                day,
                issued_on,
                sealed: AdjustmentText { text, reference: None }.into(),
            },
            (_, due @ 1.., _) => InvoiceEvent::PaymentRecorded {
                patient,
                payment: PaymentId(self.history.fresh()),
                amount: money(part(due, chance)),
                method,
                day,
                issued_on,
                sealed: PaymentReference { reference: text }.into(),
            },
            _ => return,
        };
        self.till.invoices[index].balance = balance.after(&event);
        self.history.push(id.into(), event);
    }
}
