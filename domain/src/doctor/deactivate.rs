//! A doctor leaves the clinic, and the login with them.

use events::{DoctorEvent, DoctorId, Role, StaffEvent, UserId, doctor::DoctorReason};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{did, schedule::settling};
use crate::{
    Context, Decision, Facts, Read, Refusal, Staff,
    bookings::{self, BookedAppointments},
    staff::{Status, deactivated_event},
    values::Reason,
};

/// Ends the doctor's work in the clinic. The login ends too, or loses the role if it has others.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeactivateDoctor {
    pub reason: Reason,
    /// What happens to appointments that are booked: `refuse` (the command, with their list), `cancel`, or
    /// `{"reschedule_to": doctor}`, at the same time with another doctor.
    #[serde(default)]
    pub appointments: BookedAppointments,
}

impl DeactivateDoctor {
    pub(super) fn reads(&self, doctor: DoctorId, facts: &Facts) -> Vec<Read> {
        let times = bookings::time_of(doctor, bookings::always());
        let login = Read::Stream(UserId(doctor.0).into());
        bookings::reads(times, self.appointments, facts).into_iter().chain([login]).collect()
    }

    pub(super) fn decide(self, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        let (clinic, id) = (context.in_clinic()?, DoctorId(context.target.id));
        if context.actor.user == Some(UserId(id.0)) {
            return Err(Refusal::rule("own-login", "Nobody locks or ends their own login."));
        }
        let always = bookings::always();
        let booked = bookings::in_the_way(&bookings::time_of(id, always), &always, facts, context.now)?;
        let reason = DoctorReason { reason: self.reason.as_str().to_owned() };
        let ended = did(context, DoctorEvent::DoctorDeactivated { sealed: reason.into() });
        let ended = match facts.get::<Staff>(UserId(id.0)) {
            Some(staff) => end_login(ended, staff, self.reason, context),
            None => ended,
        };
        bookings::settle(ended, &booked, &settling(self.appointments, id, always, clinic, facts)?)
    }
}

fn end_login(decision: Decision, staff: &Staff, reason: Reason, context: &Context<'_>) -> Decision {
    let login = UserId(context.target.id);
    if staff.status == Status::Deactivated || !staff.has(Role::Doctor) {
        decision
    } else if staff.roles.len() == 1 {
        decision.and(login, deactivated_event(staff, reason))
    } else {
        decision.and(login, StaffEvent::RoleRevoked { role: Role::Doctor })
    }
}
