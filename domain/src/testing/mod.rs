//! Given, when, then: a clinic whose log lies in memory. A decision gets exactly the facts that it reads,
//! and what it decides is appended as the log would do it: claims, bounds, numbers and all. Each appended
//! event is also taken through the codec, with its sealed part open and erased.

mod given;
mod log;

use std::{cell::RefCell, collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use events::{
    Actor, AppointmentId, CaseStudyId, ClinicId, DocumentId, DomainEvent, LabOrderId, LabReportId, NoteId, PatientId,
    StreamId, VisitId,
    claim::{ClaimKey, CounterKey},
};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::{
    Aggregate, Appointment, AppointmentCommand, CaseStudy, CaseStudyCommand, Clinic, Context, Decision, Document,
    DocumentCommand, Facts, HeldTime, LabOrder, LabOrderCommand, LabReport, LabReportCommand, Note, NoteCommand,
    Patient, PatientCommand, Pseudonyms, Read, Refusal, State, Visit, VisitCommand,
    patient::{ChartSummary, Group, Life},
};

use log::Lost;

/// A decision asks for facts in at most so many rounds, as in the real path.
const MAX_ROUNDS: usize = 8;
/// A lost claim is decided again; the second time it must be refused or fit.
const MAX_TRIES: usize = 3;

/// A UUID that reads as a small number.
pub(crate) fn id<T: From<Uuid>>(n: u128) -> T {
    Uuid::from_u128(n).into()
}

/// A command from the body that a client would send.
pub(crate) fn body<C: DeserializeOwned>(body: serde_json::Value) -> C {
    serde_json::from_value(body).expect("a body that parses")
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an RFC 3339 instant")
}

thread_local! {
    /// How often each type of event was decided by a command, in any world of this thread.
    static DECIDED: RefCell<BTreeMap<&'static str, usize>> = const { RefCell::new(BTreeMap::new()) };
}

fn note_decided(events: &[DomainEvent]) {
    DECIDED.with_borrow_mut(|decided| {
        events.iter().for_each(|event| *decided.entry(event.event_type()).or_default() += 1);
    });
}

/// The events that commands decided in this thread since this was asked last, by type.
pub(crate) fn decided() -> BTreeMap<&'static str, usize> {
    DECIDED.take()
}

#[derive(Clone)]
pub(crate) struct World {
    pub clinic: ClinicId,
    pub now: DateTime<Utc>,
    pub actor: Actor,
    /// Set by an import.
    pub occurred_at: Option<DateTime<Utc>>,
    pub log: Vec<(StreamId, DomainEvent)>,
    /// When each event of the log happened.
    pub occurred: Vec<DateTime<Utc>>,
    pub claims: BTreeMap<ClaimKey, StreamId>,
    pub times: Vec<HeldTime>,
    pub counters: BTreeMap<CounterKey, i64>,
    streams: BTreeMap<StreamId, Arc<State>>,
    /// The platform's streams.
    platform: BTreeMap<StreamId, Arc<State>>,
    pseudonyms: Pseudonyms,
    commands: u128,
}

impl World {
    /// Nothing has happened yet. It is Monday, 2 March 2026, 08:30 in Kolkata.
    pub fn empty() -> Self {
        Self {
            clinic: id(0xC11),
            now: at("2026-03-02T03:00:00Z"),
            actor: Actor::anonymous(),
            occurred_at: None,
            log: Vec::new(),
            occurred: Vec::new(),
            claims: BTreeMap::new(),
            times: Vec::new(),
            counters: BTreeMap::new(),
            streams: BTreeMap::new(),
            platform: BTreeMap::new(),
            pseudonyms: Pseudonyms::new(&[7; 32]),
            commands: 0,
        }
    }

    /// What has happened before.
    pub fn given(&mut self, stream: impl Into<StreamId>, event: impl Into<DomainEvent>) {
        self.append(Decision::one(stream, event)).expect("what is given can be appended");
    }

