//! Given, when, then: a clinic whose log lies in memory. A decision gets exactly the facts that it reads,
//! and what it decides is appended as the log would do it: claims, bounds, numbers and all. Each appended
//! event is also taken through the codec, with its sealed part open and erased.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use events::{
    Actor, AggregateKind, AppointmentId, ClinicEvent, ClinicId, DoctorEvent, DoctorId, DomainEvent, Number, OfficeId,
    PatientId, Role, Sealed, StaffEvent, StreamId, UserId,
    claim::{ClaimChange, ClaimKey, CounterKey},
    clinic::{ClinicProfile, Office},
    codec,
    staff::StaffIdentity,
};
use serde::de::DeserializeOwned;
use serde_json::json;
use uuid::Uuid;

use crate::{
    Aggregate, Appointment, AppointmentCommand, Clinic, Context, Decision, Facts, HeldTime, Patient, PatientCommand,
    Pseudonyms, Read, Refusal, State,
    clinic::RegisterClinic,
    patient::{Group, Life, MergePatient, RegisterPatient},
};

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

#[derive(Clone)]
pub(crate) struct World {
    pub clinic: ClinicId,
    pub now: DateTime<Utc>,
    pub actor: Actor,
    /// Set by an import.
    pub occurred_at: Option<DateTime<Utc>>,
    pub log: Vec<(StreamId, DomainEvent)>,
    pub claims: BTreeMap<ClaimKey, StreamId>,
    pub times: Vec<HeldTime>,
    pub counters: BTreeMap<CounterKey, i64>,
    streams: BTreeMap<StreamId, State>,
    pseudonyms: Pseudonyms,
    commands: u128,
}

