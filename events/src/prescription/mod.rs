//! What can happen to a prescription. Ids, quantities, prices and codes are clear; which medicine, how it is taken
//! and why something was done are sealed under the patient's key. Each event names its patient, so that it is written
//! in that chart.

mod alert;
mod item;

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

pub use alert::{Alert, AlertCause, AlertId, AlertKind, AlertSeverity, Overridden, OverrideReason};
pub use item::{
    Amount, FoodTiming, Frequency, IssuedItem, ItemSupply, Period, PrescriptionItem, Regimen, Supply, TimeUnit,
};

use crate::{DoctorId, Number, PatientId, PrescriptionId, PrescriptionItemId, Sealed, VisitId, retention::RecordClass};

/// FHIR R4 MedicationRequest.status, and `expired`.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
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
pub enum PrescriptionStatus {
    Draft,
    Active,
    OnHold,
    /// The course is over as it was meant to be.
    Completed,
    /// Ended before its time.
    Stopped,
    /// Withdrawn before anything was handed out.
    Cancelled,
    /// Its last day has passed.
    Expired,
    EnteredInError,
}

impl PrescriptionStatus {
    /// Whether the patient is to take what it says, now or after a pause.
    pub fn is_current(self) -> bool {
        matches!(self, Self::Active | Self::OnHold)
    }
}

/// What was issued, and what the prescriber was warned of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Issued {
    pub items: Vec<IssuedItem>,
    pub alerts: Vec<Alert>,
}

/// Why a prescription was paused, stopped or withdrawn (after FHIR's statusReason).
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
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum StatusReason {
    AdverseReaction,
    Allergy,
    Interaction,
    Ineffective,
    NoLongerNeeded,
    Pregnancy,
    /// An operation or another procedure.
    Procedure,
    AwaitingResult,
    NotAvailable,
    PatientRequest,
    Other,
}

/// Why, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PrescriptionReason {
    pub text: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "type", content = "data")]
pub enum PrescriptionEvent {
    PrescriptionDrafted {
        patient: PatientId,
        /// Who is to issue it, where that is known.
        doctor: Option<DoctorId>,
        visit: Option<VisitId>,
        /// The prescription that ends when this one is issued.
        replaces: Option<PrescriptionId>,
    },
    PrescriptionItemAdded {
        patient: PatientId,
        item: PrescriptionItemId,
        supply: Supply,
        #[serde(default)]
        sealed: Sealed<Regimen>,
    },
    PrescriptionItemChanged {
        patient: PatientId,
        item: PrescriptionItemId,
        supply: Supply,
        #[serde(default)]
        sealed: Sealed<Regimen>,
    },
    PrescriptionItemRemoved {
        patient: PatientId,
        item: PrescriptionItemId,
    },
    /// Holds for this alert of this content, in this draft.
    PrescriptionAlertOverridden {
        patient: PatientId,
        alert: AlertId,
        kind: AlertKind,
        severity: AlertSeverity,
        item: PrescriptionItemId,
        reason: OverrideReason,
        #[serde(default)]
        sealed: Sealed<Overridden>,
    },
    PrescriptionIssued {
        patient: PatientId,
        number: Number,
        doctor: DoctorId,
        items: Vec<ItemSupply>,
        /// So many further fillings.
        refills: i64,
        /// The last day on which anything is handed out, in the clinic's zone.
        valid_until: NaiveDate,
        /// The end of that day.
        expires_at: DateTime<Utc>,
        #[serde(default)]
        sealed: Sealed<Issued>,
    },
    PrescriptionDispensed {
        patient: PatientId,
        item: PrescriptionItemId,
        quantity: Amount,
    },
    PrescriptionRefillAuthorised {
        patient: PatientId,
        doctor: DoctorId,
        /// So many more.
        refills: i64,
    },
    /// The prescribed quantities may be handed out once more.
    PrescriptionRefillUsed {
        patient: PatientId,
        /// 1, 2, 3 …
        refill: i64,
    },
    PrescriptionHeld {
        patient: PatientId,
        reason: StatusReason,
        #[serde(default)]
        sealed: Sealed<PrescriptionReason>,
    },
    PrescriptionReleased {
        patient: PatientId,
    },
    PrescriptionStopped {
        patient: PatientId,
        was: PrescriptionStatus,
        reason: StatusReason,
        #[serde(default)]
        sealed: Sealed<PrescriptionReason>,
    },
    /// Stopped, because another one was issued in its place.
    PrescriptionReplaced {
        patient: PatientId,
        was: PrescriptionStatus,
        by: PrescriptionId,
    },
    PrescriptionCancelled {
        patient: PatientId,
        was: PrescriptionStatus,
        reason: StatusReason,
        #[serde(default)]
        sealed: Sealed<PrescriptionReason>,
    },
    PrescriptionCompleted {
        patient: PatientId,
        was: PrescriptionStatus,
    },
    PrescriptionExpired {
        patient: PatientId,
        was: PrescriptionStatus,
    },
    PrescriptionEnteredInError {
        patient: PatientId,
        was: PrescriptionStatus,
        #[serde(default)]
        sealed: Sealed<PrescriptionReason>,
    },
    /// Put on paper.
    PrescriptionPrinted {
        patient: PatientId,
    },
}

