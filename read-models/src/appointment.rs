//! Appointments: the day sheet, the queue of an office, a patient's appointments.

use chrono::{DateTime, NaiveDate, Utc};
use events::{
    AppointmentEvent, AppointmentId, DoctorId, DomainEvent, Number, OfficeId, PatientId, Recorded, Sealed,
    appointment::{
        AppointmentKind, AppointmentReason, AppointmentStatus, CancelledBy, ReminderChannel, ReminderFailure, Slot,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Projection;

/// `read.appointment_1`: one row per appointment.
pub struct Appointments;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AppointmentRow {
    pub id: AppointmentId,
    pub number: String,
    pub patient_id: PatientId,
    pub doctor_id: DoctorId,
    pub office_id: OfficeId,
    pub start: DateTime<Utc>,
    /// When the patient leaves; the buffer comes after it.
    pub end: DateTime<Utc>,
    /// The day of `start` in the clinic's zone.
    pub day: NaiveDate,
    pub minutes: i64,
    pub buffer_minutes: i64,
    /// Which of the doctor's lanes it takes: 0, unless several may be booked at once.
    pub lane: i16,
    pub kind: AppointmentKind,
    pub status: AppointmentStatus,
    /// Why it was booked.
    pub reason: Option<String>,
    /// The place in the queue of that office and day.
    pub token: Option<String>,
    pub overbooked: bool,
    pub overbooking_reason: Option<String>,
    pub cancelled_by: Option<CancelledBy>,
    pub cancellation_reason: Option<String>,
    /// Booked, or put on the waiting list.
    pub booked_at: DateTime<Utc>,
    pub rescheduled_at: Option<DateTime<Utc>>,
    pub checked_in_at: Option<DateTime<Utc>>,
    pub started_at: Option<DateTime<Utc>>,
    /// When it reached its final status.
    pub ended_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub position: i64,
    /// In their order.
    pub reminders: Vec<Reminder>,
}

/// What came of reminding the patient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reminder {
    pub channel: ReminderChannel,
    /// The start of which the patient was reminded.
    pub for_start: DateTime<Utc>,
    pub hours_before: i64,
    pub at: DateTime<Utc>,
    /// Why nobody was reached; `null`: it was sent.
    pub failure: Option<ReminderFailure>,
}

impl Projection for Appointments {
    const NAME: &'static str = "appointment";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.appointment_1";
    const ONE_STREAM: bool = true;
    type Key = Uuid;
    type Row = AppointmentRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match event.event {
            DomainEvent::Appointment(_) => vec![event.stream.id],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<AppointmentRow>, _: &Uuid, event: &Recorded) -> Option<AppointmentRow> {
        let DomainEvent::Appointment(change) = &event.event else { return row };
        let mut row = match (row, change) {
            (None, AppointmentEvent::AppointmentBooked { number, slot, kind, .. }) => made(number, slot, *kind, event),
            (None, AppointmentEvent::AppointmentWaitlisted { number, slot, kind, .. }) => {
                made(number, slot, *kind, event)
            }
            (row, _) => row?,
        };
        row.take(change, event.occurred_at);
        row.set_slot(change.slot());
        row.version = event.version;
        row.position = event.position;
        Some(row)
    }
}

fn made(number: &Number, slot: &Slot, kind: AppointmentKind, event: &Recorded) -> AppointmentRow {
    AppointmentRow {
        id: AppointmentId(event.stream.id),
        number: number.as_str().to_owned(),
        patient_id: slot.patient,
        doctor_id: slot.doctor,
        office_id: slot.office,
        start: slot.start,
        end: slot.end(),
        day: slot.day,
        minutes: slot.minutes,
        buffer_minutes: slot.buffer_minutes,
        lane: slot.lane,
        kind,
        status: AppointmentStatus::Waitlist,
        reason: None,
        token: None,
        overbooked: false,
        overbooking_reason: None,
        cancelled_by: None,
        cancellation_reason: None,
        booked_at: event.occurred_at,
        rescheduled_at: None,
        checked_in_at: None,
        started_at: None,
        ended_at: None,
        version: event.version,
        position: event.position,
        reminders: Vec::new(),
    }
}

fn text(sealed: &Sealed<AppointmentReason>) -> Option<String> {
    sealed.open().and_then(|why| why.reason.clone())
}

impl AppointmentRow {
    fn take(&mut self, change: &AppointmentEvent, at: DateTime<Utc>) {
        match change {
            AppointmentEvent::AppointmentBooked { status, overbooked, sealed, .. } => {
                self.status = *status;
                self.reason = sealed.open().and_then(|why| why.reason.clone());
                self.overbooked = *overbooked;
                self.overbooking_reason = sealed.open().and_then(|why| why.overbooking.clone());
            }
            AppointmentEvent::AppointmentWaitlisted { sealed, .. } => {
                self.status = AppointmentStatus::Waitlist;
                self.reason = text(sealed);
            }
            AppointmentEvent::AppointmentConfirmed { .. } => self.status = AppointmentStatus::Booked,
            AppointmentEvent::AppointmentRescheduled { status, .. } => {
                self.status = *status;
                self.rescheduled_at = Some(at);
            }
            AppointmentEvent::AppointmentCancelled { by, sealed, .. } => {
                self.end_as(AppointmentStatus::Cancelled, at);
                self.cancelled_by = Some(*by);
                self.cancellation_reason = text(sealed);
            }
            AppointmentEvent::PatientCheckedIn { token, .. } => {
                self.status = AppointmentStatus::Arrived;
                self.token = Some(token.as_str().to_owned());
                self.checked_in_at = Some(at);
            }
            AppointmentEvent::AppointmentStarted { .. } => {
                self.status = AppointmentStatus::CheckedIn;
                self.started_at = Some(at);
            }
            AppointmentEvent::AppointmentFulfilled { .. } => self.end_as(AppointmentStatus::Fulfilled, at),
            AppointmentEvent::AppointmentMarkedNoShow { .. } => self.end_as(AppointmentStatus::NoShow, at),
            AppointmentEvent::AppointmentEnteredInError { .. } => self.end_as(AppointmentStatus::EnteredInError, at),
            AppointmentEvent::ReminderSent { channel, for_start, hours_before, .. } => {
                let (channel, for_start, hours_before) = (*channel, *for_start, *hours_before);
                self.reminders.push(Reminder { channel, for_start, hours_before, at, failure: None });
            }
            AppointmentEvent::ReminderFailed { channel, for_start, hours_before, failure, .. } => {
                let (channel, for_start, hours_before) = (*channel, *for_start, *hours_before);
                self.reminders.push(Reminder { channel, for_start, hours_before, at, failure: Some(*failure) });
            }
        }
    }

    fn end_as(&mut self, status: AppointmentStatus, at: DateTime<Utc>) {
        self.status = status;
        self.ended_at = Some(at);
    }

    fn set_slot(&mut self, slot: &Slot) {
        self.doctor_id = slot.doctor;
        self.office_id = slot.office;
        self.start = slot.start;
        self.end = slot.end();
        self.day = slot.day;
        self.minutes = slot.minutes;
        self.buffer_minutes = slot.buffer_minutes;
        self.lane = slot.lane;
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::sample::History;

    #[test]
    fn a_rescheduled_appointment_keeps_its_number_and_reason() {
        let mut history = History::new();
        let (appointment, slot) = history.booked(1);
        let moved = Slot { start: slot.start + TimeDelta::days(1), day: slot.day.succ_opt().unwrap(), ..slot };
        history.rescheduled(appointment, slot, moved);
        let row = history.row::<Appointments>(appointment.0).unwrap();
        assert_eq!((row.start, row.end, row.day), (moved.start, moved.end(), moved.day));
        assert_eq!((row.number.as_str(), row.reason.as_deref()), ("APT-20260302-001", Some("cough")));
        assert_eq!((row.status, row.version), (AppointmentStatus::Booked, 2));
    }

    #[test]
    fn a_cancelled_appointment_says_who_and_when() {
        let mut history = History::new();
        let (appointment, slot) = history.booked(1);
        let cancelled = AppointmentEvent::AppointmentCancelled {
            slot,
            was: AppointmentStatus::Booked,
            by: CancelledBy::Patient,
            sealed: Sealed::Open(AppointmentReason { reason: Some("travelling".into()) }),
        };
        history.appointment(appointment, cancelled);
        let row = history.row::<Appointments>(appointment.0).unwrap();
        assert_eq!((row.status, row.cancelled_by), (AppointmentStatus::Cancelled, Some(CancelledBy::Patient)));
        assert_eq!(row.cancellation_reason.as_deref(), Some("travelling"));
        assert_eq!(row.reason.as_deref(), Some("cough"));
        assert!(row.ended_at.is_some());
    }
}
