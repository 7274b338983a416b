//! Passwords and locks: whether a login can be used. No secret comes near here.

use chrono::TimeDelta;
use events::{StaffEvent, UserId, staff::LockReason};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Staff, Status, did,
    roles::{may_manage, one_administrator_remains},
};
use crate::{Context, Decision, Facts, Read, Refusal, Usage};

/// How long too many wrong passwords lock a login.
pub const LOCK_MINUTES: i64 = 15;
/// So many wrong passwords in a row are too many.
pub const MAX_FAILED_LOGINS: u32 = 5;

/// A person changed their own password.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {}

impl ChangePassword {
    pub(super) fn decide(self, staff: &Staff, context: &Context<'_>) -> Result<Decision, Refusal> {
        if context.actor.user != Some(UserId(context.target.id)) {
            return Err(Refusal::forbidden("not-your-own", "A password is changed by the one whose it is."));
        }
        if !staff.is_in_use() {
            return Err(super::not_in_use());
        }
        Ok(did(context, StaffEvent::PasswordChanged { patient: staff.patient }))
    }
}

/// Somebody asks for a one-time secret, because they forgot the password.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestPasswordReset {}

impl RequestPasswordReset {
    pub(super) fn decide(self, staff: &Staff, context: &Context<'_>) -> Result<Decision, Refusal> {
        if !staff.is_in_use() {
            return Err(super::not_in_use());
        }
        if staff.email_hash.is_none() {
            return Err(Refusal::rule(
                "no-email",
                "This login has no e-mail address to which the secret could be sent.",
            ));
        }
        Ok(did(context, StaffEvent::PasswordResetRequested { patient: staff.patient }))
    }
}

/// Locks a login until somebody unlocks it. Not one's own, and not the last administrator's.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockStaff {}

impl LockStaff {
    pub(super) fn decide(self, staff: &Staff, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        may_manage(context.actor, staff)?;
        match staff.status {
            Status::Locked { reason: LockReason::Administrator, .. } => return Ok(Decision::already_so()),
            Status::Invited | Status::Deactivated => return Err(super::not_in_use()),
            Status::Active | Status::Locked { reason: LockReason::FailedLogins, .. } => not_own(context)?,
        }
        let bound = one_administrator_remains(staff, false, facts)?;
        let locked = StaffEvent::StaffLocked { patient: staff.patient, reason: LockReason::Administrator, until: None };
        Ok(did(context, locked).within(bound))
    }
}

/// What a command that ends a login, for a while or for good, is bound by.
pub(super) fn reads(facts: &Facts) -> Vec<Read> {
    Usage::Admins.read(facts).into_iter().collect()
}

/// That nobody shuts themselves out.
pub(super) fn not_own(context: &Context<'_>) -> Result<(), Refusal> {
    if context.actor.user == Some(UserId(context.target.id)) {
        return Err(Refusal::rule("own-login", "Nobody locks or ends their own login."));
    }
    Ok(())
}

/// Ends a lock, whatever its reason.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnlockStaff {}

impl UnlockStaff {
    pub(super) fn decide(self, staff: &Staff, context: &Context<'_>) -> Result<Decision, Refusal> {
        may_manage(context.actor, staff)?;
        match staff.status {
            Status::Locked { .. } => Ok(did(context, StaffEvent::StaffUnlocked { patient: staff.patient })),
            Status::Invited | Status::Active => Ok(Decision::already_so()),
            Status::Deactivated => Err(super::deactivated()),
        }
    }
}

/// Five wrong passwords in a row: nobody gets in for a quarter of an hour. Given by the program alone.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockAfterFailedLogins {}

impl LockAfterFailedLogins {
    pub(super) fn decide(self, staff: &Staff, context: &Context<'_>) -> Decision {
        if !staff.may_log_in(context.now) {
            return Decision::already_so();
        }
        let until = Some(context.now + TimeDelta::minutes(LOCK_MINUTES));
        did(context, StaffEvent::StaffLocked { patient: staff.patient, reason: LockReason::FailedLogins, until })
    }
}

#[cfg(test)]
mod tests {
    use events::Role;