impl PrescriptionEvent {
    pub fn patient(&self) -> PatientId {
        match self {
            Self::PrescriptionDrafted { patient, .. }
            | Self::PrescriptionItemAdded { patient, .. }
            | Self::PrescriptionItemChanged { patient, .. }
            | Self::PrescriptionItemRemoved { patient, .. }
            | Self::PrescriptionAlertOverridden { patient, .. }
            | Self::PrescriptionIssued { patient, .. }
            | Self::PrescriptionDispensed { patient, .. }
            | Self::PrescriptionRefillAuthorised { patient, .. }
            | Self::PrescriptionRefillUsed { patient, .. }
            | Self::PrescriptionHeld { patient, .. }
            | Self::PrescriptionReleased { patient }
            | Self::PrescriptionStopped { patient, .. }
            | Self::PrescriptionReplaced { patient, .. }
            | Self::PrescriptionCancelled { patient, .. }
            | Self::PrescriptionCompleted { patient, .. }
            | Self::PrescriptionExpired { patient, .. }
            | Self::PrescriptionEnteredInError { patient, .. }
            | Self::PrescriptionPrinted { patient } => *patient,
        }
    }

    pub fn number_mut(&mut self) -> Option<&mut Number> {
        match self {
            Self::PrescriptionIssued { number, .. } => Some(number),
            _ => None,
        }
    }

    /// What the calendar or the printer does is no contact with the patient.
    pub(crate) fn record_class(&self) -> RecordClass {
        match self {
            Self::PrescriptionDrafted { .. }
            | Self::PrescriptionItemAdded { .. }
            | Self::PrescriptionItemChanged { .. }
            | Self::PrescriptionItemRemoved { .. }
            | Self::PrescriptionAlertOverridden { .. }
            | Self::PrescriptionIssued { .. }
            | Self::PrescriptionDispensed { .. }
            | Self::PrescriptionRefillAuthorised { .. }
            | Self::PrescriptionRefillUsed { .. }
            | Self::PrescriptionHeld { .. }
            | Self::PrescriptionReleased { .. }
            | Self::PrescriptionStopped { .. }
            | Self::PrescriptionReplaced { .. }
            | Self::PrescriptionCancelled { .. }
            | Self::PrescriptionEnteredInError { .. } => RecordClass::Clinical,
            Self::PrescriptionCompleted { .. }
            | Self::PrescriptionExpired { .. }
            | Self::PrescriptionPrinted { .. } => RecordClass::Administrative,
        }
    }
}
