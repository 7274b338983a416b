//! Loads what a decision rests on, and remembers as of when.

use std::sync::Arc;

use domain::{Aggregate, Facts, HeldTime, Read, State, patient::ChartSummary};
use event_store::{AtPosition, Expectation, Store};
use events::{
    ClinicId, PatientId, Position, StreamId,
    claim::{ClaimKey, CounterKey, Fact},
    values::Span,
};

use super::{Failure, cache::StateCache};

/// A decision asks for facts, learns from them what else it needs, and so on; this many rounds and no more.
/// A chain of merged records asks once per link.
const MAX_ROUNDS: u32 = 64;

/// Where states come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// Kept from earlier commands, if they are: the append checks what rests on them.
    Kept,
    /// Read from the log: nobody checks a refusal.
    Nothing,
}

pub struct Loader<'a> {
    store: &'a Store,
    states: &'a StateCache,
    clinic: ClinicId,
    reuse: Reuse,
    facts: Facts,
    expectations: Vec<Expectation>,
}

impl<'a> Loader<'a> {
    pub fn new(store: &'a Store, states: &'a StateCache, clinic: ClinicId, reuse: Reuse, known: Facts) -> Self {
        Self { store, states, clinic, reuse, facts: known, expectations: Vec::new() }
    }

    pub fn into_parts(self) -> (Facts, Vec<Expectation>) {
        (self.facts, self.expectations)
    }

    /// The clinic, the target, and whatever the aggregate asks for until it asks for nothing new.
    pub async fn load_for<A>(&mut self, target: StreamId, fresh: bool, command: &A::Command) -> Result<(), Failure>
    where
        A: Aggregate,
        for<'s> &'s A: TryFrom<&'s State>,
    {
        if fresh {
            self.nothing_under(target);
        }
        let mut wanted = vec![Read::Stream(target)];
        if !self.clinic.is_platform() {
            wanted.push(Read::Stream(self.clinic.into()));
        }
        for _ in 0..MAX_ROUNDS {
            for read in &wanted {
                self.load(read).await?;
            }
            wanted = A::reads(target, self.facts.get::<A>(target), command, &self.facts);
            wanted.retain(|read| !self.has_loaded(read));
            if wanted.is_empty() {
                return Ok(());
            }
        }
        Err(Failure::TooManyReads(target))
    }

    /// Claims that an earlier try lost.
    pub async fn load_claims(&mut self, claims: &[ClaimKey]) -> Result<(), Failure> {
        for claim in claims {
            self.load(&Read::Claim(claim.clone())).await?;
        }
        Ok(())
    }

    /// An id made by the server a moment ago: no look-up can find anything, and nothing can move it.
    fn nothing_under(&mut self, target: StreamId) {
        self.facts.streams.insert(target, None);
        self.expectations.push(Expectation::new_stream(target));
    }

    fn has_loaded(&self, read: &Read) -> bool {
        match read {
            Read::Chart(patient) => self.expectations.iter().any(|e| e.fact == Fact::Chart(*patient)),
            _ => self.facts.has_read(read),
        }
    }

    async fn load(&mut self, read: &Read) -> Result<(), Failure> {
        if self.has_loaded(read) {
            return Ok(());
        }
        match read {
            Read::Stream(stream) => self.load_stream(*stream).await,
            Read::Platform(stream) => self.load_platform(*stream).await,
            Read::Chart(patient) => {
                let AtPosition { read, read_at } = self.store.chart_version(self.clinic, *patient).await?;
                self.expect(Fact::Chart(*patient), Some(read), read_at);
                Ok(())
            }
            Read::WholeChart(patient) => self.load_chart(*patient).await,
            Read::Claim(claim) => self.load_claim(claim).await,
            Read::DoctorTime { doctor, from, to } => {
                let span = Span { from: *from, to: *to };
                let held = self.store.doctor_times(self.clinic, *doctor, span).await?;
                self.keep_times(read, held, Fact::DoctorTime(*doctor));
                Ok(())
            }
            Read::ClinicTime { office, from, to } => {
                let held = self.store.clinic_times(self.clinic, *office, Span { from: *from, to: *to }).await?;
                self.keep_times(read, held, Fact::ClinicTime);
                Ok(())
            }
            Read::Counter(counter) => self.load_counter(counter).await,
        }
    }

