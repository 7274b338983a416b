//! The shape of an aggregate: pure functions over `Option<State>`, where `None` is "not yet".

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use events::{
    Actor, AggregateKind, DoctorId, DomainEvent, OfficeId, PatientId, StreamId, UserId,
    claim::{Bound, ClaimChange, ClaimKey, CounterChange, CounterKey, DoctorTime},
    values::Span,
};
use uuid::Uuid;

use crate::{Clinic, Pseudonyms, Refusal, State, patient::ChartSummary};

/// One kind of thing that commands act on. Its file holds, in this order: state, commands, what a
/// decision reads, `decide`, `evolve`, claims and counters, tests.
pub trait Aggregate: Sized + Clone + Send + Sync + 'static {
    const KIND: AggregateKind;
    type Event: Clone + Into<DomainEvent>;
    type Command;

    /// Facts beyond the aggregate's own stream and the clinic's, which are always loaded. Asked again,
    /// with what was read so far, until it names nothing new.
    fn reads(target: StreamId, state: Option<&Self>, command: &Self::Command, facts: &Facts) -> Vec<Read>;

    /// The rules. No events: "already so".
    fn decide(
        state: Option<&Self>,
        command: Self::Command,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal>;

    /// `None`: the event cannot follow, the stream is corrupt.
    fn evolve(state: Option<Self>, event: &Self::Event) -> Option<Self>;

    /// The only place that knows a claim: what an event has moved, given the states before and after it.
    fn claims(before: Option<&Self>, after: &Self) -> Vec<ClaimChange>;

    /// The only place that knows a counter (usage against limits, active administrators): likewise.
    fn counters(before: Option<&Self>, after: &Self) -> Vec<CounterChange>;
}

/// Something that a decision wants to know.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Read {
    Stream(StreamId),
    /// A stream of the platform's own ledger, as it was a moment ago: nothing is expected of it when the decision is
    /// appended, so the decision keeps a copy of what it rests on.
    Platform(StreamId),
    /// That nothing about the patient changes while it is decided.
    Chart(PatientId),
    /// What the chart says as a whole, and that it does not change.
    WholeChart(PatientId),
    Claim(ClaimKey),
    /// The claims on a doctor's time that overlap the span.
    DoctorTime {
        doctor: DoctorId,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    },
    /// The claims on all doctors' time, in one office or in all, that overlap the span.
    ClinicTime {
        office: Option<OfficeId>,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    },
    /// To say how much is used; the limit itself is a [`Bound`] of the decision.
    Counter(CounterKey),
}

/// A claim on a doctor's time, and the appointment that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldTime {
    pub holder: StreamId,
    pub time: DoctorTime,
}

impl HeldTime {
    pub fn span(&self) -> Span {
        Span { from: self.time.from, to: self.time.to }
    }
}

/// What was read for a decision.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub streams: BTreeMap<StreamId, Option<Arc<State>>>,
    /// Streams of the platform's ledger.
    pub platform: BTreeMap<StreamId, Option<Arc<State>>>,
    pub charts: BTreeMap<PatientId, ChartSummary>,
    pub claims: BTreeMap<ClaimKey, Option<StreamId>>,
    pub times: BTreeMap<Read, Vec<HeldTime>>,
    pub counters: BTreeMap<CounterKey, i64>,
    /// Who gives the command: whose licence, say, it rests on.
    pub actor: Option<UserId>,
    /// An append of this decision failed on a claim, on a doctor's time or on a bound: now the decision
    /// reads what it had left to the append, to refuse in the domain's words. The claim that was lost is
    /// among `claims`, whether or not `reads` asks for it.
    pub contended: bool,
}

impl Facts {
    /// The state of another aggregate; `None` if it does not exist in this clinic, or was not read.
    pub fn get<A: Aggregate>(&self, id: impl Into<StreamId>) -> Option<&A>
    where
        for<'a> &'a A: TryFrom<&'a State>,
    {
        self.streams.get(&id.into())?.as_deref().and_then(|state| <&A>::try_from(state).ok())
    }

