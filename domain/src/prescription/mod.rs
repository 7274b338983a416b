//! A prescription: drafted, issued by a doctor, handed out. Once issued it never changes: it is stopped or replaced.

mod case;
pub mod check;
pub mod dispense;
pub mod draft;
pub mod end;
mod expand;
pub mod hold;
pub mod issue;
pub mod items;
pub mod override_alert;
pub mod print;
#[cfg(test)]
pub(crate) mod properties;
pub mod replace;
pub mod safety;
#[cfg(test)]
mod sample;
mod state;

use events::{
    AggregateKind, PrescriptionEvent, StreamId,
    claim::{ClaimChange, CounterChange},
};

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal, doctor::reads_who_acts, patient::Group};

pub use check::Checked;
pub use dispense::{AuthoriseRefill, DispensePrescription, UseRefill};
pub use draft::DraftPrescription;
pub use end::{
    CancelPrescription, CompletePrescription, EnterPrescriptionInError, ExpirePrescription, StopPrescription,
};
pub use expand::ExpandShortKey;
pub use hold::{HoldPrescription, ReleasePrescription};
pub use issue::IssuePrescription;
pub use items::{AddPrescriptionItem, ChangePrescriptionItem, ItemBody, RemovePrescriptionItem};
pub use override_alert::OverrideAlert;
pub use print::PrintPrescription;
pub use replace::ReplacePrescription;
pub use state::{Line, Prescription, Refills};

use case::Case;

#[derive(Clone, Debug, derive_more::From)]
pub enum PrescriptionCommand {
    Draft(DraftPrescription),
    AddItem(AddPrescriptionItem),
    ChangeItem(ChangePrescriptionItem),
    RemoveItem(RemovePrescriptionItem),
    ExpandShortKey(ExpandShortKey),
    OverrideAlert(OverrideAlert),
    Issue(IssuePrescription),
    Dispense(DispensePrescription),
    AuthoriseRefill(AuthoriseRefill),
    UseRefill(UseRefill),
    Hold(HoldPrescription),
    Release(ReleasePrescription),
    Stop(StopPrescription),
    Cancel(CancelPrescription),
    Complete(CompletePrescription),
    Expire(ExpirePrescription),
    Replace(ReplacePrescription),
    EnterInError(EnterPrescriptionInError),
    Print(PrintPrescription),
}

impl Aggregate for Prescription {
    const KIND: AggregateKind = AggregateKind::Prescription;
    type Event = PrescriptionEvent;
    type Command = PrescriptionCommand;

    /// The person, always; who prescribes, where a licence is needed; the charts and the catalogue, where it matters
    /// which medicines they are.
    fn reads(target: StreamId, state: Option<&Self>, command: &PrescriptionCommand, facts: &Facts) -> Vec<Read> {
        use PrescriptionCommand as C;
        let Some(prescription) = state else {
            return if let C::Draft(draft) = command { draft.reads(facts) } else { Vec::new() };
        };
        let further = match command {
            C::AddItem(command) => command.item.reads(),
            C::ChangeItem(command) => command.item.reads(),
            C::ExpandShortKey(command) => command.reads(prescription, facts),
            C::Issue(_) | C::OverrideAlert(_) => {
                reads_who_acts(facts).into_iter().chain(safety::reads(target, prescription, facts)).collect()
            }
            C::AuthoriseRefill(_) => reads_who_acts(facts).into_iter().collect(),
            C::Replace(command) => command.reads(prescription, facts),
            C::Draft(_)
            | C::RemoveItem(_)
            | C::Dispense(_)
            | C::UseRefill(_)
            | C::Hold(_)
            | C::Release(_)
            | C::Stop(_)
            | C::Cancel(_)
            | C::Complete(_)
            | C::Expire(_)
            | C::EnterInError(_)
            | C::Print(_) => Vec::new(),
        };
        Group::reads(prescription.patient, facts).into_iter().chain(further).collect()
    }

    fn decide(
        state: Option<&Self>,
        command: PrescriptionCommand,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        use PrescriptionCommand as C;
        let known = || Case::of(state, facts, context);
        match command {
            C::Draft(command) => command.decide(state, facts, context),
            C::AddItem(command) => command.decide(&known()?),
            C::ChangeItem(command) => command.decide(&known()?),
            C::RemoveItem(command) => command.decide(&known()?),
            C::ExpandShortKey(command) => command.decide(&known()?),
            C::OverrideAlert(command) => command.decide(&known()?),
            C::Issue(command) => command.decide(&known()?),
            C::Dispense(command) => command.decide(&known()?),
            C::AuthoriseRefill(command) => command.decide(&known()?),
            C::UseRefill(command) => command.decide(&known()?),
            C::Hold(command) => command.decide(&known()?),
            C::Release(command) => command.decide(&known()?),
            C::Stop(command) => command.decide(&known()?),
            C::Cancel(command) => command.decide(&known()?),
            C::Complete(command) => command.decide(&known()?),
            C::Expire(command) => command.decide(&known()?),
            C::Replace(command) => command.decide(&known()?),
            C::EnterInError(command) => command.decide(&known()?),
            C::Print(command) => command.decide(&known()?),
        }
    }

    fn evolve(state: Option<Self>, event: &PrescriptionEvent) -> Option<Self> {
        match state {
            None => Self::from_first(event),
            Some(prescription) => prescription.apply(event),
        }
    }

    fn claims(_: Option<&Self>, _: &Self) -> Vec<ClaimChange> {
        Vec::new()
    }

    fn counters(_: Option<&Self>, _: &Self) -> Vec<CounterChange> {
        Vec::new()
    }
}
