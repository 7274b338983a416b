//! The tenant: its profile, offices, settings, plan and standing.

mod auditors;
mod closing;
mod closures;
#[cfg(test)]
pub(crate) mod ending;
mod expiry;
mod holds;
mod logo;
mod offices;
mod plan;
mod profile;
#[cfg(test)]
pub(crate) mod properties;
mod register;
mod standing;
mod state;

use derive_more::From;
use events::{
    AggregateKind, ClinicEvent, ClinicId, StreamId,
    claim::{ClaimChange, CounterChange},
};

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal, Usage, two_persons, usage::moved_claims};

pub use auditors::{GrantAuditor, RevokeAuditorGrant};
pub use closing::{CloseClinic, ShredClinic};
pub use closures::{CancelClosure, DeclareClosure};
pub use expiry::ExpireClinic;
pub use holds::{LiftLegalHold, PlaceLegalHold};
pub use logo::{RemoveLogo, SetLogo};
pub use offices::{AddOffice, CloseOffice, SetOfficeHours};
pub use plan::{ActivateSubscription, ChangePlan, OwnLimits, PaidPlan, SetLimits};
pub use profile::{OverbookingPolicy, ReminderTimes, RetentionPeriods, UpdateProfile, UpdateSettings};
pub use register::{AdministratorAccount, FirstAdministrator, RegisterClinic};
pub use standing::{ResumeClinic, SuspendClinic};
pub use state::Clinic;

#[derive(Clone, Debug, From)]
pub enum ClinicCommand {
    Register(RegisterClinic),
    UpdateProfile(UpdateProfile),
    UpdateSettings(UpdateSettings),
    SetLogo(SetLogo),
    RemoveLogo(RemoveLogo),
    AddOffice(AddOffice),
    CloseOffice(CloseOffice),
    SetOfficeHours(SetOfficeHours),
    DeclareClosure(DeclareClosure),
    CancelClosure(CancelClosure),
    ActivateSubscription(ActivateSubscription),
    ChangePlan(ChangePlan),
    Expire(ExpireClinic),
    SetLimits(SetLimits),
    Suspend(SuspendClinic),
    Resume(ResumeClinic),
    PlaceLegalHold(PlaceLegalHold),
    LiftLegalHold(LiftLegalHold),
    Close(CloseClinic),
    Shred(ShredClinic),
    GrantAuditor(GrantAuditor),
    RevokeAuditorGrant(RevokeAuditorGrant),
}

/// One event of the clinic itself.
fn did(context: &Context<'_>, event: ClinicEvent) -> Decision {
    Decision::one(ClinicId(context.target.id), event)
}

impl Aggregate for Clinic {
    const KIND: AggregateKind = AggregateKind::Clinic;
    type Event = ClinicEvent;
    type Command = ClinicCommand;

    fn reads(_: StreamId, state: Option<&Self>, command: &ClinicCommand, facts: &Facts) -> Vec<Read> {
        use ClinicCommand as C;
        match (state, command) {
            (_, C::Register(command)) => command.reads(facts),
            (_, C::UpdateProfile(command)) => command.reads(facts),
            (_, C::AddOffice(command)) => command.reads(facts),
            (_, C::CloseOffice(command)) => command.reads(facts),
            (Some(clinic), C::DeclareClosure(command)) => command.reads(clinic, facts),
            (_, C::ActivateSubscription(_) | C::ChangePlan(_)) => plan::reads(facts),
            (_, C::PlaceLegalHold(command)) => command.reads(),
            (_, C::LiftLegalHold(_)) => vec![two_persons::reads()],
            (_, C::GrantAuditor(command)) => command.reads(),
            (None, C::DeclareClosure(_))
            | (_, C::SetLogo(_) | C::RemoveLogo(_))
            | (_, C::UpdateSettings(_) | C::SetOfficeHours(_) | C::CancelClosure(_))
            | (_, C::SetLimits(_) | C::Suspend(_) | C::Resume(_) | C::Close(_) | C::Shred(_))
            | (_, C::RevokeAuditorGrant(_) | C::Expire(_)) => Vec::new(),
        }
    }

