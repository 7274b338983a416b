//! What a prescriber is warned of, and why somebody prescribes all the same.

use derive_more::{Display, From};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, VariantArray};

use crate::{AllergyId, PrescriptionId, PrescriptionItemId};

/// Names one alert of one content: a keyed hash of its kind, its item and its cause.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Display, From, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct AlertId(pub String);

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
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AlertKind {
    /// The patient is allergic to an ingredient.
    AllergyIngredient,
    /// The patient is allergic to something of the same class.
    AllergyClass,
    /// The patient takes the ingredient already.
    DuplicateIngredient,
    Interaction,
    DoseOutOfRange,
}

/// From the mildest to the worst.
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
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AlertSeverity {
    Minor,
    Moderate,
    /// Nothing is issued until somebody has said why it is right all the same.
    Severe,
}

/// What an item was held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertCause {
    Allergy {
        allergy: AllergyId,
    },
    /// Another item, of this prescription or of one that the patient has already.
    Item {
        prescription: PrescriptionId,
        item: PrescriptionItemId,
    },
    /// The range of doses in the catalogue.
    Dose {},
}

/// Something to be feared of one item of a prescription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alert {
    pub id: AlertId,
    pub kind: AlertKind,
    pub severity: AlertSeverity,
    pub item: PrescriptionItemId,
    pub cause: AlertCause,
    /// In a sentence, for the prescriber.
    pub text: String,
}

/// Why a severe alert does not hold the prescriber back.
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
pub enum OverrideReason {
    BenefitOutweighsRisk,
    NoAlternative,
    ToleratedBefore,
    WillBeMonitored,
    /// The record behind the alert is doubtful.
    RecordInaccurate,
    Other,
}

/// The overridden alert, and why in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Overridden {
    pub alert: String,
    pub text: Option<String>,
}
