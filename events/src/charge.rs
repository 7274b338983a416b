//! What can happen to a charge: something done or given that a patient pays for. A charge never changes; it is cancelled
//! while it is on no invoice, or it comes onto one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantNames};

use crate::{DentalProcedureId, InvoiceId, PatientId, PrescriptionId, Sealed, VisitId, values::Money};

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
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum ChargeStatus {
    /// On no invoice yet.
    Captured,
    Invoiced,
    Cancelled,
}

/// Why nobody pays for it.
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
pub enum ChargeCancellationReason {
    EnteredInError,
    NotRendered,
    Waived,
    Other,
}

/// What something costs, exactly: `net` is the price times the quantity, `tax` its share of the net, rounded to the
/// minor unit (half away from zero) on this line alone, `total` both. Minor units of the price's currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChargeAmount {
    /// Of one, before tax.
    pub unit_price: Money,
    pub quantity: i64,
    /// Hundredths of a percent: 1800 are 18 %.
    pub tax_basis_points: i64,
    pub net: i64,
    pub tax: i64,
    pub total: i64,
}

/// What it is for, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChargeDescription {
    pub description: String,
}

/// Why, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChargeText {
    pub text: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "type", content = "data")]
pub enum ChargeEvent {
    ChargeCaptured {
        patient: PatientId,
        amount: ChargeAmount,
        /// The dental procedure that it is for.
        procedure: Option<DentalProcedureId>,
        /// The visit that it is for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        visit: Option<VisitId>,
        /// The prescription of which something was handed out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prescription: Option<PrescriptionId>,
        #[serde(default)]
        sealed: Sealed<ChargeDescription>,
    },
    ChargeCancelled {
        patient: PatientId,
        reason: ChargeCancellationReason,
        #[serde(default)]
        sealed: Sealed<ChargeText>,
    },
    /// With the invoice, in the same transaction.
    ChargeInvoiced { patient: PatientId, invoice: InvoiceId },
}

impl ChargeEvent {
    pub fn patient(&self) -> PatientId {
        match self {
            Self::ChargeCaptured { patient, .. }
            | Self::ChargeCancelled { patient, .. }
            | Self::ChargeInvoiced { patient, .. } => *patient,
        }
    }
}
