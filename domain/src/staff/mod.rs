//! A login: of the clinic's staff, of a patient's portal, or of the platform.

use chrono::{DateTime, Utc};
use events::{
    AggregateKind, PatientId, Role, StaffEvent, StreamId,
    claim::{ClaimChange, CounterChange, KeyedHash},
    staff::LockReason,
};

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Invited,
    Active,
    Locked { reason: LockReason, until: Option<DateTime<Utc>> },
    Deactivated,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Staff {
    pub status: Status,
    pub roles: Vec<Role>,
    /// The patient of a portal account.
    pub patient: Option<PatientId>,
    pub username_hash: KeyedHash,
    pub email_hash: Option<KeyedHash>,
}

pub enum StaffCommand {}

impl Aggregate for Staff {
    const KIND: AggregateKind = AggregateKind::Staff;
    type Event = StaffEvent;
    type Command = StaffCommand;

    fn reads(_: Option<&Self>, command: &StaffCommand, _: &Facts) -> Vec<Read> {
        match *command {}
    }

    fn decide(_: Option<&Self>, command: StaffCommand, _: &Facts, _: &Context<'_>) -> Result<Decision, Refusal> {
        match command {}
    }

    fn evolve(_: Option<Self>, _: &StaffEvent) -> Option<Self> {
        None
    }

    fn claims(_: Option<&Self>, _: StreamId, _: &StaffEvent) -> Vec<ClaimChange> {
        Vec::new()
    }

    fn counters(_: Option<&Self>, _: &StaffEvent) -> Vec<CounterChange> {
        Vec::new()
    }
}