/// Why an append failed.
#[derive(Debug)]
enum Lost {
    Claim(ClaimKey),
    Time,
    Bound,
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
            claims: BTreeMap::new(),
            times: Vec::new(),
            counters: BTreeMap::new(),
            streams: BTreeMap::new(),
            pseudonyms: Pseudonyms::new(&[7; 32]),
            commands: 0,
        }
    }

    /// A clinic in its trial, with one office open from Monday to Saturday, 09:00 to 18:00.
    pub fn with_clinic(time_zone: chrono_tz::Tz) -> Self {
        let mut world = Self::empty();
        let profile = ClinicProfile {
            name: "Asha Clinic".into(),
            email: "office@asha.example".into(),
            phone: None,
            website: None,
            address: None,
            registration_number: None,
            tax_id: None,
            logo: None,
            time_zone,
        };
        let trial_ends_at = world.now + chrono::TimeDelta::days(30);
        world.given(world.clinic, ClinicEvent::ClinicRegistered { slug: "asha".into(), profile, trial_ends_at });
        world.given_office(Self::OFFICE);
        world
    }

    /// The first office.
    pub const OFFICE: OfficeId = OfficeId(Uuid::from_u128(0x0FF1CE));

    pub fn given_office(&mut self, id: OfficeId) {
        let office = Office { id, name: "Main".into(), address: None, phone: None, hours: Default::default() };
        self.given(self.clinic, ClinicEvent::OfficeAdded { office });
    }

    /// A clinic that registered itself; its administrator acts.
    pub fn registered() -> Self {
        let mut world = Self::empty();
        let register = body::<RegisterClinic>(json!({
            "name": "Asha Clinic", "slug": "asha", "email": "office@asha.example", "registration_number": "MH-1/2",
            "admin": {"username": "admin", "name": "Asha Rao", "email": "admin@asha.example"}
        }));
        world.when::<Clinic>(world.clinic, register).expect("a clinic registers itself");
        world.acts(world.admin(), &[Role::ClinicAdmin]);
        world
    }

    /// The first administrator of a clinic that registered itself.
    pub fn admin(&self) -> UserId {
        let first = self.log.iter().find(|(stream, _)| stream.kind == AggregateKind::Staff);
        UserId(first.expect("a clinic that registered itself").0.id)
    }

    /// The first office of a clinic that registered itself.
    pub fn office(&self) -> OfficeId {
        self.state::<Clinic>(self.clinic).expect("a clinic").offices[0].id
    }

    /// Who gives the next commands.
    pub fn acts(&mut self, user: UserId, roles: &[Role]) {
        let (user, roles) = (Some(user), roles.to_vec());
        self.actor = Actor { user, roles, ..Actor::anonymous() };
    }

    /// An active member of the staff.
    pub fn given_staff(&mut self, n: u128, roles: &[Role]) -> UserId {
        let (pseudonyms, username) = (&self.pseudonyms, format!("user{n}"));
        let invited = StaffEvent::StaffInvited {
            roles: roles.to_vec(),
            patient: None,
            username_hash: crate::staff::username_hash(pseudonyms, &username),
            email_hash: None,
            sealed: StaffIdentity { username, name: "Somebody".into(), email: None }.into(),
        };
        self.given(id::<UserId>(n), invited);
        self.given(id::<UserId>(n), StaffEvent::StaffActivated { patient: None });
        id(n)
    }

    /// A doctor with an active login, who works in the first office.
    pub fn given_doctor(&mut self, n: u128) -> DoctorId {
        self.given_staff(n, &[Role::Doctor]);
        let registered = DoctorEvent::DoctorRegistered {
            licence_hash: self.pseudonyms.of("licence", &n.to_string()),
            licence_expires: None,
            years_of_experience: None,
            offices: vec![self.office()],
            sealed: Sealed::Erased,
        };
        self.given(id::<DoctorId>(n), registered);
        id(n)
    }

    /// What has happened before.
    pub fn given(&mut self, stream: impl Into<StreamId>, event: impl Into<DomainEvent>) {
        self.append(Decision::one(stream, event)).expect("what is given can be appended");
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
        let mut facts = Facts::default();
        for _ in 0..MAX_TRIES {
            self.load::<A>(target, &command, &mut facts);
            let decision = A::decide(facts.get::<A>(target), command.clone(), &facts, &self.context(target))?;
            let events = decision.events.iter().map(|(_, event)| event.clone()).collect();
            let mut after = self.clone();
            match after.append(decision) {
                Ok(()) => {
                    *self = after;
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

    pub fn given_patient(&mut self, n: u128) -> PatientId {
        let register = body::<RegisterPatient>(json!({"first_name": "Asha"}));
        self.patient(id(n), register).expect("a patient is registered");
        id(n)
    }

    pub fn given_merge(&mut self, double: PatientId, survivor: PatientId) {
        self.patient(double, MergePatient { survivor_id: survivor, reason: None }).expect("patients are merged");
    }

    pub fn given_settings(&mut self, settings: serde_json::Value) {
        self.given(self.clinic, ClinicEvent::SettingsChanged { settings: body(settings) });
    }

    pub fn given_hours(&mut self, doctor: DoctorId, hours: serde_json::Value) {
        self.given(doctor, DoctorEvent::WorkingHoursSet { hours: body(hours) });
    }

    /// Runs a command on an appointment.
    pub fn appointment(
        &mut self,
        appointment: AppointmentId,
        command: impl Into<AppointmentCommand>,
    ) -> Result<Vec<DomainEvent>, Refusal> {
        self.when::<Appointment>(appointment, command)
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
        self.streams.iter()
    }

    pub fn counter(&self, name: &str) -> i64 {
        self.counters.get(&CounterKey::new(name)).copied().unwrap_or(0)
    }

    fn facts_after(&self, lost: Lost) -> Facts {
        let claims = match lost {
            Lost::Claim(key) => BTreeMap::from([(key.clone(), self.claims.get(&key).copied())]),
            Lost::Time | Lost::Bound => BTreeMap::new(),
        };
        Facts { contended: true, claims, ..Facts::default() }
    }

    fn context(&self, target: StreamId) -> Context<'_> {
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
            Read::Chart(_) => {}
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

    fn append(&mut self, decision: Decision) -> Result<(), Lost> {
        let (mut changes, mut recorded) = (Vec::new(), Vec::new());
        for (stream, mut event) in decision.events {
            self.number(&mut event);
            let before = self.streams.remove(&stream);
            let effects = State::effects(before.as_ref(), stream, &event);
            changes.extend(effects.claims.into_iter().map(|change| (stream, change)));
            for change in effects.counters {
                *self.counters.entry(change.counter).or_default() += change.delta;
            }
            self.streams.insert(stream, follow(before, &event));
            recorded.push((stream, event));
        }
        let is_free = |change: &ClaimChange| matches!(change, ClaimChange::Free(_) | ClaimChange::FreeTime(_));
        let (freed, taken): (Vec<_>, Vec<_>) = changes.into_iter().partition(|(_, change)| is_free(change));
        for (stream, change) in freed.into_iter().chain(taken) {
            self.change(stream, change)?;
        }
        for bound in decision.bounds {
            let value = self.counters.get(&bound.counter).copied().unwrap_or(0);
            if bound.at_least.is_some_and(|least| value < least) || bound.at_most.is_some_and(|most| value > most) {
                return Err(Lost::Bound);
            }
        }
        self.log.extend(recorded);
        Ok(())
    }

    fn change(&mut self, stream: StreamId, change: ClaimChange) -> Result<(), Lost> {
        match change {
            ClaimChange::Free(key) => {
                assert_eq!(self.claims.remove(&key), Some(stream), "only what is held is freed: {key:?}");
            }
            ClaimChange::FreeTime(doctor) => {
                let held = self.times.len();
                self.times.retain(|held| !(held.holder == stream && held.time.doctor == doctor));
                assert_eq!(self.times.len() + 1, held, "one span of time is freed, and it was held");
            }
            ClaimChange::Take(key) => match self.claims.get(&key) {
                Some(_) => return Err(Lost::Claim(key)),
                None => drop(self.claims.insert(key, stream)),
            },
            ClaimChange::TakeTime(time) => {
                let clash = |held: &HeldTime| {
                    held.time.doctor == time.doctor
                        && held.time.lane == time.lane
                        && held.time.from < time.to
                        && time.from < held.time.to
                };
                if self.times.iter().any(clash) {
                    return Err(Lost::Time);
                }
                self.times.push(HeldTime { holder: stream, time });
            }
        }
        Ok(())
    }

    fn number(&mut self, event: &mut DomainEvent) {
        if let Some(number) = event.number_mut()
            && let Number::Next(series) = number
        {
            let n = self.counters.entry(series.counter(self.now)).or_default();
            *n += 1;
            *number = Number::Given(series.write(*n, self.now));
        }
    }
}

/// The state after an event, which is the same when the event comes out of the log again, and when its
/// sealed part has been erased.
fn follow(before: Option<State>, event: &DomainEvent) -> State {
    let stored = codec::encode(event);
    let read = |sealed| {
        codec::decode(event.kind(), stored.event_type, stored.schema_version, &stored.payload, sealed)
            .expect("what was encoded decodes")
    };
    assert_eq!(&read(stored.sealed.as_deref()), event, "an event comes out of the log as it went in");
    let erased = State::evolve(before.clone(), &read(None));
    let after = State::evolve(before, event);
    assert_eq!(erased, after, "the rules go on after an erasure");
    after.unwrap_or_else(|| panic!("an event that was decided follows: {event:?}"))
}
