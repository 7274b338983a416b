//! A patient's record. A person may have several, found to be the same by a merge: see [`group`].

pub mod allergies;
mod chart;
pub mod consent;
pub mod contacts;
pub mod demographics;
pub mod erasure;
pub mod group;
pub mod identifiers;
pub mod merge;
pub mod problems;
#[cfg(test)]
pub(crate) mod properties;
pub mod standing;
mod state;

use events::{
    AggregateKind, PatientEvent, PatientId, Sealed, StreamId,
    claim::{ClaimChange, CounterChange},
    patient::Reason,
};

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal, Usage, case_study, usage::moved_claims, values};

pub use allergies::{AssertNoKnownAllergies, RecordAllergy, RefuteAllergy, ResolveAllergy, VerifyAllergy};
pub use chart::ChartSummary;
pub use consent::{GiveConsent, RestrictRecord, WithdrawConsent};
pub use contacts::{LinkFamily, SetEmergencyContact};
pub use demographics::{RegisterPatient, UpdateDemographics};
pub use erasure::{ApproveErasure, RepeatErasure, RequestErasure};
pub use group::Group;
pub use identifiers::{AddIdentifier, EndIdentifier};
pub use merge::{MergePatient, UnmergePatient};
pub use problems::{AddProblem, ResolveProblem};
pub use standing::{DeactivatePatient, ReactivatePatient, RecordDeath};
pub use state::{AllergyStatus, Life, Patient};

#[derive(Clone, Debug, derive_more::From)]
pub enum PatientCommand {
    Register(RegisterPatient),
    UpdateDemographics(UpdateDemographics),
    AddIdentifier(AddIdentifier),
    EndIdentifier(EndIdentifier),
    SetEmergencyContact(SetEmergencyContact),
    LinkFamily(LinkFamily),
    RecordAllergy(RecordAllergy),
    VerifyAllergy(VerifyAllergy),
    RefuteAllergy(RefuteAllergy),
    ResolveAllergy(ResolveAllergy),
    AssertNoKnownAllergies(AssertNoKnownAllergies),
    AddProblem(AddProblem),
    ResolveProblem(ResolveProblem),
    GiveConsent(GiveConsent),
    WithdrawConsent(WithdrawConsent),
    RestrictRecord(RestrictRecord),
    Deactivate(DeactivatePatient),
    Reactivate(ReactivatePatient),
    RecordDeath(RecordDeath),
    Merge(MergePatient),
    Unmerge(UnmergePatient),
    RequestErasure(RequestErasure),
    ApproveErasure(ApproveErasure),
    RepeatErasure(RepeatErasure),
}

/// The record that a command names, and the person whose record it is.
struct Chart<'a> {
    id: PatientId,
    patient: &'a Patient,
    group: Group<'a>,
    facts: &'a Facts,
}

impl<'a> Chart<'a> {
    fn of(state: Option<&'a Patient>, facts: &'a Facts, context: &Context<'_>) -> Result<Self, Refusal> {
        let patient = state.ok_or_else(|| Refusal::not_found("patient"))?;
        patient.not_erased()?;
        let id = PatientId(context.target.id);
        Ok(Self { id, patient, group: Group::of(id, patient, facts), facts })
    }

    /// One event in the record that the command names.
    fn record(&self, event: PatientEvent) -> Result<Decision, Refusal> {
        Ok(Decision::one(self.id, event))
    }
}

fn sealed_reason(reason: Option<values::Reason>) -> Sealed<Reason> {
    Reason { reason: reason.map(Into::into) }.into()
}

impl Aggregate for Patient {
    const KIND: AggregateKind = AggregateKind::Patient;
    type Event = PatientEvent;
    type Command = PatientCommand;

