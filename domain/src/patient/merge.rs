//! Two records of one person. A merge is a redirect and moves nothing, so an unmerge restores both records
//! exactly, whatever was recorded in between. It is given to the record that turned out to be the double.

use events::{PatientEvent, PatientId, StreamId, claim::ClaimKey, patient::Standing};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Chart, Group, sealed_reason};
use crate::{Decision, Facts, Patient, Read, Refusal, values::Reason};

/// Says that this patient is the same person as another, whose record goes on for both.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MergePatient {
    /// The record that goes on.
    pub survivor_id: PatientId,
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Says that this patient is a person of their own after all. Never refused for a quota.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnmergePatient {
    #[serde(default)]
    pub reason: Option<Reason>,
}

impl MergePatient {
    /// The survivor, everybody who was found to be either, and whether they are with a doctor now.
    pub(super) fn reads(&self, target: StreamId, patient: &Patient, facts: &Facts) -> Vec<Read> {
        let mut reads = vec![Read::Stream(self.survivor_id.into())];
        let Some(survivor) = facts.get::<Patient>(self.survivor_id) else { return reads };
        reads.extend(Group::reads_others(self.survivor_id, survivor, facts));
        for (id, record) in [(PatientId(target.id), patient), (self.survivor_id, survivor)] {
            let group = Group::of(id, record, facts);
            reads.extend(group.members().map(|(member, _)| Read::Claim(visit_in_progress(member))));
        }
        reads
    }

    pub(super) fn decide(self, chart: &Chart<'_>) -> Result<Decision, Refusal> {
        let survivor = self.survivor_id;
        if survivor == chart.id {
            let detail = "A patient cannot be merged into itself.";
            return Err(Refusal::rule("merge-into-itself", detail).at("/survivor_id"));
        }
        let other = chart.facts.get::<Patient>(survivor);
        let other = other.ok_or_else(|| Refusal::not_found("patient").at("/survivor_id"))?;
        other.not_erased().map_err(|refusal| refusal.at("/survivor_id"))?;
        refuse_merged(chart.patient, "This patient is merged already; unmerge it first.")?;
        refuse_merged(other, "The survivor is itself merged into another patient; merge into that one.")
            .map_err(|refusal| refusal.at("/survivor_id"))?;
        let both = [&chart.group, &Group::of(survivor, other, chart.facts)];
        let members = both.into_iter().flat_map(Group::members);
        let visits = members.filter_map(|(member, _)| chart.facts.holder(&visit_in_progress(member)));
        let visits: Vec<String> = visits.map(|visit| visit.id.to_string()).collect();
        if visits.len() > 1 {
            let detail = "Both have a visit in progress; finish one of them first.";
            return Err(Refusal::conflict("visits-in-progress", detail).with("visits", visits));
        }
        let reason = sealed_reason(self.reason);
        let merged =
            PatientEvent::PatientMergedInto { survivor, was: chart.patient.standing(), sealed: reason.clone() };
        let taken_in = PatientEvent::PatientMerged { source: chart.id, sealed: reason };
        Ok(Decision::one(chart.id, merged).and(survivor, taken_in))
    }
}

/// Held by the visit that a patient has in progress: there is one at a time.
pub fn visit_in_progress(patient: PatientId) -> ClaimKey {
    ClaimKey::clinic("visit-in-progress", patient)
}

impl UnmergePatient {
    pub(super) fn decide(self, chart: &Chart<'_>) -> Result<Decision, Refusal> {
        let Some(survivor) = chart.patient.merged_into else {
            return Err(Refusal::conflict("not-merged", "This patient is not merged."));
        };
        let reason = sealed_reason(self.reason);
        let again = Standing { status: chart.patient.life.into(), ..chart.patient.standing() };
        let parted = PatientEvent::PatientUnmergedFrom { survivor, again, sealed: reason.clone() };
        let given_back = PatientEvent::PatientUnmerged { source: chart.id, sealed: reason };
        Ok(Decision::one(chart.id, parted).and(survivor, given_back))
    }
}

