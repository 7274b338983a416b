//! From a de-identified study to a published one, and out of the world again.

use events::{
    CaseStudyEvent, Role, Sealed,
    case_study::{CaseStudyStatus, WithdrawalCode},
    patient::Reason as Why,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{CaseStudy, consent::given, is_erased, wrong_status};
use crate::{Context, Facts, Refusal, patient::Group, values::Reason};

/// Approves a de-identified study: another doctor than its author, or an administrator.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveCaseStudy {
    /// Whoever approves it has verified that nobody can be recognised in it. Without that, it is published with the
    /// consent of each patient alone.
    #[serde(default)]
    pub de_identification_verified: bool,
}

/// Publishes an approved study: with the consent of each patient who is not erased, or with a de-identification that was
/// verified.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishCaseStudy {}

/// Takes a study back, for good. It stays on record.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawCaseStudy {
    #[serde(default)]
    pub code: WithdrawalCode,
    /// In words.
    pub reason: Reason,
}

impl ApproveCaseStudy {
    pub(super) fn decide(self, study: &CaseStudy, context: &Context<'_>) -> Result<CaseStudyEvent, Refusal> {
        must_be(study, CaseStudyStatus::DeIdentified, "approved")?;
        let may_approve = context.actor.has(Role::Doctor) || context.actor.has(Role::ClinicAdmin);
        let Some(approver) = context.actor.user.filter(|_| may_approve) else {
            return Err(Refusal::forbidden("not-an-approver", "A doctor or an administrator approves a case study."));
        };
        if approver == study.author {
            let detail = "This takes two persons: another doctor or an administrator has to approve it.";
            return Err(Refusal::forbidden("second-person", detail));
        }
        Ok(CaseStudyEvent::CaseStudyApproved { approver, verified: self.de_identification_verified })
    }
}

impl PublishCaseStudy {
    pub(super) fn decide(self, study: &CaseStudy, facts: &Facts) -> Result<CaseStudyEvent, Refusal> {
        must_be(study, CaseStudyStatus::Approved, "published")?;
        let mut there = study.parts.iter().filter(|(patient, _)| !is_erased(**patient, facts)).peekable();
        if there.peek().is_none() {
            let detail = "Every patient that the study draws on is erased: nothing of it is left.";
            return Err(Refusal::rule("nothing-left", detail));
        }
        let has_agreed = |(patient, part): (&_, &super::Part)| {
            let linked = part.consent.and_then(|linked| given(&Group::known(*patient, facts)?, linked.consent));
            linked.is_some()
        };
        if study.verified || there.all(has_agreed) {
            return Ok(CaseStudyEvent::CaseStudyPublished {});
        }
        let detail = "Publishing takes the consent of each patient, or a de-identification that was verified when the \
                      study was approved.";
        Err(Refusal::rule("consent-missing", detail))
    }
}

impl WithdrawCaseStudy {
    pub(super) fn decide(self, study: &CaseStudy) -> Result<CaseStudyEvent, Refusal> {
        if study.status == CaseStudyStatus::Withdrawn {
            return Err(wrong_status(study, "withdrawn again"));
        }
        let sealed = Sealed::Open(Why { reason: Some(self.reason.into()) });
        Ok(CaseStudyEvent::CaseStudyWithdrawn { was: study.status, reason: self.code, consent: None, sealed })
    }
}

fn must_be(study: &CaseStudy, status: CaseStudyStatus, what: &str) -> Result<(), Refusal> {
    if study.status == status { Ok(()) } else { Err(wrong_status(study, what)) }
}

#[cfg(test)]
mod tests {
    use events::{DomainEvent, PatientId};
    use serde_json::json;

    use super::{
        super::{LinkConsent, sample::*},
        *,
    };
    use crate::testing::{World, body, id};

    fn publish(world: &mut World) -> Result<Vec<DomainEvent>, Refusal> {
        world.case_study(id(1), PublishCaseStudy {})
    }

    fn withdraw(world: &mut World) -> Result<Vec<DomainEvent>, Refusal> {
        world.case_study(id(1), body::<WithdrawCaseStudy>(json!({"code": "error", "reason": "a slip"})))
    }

    fn given_linked(world: &mut World, patient: u128) {
        let consent = given_consent(world, patient, "publication");
        let link = json!({"patient_id": id::<PatientId>(patient), "consent_id": consent});
        world.case_study(id(1), body::<LinkConsent>(link)).unwrap();
    }

    #[test]
    fn a_study_is_approved_by_somebody_else() {
        for (who, roles, expected) in [
            (AUTHOR, vec![Role::Doctor, Role::ClinicAdmin], Some("second-person")),
            (COLLEAGUE, vec![Role::Nurse], Some("not-an-approver")),
            (COLLEAGUE, vec![Role::Doctor], None),
            (COLLEAGUE, vec![Role::ClinicAdmin], None),
        ] {
            let mut world = drafted();
            given_de_identified(&mut world);
            world.acts(id(who), &roles);
            let refused = world.case_study(id(1), body::<ApproveCaseStudy>(json!({}))).err();
            assert_eq!(refused.map(|refused| refused.code), expected);
        }
    }

    #[test]
    fn a_study_goes_its_way_and_no_other() {
        let mut world = drafted();
        assert_eq!(code(approve(&mut world, true)), "wrong-status");
        assert_eq!(code(publish(&mut world)), "wrong-status");
        given_de_identified(&mut world);
        assert_eq!(code(publish(&mut world)), "wrong-status");
        approve(&mut world, true).unwrap();
        publish(&mut world).unwrap();
        assert_eq!(code(publish(&mut world)), "wrong-status");
        withdraw(&mut world).unwrap();
        assert_eq!(code(withdraw(&mut world)), "wrong-status");
        assert_eq!(code(publish(&mut world)), "wrong-status");
    }

    #[test]
    fn publishing_takes_each_patients_consent_or_a_verified_de_identification() {
        let mut world = drafted();
        given_de_identified(&mut world);
        let mut verified = world.clone();
        approve(&mut verified, true).unwrap();
        publish(&mut verified).unwrap();
        approve(&mut world, false).unwrap();
        assert_eq!(code(publish(&mut world)), "consent-missing");
        given_linked(&mut world, ASHA);
        assert_eq!(code(publish(&mut world)), "consent-missing");
        given_linked(&mut world, RAVI);
        publish(&mut world).unwrap();
    }

    #[test]
    fn the_study_goes_on_without_who_is_erased() {
        let mut world = drafted();
        given_de_identified(&mut world);
        approve(&mut world, false).unwrap();
        given_linked(&mut world, ASHA);
        given_erased(&mut world, RAVI);
        let mut both = world.clone();
        publish(&mut world).unwrap();
        given_erased(&mut both, ASHA);
        assert_eq!(code(publish(&mut both)), "nothing-left");
        withdraw(&mut both).unwrap();
    }
}