    /// The whole person; and whom else the command names.
    fn reads(target: StreamId, state: Option<&Self>, command: &PatientCommand, facts: &Facts) -> Vec<Read> {
        let Some(patient) = state else { return Usage::Patients.read(facts).into_iter().collect() };
        let mut reads = Group::reads_others(PatientId(target.id), patient, facts);
        match command {
            PatientCommand::LinkFamily(link) => reads.push(Read::Stream(link.relative_id.into())),
            PatientCommand::Merge(merge) => reads.extend(merge.reads(target, patient, facts)),
            PatientCommand::WithdrawConsent(_) => {
                reads.extend(case_study::consent::reads_to_withdraw(PatientId(target.id), patient, facts));
            }
            PatientCommand::RequestErasure(_)
            | PatientCommand::ApproveErasure(_)
            | PatientCommand::RepeatErasure(_) => {
                reads.extend(erasure::reads(PatientId(target.id), patient, facts));
            }
            PatientCommand::Register(_)
            | PatientCommand::UpdateDemographics(_)
            | PatientCommand::AddIdentifier(_)
            | PatientCommand::EndIdentifier(_)
            | PatientCommand::SetEmergencyContact(_)
            | PatientCommand::RecordAllergy(_)
            | PatientCommand::VerifyAllergy(_)
            | PatientCommand::RefuteAllergy(_)
            | PatientCommand::ResolveAllergy(_)
            | PatientCommand::AssertNoKnownAllergies(_)
            | PatientCommand::AddProblem(_)
            | PatientCommand::ResolveProblem(_)
            | PatientCommand::GiveConsent(_)
            | PatientCommand::RestrictRecord(_)
            | PatientCommand::Deactivate(_)
            | PatientCommand::Reactivate(_)
            | PatientCommand::RecordDeath(_)
            | PatientCommand::Unmerge(_) => {}
        }
        reads
    }

    fn decide(
        state: Option<&Self>,
        command: PatientCommand,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        let chart = || Chart::of(state, facts, context);
        match command {
            PatientCommand::Register(command) => command.decide(state, facts, context),
            PatientCommand::UpdateDemographics(command) => command.decide(&chart()?, context),
            PatientCommand::AddIdentifier(command) => command.decide(&chart()?, context),
            PatientCommand::EndIdentifier(command) => command.decide(&chart()?),
            PatientCommand::SetEmergencyContact(command) => command.decide(&chart()?),
            PatientCommand::LinkFamily(command) => command.decide(&chart()?),
            PatientCommand::RecordAllergy(command) => command.decide(&chart()?, context),
            PatientCommand::VerifyAllergy(command) => command.decide(&chart()?),
            PatientCommand::RefuteAllergy(command) => command.decide(&chart()?),
            PatientCommand::ResolveAllergy(command) => command.decide(&chart()?),
            PatientCommand::AssertNoKnownAllergies(command) => command.decide(&chart()?),
            PatientCommand::AddProblem(command) => command.decide(&chart()?, context),
            PatientCommand::ResolveProblem(command) => command.decide(&chart()?),
            PatientCommand::GiveConsent(command) => command.decide(&chart()?, context),
            PatientCommand::WithdrawConsent(command) => command.decide(&chart()?),
            PatientCommand::RestrictRecord(command) => command.decide(&chart()?),
            PatientCommand::Deactivate(command) => command.decide(&chart()?),
            PatientCommand::Reactivate(command) => command.decide(&chart()?),
            PatientCommand::RecordDeath(command) => command.decide(&chart()?, context),
            PatientCommand::Merge(command) => command.decide(&chart()?),
            PatientCommand::Unmerge(command) => command.decide(&chart()?),
            PatientCommand::RequestErasure(command) => command.decide(&chart()?, context),
            PatientCommand::ApproveErasure(command) => command.decide(&chart()?, context),
            PatientCommand::RepeatErasure(command) => command.decide(PatientId(context.target.id), state, facts),
        }
    }

    fn evolve(state: Option<Self>, event: &PatientEvent) -> Option<Self> {
        match state {
            None => Self::from_first(event),
            Some(patient) => patient.apply(event),
        }
    }

    fn claims(before: Option<&Self>, after: &Self) -> Vec<ClaimChange> {
        moved_claims(&before.map(Self::held).unwrap_or_default(), &after.held())
    }

    fn counters(before: Option<&Self>, after: &Self) -> Vec<CounterChange> {
        let counted = |patient: &Self| i64::from(patient.is_counted());
        Usage::Patients.moved(before.map_or(0, counted), counted(after)).into_iter().collect()
    }
}
