//! An appointment: who is to be seen by whom, where and when.

use events::{
    AggregateKind, AppointmentEvent, StreamId,
    appointment::{AppointmentKind, AppointmentStatus, Slot},
    claim::{ClaimChange, CounterChange},
};

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal};

#[derive(Clone, Debug, PartialEq)]
pub struct Appointment {
    pub status: AppointmentStatus,
    pub slot: Slot,
    pub kind: AppointmentKind,
    pub overbooked: bool,
}

pub enum AppointmentCommand {}

impl Aggregate for Appointment {
    const KIND: AggregateKind = AggregateKind::Appointment;
    type Event = AppointmentEvent;
    type Command = AppointmentCommand;

    fn reads(_: StreamId, _: Option<&Self>, command: &AppointmentCommand, _: &Facts) -> Vec<Read> {
        match *command {}
    }

    fn decide(_: Option<&Self>, command: AppointmentCommand, _: &Facts, _: &Context<'_>) -> Result<Decision, Refusal> {
        match command {}
    }

    fn evolve(_: Option<Self>, _: &AppointmentEvent) -> Option<Self> {
        None
    }

    fn claims(_: Option<&Self>, _: StreamId, _: &AppointmentEvent) -> Vec<ClaimChange> {
        Vec::new()
    }

    fn counters(_: Option<&Self>, _: &AppointmentEvent) -> Vec<CounterChange> {
        Vec::new()
    }
}
