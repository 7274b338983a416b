//! The person whom a command is about, by whichever of their ids.

use std::iter::once;

use events::PatientId;

use super::{Group, Patient};
use crate::{Facts, Read, Refusal};

pub struct Person<'a> {
    group: Group<'a>,
}

impl<'a> Person<'a> {
    /// The records of the person, as far as they are known by now.
    pub fn reads(id: PatientId, facts: &Facts) -> Vec<Read> {
        let group = facts.get::<Patient>(id).map(|patient| Group::reads(id, patient, facts));
        once(Read::Stream(id.into())).chain(group.unwrap_or_default()).collect()
    }

    /// 404 for nobody of this clinic, 410 for who is erased.
    pub fn find(id: PatientId, facts: &'a Facts) -> Result<Self, Refusal> {
        let patient = facts.get::<Patient>(id).ok_or_else(|| Refusal::not_found("patient"))?;
        patient.not_erased()?;
        Ok(Self { group: Group::of(id, patient, facts) })
    }

    /// All ids of the person, the survivor's first.
    pub fn ids(&self) -> impl Iterator<Item = PatientId> {
        self.group.members().map(|(id, _)| id)
    }

    pub fn is(&self, id: PatientId) -> bool {
        self.group.contains(id)
    }

    /// Refuses for who does not come any more.
    pub fn comes(&self) -> Result<(), Refusal> {
        self.group.may_come()
    }
}
