//! What can happen to a medicine of a catalogue. Nothing of it says anything about a person.
//!
//! An entry of the platform is a stream of the platform's own ledger, one that a clinic added a stream of the
//! clinic's. What a clinic says of a platform's entry (its own wording of it, or that it does not want to see it) is a
//! stream of the same id in the clinic's ledger.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use uuid::Uuid;

use crate::{MedicineId, values::Money};

/// What the ids of imported entries are counted from; never changed.
const IMPORTED: Uuid = Uuid::from_u128(0x6d65_6469_6369_6e65_8000_0000_0000_0001);

/// A medicine as it can be prescribed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MedicineEntry {
    /// As it stands on the pack: `Augmentin 625 Duo Tablet`.
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generic_name: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ingredients: Vec<Ingredient>,
    /// The allergy classes of the ingredients, normalised and in order: `penicillins`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// `tablet`, `syrup`, `injection`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// `oral`, `topical`, `intravenous`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// What is counted when it is given out (UCUM): `{tablet}`, `mL`, `g`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Of a medicine with one ingredient, or as the pack says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// `strip of 10 tablets`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack: Option<String>,
    /// Of a pack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Coding>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doses: Option<DoseRange>,
}

/// A part of a medicine that acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ingredient {
    /// Under the one name that the platform knows it by, where it knows it: `amoxicillin`.
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rxnorm: Option<String>,
    /// As it is written: `500mg`, `125mg/5ml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<String>,
    /// Its other names: `amoxycillin`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
}

/// A code in a system (FHIR Coding).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Coding {
    /// The system's URI: `http://www.nlm.nih.gov/research/umls/rxnorm`.
    pub system: String,
    pub code: String,
}

/// Between which doses an adult is usually given it, all in one unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DoseRange {
    /// UCUM.
    pub unit: String,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rust_decimal::serde::float_option")]
    #[schemars(with = "Option<f64>")]
    pub min_single: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rust_decimal::serde::float_option")]
    #[schemars(with = "Option<f64>")]
    pub max_single: Option<Decimal>,
    /// In 24 hours.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rust_decimal::serde::float_option")]
    #[schemars(with = "Option<f64>")]
    pub max_daily: Option<Decimal>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "type", content = "data")]
pub enum MedicineEvent {
    /// To the catalogue whose ledger it lies in.
    MedicineAdded {
        entry: MedicineEntry,
    },
    MedicineUpdated {
        entry: MedicineEntry,
    },
    /// It is not prescribed any more; what was prescribed keeps its own copy.
    MedicineRetired {},
    /// The clinic sees this instead of what the platform says.
    MedicineOverridden {
        entry: MedicineEntry,
    },
    /// The clinic sees again what the platform says.
    MedicineOverrideLifted {},
    /// The clinic does not want to see the platform's entry.
    MedicineHidden {},
    MedicineShown {},
}

impl MedicineId {
    /// The entry that an imported list names by a key of its own: the same whenever the list is imported again.
    pub fn imported(source: &str, key: &str) -> Self {
        Self(Uuid::new_v5(&IMPORTED, format!("{source}\n{key}").as_bytes()))
    }
}

/// Equal for two ways of writing a substance or a class of them: lower case, without marks, single spaces.
pub fn substance_key(name: &str) -> String {
    let plain: String = name.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_substance_is_known_however_it_is_written() {
        for written in ["Amoxicillin", " AMOXICILLIN ", "amoxicillín"] {
            assert_eq!(substance_key(written), "amoxicillin");
        }
        assert_eq!(substance_key("Clavulanic   Acid"), "clavulanic acid");
    }

    #[test]
    fn an_imported_entry_has_one_id_for_ever() {
        let id = MedicineId::imported("rxnorm", "313782");
        assert_eq!(id.to_string(), MedicineId::imported("rxnorm", "313782").to_string());
        assert_ne!(id, MedicineId::imported("brands", "313782"));
    }
}
