//! What patients have agreed to, and what becomes of a study when they do so no longer.
//!
//! Which studies rest on a consent is told in the chart of whoever gave it. Withdrawing a consent reads that chart, and
//! withdraws those studies in the same append: a study that is linked meanwhile moves the chart, and the withdrawal is
//! decided again; a consent that is withdrawn meanwhile moves the patient, and the link is refused.

use std::collections::BTreeSet;

use events::{
    CaseStudyEvent, CaseStudyId, ConsentId, PatientId, Sealed,
    case_study::{CaseStudyStatus, WithdrawalCode},
    patient::ConsentScope,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{CaseStudy, LinkedConsent, wrong_status};
use crate::{Facts, Patient, Read, Refusal, patient::Group};

/// Says on which consent one patient's part of the study rests. It is for research or publication, given by the
/// patient and not withdrawn.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkConsent {
    pub patient_id: PatientId,
    pub consent_id: ConsentId,
}

impl LinkConsent {
    /// Nothing: it is linked already.
    pub(super) fn decide(self, study: &CaseStudy, facts: &Facts) -> Result<Vec<CaseStudyEvent>, Refusal> {
        if study.status == CaseStudyStatus::Withdrawn {
            return Err(wrong_status(study, "given a consent"));
        }
        let no_part = || Refusal::not_found("patient in the case study").at("/patient_id");
        let part = study.parts.get(&self.patient_id).ok_or_else(no_part)?;
        let group = Group::known(self.patient_id, facts).ok_or_else(no_part)?;
        group.survivor().1.not_erased().map_err(|refusal| refusal.at("/patient_id"))?;
        let (holder, scope) = given(&group, self.consent_id)
            .ok_or_else(|| Refusal::not_found("consent of this patient").at("/consent_id"))?;
        if !allows_a_study(scope) {
            let detail = "A case study rests on a consent to research or to publication.";
            return Err(Refusal::rule("consent-scope", detail).at("/consent_id"));
        }
        let consent = self.consent_id;
        if part.consent == Some(LinkedConsent { holder, consent }) {
            return Ok(Vec::new());
        }
        Ok(vec![CaseStudyEvent::CaseStudyConsentLinked { patient: holder, consent, part: self.patient_id }])
    }
}

fn allows_a_study(scope: ConsentScope) -> bool {
    match scope {
        ConsentScope::Research | ConsentScope::Publication => true,
        ConsentScope::Treatment | ConsentScope::DataSharing | ConsentScope::Portal | ConsentScope::Reminders => false,
    }
}

/// The record that a consent of this person lies in, given and not withdrawn.
pub(super) fn given(group: &Group<'_>, consent: ConsentId) -> Option<(PatientId, ConsentScope)> {
    group.members().find_map(|(id, member)| Some((id, *member.consents.get(&consent)?)))
}

/// What withdrawing a consent of this person rests on: their charts, and the studies that those tell of.
pub(crate) fn reads_to_withdraw(id: PatientId, patient: &Patient, facts: &Facts) -> Vec<Read> {
    let group = Group::of(id, patient, facts);
    let charts = group.members().map(|(member, _)| Read::WholeChart(member));
    let studies = studies_of(&group, facts).into_iter().map(|study| Read::Stream(study.into()));
    charts.chain(studies).collect()
}

/// The ends of the studies that rest on any of the consents.
pub(crate) fn withdrawn_with(
    consents: &BTreeSet<ConsentId>,
    group: &Group<'_>,
    facts: &Facts,
) -> Vec<(CaseStudyId, CaseStudyEvent)> {
    let studies = studies_of(group, facts).into_iter();
    let found = studies.filter_map(|id| {
        let study = facts.get::<CaseStudy>(id).filter(|study| study.status != CaseStudyStatus::Withdrawn)?;
        let consent = consents.iter().copied().find(|consent| study.rests_on(*consent))?;
        let (reason, sealed) = (WithdrawalCode::ConsentWithdrawn, Sealed::Erased);
        let ended = CaseStudyEvent::CaseStudyWithdrawn { was: study.status, reason, consent: Some(consent), sealed };
        Some((id, ended))
    });
    found.collect()
}

