//! An order of laboratory tests: what is to be found out about a patient, and the specimens that were taken for it.

pub mod order;
#[cfg(test)]
pub(crate) mod properties;
#[cfg(test)]
pub(crate) mod sample;
pub mod specimen;
pub mod standing;
mod state;

use events::{
    AggregateKind, LabOrderEvent, LabOrderId, Sealed, StreamId,
    claim::{ClaimChange, CounterChange},
    lab_order::LabReason,
};

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal, patient::Group, usage::moved_claims, values};

pub use order::{ActivateLabOrder, DraftTests, OrderTests, RequestedTest};
pub use specimen::{CollectSpecimen, RejectSpecimen};
pub use standing::{HoldLabOrder, ReleaseLabOrder, RevokeLabOrder};
pub(crate) use state::report_claim;
pub use state::{LabOrder, Tube};

#[derive(Clone, Debug, derive_more::From)]
pub enum LabOrderCommand {
    Draft(DraftTests),
    Order(OrderTests),
    Activate(ActivateLabOrder),
    CollectSpecimen(CollectSpecimen),
    RejectSpecimen(RejectSpecimen),
    Hold(HoldLabOrder),
    Release(ReleaseLabOrder),
    Revoke(RevokeLabOrder),
}

impl Aggregate for LabOrder {
    const KIND: AggregateKind = AggregateKind::LabOrder;
    type Event = LabOrderEvent;
    type Command = LabOrderCommand;

    /// What is begun rests on the person; what ends an order, on whether it has a report.
    fn reads(target: StreamId, state: Option<&Self>, command: &LabOrderCommand, facts: &Facts) -> Vec<Read> {
        match command {
            LabOrderCommand::Draft(command) => order::reads(command.patient_id, command.visit_id, facts),
            LabOrderCommand::Order(command) => order::reads(command.patient_id, command.visit_id, facts),
            LabOrderCommand::Activate(_) => state.map_or_else(Vec::new, |state| Group::reads(state.patient, facts)),
            LabOrderCommand::Revoke(_) => vec![Read::Claim(state::report_claim(LabOrderId(target.id)))],
            LabOrderCommand::CollectSpecimen(_)
            | LabOrderCommand::RejectSpecimen(_)
            | LabOrderCommand::Hold(_)
            | LabOrderCommand::Release(_) => Vec::new(),
        }
    }

    fn decide(
        state: Option<&Self>,
        command: LabOrderCommand,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        let known = || state.ok_or_else(|| Refusal::not_found("laboratory order"));
        let event = match command {
            LabOrderCommand::Draft(command) => command.decide(state, facts, context)?,
            LabOrderCommand::Order(command) => command.decide(state, facts, context)?,
            LabOrderCommand::Activate(command) => command.decide(known()?, facts, context)?,
            LabOrderCommand::CollectSpecimen(command) => command.decide(known()?, facts, context)?,
            LabOrderCommand::RejectSpecimen(command) => match command.decide(known()?)? {
                Some(event) => event,
                None => return Ok(Decision::already_so()),
            },
            LabOrderCommand::Hold(command) => command.decide(known()?)?,
            LabOrderCommand::Release(command) => command.decide(known()?)?,
            LabOrderCommand::Revoke(command) => command.decide(known()?, facts, context)?,
        };
        Ok(Decision::one(context.target, event))
    }

    fn evolve(state: Option<Self>, event: &LabOrderEvent) -> Option<Self> {
        match state {
            None => Self::from_first(event),
            Some(order) => order.apply(event),
        }
    }

    fn claims(before: Option<&Self>, after: &Self) -> Vec<ClaimChange> {
        moved_claims(&before.map(Self::held).unwrap_or_default(), &after.held())
    }

    fn counters(_: Option<&Self>, _: &Self) -> Vec<CounterChange> {
        Vec::new()
    }
}

fn sealed_reason(reason: Option<values::Reason>) -> Sealed<LabReason> {
    LabReason { reason: reason.map(Into::into) }.into()
}

/// What may not be done to an order as it stands.
fn wrong_status(order: &LabOrder, what: &str) -> Refusal {
    let detail = format!("An order that is {} cannot be {what}.", order.status);
    Refusal::conflict("wrong-status", detail).with("status", order.status.to_string())
}
