//! The tenant: its profile, offices, settings, plan and standing.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use events::{
    AggregateKind, ClinicEvent, OfficeId, StreamId,
    claim::{ClaimChange, CounterChange},
    clinic::{ClinicProfile, Closure, Limits, Office, Plan, Settings},
};

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal};

#[derive(Clone, Debug, PartialEq)]
pub struct Clinic {
    pub slug: String,
    pub profile: ClinicProfile,
    pub plan: Plan,
    pub trial_ends_at: DateTime<Utc>,
    /// Set once a subscription is active.
    pub paid_until: Option<DateTime<Utc>>,
    pub suspended: bool,
    /// Open offices.
    pub offices: Vec<Office>,
    pub closures: Vec<Closure>,
    pub settings: Settings,
    /// Limits set for this clinic alone.
    pub own_limits: Option<Limits>,
}

impl Clinic {
    pub fn zone(&self) -> Tz {
        self.profile.time_zone
    }

    /// An open office.
    pub fn office(&self, id: OfficeId) -> Option<&Office> {
        self.offices.iter().find(|office| office.id == id)
    }
}

pub enum ClinicCommand {}

impl Aggregate for Clinic {
    const KIND: AggregateKind = AggregateKind::Clinic;
    type Event = ClinicEvent;
    type Command = ClinicCommand;

    fn reads(_: Option<&Self>, command: &ClinicCommand, _: &Facts) -> Vec<Read> {
        match *command {}
    }

    fn decide(_: Option<&Self>, command: ClinicCommand, _: &Facts, _: &Context<'_>) -> Result<Decision, Refusal> {
        match command {}
    }

    fn evolve(_: Option<Self>, _: &ClinicEvent) -> Option<Self> {
        None
    }

    fn claims(_: Option<&Self>, _: StreamId, _: &ClinicEvent) -> Vec<ClaimChange> {
        Vec::new()
    }

    fn counters(_: Option<&Self>, _: &ClinicEvent) -> Vec<CounterChange> {
        Vec::new()
    }
}
