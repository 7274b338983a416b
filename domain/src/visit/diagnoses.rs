//! What the doctor finds. A diagnosis is corrected or struck out, never changed: what was said before stays on record.

use events::{
    DiagnosisId, VisitEvent,
    visit::{Certainty, Diagnosis, DiagnosisCorrection, VisitReason},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{DiagnosisState, SEEN, Visit};
use crate::{
    Context, Refusal,
    values::{Icd10, Reason, Text, Whole},
};

/// So many diagnoses has a visit, and no more; those that were struck out among them.
const MAX_DIAGNOSES: usize = 50;
const MAX_RANK: i64 = 99;

type Rank = Whole<1, MAX_RANK>;

/// Records a diagnosis.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordDiagnosis {
    /// ICD-10, checked by its form: `J45.9`.
    #[serde(default)]
    pub code: Option<Icd10>,
    pub text: Text<500>,
    /// 1 is the principal one; after the others, where it is left out.
    #[serde(default)]
    pub rank: Option<Rank>,
    /// `provisional`, where it is left out.
    #[serde(default)]
    pub certainty: Option<Certainty>,
}

/// Says what a diagnosis should have been, or has turned out to be.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrectDiagnosis {
    pub diagnosis_id: DiagnosisId,
    #[serde(default)]
    pub code: Option<Icd10>,
    pub text: Text<500>,
    /// Stays, where it is left out.
    #[serde(default)]
    pub rank: Option<Rank>,
    pub certainty: Certainty,
    pub reason: Reason,
}

/// Strikes a diagnosis out that should never have been entered. It stays on record.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterDiagnosisInError {
    pub diagnosis_id: DiagnosisId,
    pub reason: Reason,
}

impl RecordDiagnosis {
    pub(super) fn decide(self, visit: &Visit, context: &Context<'_>) -> Result<VisitEvent, Refusal> {
        visit.must_take(&SEEN, "diagnosis")?;
        if visit.diagnoses.len() >= MAX_DIAGNOSES {
            let detail = format!("A visit has at most {MAX_DIAGNOSES} diagnoses.");
            return Err(Refusal::rule("too-many", detail).with("limit", MAX_DIAGNOSES));
        }
        let standing = visit.diagnoses.values().filter(|diagnosis| !diagnosis.in_error);
        let last = standing.map(|diagnosis| diagnosis.rank).max().unwrap_or(0);
        Ok(VisitEvent::DiagnosisRecorded {
            attendance: visit.attendance,
            diagnosis: context.new_id(0),
            rank: self.rank.map_or((last + 1).min(MAX_RANK), i64::from),
            certainty: self.certainty.unwrap_or(Certainty::Provisional),
            sealed: Diagnosis { code: self.code.map(Into::into), text: self.text.into() }.into(),
        })
    }
}

impl CorrectDiagnosis {
    pub(super) fn decide(self, visit: &Visit) -> Result<VisitEvent, Refusal> {
        let known = find(visit, self.diagnosis_id)?;
        visit.must_take(&SEEN, "correction")?;
        if known.in_error {
            let detail = "The diagnosis was struck out; record it anew.";
            return Err(Refusal::conflict("entered-in-error", detail).at("/diagnosis_id"));
        }
        let corrected =
            DiagnosisCorrection { code: self.code.map(Into::into), text: self.text.into(), reason: self.reason.into() };
        Ok(VisitEvent::DiagnosisCorrected {
            attendance: visit.attendance,
            diagnosis: self.diagnosis_id,
            rank: self.rank.map_or(known.rank, i64::from),
            certainty: self.certainty,
            sealed: corrected.into(),
        })
    }
}

impl EnterDiagnosisInError {
    /// `None`: it is struck out already.
    pub(super) fn decide(self, visit: &Visit) -> Result<Option<VisitEvent>, Refusal> {
        let known = find(visit, self.diagnosis_id)?;
        visit.must_take(&SEEN, "correction")?;
        let sealed = VisitReason { reason: Some(self.reason.into()) }.into();
        Ok((!known.in_error).then_some(VisitEvent::DiagnosisEnteredInError {
            attendance: visit.attendance,
            diagnosis: self.diagnosis_id,
            sealed,
        }))
    }
}

fn find(visit: &Visit, diagnosis: DiagnosisId) -> Result<DiagnosisState, Refusal> {
    let found = visit.diagnoses.get(&diagnosis).copied();
    found.ok_or_else(|| Refusal::not_found("diagnosis").at("/diagnosis_id"))
}

