//! A login ends.

use events::{StaffEvent, UserId, staff::StaffReason};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Staff, Status,
    access::{self, not_own},
    roles::{doctor_of, may_manage, no_active_doctor, one_administrator_remains},
};
use crate::{Context, Decision, Facts, Read, Refusal, values::Reason};

/// Ends a login for good. Not one's own, not the last administrator's, and not an active doctor's.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeactivateStaff {
    pub reason: Reason,
}

impl DeactivateStaff {
    pub(super) fn reads(&self, target: UserId, facts: &Facts) -> Vec<Read> {
        access::reads(facts).into_iter().chain([doctor_of(target)]).collect()
    }

    pub(super) fn decide(self, staff: &Staff, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        may_manage(context.actor, staff)?;
        if staff.status == Status::Deactivated {
            return Ok(Decision::already_so());
        }
        not_own(context)?;
        no_active_doctor(facts, context)?;
        let bound = one_administrator_remains(staff, false, facts)?;
        Ok(ended(Decision::default(), UserId(context.target.id), staff, self.reason).within(bound))
    }
}

/// The end of a login, which then belongs to no department.
pub(crate) fn ended(decision: Decision, login: UserId, staff: &Staff, reason: Reason) -> Decision {
    let leaves =
        staff.departments.iter().map(|department| StaffEvent::DepartmentUnassigned { department: *department });
    let decision = leaves.fold(decision, |decision, left| decision.and(login, left));
    let ended = StaffEvent::StaffDeactivated {
        patient: staff.patient,
        roles: staff.roles.clone(),
        sealed: StaffReason { reason: reason.into() }.into(),
    };
    decision.and(login, ended)
}

#[cfg(test)]
mod tests {
    use events::Role;
    use serde_json::json;

    use super::*;
    use crate::{
        staff::{ActivateStaff, UnlockStaff},
        testing::{World, body, id},
    };

    fn deactivate(world: &mut World, user: UserId) -> Result<Vec<events::DomainEvent>, Refusal> {
        world.when::<Staff>(user, body::<DeactivateStaff>(json!({"reason": "left"})))
    }

    #[test]
    fn a_login_ends_for_good() {
        let mut world = World::registered();
        let nurse = world.given_staff(2, &[Role::Nurse, Role::Receptionist]);
        deactivate(&mut world, nurse).unwrap();
        assert!(deactivate(&mut world, nurse).unwrap().is_empty(), "already so");
        assert_eq!(world.counter("usage/receptionists"), 0);
        assert_eq!(world.when::<Staff>(nurse, UnlockStaff {}).unwrap_err().code, "deactivated");
        assert_eq!(world.when::<Staff>(nurse, ActivateStaff {}).unwrap_err().code, "login-not-in-use");
    }

    #[test]
    fn not_ones_own_not_the_last_administrators_and_not_above_oneself() {
        let mut world = World::registered();
        let admin = world.admin();
        assert_eq!(deactivate(&mut world, admin).unwrap_err().code, "own-login");
        world.acts(id(9), &[Role::PlatformAdmin]);
        assert_eq!(deactivate(&mut world, admin).unwrap_err().code, "last-administrator");
        let second = world.given_staff(2, &[Role::ClinicAdmin]);
        world.acts(id(8), &[Role::Receptionist]);
        assert_eq!(deactivate(&mut world, second).unwrap_err().code, "role-above-own");
        world.acts(second, &[Role::ClinicAdmin]);
        deactivate(&mut world, admin).unwrap();
        assert_eq!(world.counter("usage/admins"), 1);
    }

    #[test]
    fn an_active_doctor_is_deactivated_as_a_doctor() {
        let mut world = World::registered();
        let doctor = world.given_doctor(3);
        assert_eq!(deactivate(&mut world, UserId(doctor.0)).unwrap_err().code, "active-doctor");
    }

    #[test]
    fn the_user_name_stays_taken_and_the_address_is_free_again() {
        let mut world = World::registered();
        let invite = |username: &str| {
            let sent = json!({"name": "R", "username": username, "email": "r@asha.example", "roles": ["nurse"]});
            body::<crate::staff::InviteStaff>(sent)
        };
        world.when::<Staff>(id::<UserId>(2), invite("ravi")).unwrap();
        deactivate(&mut world, id(2)).unwrap();
        let refused = world.when::<Staff>(id::<UserId>(3), invite("ravi")).unwrap_err();
        assert_eq!(refused.pointer, Some("/username"));
        world.when::<Staff>(id::<UserId>(3), invite("ravi2")).unwrap();
    }
}