    /// What has happened before in the platform's ledger.
    pub fn given_on_platform(&mut self, stream: impl Into<StreamId>, event: impl Into<DomainEvent>) {
        let stream = stream.into();
        let after = State::evolve(self.platform.get(&stream).map(|state| (**state).clone()), &event.into());
        self.platform.insert(stream, Arc::new(after.expect("what is given follows")));
    }

    /// What these reads bring.
    pub fn facts(&self, reads: impl IntoIterator<Item = Read>) -> Facts {
        let mut facts = Facts::default();
        reads.into_iter().for_each(|read| self.answer(read, &mut facts));
        facts
    }

    /// Runs a command as the command API does; on success its events are in the log.
    pub fn when<A>(
        &mut self,
        target: impl Into<StreamId>,
        command: impl Into<A::Command>,
    ) -> Result<Vec<DomainEvent>, Refusal>
    where
        A: Aggregate,
        A::Command: Clone,
        for<'a> &'a A: TryFrom<&'a State>,
    {
        let (target, command) = (target.into(), command.into());
        self.commands += 1;
        let mut facts = Facts { actor: self.actor.user, ..Facts::default() };
        for _ in 0..MAX_TRIES {
            self.load::<A>(target, &command, &mut facts);
            let decision = A::decide(facts.get::<A>(target), command.clone(), &facts, &self.context(target))?;
            let events: Vec<DomainEvent> = decision.events.iter().map(|(_, event)| event.clone()).collect();
            let mut after = self.clone();
            match after.append(decision) {
                Ok(()) => {
                    *self = after;
                    note_decided(&events);
                    return Ok(events);
                }
                Err(lost) => facts = self.facts_after(lost),
            }
        }
        panic!("decided the same thing again and again");
    }

    /// Runs a command on a patient.
    pub fn patient(
        &mut self,
        patient: PatientId,
        command: impl Into<PatientCommand>,
    ) -> Result<Vec<DomainEvent>, Refusal> {
        self.when::<Patient>(patient, command)
    }

    /// Runs a command on an appointment.
    pub fn appointment(
        &mut self,
        appointment: AppointmentId,
        command: impl Into<AppointmentCommand>,
    ) -> Result<Vec<DomainEvent>, Refusal> {
        self.when::<Appointment>(appointment, command)
    }

    /// Runs a command on a document.
    pub fn document(
        &mut self,
        document: DocumentId,
        command: impl Into<DocumentCommand>,
    ) -> Result<Vec<DomainEvent>, Refusal> {
        self.when::<Document>(document, command)
    }

    /// Runs a command on an order of laboratory tests.
    pub fn lab_order(
        &mut self,
        order: LabOrderId,
        command: impl Into<LabOrderCommand>,
    ) -> Result<Vec<DomainEvent>, Refusal> {
        self.when::<LabOrder>(order, command)
    }

    /// Runs a command on a laboratory report.
    pub fn lab_report(
        &mut self,
        report: LabReportId,
        command: impl Into<LabReportCommand>,
    ) -> Result<Vec<DomainEvent>, Refusal> {
        self.when::<LabReport>(report, command)
    }

    /// Runs a command on a visit.
    pub fn visit(&mut self, visit: VisitId, command: impl Into<VisitCommand>) -> Result<Vec<DomainEvent>, Refusal> {
        self.when::<Visit>(visit, command)
    }

    /// Runs a command on a note.
    pub fn note(&mut self, note: NoteId, command: impl Into<NoteCommand>) -> Result<Vec<DomainEvent>, Refusal> {
        self.when::<Note>(note, command)
    }

    /// Runs a command on a case study.
    pub fn case_study(
        &mut self,
        study: CaseStudyId,
        command: impl Into<CaseStudyCommand>,
    ) -> Result<Vec<DomainEvent>, Refusal> {
        self.when::<CaseStudy>(study, command)
    }

