//! What can happen to an invoice. What was issued never changes: payments, credit notes and refunds are added to it.
//! Each carries the days on which money is counted, cut in the clinic's zone, so that no fold looks elsewhere.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::{
    ChargeId, CreditNoteId, Number, PatientId, PaymentId, RefundId, Sealed,
    charge::ChargeAmount,
    values::{Address, Money},
};

/// Where an invoice stands; it follows from its amounts.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum InvoiceStatus {
    /// Nothing is paid.
    Issued,
    PartiallyPaid,
    /// Nothing is due.
    Paid,
    /// Credit notes took all of it back.
    Credited,
}

/// How money changes hands.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    EnumString,
    IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PaymentMethod {
    Cash,
    Card,
    Upi,
    Bank,
    Cheque,
    Other,
}

/// Why money is given back, or not asked for.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    EnumString,
    IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AdjustmentReason {
    BillingError,
    NotRendered,
    Discount,
    Goodwill,
    /// The patient does not pay.
    WrittenOff,
    Other,
}

/// Who issues it, as the clinic's profile said then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InvoiceIssuer {
    pub name: String,
    pub address: Option<Address>,
    /// GSTIN in India.
    pub tax_id: Option<String>,
}

/// A charge as it stands on the invoice. What it is for stays with the charge, which never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InvoiceLine {
    pub charge: ChargeId,
    pub amount: ChargeAmount,
}

/// Where the money can be traced: the number of a transfer, of a cheque.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentReference {
    pub reference: Option<String>,
}

/// Why, in words, and where the money can be traced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdjustmentText {
    pub text: Option<String>,
    pub reference: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "type", content = "data")]
pub enum InvoiceEvent {
    /// `net`, `tax` and `total` are the sums over the lines, in minor units.
    InvoiceIssued {
        patient: PatientId,
        number: Number,
        day: NaiveDate,
        issuer: InvoiceIssuer,
        currency: String,
        lines: Vec<InvoiceLine>,
        net: i64,
        tax: i64,
        total: i64,
    },
    PaymentRecorded {
        patient: PatientId,
        payment: PaymentId,
        amount: Money,
        method: PaymentMethod,
        day: NaiveDate,
        /// The invoice's day.
        issued_on: NaiveDate,
        #[serde(default)]
        sealed: Sealed<PaymentReference>,
    },
    /// So much less is due.
    CreditNoteIssued {
        patient: PatientId,
        credit_note: CreditNoteId,
        number: Number,
        amount: Money,
        reason: AdjustmentReason,
        day: NaiveDate,
        /// The invoice's day.
        issued_on: NaiveDate,
        #[serde(default)]
        sealed: Sealed<AdjustmentText>,
    },
    /// So much of what was paid is given back, and due again.
    RefundIssued {
        patient: PatientId,
        refund: RefundId,
        amount: Money,
        method: PaymentMethod,
        reason: AdjustmentReason,
        day: NaiveDate,
        /// The invoice's day.
        issued_on: NaiveDate,
        #[serde(default)]
        sealed: Sealed<AdjustmentText>,
    },
}

impl InvoiceEvent {
    pub fn patient(&self) -> PatientId {
        match self {
            Self::InvoiceIssued { patient, .. }
            | Self::PaymentRecorded { patient, .. }
            | Self::CreditNoteIssued { patient, .. }
            | Self::RefundIssued { patient, .. } => *patient,
        }
    }

    pub fn number_mut(&mut self) -> Option<&mut Number> {
        match self {
            Self::InvoiceIssued { number, .. } | Self::CreditNoteIssued { number, .. } => Some(number),
            Self::PaymentRecorded { .. } | Self::RefundIssued { .. } => None,
        }
    }
}

/// What became of an invoice's money, in minor units of its currency. Nothing of it is ever negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    pub total: i64,
    pub paid: i64,
    pub credited: i64,
    pub refunded: i64,
}

impl Balance {
    /// What was paid and not given back.
    pub fn held(self) -> i64 {
        self.paid - self.refunded
    }

    /// What is still to be paid.
    pub fn due(self) -> i64 {
        self.total - self.credited - self.held()
    }

    pub fn status(self) -> InvoiceStatus {
        match (self.due(), self.held()) {
            (0, 0) if self.total > 0 => InvoiceStatus::Credited,
            (0, _) => InvoiceStatus::Paid,
            (_, 0) => InvoiceStatus::Issued,
            (_, _) => InvoiceStatus::PartiallyPaid,
        }
    }

    /// After an event of the invoice.
    #[must_use]
    pub fn after(self, event: &InvoiceEvent) -> Self {
        match event {
            InvoiceEvent::InvoiceIssued { total, .. } => Self { total: *total, ..Self::default() },
            InvoiceEvent::PaymentRecorded { amount, .. } => Self { paid: self.paid + amount.minor, ..self },
            InvoiceEvent::CreditNoteIssued { amount, .. } => Self { credited: self.credited + amount.minor, ..self },
            InvoiceEvent::RefundIssued { amount, .. } => Self { refunded: self.refunded + amount.minor, ..self },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_follows_from_the_amounts() {
        let balance = |paid, credited, refunded| Balance { total: 100, paid, credited, refunded };
        let table = [
            (balance(0, 0, 0), 100, InvoiceStatus::Issued),
            (balance(0, 40, 0), 60, InvoiceStatus::Issued),
            (balance(40, 0, 0), 60, InvoiceStatus::PartiallyPaid),
            (balance(100, 0, 0), 0, InvoiceStatus::Paid),
            (balance(60, 40, 0), 0, InvoiceStatus::Paid),
            (balance(100, 0, 30), 30, InvoiceStatus::PartiallyPaid),
            (balance(100, 0, 100), 100, InvoiceStatus::Issued),
            (balance(100, 30, 30), 0, InvoiceStatus::Paid),
            (balance(100, 100, 100), 0, InvoiceStatus::Credited),
            (balance(0, 100, 0), 0, InvoiceStatus::Credited),
            (Balance::default(), 0, InvoiceStatus::Paid),
        ];
        for (balance, due, status) in table {
            assert_eq!((balance.due(), balance.status()), (due, status), "{balance:?}");
        }
    }
}
