//! Claims and counters: what the log keeps beside the events so that a rule over a set can be checked
//! inside the append. Both are derived from events alone, so both can be made again from the log.

use chrono::{DateTime, Utc};
use derive_more::{Display, From};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DoctorId, OfficeId, PatientId, StreamId};

/// A keyed hash (HMAC-SHA256, hex) that stands for something personal: a user name, an e-mail address,
/// a national id. Equal values have equal hashes within a clinic; nobody without the key can guess them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Display, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct KeyedHash(pub String);

/// Where a unique value is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    Clinic,
    /// Over all clinics: slugs, names and registration numbers of clinics.
    Platform,
}

/// A value that only one stream may hold: `slug/asha-clinic`, `username/<keyed hash>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClaimKey {
    pub scope: Scope,
    /// What is unique, stored for ever: `slug`, `username`, `identifier`, …
    pub kind: &'static str,
    pub value: String,
}

impl ClaimKey {
    pub fn clinic(kind: &'static str, value: impl ToString) -> Self {
        Self { scope: Scope::Clinic, kind, value: value.to_string() }
    }

    pub fn platform(kind: &'static str, value: impl ToString) -> Self {
        Self { scope: Scope::Platform, kind, value: value.to_string() }
    }
}

/// A span of a doctor's time, `[from, to)`. No two spans of one doctor and lane overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoctorTime {
    pub doctor: DoctorId,
    pub office: OfficeId,
    /// 0, unless the clinic's overbooking policy opens further lanes.
    pub lane: i16,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

/// What an event does to the claims. The holder is the stream that the event belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimChange {
    Take(ClaimKey),
    Free(ClaimKey),
    TakeTime(DoctorTime),
    /// Frees the time that the event's stream holds.
    FreeTime(DoctorId),
}

/// The name of a counter of a clinic, stored for ever: `usage/patients`, `number/patient/2026`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Display, From)]
pub struct CounterKey(String);

impl CounterKey {
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterChange {
    pub counter: CounterKey,
    pub delta: i64,
}

/// A limit that must hold after the append, checked against the counter as it then stands: so a quota
/// is exact under concurrency, and commands below it never disturb each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    pub counter: CounterKey,
    pub at_least: Option<i64>,
    pub at_most: Option<i64>,
}

/// A fact that a decision may rest on. The append checks that it has not moved since it was read.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fact {
    /// The state of a stream; moves with each of its events.
    Stream(StreamId),
    /// The chart of a patient; moves with each event about the patient.
    Chart(PatientId),
    /// Who holds a unique value.
    Claim(ClaimKey),
    /// All claims on a doctor's time.
    DoctorTime(DoctorId),
    /// All claims on any doctor's time in the clinic.
    ClinicTime,
}
