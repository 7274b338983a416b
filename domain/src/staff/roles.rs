//! Who may give a role, and act on whose login: nobody above their own, and no role to oneself.

use events::{Actor, ActorKind, Role, StaffEvent, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Staff, Status, did};
use crate::{Context, Decision, Doctor, Facts, Read, Refusal, Usage};

/// The roles that stand outside any clinic.
const PLATFORM_ROLES: [Role; 2] = [Role::PlatformAdmin, Role::Operator];

pub(super) fn is_platform_role(role: Role) -> bool {
    PLATFORM_ROLES.contains(&role)
}

/// Whether it is the program itself, or an import, that gives the command.
fn is_program(actor: &Actor) -> bool {
    match actor.kind {
        ActorKind::System | ActorKind::Import => true,
        ActorKind::Person => false,
    }
}

/// That the actor may give the role, or take it.
pub(crate) fn may_give(actor: &Actor, role: Role) -> Result<(), Refusal> {
    let allowed = match role {
        Role::PlatformAdmin | Role::Operator => actor.has(Role::PlatformAdmin),
        Role::ClinicAdmin => actor.has(Role::ClinicAdmin) || actor.has(Role::PlatformAdmin),
        Role::Patient => actor.has(Role::ClinicAdmin) || actor.has(Role::Receptionist),
        Role::Doctor
        | Role::Nurse
        | Role::Receptionist
        | Role::LabTechnician
        | Role::Pharmacist
        | Role::Billing
        | Role::Auditor => actor.has(Role::ClinicAdmin),
    };
    if allowed || is_program(actor) { Ok(()) } else { Err(above_own()) }
}

/// That the actor may act on the login of somebody with these roles. A platform administrator helps the
/// administrators of a clinic, and nobody else there.
pub(super) fn may_manage(actor: &Actor, staff: &Staff) -> Result<(), Refusal> {
    let of_platform = staff.roles.iter().any(|role| is_platform_role(*role));
    let allowed = if actor.has(Role::PlatformAdmin) {
        of_platform || staff.has(Role::ClinicAdmin)
    } else if actor.has(Role::ClinicAdmin) {
        !of_platform
    } else {
        actor.has(Role::Receptionist) && staff.patient.is_some()
    };
    if allowed || is_program(actor) { Ok(()) } else { Err(above_own()) }
}

fn above_own() -> Refusal {
    Refusal::forbidden("role-above-own", "Nobody grants a role above their own, or acts on a login that has one.")
}

/// That the role belongs where the login is: outside any clinic, or in one.
pub(super) fn belongs_here(role: Role, context: &Context<'_>) -> Result<(), Refusal> {
    if is_platform_role(role) == context.clinic.is_none() {
        Ok(())
    } else {
        Err(Refusal::rule("role-out-of-place", "Platform roles are outside any clinic, all others are in one.")
            .at("/roles"))
    }
}

/// Grants a role.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantRole {
    pub role: Role,
}

impl GrantRole {
    pub(super) fn reads(&self, facts: &Facts) -> Vec<Read> {
        quota_of(self.role).and_then(|usage| usage.read(facts)).into_iter().collect()
    }

    pub(super) fn decide(self, staff: &Staff, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        belongs_here(self.role, context).map_err(|refusal| refusal.at("/role"))?;
        may_give(context.actor, self.role)?;
        may_manage(context.actor, staff)?;
        if context.actor.user == Some(UserId(context.target.id)) {
            return Err(Refusal::forbidden("own-roles", "Nobody grants a role to themselves."));
        }
        fits(self.role, staff)?;
        if staff.has(self.role) {
            return Ok(Decision::already_so());
        }
        let room = match (quota_of(self.role), context.clinic) {
            (Some(usage), Some(clinic)) => usage.room_for(1, clinic, facts)?,
            (None, _) | (_, None) => None,
        };
        Ok(did(context, StaffEvent::RoleGranted { role: self.role }).within(room))
    }
}

