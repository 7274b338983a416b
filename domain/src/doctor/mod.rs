//! A doctor: licence, offices, working hours, leave, fee.

use chrono::NaiveDate;
use events::{
    AggregateKind, DoctorEvent, LeaveId, OfficeId, StreamId,
    calendar::WorkingHours,
    claim::{ClaimChange, CounterChange, KeyedHash},
    values::{Money, Span},
};

use crate::{Aggregate, Clinic, Context, Decision, Facts, Read, Refusal};

#[derive(Clone, Debug, PartialEq)]
pub struct Doctor {
    pub active: bool,
    pub licence_hash: KeyedHash,
    pub licence_expires: Option<NaiveDate>,
    /// The first is the primary one.
    pub offices: Vec<OfficeId>,
    /// Empty: the hours of each office.
    pub hours: Vec<WorkingHours>,
    pub leaves: Vec<(LeaveId, Span)>,
    pub fee: Option<Money>,
}

impl Doctor {
    /// The hours that the doctor really has: their own, or else those of their offices.
    pub fn hours_in(&self, clinic: &Clinic) -> Vec<WorkingHours> {
        if !self.hours.is_empty() {
            return self.hours.clone();
        }
        let offices = self.offices.iter().filter_map(|id| clinic.office(*id));
        offices.flat_map(|office| WorkingHours::of_office(office.id, &office.hours)).collect()
    }
}

pub enum DoctorCommand {}

impl Aggregate for Doctor {
    const KIND: AggregateKind = AggregateKind::Doctor;
    type Event = DoctorEvent;
    type Command = DoctorCommand;

    fn reads(_: Option<&Self>, command: &DoctorCommand, _: &Facts) -> Vec<Read> {
        match *command {}
    }

    fn decide(_: Option<&Self>, command: DoctorCommand, _: &Facts, _: &Context<'_>) -> Result<Decision, Refusal> {
        match command {}
    }

    fn evolve(_: Option<Self>, _: &DoctorEvent) -> Option<Self> {
        None
    }

    fn claims(_: Option<&Self>, _: StreamId, _: &DoctorEvent) -> Vec<ClaimChange> {
        Vec::new()
    }

    fn counters(_: Option<&Self>, _: &DoctorEvent) -> Vec<CounterChange> {
        Vec::new()
    }
}