    async fn load_stream(&mut self, stream: StreamId) -> Result<(), Failure> {
        let kept = self.states.get(self.clinic, stream).filter(|_| self.reuse == Reuse::Kept);
        let cached = match kept {
            Some(cached) => cached,
            None => {
                let loaded = self.store.load_stream(self.clinic, stream, 0).await?;
                let state = fold(stream, loaded.events.iter().map(|recorded| &recorded.event))?.map(Arc::new);
                self.states.put(self.clinic, stream, state.clone(), loaded.version, loaded.read_at);
                self.facts.streams.insert(stream, state);
                self.expect(Fact::Stream(stream), Some(loaded.version), loaded.read_at);
                return Ok(());
            }
        };
        self.facts.streams.insert(stream, cached.state.clone());
        self.expect(Fact::Stream(stream), Some(cached.version), cached.read_at);
        Ok(())
    }

    /// Nothing is expected of it, so nobody checks how old it is: it is kept for a moment only.
    async fn load_platform(&mut self, stream: StreamId) -> Result<(), Failure> {
        let kept = self.states.of_platform(stream).filter(|_| self.reuse == Reuse::Kept);
        let state = match kept {
            Some(state) => state,
            None => {
                let loaded = self.store.load_stream(ClinicId::PLATFORM, stream, 0).await?;
                let state = fold(stream, loaded.events.iter().map(|recorded| &recorded.event))?.map(Arc::new);
                self.states.keep_of_platform(stream, state.clone());
                state
            }
        };
        self.facts.platform.insert(stream, state);
        Ok(())
    }

    /// The version is read first: what is added meanwhile moves the fact.
    async fn load_chart(&mut self, patient: PatientId) -> Result<(), Failure> {
        let AtPosition { read, read_at } = self.store.chart_version(self.clinic, patient).await?;
        let chart = self.store.read_patient(self.clinic, patient, None).await?;
        self.facts.charts.insert(patient, ChartSummary::of(&chart));
        self.expect(Fact::Chart(patient), Some(read), read_at);
        Ok(())
    }

    async fn load_claim(&mut self, claim: &ClaimKey) -> Result<(), Failure> {
        let AtPosition { read: mut holders, read_at } =
            self.store.claims(self.clinic, std::slice::from_ref(claim)).await?;
        self.facts.claims.insert(claim.clone(), holders.remove(claim));
        self.expect(Fact::Claim(claim.clone()), None, read_at);
        Ok(())
    }

    async fn load_counter(&mut self, counter: &CounterKey) -> Result<(), Failure> {
        let counters = self.store.counters(self.clinic, std::slice::from_ref(counter)).await?;
        self.facts.counters.insert(counter.clone(), counters.read.get(counter).copied().unwrap_or(0));
        Ok(())
    }

    fn keep_times(&mut self, read: &Read, held: AtPosition<Vec<event_store::HeldTime>>, fact: Fact) {
        let times = held.read.into_iter().map(|held| HeldTime { holder: held.holder, time: held.time }).collect();
        self.facts.times.insert(read.clone(), times);
        self.expect(fact, None, held.read_at);
    }

    fn expect(&mut self, fact: Fact, version: Option<i64>, read_at: Position) {
        self.expectations.push(Expectation { fact, version, read_at });
    }
}

/// A stream's state, from its first event on.
pub fn fold<'e>(
    stream: StreamId,
    events: impl Iterator<Item = &'e events::DomainEvent>,
) -> Result<Option<State>, Failure> {
    let mut state = None;
    for event in events {
        state = Some(State::evolve(state, event).ok_or(Failure::CorruptStream(stream))?);
    }
    Ok(state)
}