/// What a role counts as against the plan. A doctor is counted with the doctor's record.
pub(super) fn quota_of(role: Role) -> Option<Usage> {
    (role == Role::Receptionist).then_some(Usage::Receptionists)
}

fn fits(role: Role, staff: &Staff) -> Result<(), Refusal> {
    if staff.status == Status::Deactivated {
        return Err(super::deactivated());
    }
    if staff.patient.is_some() || role == Role::Patient {
        return Err(Refusal::rule("portal-account", "A patient's portal account has that role and no other."));
    }
    if role == Role::Doctor && !staff.has(Role::Doctor) {
        return Err(register_doctor().at("/role"));
    }
    Ok(())
}

pub(super) fn register_doctor() -> Refusal {
    Refusal::rule("register-doctor", "A doctor is registered with a licence, which makes the login too.")
}

/// Revokes a role. The last administrator keeps theirs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeRole {
    pub role: Role,
}

impl RevokeRole {
    pub(super) fn reads(&self, target: UserId, facts: &Facts) -> Vec<Read> {
        Usage::Admins.read(facts).into_iter().chain([doctor_of(target)]).collect()
    }

    pub(super) fn decide(self, staff: &Staff, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        may_give(context.actor, self.role)?;
        may_manage(context.actor, staff)?;
        if staff.status == Status::Deactivated {
            return Err(super::deactivated());
        }
        if !staff.has(self.role) {
            return Ok(Decision::already_so());
        }
        if staff.roles.len() == 1 {
            return Err(Refusal::rule("no-role", "A login has a role; one without any is deactivated.").at("/role"));
        }
        if self.role == Role::Doctor {
            no_active_doctor(facts, context)?;
        }
        let after =
            Staff { roles: staff.roles.iter().filter(|role| **role != self.role).copied().collect(), ..staff.clone() };
        let bound = one_administrator_remains(staff, after.is_administrator(), facts)?;
        Ok(did(context, StaffEvent::RoleRevoked { role: self.role }).within(bound))
    }
}

/// The doctor whose login it is.
pub(super) fn doctor_of(user: UserId) -> Read {
    Read::Stream(events::DoctorId::from(user).into())
}

/// That the login is not an active doctor's, whose appointments somebody has to see to first.
pub(super) fn no_active_doctor(facts: &Facts, context: &Context<'_>) -> Result<(), Refusal> {
    let doctor = facts.get::<Doctor>(events::DoctorId(context.target.id));
    if doctor.is_some_and(Doctor::is_active) {
        return Err(Refusal::rule("active-doctor", "Deactivate the doctor, whose appointments are seen to with it."));
    }
    Ok(())
}

