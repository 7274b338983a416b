//! A doctor leaves the clinic, and the login with them.

use events::{DoctorEvent, DoctorId, Role, StaffEvent, UserId, doctor::DoctorReason};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{did, schedule::settling};
use crate::{
    Context, Decision, Facts, Read, Refusal, Staff,
    bookings::{self, BookedAppointments},
    staff::{Status, ended},
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
        ended(decision, login, staff, reason)
    } else {
        decision.and(login, StaffEvent::RoleRevoked { role: Role::Doctor })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        Doctor,
        testing::{World, body},
    };

    fn deactivate(world: &mut World, doctor: DoctorId) -> Result<Vec<events::DomainEvent>, Refusal> {
        world.when::<Doctor>(doctor, body::<DeactivateDoctor>(json!({"reason": "retired"})))
    }

    #[test]
    fn the_login_ends_with_the_doctor() {
        let mut world = World::registered();
        let doctor = world.given_doctor(3);
        deactivate(&mut world, doctor).unwrap();
        assert_eq!(world.state::<Staff>(UserId(doctor.0)).unwrap().status, Status::Deactivated);
        assert_eq!(world.counter("usage/doctors"), 0);
        assert!(deactivate(&mut world, doctor).unwrap().is_empty(), "already so");
        let fee = body::<super::super::SetFee>(json!({"fee": {"minor": 1, "currency": "INR"}}));
        assert_eq!(world.when::<Doctor>(doctor, fee).unwrap_err().code, "inactive");
    }

    #[test]
    fn a_login_with_other_roles_loses_only_this_one() {
        let mut world = World::registered();
        let doctor = world.given_doctor(3);
        let login = UserId(doctor.0);
        world.given(login, StaffEvent::RoleGranted { role: Role::Auditor });
        deactivate(&mut world, doctor).unwrap();
        let staff = world.state::<Staff>(login).unwrap();
        assert_eq!((staff.status, staff.roles.as_slice()), (Status::Active, &[Role::Auditor][..]));
    }

    #[test]
    fn nobody_ends_themselves() {
        let mut world = World::registered();
        let doctor = world.given_doctor(3);
        world.acts(UserId(doctor.0), &[Role::Doctor, Role::ClinicAdmin]);
        assert_eq!(deactivate(&mut world, doctor).unwrap_err().code, "own-login");
    }
}