    fn decide(
        state: Option<&Self>,
        command: ClinicCommand,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        use ClinicCommand as C;
        match (state, command) {
            (None, C::Register(command)) => command.decide(facts, context),
            (Some(_), C::Register(_)) => {
                Err(Refusal::conflict("duplicate", "There is a clinic with this id.").at("/id"))
            }
            (Some(clinic), C::PlaceLegalHold(command)) => command.decide(clinic, facts, context),
            (Some(clinic), C::LiftLegalHold(command)) => command.decide(clinic, facts, context),
            (Some(clinic), C::Close(command)) => command.decide(clinic, context),
            (Some(clinic), C::Shred(command)) => command.decide(clinic, context),
            // Its end is the end of all else.
            (Some(clinic), _) if clinic.closed.is_some() => Err(closing::closed()),
            (Some(clinic), C::UpdateProfile(command)) => command.decide(clinic, facts, context),
            (Some(clinic), C::UpdateSettings(command)) => command.decide(clinic, context),
            (Some(clinic), C::SetLogo(command)) => Ok(command.decide(clinic, context)),
            (Some(clinic), C::RemoveLogo(command)) => Ok(command.decide(clinic, context)),
            (Some(clinic), C::AddOffice(command)) => command.decide(clinic, facts, context),
            (Some(clinic), C::CloseOffice(command)) => command.decide(clinic, facts, context),
            (Some(clinic), C::SetOfficeHours(command)) => command.decide(clinic, context),
            (Some(clinic), C::DeclareClosure(command)) => command.decide(clinic, facts, context),
            (Some(clinic), C::CancelClosure(command)) => command.decide(clinic, context),
            (Some(clinic), C::ActivateSubscription(command)) => command.decide(clinic, facts, context),
            (Some(clinic), C::ChangePlan(command)) => command.decide(clinic, facts, context),
            (Some(clinic), C::Expire(command)) => command.decide(clinic, context),
            (Some(clinic), C::SetLimits(command)) => Ok(command.decide(clinic, context)),
            (Some(clinic), C::Suspend(command)) => Ok(command.decide(clinic, context)),
            (Some(clinic), C::Resume(command)) => Ok(command.decide(clinic, context)),
            (Some(clinic), C::GrantAuditor(command)) => command.decide(clinic, facts, context),
            (Some(clinic), C::RevokeAuditorGrant(command)) => command.decide(clinic, context),
            (None, C::UpdateProfile(_) | C::UpdateSettings(_) | C::SetLimits(_))
            | (None, C::SetLogo(_) | C::RemoveLogo(_))
            | (None, C::AddOffice(_) | C::CloseOffice(_) | C::SetOfficeHours(_))
            | (None, C::DeclareClosure(_) | C::CancelClosure(_) | C::ActivateSubscription(_) | C::ChangePlan(_))
            | (None, C::Expire(_) | C::Suspend(_) | C::Resume(_) | C::Close(_) | C::Shred(_))
            | (None, C::GrantAuditor(_) | C::RevokeAuditorGrant(_))
            | (None, C::PlaceLegalHold(_) | C::LiftLegalHold(_)) => Err(Refusal::not_found("clinic")),
        }
    }

    fn evolve(state: Option<Self>, event: &ClinicEvent) -> Option<Self> {
        match state {
            None => Self::from_first(event),
            Some(clinic) => clinic.apply(event),
        }
    }

    fn claims(before: Option<&Self>, after: &Self) -> Vec<ClaimChange> {
        moved_claims(&before.map(Self::held).unwrap_or_default(), &after.held())
    }

    fn counters(before: Option<&Self>, after: &Self) -> Vec<CounterChange> {
        let open = |clinic: &Self| clinic.offices.len().cast_signed() as i64;
        Usage::Offices.moved(before.map_or(0, open), open(after)).into_iter().collect()
    }
}