fn refuse_merged(patient: &Patient, detail: &str) -> Result<(), Refusal> {
    match patient.merged_into {
        None => Ok(()),
        Some(into) => Err(Refusal::conflict("already-merged", detail).with("survivor_id", into.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use events::patient::PatientStatus;
    use serde_json::json;

    use super::*;
    use crate::{
        patient::{DeactivatePatient, RecordAllergy},
        testing::{World, body, id},
    };

    fn start() -> (World, PatientId, PatientId) {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        let [survivor, double] = [1, 2].map(|n| world.given_patient(n));
        (world, survivor, double)
    }

    fn merge(world: &mut World, double: PatientId, survivor: PatientId) -> Result<(), Refusal> {
        let merge = body::<MergePatient>(json!({"survivor_id": survivor, "reason": "same phone, same face"}));
        world.patient(double, merge).map(drop)
    }

    #[test]
    fn one_event_lies_in_each_chart() {
        let (mut world, survivor, double) = start();
        merge(&mut world, double, survivor).unwrap();
        let written: Vec<_> = world.log.iter().rev().take(2).map(|(s, e)| (s.id, e.event_type())).collect();
        assert_eq!(written, [(survivor.0, "PatientMerged"), (double.0, "PatientMergedInto")]);
        assert_eq!(world.state::<Patient>(double).unwrap().status(), PatientStatus::Merged);
        assert_eq!(world.counter("usage/patients"), 1);
    }

    #[test]
    fn who_is_merged_is_neither_target_nor_merged_again() {
        let (mut world, survivor, double) = start();
        let third = world.given_patient(3);
        merge(&mut world, double, survivor).unwrap();
        for (from, into) in [(double, survivor), (double, third), (third, double), (survivor, double)] {
            let refused = merge(&mut world, from, into).unwrap_err();
            assert_eq!((refused.code, refused.class), ("already-merged", crate::Class::Conflict));
        }
        merge(&mut world, survivor, third).unwrap();
    }

    #[test]
    fn a_survivor_is_another_patient_who_exists() {
        let (mut world, survivor, _) = start();
        assert_eq!(merge(&mut world, survivor, survivor).unwrap_err().code, "merge-into-itself");
        assert_eq!(merge(&mut world, survivor, id(9)).unwrap_err().class, crate::Class::NotFound);
    }

    #[test]
    fn two_visits_in_progress_are_one_too_many() {
        let (mut world, survivor, double) = start();
        let visit = |patient: PatientId| (visit_in_progress(patient), patient.into());
        world.claims.extend([visit(survivor)]);
        let mut both = world.clone();
        merge(&mut world, double, survivor).unwrap();
        both.claims.extend([visit(double)]);
        assert_eq!(merge(&mut both, double, survivor).unwrap_err().code, "visits-in-progress");
    }

    #[test]
    fn an_unmerge_is_never_refused_for_a_quota() {
        let (mut world, survivor, double) = start();
        merge(&mut world, double, survivor).unwrap();
        let limits = serde_json::from_value(json!({"patients": 1})).unwrap();
        world.given(world.clinic, events::ClinicEvent::LimitsSet { limits: Some(limits) });
        world.patient(double, UnmergePatient { reason: None }).unwrap();
        assert_eq!(world.counter("usage/patients"), 2);
        assert_eq!(world.patient(double, UnmergePatient { reason: None }).unwrap_err().code, "not-merged");
    }

    #[test]
    fn what_is_recorded_on_a_merged_id_is_recorded_under_it() {
        let (mut world, survivor, double) = start();
        merge(&mut world, double, survivor).unwrap();
        world.patient(double, body::<RecordAllergy>(json!({"substance": "latex"}))).unwrap();
        assert_eq!(world.log.last().unwrap().0, double.into());
        world.patient(double, DeactivatePatient { reason: None }).unwrap();
        assert_eq!(world.state::<Patient>(double).unwrap().status(), PatientStatus::Merged);
        world.patient(double, UnmergePatient { reason: None }).unwrap();
        assert_eq!(world.state::<Patient>(double).unwrap().status(), PatientStatus::Inactive);
        let again = world.log.iter().find_map(|(_, event)| match event {
            events::DomainEvent::Patient(PatientEvent::PatientUnmergedFrom { again, .. }) => Some(again.status),
            _ => None,
        });
        assert_eq!(again, Some(PatientStatus::Inactive));
    }
}
