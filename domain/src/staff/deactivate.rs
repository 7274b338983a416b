//! A login ends.

use events::{StaffEvent, UserId, staff::StaffReason};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Staff, Status,
    access::{self, not_own},
    did,
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
        Ok(did(context, deactivated_event(staff, self.reason)).within(bound))
    }
}

/// The end of a login.
pub(crate) fn deactivated_event(staff: &Staff, reason: Reason) -> StaffEvent {
    StaffEvent::StaffDeactivated {
        patient: staff.patient,
        roles: staff.roles.clone(),
        sealed: StaffReason { reason: reason.into() }.into(),
    }
}