    /// The state of an aggregate of the platform; `None` if there is none, or it was not read.
    pub fn of_platform<A: Aggregate>(&self, id: impl Into<StreamId>) -> Option<&A>
    where
        for<'a> &'a A: TryFrom<&'a State>,
    {
        self.platform.get(&id.into())?.as_deref().and_then(|state| <&A>::try_from(state).ok())
    }

    /// The clinic that the command is given in: always loaded, except on the platform.
    pub fn clinic(&self) -> Option<&Clinic> {
        self.streams.values().find_map(|state| <&Clinic>::try_from(state.as_deref()?).ok())
    }

    pub fn has_read(&self, read: &Read) -> bool {
        match read {
            Read::Stream(stream) => self.streams.contains_key(stream),
            Read::Platform(stream) => self.platform.contains_key(stream),
            Read::WholeChart(patient) => self.charts.contains_key(patient),
            Read::Claim(claim) => self.claims.contains_key(claim),
            Read::Counter(counter) => self.counters.contains_key(counter),
            Read::DoctorTime { .. } | Read::ClinicTime { .. } => self.times.contains_key(read),
            // Nothing to load: it is only an expectation.
            Read::Chart(_) => true,
        }
    }

    /// Who holds a unique value.
    pub fn holder(&self, claim: &ClaimKey) -> Option<StreamId> {
        self.claims.get(claim).copied().flatten()
    }

    /// The time claims that a [`Read::DoctorTime`] or [`Read::ClinicTime`] brought.
    pub fn times(&self, read: &Read) -> &[HeldTime] {
        self.times.get(read).map_or(&[], Vec::as_slice)
    }

    pub fn counter(&self, counter: &CounterKey) -> i64 {
        self.counters.get(counter).copied().unwrap_or(0)
    }

    /// Refuses when it is known that another stream holds the value.
    pub fn nobody_else_holds(&self, claim: &ClaimKey, stream: StreamId) -> Result<(), Refusal> {
        match self.holder(claim) {
            Some(holder) if holder != stream => Err(Refusal::taken(claim)),
            _ => Ok(()),
        }
    }
}

/// Who asks, and when.
pub struct Context<'a> {
    pub actor: &'a Actor,
    /// The stream that the command names.
    pub target: StreamId,
    /// The server's clock.
    pub now: DateTime<Utc>,
    /// Business time; only an import sets it to something else than `now`.
    pub occurred_at: DateTime<Utc>,
    /// The clinic as it stands; `None` on the platform, and while a clinic registers itself.
    pub clinic: Option<&'a Clinic>,
    /// Makes the keyed hashes that stand for personal values.
    pub pseudonyms: &'a Pseudonyms,
    /// A fresh UUIDv7 that the ids of what the command makes are counted from.
    pub seed: Uuid,
}

impl<'a> Context<'a> {
    /// The clinic that the command is given in; the platform has none.
    pub fn in_clinic(&self) -> Result<&'a Clinic, Refusal> {
        self.clinic.ok_or_else(|| Refusal::not_found("clinic"))
    }

    /// An import may record what lies in the past.
    pub fn is_import(&self) -> bool {
        self.actor.kind == events::ActorKind::Import
    }

    /// The `n`-th new id of this command (an allergy, an office, a login made on the way). The same at
    /// every try, so that a repeated decision makes the same things.
    pub fn new_id<Id: From<Uuid>>(&self, n: u16) -> Id {
        Uuid::from_u128(self.seed.as_u128() ^ u128::from(n)).into()
    }
}

/// The events that a command records, each in its stream, and the limits that must hold with them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    pub events: Vec<(StreamId, DomainEvent)>,
    pub bounds: Vec<Bound>,
}

impl Decision {
    /// Nothing to do: it is so already.
    pub fn already_so() -> Self {
        Self::default()
    }

    pub fn one(stream: impl Into<StreamId>, event: impl Into<DomainEvent>) -> Self {
        Self::default().and(stream, event)
    }

    #[must_use]
    pub fn and(mut self, stream: impl Into<StreamId>, event: impl Into<DomainEvent>) -> Self {
        self.events.push((stream.into(), event.into()));
        self
    }

    #[must_use]
    pub fn within(mut self, bounds: impl IntoIterator<Item = Bound>) -> Self {
        self.bounds.extend(bounds);
        self
    }
}
