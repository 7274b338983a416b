//! What the rules know of a report, and how each event changes it. Nothing of it is sealed: what was found is not known
//! here.

use std::collections::BTreeMap;

use events::{
    DoctorId, LabOrderId, LabReportEvent, LabResultId, PatientId, UserId, claim::ClaimKey, lab_report::LabReportStatus,
};

use crate::lab_order::report_claim;

#[derive(Clone, Debug, PartialEq)]
pub struct LabReport {
    pub status: LabReportStatus,
    pub order: LabOrderId,
    pub patient: PatientId,
    /// Who ordered the tests.
    pub doctor: DoctorId,
    /// Each version of each result.
    pub results: BTreeMap<LabResultId, Finding>,
}

/// What the rules know of one version of one result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Who recorded it.
    pub by: Option<UserId>,
    pub verified: bool,
    pub critical: Option<Critical>,
    /// Another result has taken its place.
    pub replaced: bool,
}

/// How far the news of a critical result has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Critical {
    Open,
    /// A doctor was told.
    Notified,
    /// A doctor has taken note.
    Acknowledged,
}

impl Finding {
    fn new(by: Option<UserId>, critical: bool) -> Self {
        Self { by, verified: false, critical: critical.then_some(Critical::Open), replaced: false }
    }
}

impl LabReport {
    /// An order has one report at a time; one that was struck out makes room for another.
    pub(super) fn held(&self) -> Vec<ClaimKey> {
        let stands = self.status != LabReportStatus::EnteredInError;
        stands.then(|| report_claim(self.order)).into_iter().collect()
    }

    /// The results that stand, each in its last version.
    pub fn standing(&self) -> impl Iterator<Item = (LabResultId, &Finding)> {
        self.results.iter().filter(|(_, finding)| !finding.replaced).map(|(id, finding)| (*id, finding))
    }

    /// The status once this result is verified, too.
    pub(super) fn status_with(&self, verified: LabResultId) -> LabReportStatus {
        let all = self.standing().all(|(id, finding)| finding.verified || id == verified);
        match self.status {
            LabReportStatus::Registered | LabReportStatus::Partial | LabReportStatus::Preliminary if all => {
                LabReportStatus::Preliminary
            }
            status => status,
        }
    }

    /// The state after the first event.
    pub(super) fn from_first(event: &LabReportEvent) -> Option<Self> {
        let LabReportEvent::LabReportRegistered { order, patient, doctor, .. } = *event else { return None };
        let status = LabReportStatus::Registered;
        Some(Self { status, order, patient, doctor, results: BTreeMap::new() })
    }

    /// The state after an event; `None`: it cannot follow.
    pub(super) fn apply(mut self, event: &LabReportEvent) -> Option<Self> {
        match event {
            LabReportEvent::LabReportRegistered { .. } => return None,
            LabReportEvent::LabResultRecorded { result, replaces, by, critical, .. } => {
                (!self.is_over()).then_some(())?;
                replaces.map_or(Some(()), |earlier| self.replace(earlier))?;
                self.add(*result, Finding::new(*by, *critical))?;
                self.status = LabReportStatus::Partial;
            }
            LabReportEvent::LabResultVerified { result, status, .. } => {
                let finding = self.results.get_mut(result).filter(|finding| !finding.verified && !finding.replaced)?;
                finding.verified = true;
                self.status = *status;
            }
            LabReportEvent::LabReportReleased { .. } => {
                (self.status == LabReportStatus::Preliminary).then_some(())?;
                self.status = LabReportStatus::Final;
            }
            LabReportEvent::LabReportAmended { result, by, critical, was, .. } => {
                (*was == self.status && was.is_released()).then_some(())?;
                self.add(*result, Finding::new(*by, *critical))?;
                self.status = LabReportStatus::Amended;
            }
            LabReportEvent::LabReportCorrected { result, corrects, by, critical, was, .. } => {
                (*was == self.status && was.is_released()).then_some(())?;
                self.replace(*corrects)?;
                self.add(*result, Finding::new(*by, *critical))?;
                self.status = LabReportStatus::Corrected;
            }
            LabReportEvent::CriticalResultNotified { result, .. } => self.tell(*result, Critical::Notified)?,
            LabReportEvent::CriticalResultAcknowledged { result, .. } => self.tell(*result, Critical::Acknowledged)?,
            LabReportEvent::LabReportEnteredInError { was, .. } => {
                (*was == self.status && *was != LabReportStatus::EnteredInError).then_some(())?;
                self.status = LabReportStatus::EnteredInError;
            }
        }
        Some(self)
    }

    /// Whether nothing is recorded in it as if it had not been given out.
    pub(super) fn is_over(&self) -> bool {
        self.status.is_released() || self.status == LabReportStatus::EnteredInError
    }

    fn add(&mut self, result: LabResultId, finding: Finding) -> Option<()> {
        self.results.insert(result, finding).is_none().then_some(())
    }

    fn replace(&mut self, earlier: LabResultId) -> Option<()> {
        let finding = self.results.get_mut(&earlier).filter(|finding| !finding.replaced)?;
        finding.replaced = true;
        Some(())
    }

    fn tell(&mut self, result: LabResultId, news: Critical) -> Option<()> {
        let finding = self.results.get_mut(&result).filter(|finding| finding.critical.is_some())?;
        finding.critical = finding.critical.max(Some(news));
        Some(())
    }
}
