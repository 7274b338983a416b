//! Drafting a study from chosen records.

use std::collections::BTreeSet;

use events::{
    CaseStudyEvent, CaseStudyId, Number, PatientId, Series, StreamId,
    case_study::{CaseText, RecordRef, StudyText},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{CaseStudy, PATIENTS_MAX, persons};
use crate::{
    Context, Facts, Read, Refusal,
    patient::Group,
    values::{Name, Text},
};

/// What a study says of one patient, or of none: up to 50,000 characters.
pub type StudyWords = Text<50_000>;

/// Drafts a study from chosen records of one patient or several. Each patient's part is kept apart from the others';
/// what stands in the title and the introduction should tell of none of them alone.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftCaseStudy {
    /// A UUIDv7; made by the server where it is left out.
    #[serde(default)]
    pub id: Option<CaseStudyId>,
    pub title: Name,
    #[serde(default)]
    pub introduction: Option<StudyWords>,
    /// 1 to 20, each person once.
    #[schemars(length(min = 1, max = 20))]
    pub patients: Vec<CasePart>,
}

/// What the study draws from one patient.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CasePart {
    pub patient_id: PatientId,
    /// At least one: the patient's notes, appointments, and so on.
    #[schemars(length(min = 1))]
    pub records: Vec<RecordRef>,
    pub text: StudyWords,
}

impl DraftCaseStudy {
    pub(super) fn reads(&self, facts: &Facts) -> Vec<Read> {
        let records = self.patients.iter().flat_map(|part| &part.records).map(|record| Read::Stream(stream(record)));
        persons(self.patients.iter().map(|part| part.patient_id), facts).into_iter().chain(records).collect()
    }

    pub(super) fn decide(
        self,
        state: Option<&CaseStudy>,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Vec<CaseStudyEvent>, Refusal> {
        if state.is_some() {
            return Err(Refusal::conflict("duplicate", "There is a case study with this id already.").at("/id"));
        }
        self.check_patients(facts)?;
        let author = context
            .actor
            .user
            .ok_or_else(|| Refusal::forbidden("no-author", "Only somebody with a login drafts a case study."))?;
        let text =
            StudyText { title: self.title.into(), introduction: self.introduction.map(Into::into), expert: None };
        let number = Number::Next(Series::CaseStudy { zone: context.in_clinic()?.zone() });
        let drafted = CaseStudyEvent::CaseStudyDrafted { number, author, sealed: text.into() };
        let parts = self.patients.into_iter().map(|part| CaseStudyEvent::CaseStudyPatientAdded {
            patient: part.patient_id,
            records: part.records,
            sealed: CaseText { text: part.text.into() }.into(),
        });
        Ok(std::iter::once(drafted).chain(parts).collect())
    }

    fn check_patients(&self, facts: &Facts) -> Result<(), Refusal> {
        if self.patients.is_empty() || self.patients.len() > PATIENTS_MAX {
            let detail = format!("A case study draws on 1 to {PATIENTS_MAX} patients.");
            return Err(Refusal::rule("number-of-patients", detail).at("/patients"));
        }
        let mut seen = BTreeSet::new();
        for part in &self.patients {
            let found = Group::known(part.patient_id, facts).ok_or_else(|| Refusal::not_found("patient"));
            let group = found.map_err(|refusal| refusal.at("/patients"))?;
            group.survivor().1.not_erased().map_err(|refusal| refusal.at("/patients"))?;
            if !seen.insert(group.survivor().0) {
                let detail = "Each person has one part: two of these patients are the same person.";
                return Err(Refusal::rule("same-person", detail).at("/patients"));
            }
            part.check_records(&group, facts)?;
        }
        Ok(())
    }
}

impl CasePart {
    /// That they are there, each once, and the person's.
    fn check_records(&self, group: &Group<'_>, facts: &Facts) -> Result<(), Refusal> {
        let once: BTreeSet<&RecordRef> = self.records.iter().collect();
        if once.is_empty() || once.len() < self.records.len() {
            let detail = "A part draws on at least one record, and names each once.";
            return Err(Refusal::rule("records", detail).at("/patients"));
        }
        let is_theirs = |record: &RecordRef| {
            let stream = stream(record);
            let state = facts.streams.get(&stream).and_then(|state| state.as_deref());
            state.and_then(|state| state.patient(stream)).is_some_and(|patient| group.contains(patient))
        };
        match self.records.iter().all(is_theirs) {
            true => Ok(()),
            false => Err(Refusal::not_found("record of this patient").at("/patients")),
        }
    }
}

fn stream(record: &RecordRef) -> StreamId {
    StreamId { kind: record.kind, id: record.id }
}

#[cfg(test)]
mod tests {
    use events::DomainEvent;
    use serde_json::{Value, json};

