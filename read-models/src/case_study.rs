//! Case studies: what each tells of whom, and how far it has come.

use chrono::{DateTime, Utc};
use events::{
    CaseStudyEvent, CaseStudyId, ConsentId, DomainEvent, PatientId, Recorded, UserId,
    case_study::{CaseStudyStatus, DeIdentificationMethod, RecordRef, StudyText, WithdrawalCode},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Projection;

/// `read.case_study_1`: one row per study.
pub struct CaseStudies;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseStudyRow {
    pub id: CaseStudyId,
    pub number: String,
    pub status: CaseStudyStatus,
    pub author_id: UserId,
    /// The user name at the time.
    pub author: String,
    /// As drafted.
    pub draft_title: Option<String>,
    pub draft_introduction: Option<String>,
    /// As de-identified.
    pub title: Option<String>,
    pub introduction: Option<String>,
    pub method: Option<DeIdentificationMethod>,
    pub expert: Option<String>,
    pub parts: Vec<CaseStudyPart>,
    pub drafted_at: DateTime<Utc>,
    pub de_identified_at: Option<DateTime<Utc>>,
    pub approved_at: Option<DateTime<Utc>>,
    pub approver_id: Option<UserId>,
    pub approver: Option<String>,
    /// Whoever approved it has verified that nobody can be recognised.
    pub verified: bool,
    pub published_at: Option<DateTime<Utc>>,
    pub withdrawn_at: Option<DateTime<Utc>>,
    pub withdrawal: Option<WithdrawalCode>,
    pub withdrawal_consent_id: Option<ConsentId>,
    pub withdrawal_reason: Option<String>,
    pub version: i64,
    pub position: i64,
}

/// What a study draws from one patient. Its texts are empty once the patient is erased.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseStudyPart {
    pub patient_id: PatientId,
    pub records: Vec<RecordRef>,
    /// As drafted.
    pub text: Option<String>,
    pub de_identified_text: Option<String>,
    /// That the part rests on.
    pub consent_id: Option<ConsentId>,
}

impl Projection for CaseStudies {
    const NAME: &'static str = "case_study";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.case_study_1";
    const ONE_STREAM: bool = true;
    type Key = Uuid;
    type Row = CaseStudyRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match event.event {
            DomainEvent::CaseStudy(_) => vec![event.stream.id],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<CaseStudyRow>, _: &Uuid, event: &Recorded) -> Option<CaseStudyRow> {
        let DomainEvent::CaseStudy(change) = &event.event else { return row };
        let mut row = match row {
            Some(row) => row,
            None => drafted(change, event)?,
        };
        row.take(change, event);
        row.version = event.version;
        row.position = event.position;
        Some(row)
    }
}

fn drafted(change: &CaseStudyEvent, event: &Recorded) -> Option<CaseStudyRow> {
    let CaseStudyEvent::CaseStudyDrafted { number, author, sealed } = change else { return None };
    let text = sealed.open();
    Some(CaseStudyRow {
        id: CaseStudyId(event.stream.id),
        number: number.as_str().to_owned(),
        status: CaseStudyStatus::Draft,
        author_id: *author,
        author: event.actor.name.clone(),
        draft_title: text.map(|text| text.title.clone()),
        draft_introduction: text.and_then(|text| text.introduction.clone()),
        title: None,
        introduction: None,
        method: None,
        expert: None,
        parts: Vec::new(),
        drafted_at: event.occurred_at,
        de_identified_at: None,
        approved_at: None,
        approver_id: None,
        approver: None,
        verified: false,
        published_at: None,
        withdrawn_at: None,
        withdrawal: None,
        withdrawal_consent_id: None,
        withdrawal_reason: None,
        version: event.version,
        position: event.position,
    })
}

impl CaseStudyRow {
    fn take(&mut self, change: &CaseStudyEvent, event: &Recorded) {
        let at = Some(event.occurred_at);
        match change {
            CaseStudyEvent::CaseStudyDrafted { .. } => {}
            CaseStudyEvent::CaseStudyPatientAdded { patient, records, sealed } => self.parts.push(CaseStudyPart {
                patient_id: *patient,
                records: records.clone(),
                text: sealed.open().map(|case| case.text.clone()),
                de_identified_text: None,
                consent_id: None,
            }),
            CaseStudyEvent::CaseStudyPatientDeIdentified { patient, sealed } => {
                let text = sealed.open().map(|case| case.text.clone());
                self.part(*patient, |part| part.de_identified_text = text);
            }
            CaseStudyEvent::CaseStudyDeIdentified { method, sealed } => {
                (self.status, self.de_identified_at) = (CaseStudyStatus::DeIdentified, at);
                self.method = Some(*method);
                self.tell(sealed.open());
            }
            CaseStudyEvent::CaseStudyConsentLinked { consent, part, .. } => {
                self.part(*part, |part| part.consent_id = Some(*consent));
            }
            CaseStudyEvent::CaseStudyApproved { approver, verified } => {
                (self.status, self.approved_at) = (CaseStudyStatus::Approved, at);
                (self.approver_id, self.approver) = (Some(*approver), Some(event.actor.name.clone()));
                self.verified = *verified;
            }
            CaseStudyEvent::CaseStudyPublished {} => {
                (self.status, self.published_at) = (CaseStudyStatus::Published, at);
            }
            CaseStudyEvent::CaseStudyWithdrawn { reason, consent, sealed, .. } => {
                (self.status, self.withdrawn_at) = (CaseStudyStatus::Withdrawn, at);
                (self.withdrawal, self.withdrawal_consent_id) = (Some(*reason), *consent);
                self.withdrawal_reason = sealed.open().and_then(|why| why.reason.clone());
            }
        }
    }

    fn tell(&mut self, text: Option<&StudyText>) {
        self.title = text.map(|text| text.title.clone());
        self.introduction = text.and_then(|text| text.introduction.clone());
        self.expert = text.and_then(|text| text.expert.clone());
    }

    fn part(&mut self, patient: PatientId, change: impl FnOnce(&mut CaseStudyPart)) {
        if let Some(part) = self.parts.iter_mut().find(|part| part.patient_id == patient) {
            change(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use events::{Sealed, case_study::CaseText};

    use super::*;
    use crate::sample::History;

    #[test]
    fn the_study_goes_on_without_who_is_erased() {
        let mut history = History::new();
        let [asha, ravi] = [PatientId(history.fresh()), PatientId(history.fresh())];
        let study = history.case_study_drafted([asha, ravi]);
        for patient in [asha, ravi] {
            let sealed = Sealed::Open(CaseText { text: "A cough.".into() });
            history.case_study(study, CaseStudyEvent::CaseStudyPatientDeIdentified { patient, sealed });
        }
        let row = history.erased_of(asha).row::<CaseStudies>(study.0).unwrap();
        let told: Vec<_> =
            row.parts.iter().map(|part| (part.text.is_some(), part.de_identified_text.is_some())).collect();
        assert_eq!(told, [(false, false), (true, true)]);
        assert_eq!(row.draft_title.as_deref(), Some("Two coughs"));
    }
}
