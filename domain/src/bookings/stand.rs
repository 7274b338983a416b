//! Another doctor who takes over.

use events::{
    DoctorId,
    appointment::{AppointmentStatus, Slot},
    values::Span,
};

use super::widened;
use crate::{Appointment, Clinic, Doctor, Facts, HeldTime, Refusal};

/// Another doctor who stands in.
pub struct Stand<'f> {
    id: DoctorId,
    doctor: &'f Doctor,
    clinic: &'f Clinic,
    busy: Vec<Span>,
}

impl<'f> Stand<'f> {
    /// The doctor who stands in for `absent` during the span.
    pub fn of(
        id: DoctorId,
        absent: DoctorId,
        span: Span,
        clinic: &'f Clinic,
        facts: &'f Facts,
    ) -> Result<Self, Refusal> {
        if id == absent {
            return Err(Refusal::rule("same-doctor", "Nobody stands in for themselves.").at("/appointments"));
        }
        let doctor = facts.get::<Doctor>(id).filter(|doctor| doctor.is_active());
        let doctor = doctor.ok_or_else(|| Refusal::not_found("active doctor").at("/appointments"))?;
        let busy = facts.times(&widened(id, span)).iter().map(HeldTime::span).collect();
        Ok(Self { id, doctor, clinic, busy })
    }

    /// The same time and place with this doctor; `None`: not free, or somebody waits there already.
    pub(super) fn slot_for(&self, appointment: &Appointment, taken: &[Span]) -> Option<Slot> {
        let from = appointment.slot;
        let visit = Span { from: from.start, to: from.end() };
        let hours = self.doctor.hours_over(self.clinic, from.office, &visit)?;
        let slot = Slot { doctor: self.id, lane: 0, buffer_minutes: hours.buffer_minutes, ..from };
        let held = slot.span();
        let free = self.doctor.works_in(from.office)
            && self.doctor.leave_overlapping(&visit).is_none()
            && self.clinic.closure_over(from.office, &visit).is_none()
            && !self.busy.iter().chain(taken).any(|busy| busy.overlaps(&held));
        (free && appointment.status != AppointmentStatus::Arrived).then_some(slot)
    }
}