/// What must hold when a login stops to be an administrator's.
pub(super) fn one_administrator_remains(
    before: &Staff,
    remains: bool,
    facts: &Facts,
) -> Result<Option<events::claim::Bound>, Refusal> {
    if before.is_administrator() && !remains { Usage::Admins.one_remains(1, facts).map(Some) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, id};

    fn grant(world: &mut World, user: UserId, role: Role) -> Result<Vec<events::DomainEvent>, Refusal> {
        world.when::<Staff>(user, GrantRole { role })
    }

    fn revoke(world: &mut World, user: UserId, role: Role) -> Result<Vec<events::DomainEvent>, Refusal> {
        world.when::<Staff>(user, RevokeRole { role })
    }

    #[test]
    fn an_administrator_grants_and_revokes() {
        let mut world = World::registered();
        let nurse = world.given_staff(2, &[Role::Nurse]);
        grant(&mut world, nurse, Role::ClinicAdmin).unwrap();
        assert!(grant(&mut world, nurse, Role::ClinicAdmin).unwrap().is_empty(), "already so");
        assert_eq!(world.counter("usage/admins"), 2);
        revoke(&mut world, nurse, Role::ClinicAdmin).unwrap();
        assert!(revoke(&mut world, nurse, Role::ClinicAdmin).unwrap().is_empty(), "already so");
        assert_eq!(world.counter("usage/admins"), 1);
        assert_eq!(revoke(&mut world, nurse, Role::Nurse).unwrap_err().code, "no-role");
    }

    #[test]
    fn nobody_grants_above_their_own_role_or_to_themselves() {
        let mut world = World::registered();
        let (admin, nurse) = (world.admin(), world.given_staff(2, &[Role::Nurse]));
        assert_eq!(grant(&mut world, admin, Role::Billing).unwrap_err().code, "own-roles");
        assert_eq!(grant(&mut world, nurse, Role::Operator).unwrap_err().code, "role-out-of-place");
        world.acts(nurse, &[Role::Nurse]);
        let other = world.given_staff(3, &[Role::Billing]);
        assert_eq!(grant(&mut world, other, Role::Nurse).unwrap_err().code, "role-above-own");
        assert_eq!(revoke(&mut world, admin, Role::ClinicAdmin).unwrap_err().code, "role-above-own");
        world.acts(id(9), &[Role::PlatformAdmin]);
        assert_eq!(grant(&mut world, other, Role::ClinicAdmin).unwrap_err().code, "role-above-own");
    }

    #[test]
    fn the_last_administrator_keeps_the_role() {
        let mut world = World::registered();
        let admin = world.admin();
        world.given(admin, StaffEvent::RoleGranted { role: Role::Billing });
        let refused = revoke(&mut world, admin, Role::ClinicAdmin).unwrap_err();
        assert_eq!(refused.code, "last-administrator");
        world.given_staff(2, &[Role::ClinicAdmin]);
        revoke(&mut world, admin, Role::ClinicAdmin).unwrap();
    }

    #[test]
    fn a_receptionist_more_than_the_plan_allows_is_refused() {
        let mut world = World::registered();
        world.given_staff(2, &[Role::Receptionist]);
        world.given_staff(3, &[Role::Receptionist]);
        let nurse = world.given_staff(4, &[Role::Nurse]);
        let refused = grant(&mut world, nurse, Role::Receptionist).unwrap_err();
        assert_eq!((refused.code, refused.extra), ("quota-exceeded", vec![("limit", 2.into()), ("used", 2.into())]));
        world.given(id::<UserId>(3), StaffEvent::RoleRevoked { role: Role::Receptionist });
        grant(&mut world, nurse, Role::Receptionist).unwrap();
    }

    #[test]
    fn the_role_of_a_doctor_comes_and_goes_with_the_doctor() {
        let mut world = World::registered();
        let nurse = world.given_staff(2, &[Role::Nurse]);
        assert_eq!(grant(&mut world, nurse, Role::Doctor).unwrap_err().code, "register-doctor");
        let doctor = world.given_doctor(3);
        let login = UserId(doctor.0);
        grant(&mut world, login, Role::Auditor).unwrap();
        assert_eq!(revoke(&mut world, login, Role::Doctor).unwrap_err().code, "active-doctor");
    }

    #[test]
    fn a_portal_account_has_no_other_role_and_an_ended_login_none() {
        let mut world = World::registered();
        let nurse = world.given_staff(2, &[Role::Nurse]);
        assert_eq!(grant(&mut world, nurse, Role::Patient).unwrap_err().code, "portal-account");
        let sealed = events::Sealed::Erased;
        world.given(nurse, StaffEvent::StaffDeactivated { patient: None, roles: vec![Role::Nurse], sealed });
        assert_eq!(grant(&mut world, nurse, Role::Billing).unwrap_err().code, "deactivated");
        assert_eq!(revoke(&mut world, nurse, Role::Nurse).unwrap_err().code, "deactivated");
        assert_eq!(grant(&mut world, id(9), Role::Billing).unwrap_err().class, crate::Class::NotFound);
    }
}
