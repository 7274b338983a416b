//! The results of a report, each version by itself.

use events::{
    DoctorId, LabResultId, Recorded,
    lab_report::{LabResult, NoticeChannel, ReferenceRange, ResultFlag, ResultValue},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LabReportRow;
use crate::stamp::Stamp;

/// How a result came into the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResultOrigin {
    /// Before the release.
    Recorded,
    /// Added after it.
    Amended,
    /// In the place of a released one.
    Corrected,
}

/// One version of one result. What was found is empty once erased.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LabResultEntry {
    pub id: LabResultId,
    pub origin: ResultOrigin,
    /// LOINC.
    pub code: Option<String>,
    pub text: Option<String>,
    pub value: Option<ResultValue>,
    pub range: Option<ReferenceRange>,
    pub flag: Option<ResultFlag>,
    pub note: Option<String>,
    /// A doctor has to be told.
    pub critical: bool,
    pub recorded: Stamp,
    pub verified: Option<Stamp>,
    /// The version before it.
    pub replaces: Option<LabResultId>,
    /// The version after it: this one no longer stands.
    pub replaced_by: Option<LabResultId>,
    /// Who was told that it is critical.
    pub notices: Vec<CriticalNotice>,
    /// The doctor who took note.
    pub acknowledged: Option<Stamp>,
}

/// A doctor was told of a critical result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CriticalNotice {
    pub doctor_id: DoctorId,
    pub channel: NoticeChannel,
    /// What was said.
    pub text: Option<String>,
    pub stamp: Stamp,
}

impl LabReportRow {
    pub(super) fn add(
        &mut self,
        id: LabResultId,
        origin: ResultOrigin,
        replaces: Option<LabResultId>,
        critical: bool,
        found: Option<&LabResult>,
        event: &Recorded,
    ) {
        self.results.push(LabResultEntry {
            id,
            origin,
            code: found.map(|found| found.code.clone()),
            text: found.map(|found| found.text.clone()),
            value: found.map(|found| found.value.clone()),
            range: found.and_then(|found| found.range.clone()),
            flag: found.and_then(|found| found.flag),
            note: found.and_then(|found| found.note.clone()),
            critical,
            recorded: Stamp::of(event),
            verified: None,
            replaces,
            replaced_by: None,
            notices: Vec::new(),
            acknowledged: None,
        });
    }
}