    /// Where the person stands whose record it is.
    pub fn group_life(&self, patient: PatientId) -> Life {
        let streams = self.streams.iter().map(|(stream, state)| (*stream, Some(state.clone()))).collect();
        let facts = Facts { streams, ..Facts::default() };
        Group::of(patient, facts.get::<Patient>(patient).expect("a patient"), &facts).life()
    }

    pub fn state<A: Aggregate>(&self, id: impl Into<StreamId>) -> Option<&A>
    where
        for<'a> &'a A: TryFrom<&'a State>,
    {
        self.streams.get(&id.into()).and_then(|state| <&A>::try_from(state).ok())
    }

    pub fn states(&self) -> impl Iterator<Item = (&StreamId, &State)> {
        self.streams.iter().map(|(stream, state)| (stream, &**state))
    }

    pub fn counter(&self, name: &str) -> i64 {
        self.counters.get(&CounterKey::new(name)).copied().unwrap_or(0)
    }

    fn chart(&self, patient: PatientId) -> ChartSummary {
        let mut summary = ChartSummary::default();
        for ((stream, event), at) in self.log.iter().zip(&self.occurred) {
            if event.patient(*stream) == Some(patient) {
                summary.take(*stream, event, *at);
            }
        }
        summary
    }

    fn facts_after(&self, lost: Lost) -> Facts {
        let claims = match lost {
            Lost::Claim(key) => BTreeMap::from([(key.clone(), self.claims.get(&key).copied())]),
            Lost::Time | Lost::Bound => BTreeMap::new(),
        };
        Facts { contended: true, claims, actor: self.actor.user, ..Facts::default() }
    }

    /// Who asks, and when.
    pub fn context(&self, target: StreamId) -> Context<'_> {
        Context {
            actor: &self.actor,
            target,
            now: self.now,
            occurred_at: self.occurred_at.unwrap_or(self.now),
            clinic: self.state::<Clinic>(self.clinic),
            pseudonyms: &self.pseudonyms,
            seed: Uuid::from_u128(self.commands << 32),
        }
    }

    fn load<A>(&self, target: StreamId, command: &A::Command, facts: &mut Facts)
    where
        A: Aggregate,
        for<'a> &'a A: TryFrom<&'a State>,
    {
        let mut wanted = vec![Read::Stream(target), Read::Stream(self.clinic.into())];
        for _ in 0..MAX_ROUNDS {
            for read in wanted {
                self.answer(read, facts);
            }
            wanted = A::reads(target, facts.get::<A>(target), command, facts);
            wanted.retain(|read| !facts.has_read(read));
            if wanted.is_empty() {
                return;
            }
        }
        panic!("a decision never stops asking");
    }

    fn answer(&self, read: Read, facts: &mut Facts) {
        match &read {
            Read::Stream(stream) => {
                facts.streams.insert(*stream, self.streams.get(stream).cloned());
            }
            Read::Platform(stream) => {
                facts.platform.insert(*stream, self.platform.get(stream).cloned());
            }
            Read::Chart(_) => {}
            Read::WholeChart(patient) => {
                facts.charts.insert(*patient, self.chart(*patient));
            }
            Read::Claim(key) => {
                facts.claims.insert(key.clone(), self.claims.get(key).copied());
            }
            Read::Counter(counter) => {
                facts.counters.insert(counter.clone(), self.counter(counter.as_str()));
            }
            Read::DoctorTime { doctor, from, to } => {
                let found = self.times.iter().filter(|held| held.time.doctor == *doctor);
                let found = found.filter(|held| held.time.from < *to && *from < held.time.to).cloned().collect();
                facts.times.insert(read, found);
            }
            Read::ClinicTime { office, from, to } => {
                let found = self.times.iter().filter(|held| office.is_none_or(|office| office == held.time.office));
                let found = found.filter(|held| held.time.from < *to && *from < held.time.to).cloned().collect();
                facts.times.insert(read, found);
            }
        }
    }
}