    use super::{
        super::sample::{ASHA, RAVI, code, drafted, library, part, study},
        *,
    };
    use crate::{
        Class,
        testing::{World, body, id},
    };

    fn draft(world: &mut World, patients: Value) -> Result<Vec<DomainEvent>, Refusal> {
        world.case_study(id(1), body::<DraftCaseStudy>(json!({"title": "Two coughs", "patients": patients})))
    }

    #[test]
    fn each_patient_has_a_part_of_their_own() {
        let mut world = library();
        let events = draft(&mut world, json!([part(ASHA), part(RAVI)])).unwrap();
        assert_eq!(events.len(), 3);
        let charts: Vec<_> = world.log.iter().rev().take(3).map(|(stream, event)| event.patient(*stream)).collect();
        assert_eq!(charts, [Some(id(RAVI)), Some(id(ASHA)), None]);
        let DomainEvent::CaseStudy(CaseStudyEvent::CaseStudyDrafted { number, .. }) = &world.log[world.log.len() - 3].1
        else {
            panic!("a study was drafted");
        };
        assert_eq!(number.as_str(), "CS-20260302-001");
        assert_eq!(study(&world).parts.len(), 2);
    }

    #[test]
    fn a_record_is_the_patients_and_there() {
        let absent = json!({"kind": "note", "id": id::<uuid::Uuid>(0xBAD)});
        for records in [json!([]), json!([absent]), part(RAVI)["records"].clone()] {
            let mut wrong = part(ASHA);
            wrong["records"] = records;
            let refused = draft(&mut library(), json!([wrong])).unwrap_err();
            assert!(matches!(refused.class, Class::NotFound | Class::Rule), "{refused}");
        }
        let mut twice = part(ASHA);
        let record = twice["records"][0].clone();
        twice["records"].as_array_mut().unwrap().push(record);
        assert_eq!(code(draft(&mut library(), json!([twice]))), "records");
        let staff = json!({"kind": "doctor", "id": id::<uuid::Uuid>(super::super::sample::AUTHOR)});
        let mut of_nobody = part(ASHA);
        of_nobody["records"] = json!([staff]);
        assert_eq!(draft(&mut library(), json!([of_nobody])).unwrap_err().class, Class::NotFound);
    }

    #[test]
    fn a_person_has_one_part() {
        let mut world = library();
        assert_eq!(code(draft(&mut world, json!([part(ASHA), part(ASHA)]))), "same-person");
        world.given_merge(id(RAVI), id(ASHA));
        assert_eq!(code(draft(&mut world, json!([part(ASHA), part(RAVI)]))), "same-person");
        // What lies under any id of the person is the person's.
        let mut merged = part(ASHA);
        merged["records"] = part(RAVI)["records"].clone();
        draft(&mut world, json!([merged])).unwrap();
    }

    #[test]
    fn a_study_draws_on_somebody_and_not_on_everybody() {
        assert_eq!(code(draft(&mut library(), json!([]))), "number-of-patients");
        let many: Vec<Value> = (0..=PATIENTS_MAX).map(|_| part(ASHA)).collect();
        assert_eq!(code(draft(&mut library(), json!(many))), "number-of-patients");
    }

    #[test]
    fn an_id_is_used_once() {
        let mut world = drafted();
        assert_eq!(code(draft(&mut world, json!([part(ASHA)]))), "duplicate");
    }
}
