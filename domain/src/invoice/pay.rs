//! Money comes in.

use events::{
    InvoiceEvent,
    invoice::{PaymentMethod, PaymentReference},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Invoice, day};
use crate::{
    Context, Decision, Refusal,
    values::{Sum, Text},
};

/// Records that something was paid, at most what is due.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordPayment {
    pub amount: Sum,
    pub method: PaymentMethod,
    /// Where the money can be traced: the number of a transfer, of a cheque.
    #[serde(default)]
    pub reference: Option<Text<200>>,
}

impl RecordPayment {
    pub(super) fn decide(self, invoice: &Invoice, context: &Context<'_>) -> Result<Decision, Refusal> {
        let detail = "No more is paid than is due.";
        let amount = invoice.at_most(self.amount.into(), invoice.balance.due(), "more-than-due", detail)?;
        let paid = InvoiceEvent::PaymentRecorded {
            patient: invoice.patient,
            payment: context.new_id(0),
            amount,
            method: self.method,
            day: day(context)?,
            issued_on: invoice.day,
            sealed: PaymentReference { reference: self.reference.map(Into::into) }.into(),
        };
        Ok(Decision::one(context.target, paid))
    }
}
