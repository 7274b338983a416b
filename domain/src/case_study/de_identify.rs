//! Telling a case so that nobody is recognised.

use std::collections::BTreeMap;

use events::{
    CaseStudyEvent, PatientId,
    case_study::{CaseStudyStatus, CaseText, DeIdentificationMethod, StudyText},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{CaseStudy, draft::StudyWords, identifiers, is_erased, wrong_status};
use crate::{Facts, Refusal, values::Name};

/// Puts words in which nobody can be recognised in the place of the draft's; once more, until the study is approved.
/// By `safe_harbor`, texts in which dates, telephone numbers, addresses of mail or web, numbers of records or ages over
/// 89 are found are refused.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeIdentifyCaseStudy {
    pub method: DeIdentificationMethod,
    /// Who has determined that nobody can be recognised; needed, and only known, with `expert_determination`.
    #[serde(default)]
    pub expert: Option<Name>,
    pub title: Name,
    #[serde(default)]
    pub introduction: Option<StudyWords>,
    /// Each patient of the study who is not erased.
    pub patients: Vec<DeIdentifiedPart>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeIdentifiedPart {
    pub patient_id: PatientId,
    pub text: StudyWords,
}

impl DeIdentifyCaseStudy {
    pub(super) fn decide(self, study: &CaseStudy, facts: &Facts) -> Result<Vec<CaseStudyEvent>, Refusal> {
        match study.status {
            CaseStudyStatus::Draft | CaseStudyStatus::DeIdentified => {}
            CaseStudyStatus::Approved | CaseStudyStatus::Published | CaseStudyStatus::Withdrawn => {
                return Err(wrong_status(study, "de-identified"));
            }
        }
        self.check_method()?;
        let parts = self.parts(study, facts)?;
        let text = StudyText {
            title: self.title.into(),
            introduction: self.introduction.map(Into::into),
            expert: self.expert.map(Into::into),
        };
        let parts = parts.into_iter().map(|(patient, text)| CaseStudyEvent::CaseStudyPatientDeIdentified {
            patient,
            sealed: CaseText { text: text.into() }.into(),
        });
        let whole = CaseStudyEvent::CaseStudyDeIdentified { method: self.method, sealed: text.into() };
        Ok(parts.chain([whole]).collect())
    }

    fn check_method(&self) -> Result<(), Refusal> {
        match (self.method, &self.expert) {
            (DeIdentificationMethod::ExpertDetermination, None) => {
                let detail = "An expert's determination names the expert.";
                Err(Refusal::rule("no-expert", detail).at("/expert"))
            }
            (DeIdentificationMethod::ExpertDetermination, Some(_)) => Ok(()),
            (DeIdentificationMethod::SafeHarbor, Some(_)) => {
                let detail = "An expert is named with an expert's determination only.";
                Err(Refusal::rule("expert-without-determination", detail).at("/expert"))
            }
            (DeIdentificationMethod::SafeHarbor, None) => self.check_words(),
        }
    }

    fn check_words(&self) -> Result<(), Refusal> {
        let shared = [Some(self.title.as_str()), self.introduction.as_ref().map(StudyWords::as_str)];
        let parts = self.patients.iter().map(|part| part.text.as_str());
        let mut found: Vec<&str> = shared.into_iter().flatten().chain(parts).flat_map(identifiers::found_in).collect();
        found.sort_unstable();
        found.dedup();
        if found.is_empty() {
            return Ok(());
        }
        let detail = format!("Something in the texts may tell who it is: {}.", found.join(", "));
        Err(Refusal::rule("identifiers-found", detail).at("/patients").with("found", found))
    }

    /// The words of each patient who is not erased, and of nobody else.
    fn parts(&self, study: &CaseStudy, facts: &Facts) -> Result<BTreeMap<PatientId, StudyWords>, Refusal> {
        let mut parts = BTreeMap::new();
        for part in &self.patients {
            if !study.parts.contains_key(&part.patient_id) {
                return Err(Refusal::not_found("patient in the case study").at("/patients"));
            }
            if is_erased(part.patient_id, facts) {
                return Err(Refusal::gone().at("/patients"));
            }
            parts.insert(part.patient_id, part.text.clone());
        }
        let there = study.parts.keys().filter(|patient| !is_erased(**patient, facts)).count();
        if parts.len() == there && parts.len() == self.patients.len() && there > 0 {
            return Ok(parts);
        }
        let detail = "Each patient of the study who is not erased is told of, once.";
        Err(Refusal::rule("parts", detail).at("/patients"))
    }
}

#[cfg(test)]
mod tests {
    use events::DomainEvent;
    use serde_json::{Value, json};

    use super::{
        super::sample::{ASHA, RAVI, approve, code, drafted, given_erased, study},
        *,
    };
    use crate::{
        Class,
        testing::{World, body, id},
    };

    fn told(patients: &[u128]) -> Value {
        let part = |patient: &u128| json!({"patient_id": id::<PatientId>(*patient), "text": "A cough of two weeks."});
        let patients: Vec<Value> = patients.iter().map(part).collect();
        json!({"method": "safe_harbor", "title": "Two coughs", "patients": patients})
    }

    fn de_identify(world: &mut World, content: Value) -> Result<Vec<DomainEvent>, Refusal> {
        world.case_study(id(1), body::<DeIdentifyCaseStudy>(content))
    }

    #[test]
    fn each_part_is_told_anew_until_the_study_is_approved() {
        let mut world = drafted();
        for wrong in [vec![], vec![ASHA], vec![ASHA, ASHA]] {
            assert_eq!(code(de_identify(&mut world, told(&wrong))), "parts");
        }
        assert_eq!(de_identify(&mut world, told(&[ASHA, 0xBAD])).unwrap_err().class, Class::NotFound);
        for _ in 0..2 {
            assert_eq!(de_identify(&mut world, told(&[ASHA, RAVI])).unwrap().len(), 3);
        }
        assert_eq!(study(&world).status, CaseStudyStatus::DeIdentified);
        approve(&mut world, true).unwrap();
        assert_eq!(code(de_identify(&mut world, told(&[ASHA, RAVI]))), "wrong-status");
    }

    #[test]
    fn who_is_erased_is_told_of_no_more() {
        let mut world = drafted();
        given_erased(&mut world, ASHA);
        assert_eq!(de_identify(&mut world, told(&[ASHA, RAVI])).unwrap_err().class, Class::Gone);
        assert_eq!(de_identify(&mut world, told(&[RAVI])).unwrap().len(), 2);
        given_erased(&mut world, RAVI);
        assert_eq!(code(de_identify(&mut world, told(&[]))), "parts");
    }

    #[test]
    fn what_tells_who_it_is_is_found_by_safe_harbor() {
        let mut world = drafted();
        let mut content = told(&[ASHA, RAVI]);
        content["patients"][1]["text"] = json!("Seen on 2026-03-14; call +91 98765 43210.");
        let refused = de_identify(&mut world, content.clone()).unwrap_err();
        assert_eq!((refused.code, refused.pointer), ("identifiers-found", Some("/patients")));
        assert_eq!(refused.extra, [("found", json!(["date", "telephone number"]))]);
        assert!(!refused.detail.contains("98765"), "a refusal repeats nothing");
        content["method"] = json!("expert_determination");
        assert_eq!(code(de_identify(&mut world, content.clone())), "no-expert");
        content["expert"] = json!("Prof. Rao");
        de_identify(&mut world, content).unwrap();
    }
}
