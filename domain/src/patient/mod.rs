//! A patient's record.

use std::collections::{BTreeMap, BTreeSet};

use events::{
    AggregateKind, AllergyId, ConsentId, PatientEvent, PatientId, ProblemId, StreamId,
    claim::{ClaimChange, CounterChange},
    patient::{Confidentiality, ConsentScope, IdentifierEntry},
    values::Gender,
};

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Active,
    Inactive,
    Deceased,
    /// Found to be the same person as `into`; read on there.
    Merged {
        into: PatientId,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllergyStatus {
    Unconfirmed,
    Confirmed,
    Refuted,
    Resolved,
}

/// What the rules need to know of a patient: nothing of it is sealed.
#[derive(Clone, Debug, PartialEq)]
pub struct Patient {
    pub status: Status,
    pub gender: Gender,
    pub identifiers: Vec<IdentifierEntry>,
    pub relatives: BTreeSet<PatientId>,
    pub allergies: BTreeMap<AllergyId, AllergyStatus>,
    /// Asserted, and nothing recorded since.
    pub no_known_allergies: bool,
    /// `true` while active.
    pub problems: BTreeMap<ProblemId, bool>,
    /// Given and not withdrawn.
    pub consents: BTreeMap<ConsentId, ConsentScope>,
    pub confidentiality: Confidentiality,
    /// Patients merged into this one.
    pub merged: BTreeSet<PatientId>,
}

pub enum PatientCommand {}

impl Aggregate for Patient {
    const KIND: AggregateKind = AggregateKind::Patient;
    type Event = PatientEvent;
    type Command = PatientCommand;

    fn reads(_: StreamId, _: Option<&Self>, command: &PatientCommand, _: &Facts) -> Vec<Read> {
        match *command {}
    }

    fn decide(_: Option<&Self>, command: PatientCommand, _: &Facts, _: &Context<'_>) -> Result<Decision, Refusal> {
        match command {}
    }

    fn evolve(_: Option<Self>, _: &PatientEvent) -> Option<Self> {
        None
    }

    fn claims(_: Option<&Self>, _: StreamId, _: &PatientEvent) -> Vec<ClaimChange> {
        Vec::new()
    }

    fn counters(_: Option<&Self>, _: &PatientEvent) -> Vec<CounterChange> {
        Vec::new()
    }
}
