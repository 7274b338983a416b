//! A case study: what was learned from one patient or several, told so that nobody is recognised. It is drawn from
//! chosen records, de-identified, approved by somebody else than its author, and published.
//!
//! It has one part for each patient. A part whose patient is erased is gone; the study goes on without it. A study that
//! rests on a consent ends with it: see [`consent`].

pub mod consent;
pub mod de_identify;
pub mod draft;
mod identifiers;
#[cfg(test)]
pub(crate) mod properties;
pub mod publish;
#[cfg(test)]
mod sample;
mod state;

use events::{
    AggregateKind, CaseStudyEvent, PatientId, StreamId,
    claim::{ClaimChange, CounterChange},
};

use crate::{
    Aggregate, Context, Decision, Facts, Patient, Read, Refusal,
    patient::{Group, Life},
};

pub use consent::LinkConsent;
pub use de_identify::{DeIdentifiedPart, DeIdentifyCaseStudy};
pub use draft::{CasePart, DraftCaseStudy};
pub use publish::{ApproveCaseStudy, PublishCaseStudy, WithdrawCaseStudy};
pub use state::{CaseStudy, LinkedConsent, Part};

/// Most patients that one study draws on.
pub const PATIENTS_MAX: usize = 20;

#[derive(Clone, Debug, derive_more::From)]
pub enum CaseStudyCommand {
    Draft(DraftCaseStudy),
    DeIdentify(DeIdentifyCaseStudy),
    LinkConsent(LinkConsent),
    Approve(ApproveCaseStudy),
    Publish(PublishCaseStudy),
    Withdraw(WithdrawCaseStudy),
}

impl Aggregate for CaseStudy {
    const KIND: AggregateKind = AggregateKind::CaseStudy;
    type Event = CaseStudyEvent;
    type Command = CaseStudyCommand;

    /// The persons whom the study draws on: who of them is erased, and what they have agreed to.
    fn reads(_: StreamId, state: Option<&Self>, command: &CaseStudyCommand, facts: &Facts) -> Vec<Read> {
        match (command, state) {
            (CaseStudyCommand::Draft(command), _) => command.reads(facts),
            (
                CaseStudyCommand::DeIdentify(_) | CaseStudyCommand::LinkConsent(_) | CaseStudyCommand::Publish(_),
                Some(study),
            ) => persons(study.parts.keys().copied(), facts),
            (CaseStudyCommand::Approve(_) | CaseStudyCommand::Withdraw(_), _) | (_, None) => Vec::new(),
        }
    }

    fn decide(
        state: Option<&Self>,
        command: CaseStudyCommand,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        let known = || state.ok_or_else(|| Refusal::not_found("case study"));
        let events = match command {
            CaseStudyCommand::Draft(command) => command.decide(state, facts, context)?,
            CaseStudyCommand::DeIdentify(command) => command.decide(known()?, facts)?,
            CaseStudyCommand::LinkConsent(command) => command.decide(known()?, facts)?,
            CaseStudyCommand::Approve(command) => vec![command.decide(known()?, context)?],
            CaseStudyCommand::Publish(command) => vec![command.decide(known()?, facts)?],
            CaseStudyCommand::Withdraw(command) => vec![command.decide(known()?)?],
        };
        Ok(events.into_iter().fold(Decision::default(), |decision, event| decision.and(context.target, event)))
    }

    fn evolve(state: Option<Self>, event: &CaseStudyEvent) -> Option<Self> {
        match state {
            None => Self::from_first(event),
            Some(study) => study.apply(event),
        }
    }

    fn claims(_: Option<&Self>, _: &Self) -> Vec<ClaimChange> {
        Vec::new()
    }

    fn counters(_: Option<&Self>, _: &Self) -> Vec<CounterChange> {
        Vec::new()
    }
}

/// Every record of these persons, as far as it is known by now.
fn persons(patients: impl IntoIterator<Item = PatientId>, facts: &Facts) -> Vec<Read> {
    patients.into_iter().flat_map(|id| Group::reads(id, facts)).collect()
}

/// Whether nothing can be said of the patient any more.
fn is_erased(id: PatientId, facts: &Facts) -> bool {
    facts.get::<Patient>(id).is_none_or(|patient| patient.life == Life::Erased)
}

/// What may not be done to a study as it stands.
fn wrong_status(study: &CaseStudy, what: &str) -> Refusal {
    let detail = format!("A case study that is {} cannot be {what}.", study.status);
    Refusal::conflict("wrong-status", detail).with("status", study.status.to_string())
}
