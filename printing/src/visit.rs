//! The summary of a visit on paper.

use serde::Serialize;

use crate::sheet::{Fact, Sheet, Signatory};

/// What is `None` is not for the eyes of whoever prints; what is empty was not recorded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VisitSheet {
    pub sheet: Sheet,
    pub facts: Vec<Fact>,
    pub complaint: Option<String>,
    pub triage: Vec<Fact>,
    pub vitals: Option<Vec<MeasuredSet>>,
    pub diagnoses: Option<Vec<DiagnosisLine>>,
    pub prescribed: Option<Vec<Listed>>,
    pub ordered: Option<Vec<Listed>>,
    pub follow_up: Vec<Fact>,
    pub doctor: Option<Signatory>,
}

/// Vital signs of one time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeasuredSet {
    pub at: String,
    pub signs: Vec<Sign>,
    pub note: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sign {
    pub name: String,
    /// With its unit.
    pub value: String,
    /// `high`
    pub flag: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DiagnosisLine {
    pub text: String,
    /// ICD-10.
    pub code: Option<String>,
    pub certainty: String,
    /// What it was before, and why it was corrected.
    pub earlier: Vec<String>,
}

/// A prescription or an order of this visit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listed {
    /// Its number and state.
    pub title: String,
    pub lines: Vec<String>,
}
