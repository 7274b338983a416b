//! A prescription on paper.

use serde::Serialize;

use crate::sheet::{Fact, Sheet, Signatory};

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PrescriptionSheet {
    pub sheet: Sheet,
    /// When it was issued, until when it holds, …
    pub facts: Vec<Fact>,
    pub prescriber: Signatory,
    pub allergies: AllergyNotice,
    pub items: Vec<PrescribedItem>,
}

/// What whoever hands out a medicine must know.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "known")]
pub enum AllergyNotice {
    Some {
        /// Each with its reaction: `penicillin (rash)`.
        to: Vec<String>,
    },
    /// Somebody asserted that there are none.
    None { since: String },
    /// Nobody has asked.
    NotAsked,
    /// Whoever prints may not read them.
    Withheld,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PrescribedItem {
    pub medicine: String,
    /// What acts in it: `amoxicillin 500 mg`.
    pub composition: Option<String>,
    /// `1 tablet, oral`
    pub dose: Option<String>,
    /// `twice a day, after food`
    pub when: Option<String>,
    /// `for 5 days`
    pub course: Option<String>,
    pub instructions: Option<String>,
    pub quantity: String,
    /// Whether another brand may be handed out.
    pub substitution: bool,
}