fn studies_of(group: &Group<'_>, facts: &Facts) -> BTreeSet<CaseStudyId> {
    group.members().filter_map(|(id, _)| facts.charts.get(&id)).flat_map(|chart| &chart.case_studies).copied().collect()
}

#[cfg(test)]
mod tests {
    use events::DomainEvent;
    use serde_json::json;

    use super::{super::sample::*, *};
    use crate::{
        Class,
        patient::{UnmergePatient, WithdrawConsent},
        testing::{World, body, id},
    };

    fn link(world: &mut World, patient: u128, consent: ConsentId) -> Result<Vec<DomainEvent>, Refusal> {
        let content = json!({"patient_id": id::<PatientId>(patient), "consent_id": consent});
        world.case_study(id(1), body::<LinkConsent>(content))
    }

    fn withdraw(world: &mut World, patient: u128, consent: ConsentId) -> Result<Vec<DomainEvent>, Refusal> {
        world.patient(id(patient), WithdrawConsent { consent_id: consent, reason: None })
    }

    #[test]
    fn a_consent_is_the_patients_and_for_this() {
        let mut world = drafted();
        let (research, treatment) =
            (given_consent(&mut world, ASHA, "research"), given_consent(&mut world, ASHA, "treatment"));
        assert_eq!(code(link(&mut world, ASHA, treatment)), "consent-scope");
        assert_eq!(link(&mut world, RAVI, research).unwrap_err().class, Class::NotFound);
        assert_eq!(link(&mut world, 0xBAD, research).unwrap_err().class, Class::NotFound);
        assert_eq!(link(&mut world, ASHA, research).unwrap().len(), 1);
        assert!(link(&mut world, ASHA, research).unwrap().is_empty(), "already so");
        let publication = given_consent(&mut world, ASHA, "publication");
        assert_eq!(link(&mut world, ASHA, publication).unwrap().len(), 1, "another one takes its place");
    }

    #[test]
    fn a_withdrawn_consent_withdraws_the_study_wherever_it_stands() {
        for published in [false, true] {
            let mut world = drafted();
            let consent = given_consent(&mut world, ASHA, "publication");
            link(&mut world, ASHA, consent).unwrap();
            if published {
                given_published(&mut world);
            }
            let types: Vec<_> =
                withdraw(&mut world, ASHA, consent).unwrap().iter().map(DomainEvent::event_type).collect();
            assert_eq!(types, ["ConsentWithdrawn", "CaseStudyWithdrawn"]);
            assert_eq!(study(&world).status, CaseStudyStatus::Withdrawn);
            let again = given_consent(&mut world, ASHA, "publication");
            assert_eq!(code(link(&mut world, ASHA, again)), "wrong-status");
            assert_eq!(withdraw(&mut world, ASHA, again).unwrap().len(), 1, "no study rests on it");
        }
    }

    #[test]
    fn a_consent_on_which_nothing_rests_any_more_withdraws_nothing() {
        let mut world = drafted();
        let (one, other) =
            (given_consent(&mut world, ASHA, "research"), given_consent(&mut world, ASHA, "publication"));
        link(&mut world, ASHA, one).unwrap();
        link(&mut world, ASHA, other).unwrap();
        assert_eq!(withdraw(&mut world, ASHA, one).unwrap().len(), 1);
        assert_eq!(study(&world).status, CaseStudyStatus::Draft);
    }

    #[test]
    fn a_study_is_found_by_the_record_in_which_the_consent_lies() {
        let mut world = drafted();
        let double: PatientId = world.given_patient(0xA9);
        let consent = given_consent(&mut world, 0xA9, "research");
        assert_eq!(link(&mut world, ASHA, consent).unwrap_err().class, Class::NotFound);
        world.given_merge(double, id(ASHA));
        link(&mut world, ASHA, consent).unwrap();
        let mut merged = world.clone();
        assert_eq!(withdraw(&mut merged, ASHA, consent).unwrap().len(), 2);
        world.patient(double, UnmergePatient { reason: None }).unwrap();
        assert_eq!(withdraw(&mut world, 0xA9, consent).unwrap().len(), 2);
    }
}
