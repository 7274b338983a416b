//! What can happen to an appointment. Each event carries the slot it speaks of, and the status before it,
//! so that no fold has to look at another table.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::{DoctorId, Number, OfficeId, PatientId, Sealed, values::Span};

/// FHIR R4 AppointmentStatus.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum AppointmentStatus {
    Pending,
    Booked,
    /// In the waiting room, with a token.
    Arrived,
    /// With the doctor.
    CheckedIn,
    Fulfilled,
    Cancelled,
    #[serde(rename = "noshow")]
    #[strum(serialize = "noshow")]
    NoShow,
    EnteredInError,
    Waitlist,
}

impl AppointmentStatus {
    pub fn is_final(self) -> bool {
        matches!(self, Self::Fulfilled | Self::Cancelled | Self::NoShow | Self::EnteredInError)
    }

    /// Whether the appointment takes the doctor's time.
    pub fn holds_time(self) -> bool {
        matches!(self, Self::Pending | Self::Booked | Self::Arrived | Self::CheckedIn)
    }
}

#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum AppointmentKind {
    #[default]
    Routine,
    WalkIn,
    CheckUp,
    FollowUp,
    Emergency,
}

/// Who cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, strum::Display, EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CancelledBy {
    Patient,
    Clinic,
}

/// How a reminder goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ReminderChannel {
    Email,
}

/// Why a reminder did not reach anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ReminderFailure {
    /// The mail system does not take it for this address.
    Refused,
    /// No mail system could be reached before the appointment began.
    TooLate,
    /// What is kept as the address is none.
    NoAddress,
}

/// Who is to be seen by whom, where and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Slot {
    pub patient: PatientId,
    pub doctor: DoctorId,
    pub office: OfficeId,
    pub start: DateTime<Utc>,
    /// The day of `start` in the clinic's zone as it was when the slot was chosen: statistics and queue
    /// tokens are cut by it, whatever becomes of the zone.
    pub day: NaiveDate,
    pub minutes: i64,
    /// Minutes kept free after it.
    pub buffer_minutes: i64,
    /// See `claim::DoctorTime`.
    pub lane: i16,
}

impl Slot {
    /// When the patient leaves.
    pub fn end(&self) -> DateTime<Utc> {
        self.start + TimeDelta::minutes(self.minutes)
    }

    /// The doctor's time that it takes, the buffer included.
    pub fn span(&self) -> Span {
        Span { from: self.start, to: self.end() + TimeDelta::minutes(self.buffer_minutes) }
    }
}

/// Why it was booked, and if it was overbooked, why that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BookingReason {
    /// In the patient's or the receptionist's words.
    pub reason: Option<String>,
    /// Why the doctor's time was given twice.
    pub overbooking: Option<String>,
}

/// Why it was put on the waiting list, moved, cancelled or struck out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppointmentReason {
    pub reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "type", content = "data")]
pub enum AppointmentEvent {
    AppointmentBooked {
        number: Number,
        slot: Slot,
        kind: AppointmentKind,
        /// `pending` or `booked`.
        status: AppointmentStatus,
        /// A further lane was opened for it, by the command `overbook`.
        overbooked: bool,
        #[serde(default)]
        sealed: Sealed<BookingReason>,
    },
    AppointmentWaitlisted {
        number: Number,
        slot: Slot,
        kind: AppointmentKind,
        #[serde(default)]
        sealed: Sealed<AppointmentReason>,
    },
    /// `pending` or `waitlist` to `booked`; from the waiting list it takes the slot now.
    AppointmentConfirmed {
        slot: Slot,
        was: AppointmentStatus,
    },
    AppointmentRescheduled {
        from: Slot,
        to: Slot,
        was: AppointmentStatus,
        /// After it.
        status: AppointmentStatus,
        kind: AppointmentKind,
        #[serde(default)]
        sealed: Sealed<AppointmentReason>,
    },
    AppointmentCancelled {
        slot: Slot,
        was: AppointmentStatus,
        by: CancelledBy,
        #[serde(default)]
        sealed: Sealed<AppointmentReason>,
    },
    PatientCheckedIn {
        slot: Slot,
        was: AppointmentStatus,
        token: Number,
    },
    AppointmentStarted {
        slot: Slot,
    },
    AppointmentFulfilled {
        slot: Slot,
    },
    AppointmentMarkedNoShow {
        slot: Slot,
        was: AppointmentStatus,
    },
    AppointmentEnteredInError {
        slot: Slot,
        was: AppointmentStatus,
        kind: AppointmentKind,
        #[serde(default)]
        sealed: Sealed<AppointmentReason>,
    },
    /// The patient was reminded. The address is nobody's business here.
    ReminderSent {
        slot: Slot,
        was: AppointmentStatus,
        channel: ReminderChannel,
        /// The start of which it reminded: another one, where the appointment was moved meanwhile.
        for_start: DateTime<Utc>,
        /// How long before it, as the clinic wishes.
        hours_before: i64,
    },
    /// The patient was to be reminded, and was not.
    ReminderFailed {
        slot: Slot,
        was: AppointmentStatus,
        channel: ReminderChannel,
        for_start: DateTime<Utc>,
        hours_before: i64,
        failure: ReminderFailure,
    },
}

impl AppointmentEvent {
    /// The slot as it is after the event.
    pub fn slot(&self) -> &Slot {
        match self {
            Self::AppointmentBooked { slot, .. }
            | Self::AppointmentWaitlisted { slot, .. }
            | Self::AppointmentConfirmed { slot, .. }
            | Self::AppointmentRescheduled { to: slot, .. }
            | Self::AppointmentCancelled { slot, .. }
            | Self::PatientCheckedIn { slot, .. }
            | Self::AppointmentStarted { slot }
            | Self::AppointmentFulfilled { slot }
            | Self::AppointmentMarkedNoShow { slot, .. }
            | Self::AppointmentEnteredInError { slot, .. }
            | Self::ReminderSent { slot, .. }
            | Self::ReminderFailed { slot, .. } => slot,
        }
    }

    pub fn number_mut(&mut self) -> Option<&mut Number> {
        match self {
            Self::AppointmentBooked { number, .. } | Self::AppointmentWaitlisted { number, .. } => Some(number),
            Self::PatientCheckedIn { token, .. } => Some(token),
            Self::AppointmentConfirmed { .. }
            | Self::AppointmentRescheduled { .. }
            | Self::AppointmentCancelled { .. }
            | Self::AppointmentStarted { .. }
            | Self::AppointmentFulfilled { .. }
            | Self::AppointmentMarkedNoShow { .. }
            | Self::AppointmentEnteredInError { .. }
            | Self::ReminderSent { .. }
            | Self::ReminderFailed { .. } => None,
        }
    }
}
