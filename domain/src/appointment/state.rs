//! What the rules know of an appointment, and how each event changes it. Nothing of it is sealed.

use std::collections::BTreeMap;

use events::{
    AppointmentEvent,
    appointment::{AppointmentKind, AppointmentStatus, Slot},
    claim::DoctorTime,
};

use super::remind::{ReminderOutcome, Reminding};

#[derive(Clone, Debug, PartialEq)]
pub struct Appointment {
    pub status: AppointmentStatus,
    pub slot: Slot,
    pub kind: AppointmentKind,
    /// It stands in a lane beyond those that the clinic's policy opens.
    pub overbooked: bool,
    /// What came of reminders.
    pub reminders: BTreeMap<Reminding, ReminderOutcome>,
}

impl Appointment {
    /// The doctor's time that it takes, the buffer after it included; none while it waits or is over.
    pub(super) fn held(&self) -> Option<DoctorTime> {
        let Slot { doctor, office, lane, .. } = self.slot;
        let span = self.slot.span();
        self.status.holds_time().then_some(DoctorTime { doctor, office, lane, from: span.from, to: span.to })
    }

    /// The state after the first event.
    pub(super) fn from_first(event: &AppointmentEvent) -> Option<Self> {
        match *event {
            AppointmentEvent::AppointmentBooked { slot, kind, status, overbooked, .. } => {
                Some(Self { status, slot, kind, overbooked, reminders: BTreeMap::new() })
            }
            AppointmentEvent::AppointmentWaitlisted { slot, kind, .. } => {
                let (status, reminders) = (AppointmentStatus::Waitlist, BTreeMap::new());
                Some(Self { status, slot, kind, overbooked: false, reminders })
            }
            AppointmentEvent::AppointmentConfirmed { .. }
            | AppointmentEvent::AppointmentRescheduled { .. }
            | AppointmentEvent::AppointmentCancelled { .. }
            | AppointmentEvent::PatientCheckedIn { .. }
            | AppointmentEvent::AppointmentStarted { .. }
            | AppointmentEvent::AppointmentFulfilled { .. }
            | AppointmentEvent::AppointmentMarkedNoShow { .. }
            | AppointmentEvent::AppointmentEnteredInError { .. }
            | AppointmentEvent::ReminderSent { .. }
            | AppointmentEvent::ReminderFailed { .. } => None,
        }
    }

    /// The state after an event; `None`: it cannot follow.
    pub(super) fn apply(mut self, event: &AppointmentEvent) -> Option<Self> {
        let (was, status) = match *event {
            AppointmentEvent::AppointmentBooked { .. } | AppointmentEvent::AppointmentWaitlisted { .. } => return None,
            AppointmentEvent::AppointmentConfirmed { was, .. } => (was, AppointmentStatus::Booked),
            AppointmentEvent::AppointmentRescheduled { was, status, .. } => {
                self.overbooked = false;
                (was, status)
            }
            AppointmentEvent::AppointmentCancelled { was, .. } => (was, AppointmentStatus::Cancelled),
            AppointmentEvent::PatientCheckedIn { was, .. } => (was, AppointmentStatus::Arrived),
            AppointmentEvent::AppointmentStarted { .. } => (AppointmentStatus::Arrived, AppointmentStatus::CheckedIn),
            AppointmentEvent::AppointmentFulfilled { .. } => {
                (AppointmentStatus::CheckedIn, AppointmentStatus::Fulfilled)
            }
            AppointmentEvent::AppointmentMarkedNoShow { was, .. } => (was, AppointmentStatus::NoShow),
            AppointmentEvent::AppointmentEnteredInError { was, .. } => (was, AppointmentStatus::EnteredInError),
            AppointmentEvent::ReminderSent { was, for_start, hours_before, .. } => {
                self.reminders.insert(Reminding { for_start, hours_before }, ReminderOutcome::Sent);
                (was, was)
            }
            AppointmentEvent::ReminderFailed { was, for_start, hours_before, failure, .. } => {
                self.reminders.insert(Reminding { for_start, hours_before }, ReminderOutcome::Failed(failure));
                (was, was)
            }
        };
        if was != self.status {
            return None;
        }
        self.status = status;
        self.slot = *event.slot();
        Some(self)
    }
}
