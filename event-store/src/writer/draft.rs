//! One ledger while a group is decided: the memory, and over it what earlier members of the group have done.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use events::{
    Ledger, PatientId, Position, StreamId,
    claim::{Bound, ClaimKey, CounterKey, Fact},
};

use super::{
    effects::NetClaims,
    memory::{Changes, Head, LedgerId, Memory, Touch},
};
use crate::{
    append::{Append, AppendError, Expectation},
    vault::{ClinicKeys, SealingKey},
};

pub(super) struct Draft<'a> {
    pub(super) place: LedgerId,
    pub(super) memory: &'a Memory,
    /// Where the ledger stands after the members so far.
    pub(super) head: Head,
    /// When the events of this group are recorded.
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) changes: Changes,
    /// Keys of those who are registered in this group.
    pub(super) new_patients: HashMap<PatientId, Arc<SealingKey>>,
    pub(super) new_clinic: Option<Arc<ClinicKeys>>,
    /// Who was erased by an earlier member of this group: the key is fenced by the statement to come.
    pub(super) erased: HashSet<PatientId>,
}

/// What a draft becomes once its group has committed.
pub(super) struct Drafted {
    pub(super) place: LedgerId,
    pub(super) head: Head,
    pub(super) changes: Changes,
    pub(super) new_patients: HashMap<PatientId, Arc<SealingKey>>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(place: LedgerId, memory: &'a Memory, now: DateTime<Utc>) -> Self {
        Self {
            place,
            memory,
            head: memory.head,
            recorded_at: recorded_at(&memory.head, now),
            changes: Changes::default(),
            new_patients: HashMap::new(),
            new_clinic: None,
            erased: HashSet::new(),
        }
    }

    pub(super) fn finish(self) -> Drafted {
        let Self { place, head, changes, new_patients, .. } = self;
        Drafted { place, head, changes, new_patients }
    }

    /// That no fact of the decision has moved since it was read.
    pub(super) fn expectations_hold(&self, append: &Append) -> Result<(), AppendError> {
        match append.expectations.iter().find(|expectation| !self.holds(expectation)) {
            Some(moved) => Err(AppendError::Moved(moved.fact.clone())),
            None => Ok(()),
        }
    }

    fn holds(&self, expectation: &Expectation) -> bool {
        let Expectation { fact, version, read_at } = expectation;
        // Read from a log that is not this one: of before a restore.
        if expectation.was_read() && *read_at > self.memory.head.position {
            return false;
        }
        match fact {
            Fact::Stream(stream) => match self.stream(stream) {
                Some(touch) => Some(touch.version) == *version,
                None => self.memory.streams.reaches(*read_at),
            },
            Fact::Chart(patient) => match self.chart(patient) {
                Some(touch) => Some(touch.version) == *version,
                None => self.memory.charts.reaches(*read_at),
            },
            Fact::Claim(claim) => match self.claim(claim) {
                Some(touch) => touch.position <= *read_at,
                None => self.memory.claims.reaches(*read_at),
            },
            Fact::DoctorTime(doctor) => {
                match self.changes.doctors.get(doctor).copied().or_else(|| self.memory.doctors.get(doctor)) {
                    Some(touch) => touch.position <= *read_at,
                    None => self.memory.doctors.reaches(*read_at),
                }
            }
            Fact::ClinicTime => self.changes.any_time.unwrap_or(self.memory.any_time) <= *read_at,
        }
    }

    fn stream(&self, stream: &StreamId) -> Option<Touch> {
        self.changes.streams.get(stream).copied().or_else(|| self.memory.streams.get(stream))
    }

    fn chart(&self, patient: &PatientId) -> Option<Touch> {
        self.changes.charts.get(patient).copied().or_else(|| self.memory.charts.get(patient))
    }

    fn claim(&self, claim: &ClaimKey) -> Option<Touch> {
        self.changes.claims.get(claim).copied().or_else(|| self.memory.claims.get(claim))
    }

    /// The version of a stream as it is now; the expectations hold. `None`: nobody has looked.
    pub(super) fn stream_version(&self, append: &Append, stream: StreamId) -> Option<i64> {
        let touched = self.stream(&stream).map(|touch| touch.version);
        touched.or_else(|| append.expects(&Fact::Stream(stream)))
    }

    /// The version of a patient's chart as it is now; the expectations hold. `None`: nobody has looked.
    pub(super) fn chart_version(&self, append: &Append, patient: PatientId) -> Option<i64> {
        let touched = self.chart(&patient).map(|touch| touch.version);
        touched.or_else(|| append.expects(&Fact::Chart(patient))).or_else(|| self.new_chart(append, patient))
    }

    /// The chart of a patient who does not exist yet.
    fn new_chart(&self, append: &Append, patient: PatientId) -> Option<i64> {
        self.stream_version(append, patient.into()).filter(|version| *version == 0)
    }

    /// `None`: nobody has looked.
    pub(super) fn counter(&self, counter: &CounterKey) -> Option<i64> {
        self.changes.counters.get(counter).or_else(|| self.memory.counters.get(counter)).copied()
    }

    pub(super) fn touch_claims(&mut self, net: &NetClaims, position: Position) {
        let touch = Touch { version: 0, position };
        self.changes.claims.extend(net.claims().map(|claim| (claim.clone(), touch)));
        for doctor in net.doctors() {
            self.changes.doctors.insert(doctor, touch);
            self.changes.any_time = Some(position);
        }
    }

    pub(super) fn is_record(&self) -> bool {
        self.place.ledger == Ledger::Record
    }
}

/// The later of now and the head's, in whole microseconds.
pub(super) fn recorded_at(head: &Head, now: DateTime<Utc>) -> DateTime<Utc> {
    to_microseconds(now).max(head.recorded_at)
}

/// As PostgreSQL stores it, and as it is hashed.
pub(super) fn to_microseconds(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(at)
}

pub(super) fn is_within(value: i64, bound: &Bound) -> bool {
    bound.at_least.is_none_or(|least| value >= least) && bound.at_most.is_none_or(|most| value <= most)
}
