//! What the rules know of an appointment, and how each event changes it. Nothing of it is sealed.

use events::{
    AppointmentEvent,
    appointment::{AppointmentKind, AppointmentStatus, Slot},
    claim::DoctorTime,
};

#[derive(Clone, Debug, PartialEq)]
pub struct Appointment {
    pub status: AppointmentStatus,
    pub slot: Slot,
    pub kind: AppointmentKind,
    /// It stands in a lane beyond those that the clinic's policy opens.
    pub overbooked: bool,
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
                Some(Self { status, slot, kind, overbooked })
            }
            AppointmentEvent::AppointmentWaitlisted { slot, kind, .. } => {
                Some(Self { status: AppointmentStatus::Waitlist, slot, kind, overbooked: false })
            }
            AppointmentEvent::AppointmentConfirmed { .. }
            | AppointmentEvent::AppointmentRescheduled { .. }
            | AppointmentEvent::AppointmentCancelled { .. }
            | AppointmentEvent::PatientCheckedIn { .. }
            | AppointmentEvent::AppointmentStarted { .. }
            | AppointmentEvent::AppointmentFulfilled { .. }
            | AppointmentEvent::AppointmentMarkedNoShow { .. }
            | AppointmentEvent::AppointmentEnteredInError { .. } => None,
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
        };
        if was != self.status {
            return None;
        }
        self.status = status;
        self.slot = *event.slot();
        Some(self)
    }
}
