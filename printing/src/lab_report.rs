//! A laboratory report on paper.

use serde::Serialize;

use crate::sheet::{Fact, Sheet, Signatory};

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LabReportSheet {
    pub sheet: Sheet,
    pub facts: Vec<Fact>,
    pub results: Vec<ReportedResult>,
    /// Who released it.
    pub released: Option<Signatory>,
}

/// A result that stands, with what stood there before.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReportedResult {
    pub test: String,
    /// LOINC.
    pub code: Option<String>,
    pub value: String,
    pub unit: Option<String>,
    pub range: Option<String>,
    pub flag: Option<ResultMark>,
    pub note: Option<String>,
    /// Who recorded it and who verified it, and when.
    pub provenance: String,
    pub earlier: Vec<EarlierResult>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResultMark {
    /// `HH`
    pub short: String,
    /// `critically high`
    pub word: String,
    pub critical: bool,
}

/// What was reported before, and why it does not stand.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EarlierResult {
    /// With its unit.
    pub value: String,
    /// Who corrected it, when and why.
    pub corrected: String,
}
