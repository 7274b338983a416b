//! Less is asked for, or money is given back.

use events::{
    InvoiceEvent, Number, Series,
    invoice::{AdjustmentReason, AdjustmentText, PaymentMethod},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Invoice, day};
use crate::{
    Context, Decision, Refusal,
    values::{Reason, Sum, Text},
};

/// Issues a credit note, with a number of its own series: so much less is due. What is paid already is refunded first.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueCreditNote {
    /// At most what is due.
    pub amount: Sum,
    pub reason: AdjustmentReason,
    /// Why, in words.
    #[serde(default)]
    pub text: Option<Reason>,
}

/// Gives money back, at most what was paid and not given back. It is due again; a credit note says that it is not.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueRefund {
    pub amount: Sum,
    pub method: PaymentMethod,
    pub reason: AdjustmentReason,
    /// Why, in words.
    #[serde(default)]
    pub text: Option<Reason>,
    /// Where the money can be traced.
    #[serde(default)]
    pub reference: Option<Text<200>>,
}

impl IssueCreditNote {
    pub(super) fn decide(self, invoice: &Invoice, context: &Context<'_>) -> Result<Decision, Refusal> {
        let detail = "No more is credited than is due; what is paid already is refunded first.";
        let amount = invoice.at_most(self.amount.into(), invoice.balance.due(), "more-than-due", detail)?;
        let credited = InvoiceEvent::CreditNoteIssued {
            patient: invoice.patient,
            credit_note: context.new_id(0),
            number: Number::Next(Series::CreditNote { zone: context.in_clinic()?.zone() }),
            amount,
            reason: self.reason,
            day: day(context)?,
            issued_on: invoice.day,
            sealed: AdjustmentText { text: self.text.map(Into::into), reference: None }.into(),
        };
        Ok(Decision::one(context.target, credited))
    }
}

impl IssueRefund {
    pub(super) fn decide(self, invoice: &Invoice, context: &Context<'_>) -> Result<Decision, Refusal> {
        let detail = "No more is given back than was paid.";
        let amount = invoice.at_most(self.amount.into(), invoice.balance.held(), "more-than-paid", detail)?;
        let text = AdjustmentText { text: self.text.map(Into::into), reference: self.reference.map(Into::into) };
        let refunded = InvoiceEvent::RefundIssued {
            patient: invoice.patient,
            refund: context.new_id(0),
            amount,
            method: self.method,
            reason: self.reason,
            day: day(context)?,
            issued_on: invoice.day,
            sealed: text.into(),
        };
        Ok(Decision::one(context.target, refunded))
    }
}

#[cfg(test)]
mod tests {
    use events::{DomainEvent, invoice::InvoiceStatus};
    use serde_json::json;

    use super::{
        super::sample::{credit, given_charge, invoice, issue, office, pay, refund},
        *,
    };
    use crate::testing::World;

    /// An invoice over 1000 rupees.
    fn given_invoice() -> World {
        let mut world = office();
        let price = json!({"unit_price": {"minor": 100_000, "currency": "INR"}, "tax_basis_points": 0});
        let charge = given_charge(&mut world, price);
        issue(&mut world, 1, &[charge]).unwrap();
        world
    }

    fn stands(world: &World, due: i64, status: InvoiceStatus) {
        let balance = invoice(world, 1).balance;
        assert_eq!((balance.due(), balance.status()), (due, status));
    }

    #[test]
    fn an_invoice_is_paid_to_the_last_paisa_and_no_further() {
        let mut world = given_invoice();
        stands(&world, 100_000, InvoiceStatus::Issued);
        pay(&mut world, 1, 99_999).unwrap();
        stands(&world, 1, InvoiceStatus::PartiallyPaid);
        let refused = pay(&mut world, 1, 2).unwrap_err();
        assert_eq!((refused.code, refused.extra[0].clone()), ("more-than-due", ("limit", json!(1))));
        pay(&mut world, 1, 1).unwrap();
        stands(&world, 0, InvoiceStatus::Paid);
        assert_eq!(pay(&mut world, 1, 1).unwrap_err().code, "more-than-due");
        assert_eq!(credit(&mut world, 1, 1).unwrap_err().code, "more-than-due");
    }

    #[test]
    fn what_was_paid_is_given_back_and_then_credited() {
        let mut world = given_invoice();
        assert_eq!(refund(&mut world, 1, 1).unwrap_err().code, "more-than-paid");
        pay(&mut world, 1, 100_000).unwrap();
        refund(&mut world, 1, 30_000).unwrap();
        stands(&world, 30_000, InvoiceStatus::PartiallyPaid);
        assert_eq!(refund(&mut world, 1, 70_001).unwrap_err().code, "more-than-paid");
        credit(&mut world, 1, 30_000).unwrap();
        stands(&world, 0, InvoiceStatus::Paid);
        refund(&mut world, 1, 70_000).unwrap();
        credit(&mut world, 1, 70_000).unwrap();
        stands(&world, 0, InvoiceStatus::Credited);
    }

    #[test]
    fn credit_notes_have_numbers_of_their_own() {
        let mut world = given_invoice();
        let mut number = || {
            credit(&mut world, 1, 10).unwrap();
            match world.log.last() {
                Some((_, DomainEvent::Invoice(InvoiceEvent::CreditNoteIssued { number, .. }))) => {
                    number.as_str().to_owned()
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!([number(), number()], ["CN-2026-00001", "CN-2026-00002"]);
    }

    #[test]
    fn money_is_of_the_invoices_currency() {
        let mut world = given_invoice();
        let dollars = json!({"amount": {"minor": 1, "currency": "USD"}, "method": "cash"});
        let pay = crate::testing::body::<super::super::RecordPayment>(dollars);
        let refused = world.when::<Invoice>(super::super::sample::INVOICE, pay).unwrap_err();
        assert_eq!((refused.code, refused.pointer), ("other-currency", Some("/amount/currency")));
    }
}
