//! Counts of the appointments of one day, which is the clinic's own (`Slot::day`).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use events::{
    AppointmentEvent, DoctorId, DomainEvent, Recorded,
    appointment::{AppointmentKind, AppointmentStatus, Slot},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Projection, count::Counts};

/// `read.appointment_day_1`: one row per day that has, or had, an appointment. An appointment counts on
/// the day of its slot as it is now.
pub struct AppointmentDays;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AppointmentDayRow {
    pub id: NaiveDate,
    pub by_status: Counts,
    /// Of all but those entered in error.
    pub by_kind: Counts,
    /// For each doctor, by status.
    pub by_doctor: BTreeMap<DoctorId, Counts>,
    pub position: i64,
}

impl AppointmentDayRow {
    /// No-shows among the appointments that were kept or missed; `None` where there are none.
    pub fn no_show_rate(&self) -> Option<f64> {
        no_show_rate(&self.by_status)
    }
}

/// No-shows among the appointments that were kept or missed; `None` where there are none.
pub fn no_show_rate(by_status: &Counts) -> Option<f64> {
    let missed = by_status.get(AppointmentStatus::NoShow.to_string());
    let ended = missed + by_status.get(AppointmentStatus::Fulfilled.to_string());
    (ended > 0).then(|| missed as f64 / ended as f64)
}

impl Projection for AppointmentDays {
    const NAME: &'static str = "appointment_day";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.appointment_day_1";
    const ONE_STREAM: bool = false;
    type Key = NaiveDate;
    type Row = AppointmentDayRow;

    fn keys(event: &Recorded) -> Vec<NaiveDate> {
        match &event.event {
            DomainEvent::Appointment(AppointmentEvent::AppointmentRescheduled { from, to, .. })
                if from.day != to.day =>
            {
                vec![from.day, to.day]
            }
            DomainEvent::Appointment(change) => vec![change.slot().day],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<AppointmentDayRow>, day: &NaiveDate, event: &Recorded) -> Option<AppointmentDayRow> {
        let DomainEvent::Appointment(change) = &event.event else { return row };
        let mut row = row.unwrap_or_else(|| empty(*day));
        row.take(change);
        row.position = event.position;
        (!row.by_status.is_empty()).then_some(row)
    }
}

fn empty(day: NaiveDate) -> AppointmentDayRow {
    let (by_status, by_kind) = (Counts::default(), Counts::default());
    AppointmentDayRow { id: day, by_status, by_kind, by_doctor: BTreeMap::new(), position: 0 }
}

impl AppointmentDayRow {
    fn take(&mut self, change: &AppointmentEvent) {
        use AppointmentStatus as Is;
        match change {
            AppointmentEvent::AppointmentBooked { slot, kind, status, .. } => self.enter(slot, *status, *kind),
            AppointmentEvent::AppointmentWaitlisted { slot, kind, .. } => self.enter(slot, Is::Waitlist, *kind),
            AppointmentEvent::AppointmentConfirmed { slot, was } => self.shift(slot, *was, Is::Booked),
            AppointmentEvent::AppointmentRescheduled { from, to, was, status, kind, .. } => {
                self.leave(from, *was, *kind);
                self.enter(to, *status, *kind);
            }
            AppointmentEvent::AppointmentCancelled { slot, was, .. } => self.shift(slot, *was, Is::Cancelled),
            AppointmentEvent::PatientCheckedIn { slot, was, .. } => self.shift(slot, *was, Is::Arrived),
            AppointmentEvent::AppointmentStarted { slot } => self.shift(slot, Is::Arrived, Is::CheckedIn),
            AppointmentEvent::AppointmentFulfilled { slot } => self.shift(slot, Is::CheckedIn, Is::Fulfilled),
            AppointmentEvent::AppointmentMarkedNoShow { slot, was } => self.shift(slot, *was, Is::NoShow),
            AppointmentEvent::AppointmentEnteredInError { slot, was, kind, .. } => {
                self.shift(slot, *was, Is::EnteredInError);
                self.by_kind.add(kind, -1);
            }
            AppointmentEvent::ReminderSent { .. } | AppointmentEvent::ReminderFailed { .. } => {}
        }
    }

    fn enter(&mut self, slot: &Slot, status: AppointmentStatus, kind: AppointmentKind) {
        self.count(slot, status, 1);
        if slot.day == self.id {
            self.by_kind.add(kind, 1);
        }
    }

    fn leave(&mut self, slot: &Slot, status: AppointmentStatus, kind: AppointmentKind) {
        self.count(slot, status, -1);
        if slot.day == self.id {
            self.by_kind.add(kind, -1);
        }
    }

    fn shift(&mut self, slot: &Slot, from: AppointmentStatus, to: AppointmentStatus) {
        self.count(slot, from, -1);
        self.count(slot, to, 1);
    }

    /// One side of a reschedule may lie on another day, whose row has it.
    fn count(&mut self, slot: &Slot, status: AppointmentStatus, delta: i64) {
        if slot.day != self.id {
            return;
        }
        self.by_status.add(status, delta);
        let of_doctor = self.by_doctor.entry(slot.doctor).or_default();
        of_doctor.add(status, delta);
        if of_doctor.is_empty() {
            self.by_doctor.remove(&slot.doctor);
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::sample::History;

    #[test]
    fn a_rescheduled_appointment_leaves_its_day() {
        let mut history = History::new();
        let (appointment, slot) = history.booked(1);
        let moved = Slot { start: slot.start + TimeDelta::days(1), day: slot.day.succ_opt().unwrap(), ..slot };
        history.rescheduled(appointment, slot, moved);
        assert_eq!(history.row::<AppointmentDays>(slot.day), None);
        let row = history.row::<AppointmentDays>(moved.day).unwrap();
        assert_eq!((row.by_status.get("booked"), row.by_kind.get("routine")), (1, 1));
    }

    #[test]
    fn another_hour_or_doctor_of_the_same_day_counts_once() {
        let mut history = History::new();
        let (appointment, slot) = history.booked(1);
        let moved = Slot { doctor: DoctorId(uuid::Uuid::from_u128(77)), ..slot };
        history.rescheduled(appointment, slot, moved);
        let row = history.row::<AppointmentDays>(slot.day).unwrap();
        assert_eq!((row.by_status.total(), row.by_kind.total()), (1, 1));
        assert_eq!(row.by_doctor.keys().collect::<Vec<_>>(), [&moved.doctor]);
    }

    #[test]
    fn one_of_two_patients_did_not_come() {
        let mut history = History::new();
        let (first, slot) = history.booked(1);
        history.fulfilled(first, slot);
        let (second, slot) = history.booked(2);
        let missed = AppointmentEvent::AppointmentMarkedNoShow { slot, was: AppointmentStatus::Booked };
        history.appointment(second, missed);
        let row = history.row::<AppointmentDays>(slot.day).unwrap();
        assert_eq!((row.by_status.total(), row.no_show_rate()), (2, Some(0.5)));
    }
}
