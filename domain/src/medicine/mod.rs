//! A medicine of a catalogue: the platform's, a clinic's own, or what a clinic says of one of the platform's.

mod clinic;
pub mod composition;
mod draft;
mod entry;
#[cfg(test)]
pub(crate) mod properties;
mod state;

use derive_more::From;
use events::{
    AggregateKind, MedicineEvent, MedicineId, StreamId,
    claim::{ClaimChange, CounterChange},
    medicine::MedicineEntry,
};

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal};

pub use clinic::{HideMedicine, LiftMedicineOverride, OverrideMedicine, ShowMedicine};
pub use draft::{IngredientDraft, MedicineDraft};
pub use entry::{AddMedicine, ImportMedicine, RetireMedicine, UpdateMedicine};
pub use state::Medicine;

#[derive(Clone, Debug, From)]
pub enum MedicineCommand {
    Add(AddMedicine),
    Update(UpdateMedicine),
    Retire(RetireMedicine),
    Import(ImportMedicine),
    Override(OverrideMedicine),
    LiftOverride(LiftMedicineOverride),
    Hide(HideMedicine),
    Show(ShowMedicine),
}

/// What a decision reads to know a medicine as the clinic sees it; see [`Facts::medicine`].
pub fn reads(id: MedicineId) -> [Read; 2] {
    [Read::Stream(id.into()), Read::Platform(id.into())]
}

impl Facts {
    /// The medicine as the clinic sees it: its own, its wording of the platform's, or the platform's. `None` where
    /// there is none, or it was hidden or retired. Asks for [`reads`].
    pub fn medicine(&self, id: MedicineId) -> Option<&MedicineEntry> {
        let (here, platform) = (self.get::<Medicine>(id), self.of_platform::<Medicine>(id));
        let listed = platform.and_then(Medicine::listed);
        match here {
            None => listed,
            Some(medicine) if medicine.is_own => medicine.listed(),
            Some(medicine) if medicine.hidden => None,
            Some(medicine) => listed.map(|entry| medicine.entry.as_ref().unwrap_or(entry)),
        }
    }
}

impl Aggregate for Medicine {
    const KIND: AggregateKind = AggregateKind::Medicine;
    type Event = MedicineEvent;
    type Command = MedicineCommand;

    fn reads(target: StreamId, _: Option<&Self>, command: &MedicineCommand, facts: &Facts) -> Vec<Read> {
        use MedicineCommand as C;
        let substances = match command {
            C::Add(AddMedicine { medicine, .. })
            | C::Update(UpdateMedicine(medicine))
            | C::Override(OverrideMedicine(medicine))
            | C::Import(ImportMedicine { medicine, .. }) => medicine.reads(facts),
            C::Retire(_) | C::LiftOverride(_) | C::Hide(_) | C::Show(_) => Vec::new(),
        };
        substances.into_iter().chain([Read::Platform(target)]).collect()
    }

    fn decide(
        state: Option<&Self>,
        command: MedicineCommand,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        use MedicineCommand as C;
        match command {
            C::Add(command) => command.decide(state, facts, context),
            C::Update(command) => command.decide(state, facts, context),
            C::Retire(command) => command.decide(state, facts, context),
            C::Import(command) => command.decide(state, facts, context),
            C::Override(command) => command.decide(state, facts, context),
            C::LiftOverride(command) => command.decide(state, facts, context),
            C::Hide(command) => command.decide(state, facts, context),
            C::Show(command) => command.decide(state, facts, context),
        }
    }

    fn evolve(state: Option<Self>, event: &MedicineEvent) -> Option<Self> {
        match state {
            None => Self::from_first(event),
            Some(medicine) => medicine.apply(event),
        }
    }

    fn claims(_: Option<&Self>, _: &Self) -> Vec<ClaimChange> {
        Vec::new()
    }

    fn counters(_: Option<&Self>, _: &Self) -> Vec<CounterChange> {
        Vec::new()
    }
}
