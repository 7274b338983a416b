//! A charge: something done or given that a patient pays for. It never changes: it is cancelled, or it comes onto one
//! invoice, which is recorded with the invoice itself.

mod amount;
mod capture;

use events::{
    AggregateKind, ChargeEvent, InvoiceId, PatientId, StreamId,
    charge::{ChargeAmount, ChargeCancellationReason, ChargeStatus, ChargeText},
    claim::{ClaimChange, CounterChange},
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal, patient::Group, values::Reason};

pub use amount::MAX_MINOR;
pub use capture::CaptureCharge;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    pub patient: PatientId,
    pub amount: ChargeAmount,
    pub status: ChargeStatus,
    /// The one that it is on.
    pub invoice: Option<InvoiceId>,
}

#[derive(Clone, Debug, derive_more::From)]
pub enum ChargeCommand {
    Capture(CaptureCharge),
    Cancel(CancelCharge),
}

/// Takes a charge back while it is on no invoice. It stays on record.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelCharge {
    pub reason: ChargeCancellationReason,
    /// Why, in words.
    #[serde(default)]
    pub text: Option<Reason>,
}

impl CancelCharge {
    fn decide(self, charge: &Charge, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        Group::find(charge.patient, facts)?;
        charge.is_open()?;
        let sealed = ChargeText { text: self.text.map(Into::into) }.into();
        let cancelled = ChargeEvent::ChargeCancelled { patient: charge.patient, reason: self.reason, sealed };
        Ok(Decision::one(context.target, cancelled))
    }
}

impl Charge {
    /// Refuses what is on an invoice, or cancelled.
    pub fn is_open(&self) -> Result<(), Refusal> {
        match (self.status, self.invoice) {
            (ChargeStatus::Captured, _) => Ok(()),
            (ChargeStatus::Invoiced, Some(invoice)) => {
                let detail = "The charge is on an invoice; a credit note takes it back.";
                Err(Refusal::conflict("charge-invoiced", detail).with("invoice_id", invoice.to_string()))
            }
            (ChargeStatus::Invoiced, None) | (ChargeStatus::Cancelled, _) => {
                Err(Refusal::conflict("charge-cancelled", "The charge was cancelled; capture it anew."))
            }
        }
    }
}

impl Aggregate for Charge {
    const KIND: AggregateKind = AggregateKind::Charge;
    type Event = ChargeEvent;
    type Command = ChargeCommand;

    fn reads(_: StreamId, state: Option<&Self>, command: &ChargeCommand, facts: &Facts) -> Vec<Read> {
        match command {
            ChargeCommand::Capture(command) => command.reads(facts),
            ChargeCommand::Cancel(_) => state.map_or_else(Vec::new, |charge| Group::reads(charge.patient, facts)),
        }
    }

    fn decide(
        state: Option<&Self>,
        command: ChargeCommand,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        match command {
            ChargeCommand::Capture(command) => command.decide(state, facts, context),
            ChargeCommand::Cancel(command) => {
                command.decide(state.ok_or_else(|| Refusal::not_found("charge"))?, facts, context)
            }
        }
    }

    fn evolve(state: Option<Self>, event: &ChargeEvent) -> Option<Self> {
        match (state, event) {
            (None, ChargeEvent::ChargeCaptured { patient, amount, .. }) => {
                let amount = amount.clone();
                Some(Self { patient: *patient, amount, status: ChargeStatus::Captured, invoice: None })
            }
            (Some(charge), ChargeEvent::ChargeCancelled { .. }) if charge.status == ChargeStatus::Captured => {
                Some(Self { status: ChargeStatus::Cancelled, ..charge })
            }
            (Some(charge), ChargeEvent::ChargeInvoiced { invoice, .. }) if charge.status == ChargeStatus::Captured => {
                Some(Self { status: ChargeStatus::Invoiced, invoice: Some(*invoice), ..charge })
            }
            _ => None,
        }
    }

    fn claims(_: Option<&Self>, _: &Self) -> Vec<ClaimChange> {
        Vec::new()
    }

    fn counters(_: Option<&Self>, _: &Self) -> Vec<CounterChange> {
        Vec::new()
    }
}
