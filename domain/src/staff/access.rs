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
