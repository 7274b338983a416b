//! An invoice. What was issued never changes; payments, credit notes and refunds are added to it, and what is due
//! follows. It is refused where more would be paid, credited or given back than there is.

mod adjust;
mod issue;
mod pay;
#[cfg(test)]
pub(crate) mod properties;
#[cfg(test)]
mod sample;

use chrono::NaiveDate;
use events::{
    AggregateKind, InvoiceEvent, PatientId, StreamId,
    calendar::day_of,
    claim::{ClaimChange, CounterChange},
    invoice::Balance,
    values::Money,
};

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal, patient::Group};

pub use adjust::{IssueCreditNote, IssueRefund};
pub use issue::IssueInvoice;
pub use pay::RecordPayment;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    pub patient: PatientId,
    pub currency: String,
    /// The day on which it was issued.
    pub day: NaiveDate,
    pub balance: Balance,
}

#[derive(Clone, Debug, derive_more::From)]
pub enum InvoiceCommand {
    Issue(IssueInvoice),
    RecordPayment(RecordPayment),
    IssueCreditNote(IssueCreditNote),
    IssueRefund(IssueRefund),
}

impl Invoice {
    /// An amount in the invoice's own currency, which is at most this much.
    fn at_most(&self, amount: Money, limit: i64, code: &'static str, detail: &str) -> Result<Money, Refusal> {
        if amount.currency != self.currency {
            let detail = format!("The invoice is in {}.", self.currency);
            return Err(Refusal::rule("other-currency", detail).at("/amount/currency"));
        }
        if amount.minor > limit {
            return Err(Refusal::rule(code, detail).at("/amount/minor").with("limit", limit));
        }
        Ok(amount)
    }
}

/// The day on which money is counted.
fn day(context: &Context<'_>) -> Result<NaiveDate, Refusal> {
    Ok(day_of(context.occurred_at, context.in_clinic()?.zone()))
}

impl Aggregate for Invoice {
    const KIND: AggregateKind = AggregateKind::Invoice;
    type Event = InvoiceEvent;
    type Command = InvoiceCommand;

    fn reads(_: StreamId, state: Option<&Self>, command: &InvoiceCommand, facts: &Facts) -> Vec<Read> {
        match command {
            InvoiceCommand::Issue(command) => command.reads(facts),
            InvoiceCommand::RecordPayment(_) | InvoiceCommand::IssueCreditNote(_) | InvoiceCommand::IssueRefund(_) => {
                state.map_or_else(Vec::new, |invoice| Group::reads(invoice.patient, facts))
            }
        }
    }

    fn decide(
        state: Option<&Self>,
        command: InvoiceCommand,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        let known = || {
            let invoice = state.ok_or_else(|| Refusal::not_found("invoice"))?;
            Group::find(invoice.patient, facts).map(|_| invoice)
        };
        match command {
            InvoiceCommand::Issue(command) => command.decide(state, facts, context),
            InvoiceCommand::RecordPayment(command) => command.decide(known()?, context),
            InvoiceCommand::IssueCreditNote(command) => command.decide(known()?, context),
            InvoiceCommand::IssueRefund(command) => command.decide(known()?, context),
        }
    }

    fn evolve(state: Option<Self>, event: &InvoiceEvent) -> Option<Self> {
        match (state, event) {
            (None, InvoiceEvent::InvoiceIssued { patient, currency, day, .. }) => Some(Self {
                patient: *patient,
                currency: currency.clone(),
                day: *day,
                balance: Balance::default().after(event),
            }),
            (None, _) | (Some(_), InvoiceEvent::InvoiceIssued { .. }) => None,
            (
                Some(invoice),
                InvoiceEvent::PaymentRecorded { .. }
                | InvoiceEvent::CreditNoteIssued { .. }
                | InvoiceEvent::RefundIssued { .. },
            ) => {
                let balance = invoice.balance.after(event);
                (balance.due() >= 0 && balance.held() >= 0).then_some(Self { balance, ..invoice })
            }
        }
    }

    fn claims(_: Option<&Self>, _: &Self) -> Vec<ClaimChange> {
        Vec::new()
    }

    fn counters(_: Option<&Self>, _: &Self) -> Vec<CounterChange> {
        Vec::new()
    }
}