#[cfg(test)]
mod tests {
    use events::visit::VisitStatus;
    use serde_json::{Value, json};

    use super::{
        super::sample::{PATIENT, clinic, code, given, last, state},
        *,
    };
    use crate::{
        Class,
        testing::{World, body, id},
    };

    fn seen() -> World {
        let mut world = clinic();
        given(&mut world, 1, PATIENT, VisitStatus::InProgress);
        world
    }

    fn record(world: &mut World, others: Value) -> Result<DiagnosisId, Refusal> {
        let mut content = json!({"text": "Asthma", "code": "j459"});
        content.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
        world.visit(id(1), body::<RecordDiagnosis>(content))?;
        match last(world) {
            VisitEvent::DiagnosisRecorded { diagnosis, .. } => Ok(*diagnosis),
            other => panic!("{other:?}"),
        }
    }

    fn correct(world: &mut World, diagnosis: DiagnosisId) -> Result<Vec<events::DomainEvent>, Refusal> {
        let content =
            json!({"diagnosis_id": diagnosis, "text": "COPD", "certainty": "confirmed", "reason": "spirometry"});
        world.visit(id(1), body::<CorrectDiagnosis>(content))
    }

    fn strike_out(world: &mut World, diagnosis: DiagnosisId) -> Result<Vec<events::DomainEvent>, Refusal> {
        world.visit(id(1), body::<EnterDiagnosisInError>(json!({"diagnosis_id": diagnosis, "reason": "a slip"})))
    }

    #[test]
    fn diagnoses_are_ranked_as_they_come_unless_the_doctor_says() {
        let mut world = seen();
        let first = record(&mut world, json!({})).unwrap();
        let VisitEvent::DiagnosisRecorded { rank, certainty, sealed, .. } = last(&world) else { unreachable!() };
        assert_eq!((*rank, *certainty), (1, Certainty::Provisional));
        assert_eq!(sealed.open().unwrap().code.as_deref(), Some("J45.9"));
        record(&mut world, json!({"rank": 7})).unwrap();
        let third = record(&mut world, json!({})).unwrap();
        assert_eq!(state(&world, 1).diagnoses[&third].rank, 8);
        strike_out(&mut world, third).unwrap();
        let fourth = record(&mut world, json!({})).unwrap();
        assert_eq!((state(&world, 1).diagnoses[&fourth].rank, state(&world, 1).diagnoses[&first].rank), (8, 1));
    }

    #[test]
    fn a_correction_says_what_and_why_and_leaves_the_rank() {
        let mut world = seen();
        let diagnosis = record(&mut world, json!({"rank": 3})).unwrap();
        correct(&mut world, diagnosis).unwrap();
        let VisitEvent::DiagnosisCorrected { rank, sealed, .. } = last(&world) else { panic!("it was corrected") };
        assert_eq!((*rank, sealed.open().unwrap().reason.as_str()), (3, "spirometry"));
        assert_eq!(strike_out(&mut world, diagnosis).unwrap().len(), 1);
        assert_eq!(strike_out(&mut world, diagnosis).unwrap().len(), 0, "already so");
        assert_eq!(code(correct(&mut world, diagnosis)), "entered-in-error");
    }

    #[test]
    fn nothing_is_found_before_the_consultation_or_after_it() {
        for status in [VisitStatus::Arrived, VisitStatus::Triaged, VisitStatus::Finished, VisitStatus::Cancelled] {
            let mut world = clinic();
            given(&mut world, 1, PATIENT, status);
            assert_eq!(code(record(&mut world, json!({}))), "wrong-status");
        }
        let mut world = seen();
        let diagnosis = record(&mut world, json!({})).unwrap();
        world.visit(id(1), super::super::FinishVisit {}).unwrap();
        assert_eq!(code(correct(&mut world, diagnosis)), "wrong-status");
        assert_eq!(code(strike_out(&mut world, diagnosis)), "wrong-status");
    }

    #[test]
    fn an_unknown_diagnosis_is_not_found_and_there_is_an_end_to_them() {
        let mut world = seen();
        let nothing = id(0xBAD);
        for refused in [correct(&mut world, nothing), strike_out(&mut world, nothing)] {
            let refusal = refused.unwrap_err();
            assert_eq!((refusal.class, refusal.pointer), (Class::NotFound, Some("/diagnosis_id")));
        }
        for _ in 0..MAX_DIAGNOSES {
            record(&mut world, json!({})).unwrap();
        }
        assert_eq!(code(record(&mut world, json!({}))), "too-many");
    }
}