    use super::*;
    use crate::{
        StaffCommand,
        testing::{World, at, id},
    };

    fn give(
        world: &mut World,
        user: UserId,
        command: impl Into<StaffCommand>,
    ) -> Result<Vec<events::DomainEvent>, Refusal> {
        world.when::<Staff>(user, command)
    }

    #[test]
    fn a_password_is_changed_by_the_one_whose_it_is() {
        let mut world = World::registered();
        let nurse = world.given_staff(2, &[Role::Nurse]);
        assert_eq!(give(&mut world, nurse, ChangePassword {}).unwrap_err().code, "not-your-own");
        world.acts(nurse, &[Role::Nurse]);
        give(&mut world, nurse, ChangePassword {}).unwrap();
    }

    #[test]
    fn a_reset_is_for_a_login_in_use() {
        let mut world = World::registered();
        let nurse = world.given_staff(2, &[Role::Nurse]);
        give(&mut world, nurse, LockStaff {}).unwrap();
        world.actor = events::Actor::anonymous();
        assert_eq!(give(&mut world, nurse, RequestPasswordReset {}).unwrap_err().code, "login-not-in-use");
        let admin = world.admin();
        give(&mut world, admin, RequestPasswordReset {}).unwrap();
    }

    #[test]
    fn a_lock_lasts_until_it_is_ended() {
        let mut world = World::registered();
        let nurse = world.given_staff(2, &[Role::Nurse]);
        assert!(give(&mut world, nurse, UnlockStaff {}).unwrap().is_empty(), "already so");
        give(&mut world, nurse, LockStaff {}).unwrap();
        assert!(give(&mut world, nurse, LockStaff {}).unwrap().is_empty(), "already so");
        assert!(world.state::<Staff>(nurse).unwrap().is_locked(at("2036-01-01T00:00:00Z")));
        give(&mut world, nurse, UnlockStaff {}).unwrap();
        assert!(world.state::<Staff>(nurse).unwrap().may_log_in(world.now));
    }

    #[test]
    fn nobody_locks_themselves_or_the_last_administrator() {
        let mut world = World::registered();
        let admin = world.admin();
        assert_eq!(give(&mut world, admin, LockStaff {}).unwrap_err().code, "own-login");
        world.acts(id(9), &[Role::PlatformAdmin]);
        assert_eq!(give(&mut world, admin, LockStaff {}).unwrap_err().code, "last-administrator");
        world.given_staff(2, &[Role::ClinicAdmin]);
        give(&mut world, admin, LockStaff {}).unwrap();
        assert_eq!(world.counter("usage/admins"), 1);
        give(&mut world, admin, UnlockStaff {}).unwrap();
        assert_eq!(world.counter("usage/admins"), 2);
    }

    #[test]
    fn failed_logins_lock_for_a_quarter_of_an_hour_even_the_last_administrator() {
        let mut world = World::registered();
        let admin = world.admin();
        world.actor = events::Actor::system();
        give(&mut world, admin, LockAfterFailedLogins {}).unwrap();
        assert!(give(&mut world, admin, LockAfterFailedLogins {}).unwrap().is_empty(), "already so");
        let staff = world.state::<Staff>(admin).unwrap();
        assert!(!staff.may_log_in(at("2026-03-02T03:14:59Z")));
        assert!(staff.may_log_in(at("2026-03-02T03:15:00Z")));
        assert_eq!(world.counter("usage/admins"), 1);
        world.now = at("2026-03-02T03:15:00Z");
        assert_eq!(give(&mut world, admin, LockAfterFailedLogins {}).unwrap().len(), 1);
    }

    #[test]
    fn a_login_that_is_not_activated_is_not_locked() {
        let mut world = World::registered();
        let invite = serde_json::json!({"name": "Ravi", "username": "ravi", "roles": ["nurse"]});
        give(&mut world, id(2), crate::testing::body::<super::super::InviteStaff>(invite)).unwrap();
        assert_eq!(give(&mut world, id(2), LockStaff {}).unwrap_err().code, "login-not-in-use");
        assert!(give(&mut world, id(2), LockAfterFailedLogins {}).unwrap().is_empty());
    }
}
