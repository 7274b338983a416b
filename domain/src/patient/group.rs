//! The records of one person. A merge is a redirect: each record keeps what was recorded under it, and
//! whoever decides about the person looks at all of them. Who is nobody's double is a group of one.

use std::iter::once;

use events::{AllergyId, PatientId};

use crate::{Facts, Patient, Read, Refusal, patient::Life};

/// The records of one person, the survivor's first.
pub struct Group<'a> {
    members: Vec<(PatientId, &'a Patient)>,
}

impl<'a> Group<'a> {
    /// The records of a person, by any id of theirs, as far as they are known by now.
    pub fn reads(id: PatientId, facts: &Facts) -> Vec<Read> {
        let others = facts.get::<Patient>(id).map(|patient| Group::reads_others(id, patient, facts));
        once(Read::Stream(id.into())).chain(others.unwrap_or_default()).collect()
    }

    /// The records beside one that is known.
    pub fn reads_others(id: PatientId, patient: &Patient, facts: &Facts) -> Vec<Read> {
        let group = Group::of(id, patient, facts);
        let known = group.members.iter().flat_map(|(_, member)| member.merged.iter().chain(&member.merged_into));
        known.filter(|other| **other != id).map(|other| Read::Stream((*other).into())).collect()
    }

    /// The person of any id: 404 for nobody of this clinic, 410 for who is erased.
    pub fn find(id: PatientId, facts: &'a Facts) -> Result<Self, Refusal> {
        let patient = facts.get::<Patient>(id).ok_or_else(|| Refusal::not_found("patient"))?;
        patient.not_erased()?;
        Ok(Self::of(id, patient, facts))
    }

    /// The same, also for who is erased; `None` as long as nobody of this id has been read.
    pub fn known(id: PatientId, facts: &'a Facts) -> Option<Self> {
        facts.get::<Patient>(id).map(|patient| Self::of(id, patient, facts))
    }

    /// The group of a patient, from the streams that [`Group::reads`] named.
    pub fn of(id: PatientId, patient: &'a Patient, facts: &'a Facts) -> Self {
        let read = |other: PatientId| if other == id { Some(patient) } else { facts.get::<Patient>(other) };
        let mut survivor = (id, patient);
        // No chain of merges is longer than the number of records read, unless the log is corrupt.
        for _ in 0..facts.streams.len() {
            let Some(next) = survivor.1.merged_into.and_then(|into| Some((into, read(into)?))) else { break };
            survivor = next;
        }
        let mut members = vec![survivor];
        let mut seen = 0;
        while let Some((_, member)) = members.get(seen).copied() {
            seen += 1;
            let merged = member.merged.iter().filter_map(|other| Some((*other, read(*other)?)));
            let new: Vec<_> = merged.filter(|(other, _)| members.iter().all(|(known, _)| known != other)).collect();
            members.extend(new);
        }
        Self { members }
    }

    /// The record that the others were merged into.
    pub fn survivor(&self) -> (PatientId, &'a Patient) {
        self.members[0]
    }

    pub fn members(&self) -> impl Iterator<Item = (PatientId, &'a Patient)> {
        self.members.iter().copied()
    }

    /// All ids of the person, the survivor's first.
    pub fn ids(&self) -> impl Iterator<Item = PatientId> {
        self.members().map(|(id, _)| id)
    }

    pub fn contains(&self, id: PatientId) -> bool {
        self.members.iter().any(|(member, _)| *member == id)
    }

    /// Where the person stands: a death is the person's, whichever record it lies in; all else is as the
    /// survivor's record says. A group is erased as a whole.
    pub fn life(&self) -> Life {
        let deceased = self.members().any(|(_, member)| member.life == Life::Deceased);
        if deceased { Life::Deceased } else { self.survivor().1.life }
    }

    /// That the person may be booked and received.
    pub fn may_come(&self) -> Result<(), Refusal> {
        match self.life() {
            Life::Active => Ok(()),
            Life::Inactive => {
                Err(Refusal::rule("patient-inactive", "The patient is deactivated; reactivate them first."))
            }
            Life::Deceased => Err(Refusal::rule("patient-deceased", "The patient's death is on record.")),
            Life::Erased => Err(Refusal::gone()),
        }
    }

    /// What the person has to be guarded against.
    pub fn active_allergies(&self) -> impl Iterator<Item = AllergyId> {
        let all = self.members().flat_map(|(_, member)| &member.allergies);
        all.filter(|(_, status)| status.is_active()).map(|(allergy, _)| *allergy)
    }

    /// The record that holds something.
    pub(super) fn holding<T>(&self, what: impl Fn(&'a Patient) -> Option<T>) -> Option<(PatientId, T)> {
        self.members().find_map(|(id, member)| Some((id, what(member)?)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{World, body};

    #[test]
    fn a_group_is_the_same_from_wherever_it_is_looked_at() {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        let [top, middle, low, other] = [1, 2, 3, 4].map(|n| world.given_patient(n));
        world.given_merge(low, middle);
        world.given_merge(middle, top);
        world.given_merge(other, top);
        for id in [top, middle, low, other] {
            // Asserting needs the whole group, and the world gives a decision only what it reads.
            world.patient(id, body::<super::super::AssertNoKnownAllergies>(json!({}))).unwrap();
        }
        world.patient(low, body::<super::super::RecordAllergy>(json!({"substance": "penicillin"}))).unwrap();
        for id in [top, middle, low, other] {
            let refused = world.patient(id, body::<super::super::AssertNoKnownAllergies>(json!({})));
            assert_eq!(refused.unwrap_err().code, "active-allergies");
        }
    }

    #[test]
    fn a_death_is_the_persons_and_the_rest_is_the_survivors() {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        let [survivor, double] = [1, 2].map(|n| world.given_patient(n));
        world.patient(double, body::<super::super::DeactivatePatient>(json!({}))).unwrap();
        world.given_merge(double, survivor);
        assert_eq!(world.group_life(survivor), Life::Active);
        assert_eq!(world.group_life(double), Life::Active);
        world.patient(double, body::<super::super::RecordDeath>(json!({}))).unwrap();
        assert_eq!(world.group_life(survivor), Life::Deceased);
    }
}
