//! A login: of the clinic's staff, of a patient's portal, or of the platform.

mod access;
mod deactivate;
mod emergency;
mod invite;
#[cfg(test)]
pub(crate) mod properties;
mod roles;
mod state;
mod totp;

use derive_more::From;
use events::{
    AggregateKind, StaffEvent, StreamId, UserId,
    claim::{ClaimChange, CounterChange},
};

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal, Usage, department, usage::moved_claims};

pub use access::{
    ChangePassword, LOCK_MINUTES, LockAfterFailedLogins, LockStaff, MAX_FAILED_LOGINS, RequestPasswordReset,
    UnlockStaff,
};
pub use deactivate::DeactivateStaff;
pub use emergency::{BreakGlass, EndEmergencyAccess, ReviewEmergencyAccess};
pub use invite::{ActivateStaff, InviteStaff, RenewActivation, ResetAdministrator, email_hash, username_hash};
pub use roles::{GrantRole, RevokeRole};
pub use state::{EmergencyAccess, Staff, Status, email_claim};
pub use totp::{DisableTotp, EnableTotp, ResetTotp};

pub(crate) use deactivate::ended;
pub(crate) use invite::{Login, activated};
pub(crate) use roles::may_give;

#[derive(Clone, Debug, From)]
pub enum StaffCommand {
    Invite(InviteStaff),
    Activate(ActivateStaff),
    RenewActivation(RenewActivation),
    ResetAdministrator(ResetAdministrator),
    GrantRole(GrantRole),
    RevokeRole(RevokeRole),
    ChangePassword(ChangePassword),
    RequestPasswordReset(RequestPasswordReset),
    Lock(LockStaff),
    Unlock(UnlockStaff),
    LockAfterFailedLogins(LockAfterFailedLogins),
    EnableTotp(EnableTotp),
    DisableTotp(DisableTotp),
    ResetTotp(ResetTotp),
    Deactivate(DeactivateStaff),
    BreakGlass(BreakGlass),
    EndEmergencyAccess(EndEmergencyAccess),
    ReviewEmergencyAccess(ReviewEmergencyAccess),
}

/// One event of the login itself.
fn did(context: &Context<'_>, event: StaffEvent) -> Decision {
    Decision::one(UserId(context.target.id), event)
}

fn deactivated() -> Refusal {
    Refusal::rule("deactivated", "This login has ended; the person gets a new one.")
}

fn not_in_use() -> Refusal {
    Refusal::rule("login-not-in-use", "This login is not activated, or locked by an administrator, or has ended.")
}

impl Aggregate for Staff {
    const KIND: AggregateKind = AggregateKind::Staff;
    type Event = StaffEvent;
    type Command = StaffCommand;

    fn reads(target: StreamId, _: Option<&Self>, command: &StaffCommand, facts: &Facts) -> Vec<Read> {
        use StaffCommand as C;
        match command {
            C::Invite(command) => command.reads(facts),
            C::GrantRole(command) => command.reads(facts),
            C::RevokeRole(command) => command.reads(UserId(target.id), facts),
            C::Lock(_) => access::reads(facts),
            C::Deactivate(command) => command.reads(UserId(target.id), facts),
            C::BreakGlass(command) => command.reads(),
            C::EndEmergencyAccess(_) | C::ReviewEmergencyAccess(_) => Vec::new(),
            C::Activate(_)
            | C::RenewActivation(_)
            | C::ResetAdministrator(_)
            | C::ChangePassword(_)
            | C::RequestPasswordReset(_)
            | C::Unlock(_)
            | C::EnableTotp(_)
            | C::DisableTotp(_)
            | C::ResetTotp(_)
            | C::LockAfterFailedLogins(_) => Vec::new(),
        }
    }

    fn decide(
        state: Option<&Self>,
        command: StaffCommand,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        use StaffCommand as C;
        match (state, command) {
            (None, C::Invite(command)) => command.decide(facts, context),
            (Some(_), C::Invite(_)) => Err(Refusal::conflict("duplicate", "There is a login with this id.").at("/id")),
            (Some(staff), C::Activate(command)) => command.decide(staff, context),
            (Some(staff), C::RenewActivation(command)) => command.decide(staff, context),
            (Some(staff), C::ResetAdministrator(command)) => command.decide(staff, context),
            (Some(staff), C::GrantRole(command)) => command.decide(staff, facts, context),
            (Some(staff), C::RevokeRole(command)) => command.decide(staff, facts, context),
            (Some(staff), C::ChangePassword(command)) => command.decide(staff, context),
            (Some(staff), C::RequestPasswordReset(command)) => command.decide(staff, context),
            (Some(staff), C::Lock(command)) => command.decide(staff, facts, context),
            (Some(staff), C::Unlock(command)) => command.decide(staff, context),
            (Some(staff), C::LockAfterFailedLogins(command)) => Ok(command.decide(staff, context)),
            (Some(staff), C::EnableTotp(command)) => command.decide(staff, context),
            (Some(staff), C::DisableTotp(command)) => command.decide(staff, context),
            (Some(staff), C::ResetTotp(command)) => command.decide(staff, context),
            (Some(staff), C::Deactivate(command)) => command.decide(staff, facts, context),
            (Some(staff), C::BreakGlass(command)) => command.decide(staff, facts, context),
            (Some(staff), C::EndEmergencyAccess(command)) => command.decide(staff, context),
            (Some(staff), C::ReviewEmergencyAccess(command)) => command.decide(staff, context),
            (
                None,
                C::Activate(_) | C::RenewActivation(_) | C::ResetAdministrator(_) | C::GrantRole(_) | C::RevokeRole(_),
            )
            | (None, C::ChangePassword(_) | C::RequestPasswordReset(_))
            | (None, C::EnableTotp(_) | C::DisableTotp(_) | C::ResetTotp(_))
            | (None, C::BreakGlass(_) | C::EndEmergencyAccess(_) | C::ReviewEmergencyAccess(_))
            | (None, C::Lock(_) | C::Unlock(_) | C::LockAfterFailedLogins(_) | C::Deactivate(_)) => {
                Err(Refusal::not_found("login"))
            }
        }
    }

    fn evolve(state: Option<Self>, event: &StaffEvent) -> Option<Self> {
        match state {
            None => Self::from_first(event),
            Some(staff) => staff.apply(event),
        }
    }

    fn claims(before: Option<&Self>, after: &Self) -> Vec<ClaimChange> {
        moved_claims(&before.map(Self::held).unwrap_or_default(), &after.held())
    }

    fn counters(before: Option<&Self>, after: &Self) -> Vec<CounterChange> {
        let counted = |usage| before.map_or(0, |staff| staff.counts_as(usage));
        let counts = [Usage::Admins, Usage::Receptionists].into_iter();
        let usage = counts.filter_map(|usage| usage.moved(counted(usage), after.counts_as(usage)));
        usage.chain(department::moved(before.map(|staff| &staff.departments), &after.departments)).collect()
    }
}
