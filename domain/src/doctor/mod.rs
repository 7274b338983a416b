//! A doctor: licence, offices, working hours, leave, fee.

mod deactivate;
mod offices;
mod practice;
mod register;
mod schedule;
mod state;
mod terms;

use derive_more::From;
use events::{
    AggregateKind, DoctorEvent, DoctorId, StreamId,
    claim::{ClaimChange, CounterChange},
};

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal, Usage, usage::moved_claims};

pub use deactivate::DeactivateDoctor;
pub use offices::{AssignOffice, SetPrimaryOffice, UnassignOffice};
pub(crate) use practice::{reads_who_acts, who_practises, who_works_in};
pub use register::RegisterDoctor;
pub use schedule::{CancelLeave, DeclareLeave, SetWorkingHours, WorkingBlock};
pub use state::Doctor;
pub use terms::{RecordLicence, SetFee};

#[derive(Clone, Debug, From)]
pub enum DoctorCommand {
    Register(RegisterDoctor),
    AssignOffice(AssignOffice),
    UnassignOffice(UnassignOffice),
    SetPrimaryOffice(SetPrimaryOffice),
    SetWorkingHours(SetWorkingHours),
    DeclareLeave(DeclareLeave),
    CancelLeave(CancelLeave),
    SetFee(SetFee),
    RecordLicence(RecordLicence),
    Deactivate(DeactivateDoctor),
}

/// One event of the doctor.
fn did(context: &Context<'_>, event: DoctorEvent) -> Decision {
    Decision::one(DoctorId(context.target.id), event)
}

impl Aggregate for Doctor {
    const KIND: AggregateKind = AggregateKind::Doctor;
    type Event = DoctorEvent;
    type Command = DoctorCommand;

    fn reads(target: StreamId, _: Option<&Self>, command: &DoctorCommand, facts: &Facts) -> Vec<Read> {
        use DoctorCommand as C;
        let id = DoctorId(target.id);
        match command {
            C::Register(command) => command.reads(id, facts),
            C::UnassignOffice(command) => command.reads(id, facts),
            C::DeclareLeave(command) => {
                facts.clinic().map(|clinic| command.reads(id, clinic, facts)).unwrap_or_default()
            }
            C::Deactivate(command) => command.reads(id, facts),
            C::AssignOffice(_)
            | C::SetPrimaryOffice(_)
            | C::SetWorkingHours(_)
            | C::CancelLeave(_)
            | C::SetFee(_)
            | C::RecordLicence(_) => Vec::new(),
        }
    }

    fn decide(
        state: Option<&Self>,
        command: DoctorCommand,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        use DoctorCommand as C;
        let active = state.filter(|doctor| doctor.is_active());
        match (active, command) {
            (None, C::Register(command)) if state.is_none() => command.decide(facts, context),
            (None | Some(_), C::Register(_)) => {
                Err(Refusal::conflict("duplicate", "There is a doctor with this id.").at("/id"))
            }
            (Some(doctor), C::AssignOffice(command)) => command.decide(doctor, context),
            (Some(doctor), C::UnassignOffice(command)) => command.decide(doctor, facts, context),
            (Some(doctor), C::SetPrimaryOffice(command)) => command.decide(doctor, context),
            (Some(doctor), C::SetWorkingHours(command)) => command.decide(doctor, context),
            (Some(doctor), C::DeclareLeave(command)) => command.decide(doctor, facts, context),
            (Some(doctor), C::CancelLeave(command)) => command.decide(doctor, context),
            (Some(doctor), C::SetFee(command)) => Ok(command.decide(doctor, context)),
            (Some(doctor), C::RecordLicence(command)) => command.decide(doctor, facts, context),
            (Some(_), C::Deactivate(command)) => command.decide(facts, context),
            (None, C::Deactivate(_)) if state.is_some() => Ok(Decision::already_so()),
            (None, C::AssignOffice(_) | C::UnassignOffice(_) | C::SetPrimaryOffice(_) | C::SetWorkingHours(_))
            | (None, C::DeclareLeave(_) | C::CancelLeave(_) | C::SetFee(_) | C::RecordLicence(_) | C::Deactivate(_)) => {
                Err(absent(state))
            }
        }
    }

    fn evolve(state: Option<Self>, event: &DoctorEvent) -> Option<Self> {
        match state {
            None => Self::from_first(event),
            Some(doctor) => doctor.apply(event),
        }
    }

    fn claims(before: Option<&Self>, after: &Self) -> Vec<ClaimChange> {
        moved_claims(&before.map(Self::held).unwrap_or_default(), &after.held())
    }

    fn counters(before: Option<&Self>, after: &Self) -> Vec<CounterChange> {
        let active = |doctor: &Self| i64::from(doctor.is_active());
        Usage::Doctors.moved(before.map_or(0, active), active(after)).into_iter().collect()
    }
}

fn absent(state: Option<&Doctor>) -> Refusal {
    match state {
        None => Refusal::not_found("doctor"),
        Some(_) => Refusal::rule("inactive", "The doctor no longer works in this clinic."),
    }
}
