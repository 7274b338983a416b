//! What the platform knows of substances: their names, the allergy classes that they belong to, and which of them
//! should not be taken together. Streams of the platform's ledger, one for each name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray, VariantNames};
use uuid::Uuid;

use crate::{
    SubstanceId,
    medicine::{Coding, substance_key},
};

/// What the ids of substances are counted from; never changed.
const SUBSTANCES: Uuid = Uuid::from_u128(0x7375_6273_7461_6e63_8000_0000_0000_0001);

/// How bad it is to take two substances together.
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
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum InteractionSeverity {
    Minor,
    Moderate,
    Severe,
    Contraindicated,
}

/// What may happen when two substances are taken together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Interaction {
    /// Normalised, and in order.
    pub ingredients: [String; 2],
    pub severity: InteractionSeverity,
    pub text: String,
}

/// What a table says of one name of a substance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubstanceEntry {
    /// Normalised: `amoxycillin`.
    pub name: String,
    /// Only another name: what is known stands under this one, `amoxicillin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<String>,
    /// Its other names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Allergy classes: `penicillins`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Coding>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "type", content = "data")]
pub enum SubstanceEvent {
    /// Instead of what was said of it before.
    SubstanceDescribed {
        entry: SubstanceEntry,
        /// Who says so.
        source: String,
    },
    /// All interactions of the substance with those that come after it in the alphabet, as one source knows them;
    /// instead of what that source said before.
    InteractionsSet { name: String, interactions: Vec<Interaction>, source: String },
}

impl SubstanceId {
    /// What is known under a name.
    pub fn of(name: &str) -> Self {
        Self(Uuid::new_v5(&SUBSTANCES, substance_key(name).as_bytes()))
    }
}
