//! What the rules know of a case study, and how each event changes it. Nothing of it is sealed.

use std::collections::BTreeMap;

use events::{CaseStudyEvent, ConsentId, PatientId, UserId, case_study::CaseStudyStatus};

#[derive(Clone, Debug, PartialEq)]
pub struct CaseStudy {
    pub author: UserId,
    pub status: CaseStudyStatus,
    pub parts: BTreeMap<PatientId, Part>,
    /// Whoever approved it has verified that nobody can be recognised.
    pub verified: bool,
}

/// What is drawn from one patient's records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    pub de_identified: bool,
    pub consent: Option<LinkedConsent>,
}

/// A consent that a part rests on, and whose record it lies in: another one of the same person, where records were
/// merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkedConsent {
    pub holder: PatientId,
    pub consent: ConsentId,
}

impl CaseStudy {
    /// Whether a part rests on the consent.
    pub fn rests_on(&self, consent: ConsentId) -> bool {
        self.parts.values().any(|part| part.consent.is_some_and(|linked| linked.consent == consent))
    }

    /// The state after the first event.
    pub(super) fn from_first(event: &CaseStudyEvent) -> Option<Self> {
        let CaseStudyEvent::CaseStudyDrafted { author, .. } = event else { return None };
        Some(Self { author: *author, status: CaseStudyStatus::Draft, parts: BTreeMap::new(), verified: false })
    }

    /// The state after an event; `None`: it cannot follow.
    pub(super) fn apply(mut self, event: &CaseStudyEvent) -> Option<Self> {
        use CaseStudyStatus as Is;
        match event {
            CaseStudyEvent::CaseStudyDrafted { .. } => return None,
            CaseStudyEvent::CaseStudyPatientAdded { patient, .. } => {
                (self.status == Is::Draft).then_some(())?;
                self.parts.insert(*patient, Part::default()).is_none().then_some(())?;
            }
            CaseStudyEvent::CaseStudyPatientDeIdentified { patient, .. } => {
                matches!(self.status, Is::Draft | Is::DeIdentified).then_some(())?;
                self.parts.get_mut(patient)?.de_identified = true;
            }
            CaseStudyEvent::CaseStudyDeIdentified { .. } => {
                matches!(self.status, Is::Draft | Is::DeIdentified).then_some(())?;
                self.status = Is::DeIdentified;
            }
            CaseStudyEvent::CaseStudyConsentLinked { patient, consent, part } => {
                (self.status != Is::Withdrawn).then_some(())?;
                self.parts.get_mut(part)?.consent = Some(LinkedConsent { holder: *patient, consent: *consent });
            }
            CaseStudyEvent::CaseStudyApproved { verified, .. } => {
                (self.status == Is::DeIdentified).then_some(())?;
                (self.status, self.verified) = (Is::Approved, *verified);
            }
            CaseStudyEvent::CaseStudyPublished {} => {
                (self.status == Is::Approved).then_some(())?;
                self.status = Is::Published;
            }
            CaseStudyEvent::CaseStudyWithdrawn { was, .. } => {
                (self.status == *was && *was != Is::Withdrawn).then_some(())?;
                self.status = Is::Withdrawn;
            }
        }
        Some(self)
    }
}
