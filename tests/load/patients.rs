//! Clinics and patients to write about, and what is written.

use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, TimeDelta};
use event_store::{Append, Circumstances, Expectation, Idempotency, NewEvent, Store};
use events::{
    Actor, ActorKind, Client, ClinicEvent, ClinicId, DomainEvent, Ledger, Number, PatientEvent, PatientId, Position,
    ProblemId, Purpose, Role, Sealed, Series, StreamId, UserId,
    claim::{ClaimChange, ClaimKey, Fact},
    clinic::ClinicProfile,
    patient::{Demographics, Problem},
    values::Gender,
};
use futures::{StreamExt, TryStreamExt, stream};
use uuid::Uuid;

/// Of the event that is appended, as it is stored.
pub const PAYLOAD_BYTES: usize = 50;
pub const SEALED_BYTES: usize = 600;
/// The commitment and the tag, and the JSON around the text.
const SEALED_OVERHEAD_BYTES: usize = 48 + 37;
const ANSWER_BYTES: usize = 200;

const AT_ONCE: usize = 256;

/// A patient, as somebody who writes about them knows the chart.
#[derive(Clone, Copy)]
pub struct Chart {
    pub clinic: ClinicId,
    patient: PatientId,
    version: i64,
    pub read_at: Position,
}

pub async fn register_clinics(store: &Store, count: usize) -> Result<Vec<ClinicId>> {
    let clinics: Vec<_> = (0..count).map(|_| ClinicId(Uuid::now_v7())).collect();
    let registrations = clinics.iter().map(|clinic| store.append(clinic_registered(*clinic)));
    stream::iter(registrations).buffer_unordered(AT_ONCE).try_for_each(|_| async { Ok(()) }).await?;
    Ok(clinics)
}

/// One patient in each of these clinics, in any order.
pub async fn register_patients(store: &Store, clinics: impl Iterator<Item = ClinicId>) -> Result<Vec<Chart>> {
    let registrations = clinics.map(|clinic| register_patient(store, clinic));
    stream::iter(registrations).buffer_unordered(AT_ONCE).try_collect().await
}

async fn register_patient(store: &Store, clinic: ClinicId) -> Result<Chart> {
    let patient = PatientId(Uuid::now_v7());
    let event = PatientEvent::PatientRegistered {
        number: Number::Next(Series::Patient { zone: chrono_tz::Asia::Kolkata }),
        gender: Gender::Unknown,
        birth_year: None,
        sealed: Sealed::Open(Demographics { first_name: "Asha".into(), ..Demographics::default() }),
    };
    let appended = store.append(of_one(clinic, patient.into(), event.into())).await?;
    Ok(Chart { clinic, patient, version: 1, read_at: appended.position })
}

impl Chart {
    /// One more event, decided on the chart as it is known.
    pub async fn add_problem(&mut self, store: &Store) -> Result<()> {
        let text = "t".repeat(SEALED_BYTES - SEALED_OVERHEAD_BYTES);
        let problem = Problem { text, code: None, onset: None };
        let event = PatientEvent::ProblemAdded { problem: ProblemId(Uuid::now_v7()), sealed: Sealed::Open(problem) };
        let mut append = of_one(self.clinic, self.patient.into(), event.into());
        for fact in [Fact::Stream(self.patient.into()), Fact::Chart(self.patient)] {
            append.expectations.push(Expectation { fact, version: Some(self.version), read_at: self.read_at });
        }
        append.idempotency = Some(idempotency(&append));
        let appended = store.append(append).await?;
        (self.version, self.read_at) = (self.version + 1, appended.position);
        Ok(())
    }
}

fn idempotency(append: &Append) -> Idempotency {
    Idempotency {
        clinic: append.clinic,
        user: append.about.actor.user,
        key_hash: rand::random(),
        fingerprint: rand::random(),
        answer_key: rand::random(),
        answer: Arc::new(|events| {
            let mut answer = events[0].event_id.to_string().into_bytes();
            answer.resize(ANSWER_BYTES, b' ');
            answer
        }),
    }
}

fn clinic_registered(clinic: ClinicId) -> Append {
    let slug = clinic.to_string();
    let profile = ClinicProfile {
        name: slug.clone(),
        email: "office@example.org".into(),
        phone: None,
        website: None,
        address: None,
        registration_number: None,
        tax_id: None,
        logo: None,
        time_zone: chrono_tz::Asia::Kolkata,
    };
    let claim = ClaimChange::Take(ClaimKey::platform("slug", &slug));
    let trial_ends_at = DateTime::UNIX_EPOCH + TimeDelta::days(40_000);
    let event = ClinicEvent::ClinicRegistered { slug, profile, trial_ends_at };
    Append { claims: vec![(clinic.into(), claim)], ..of_one(clinic, clinic.into(), event.into()) }
}

fn of_one(clinic: ClinicId, stream: StreamId, event: DomainEvent) -> Append {
    append(clinic, vec![NewEvent { stream, event }])
}

/// Events that rest on nothing.
pub fn append(clinic: ClinicId, events: Vec<NewEvent>) -> Append {
    Append {
        clinic,
        ledger: Ledger::Record,
        about: circumstances(),
        events,
        expectations: Vec::new(),
        claims: Vec::new(),
        counters: Vec::new(),
        bounds: Vec::new(),
        idempotency: None,
        credentials: Vec::new(),
        mails: Vec::new(),
        shown: Vec::new(),
    }
}

fn circumstances() -> Circumstances {
    Circumstances {
        actor: Actor {
            kind: ActorKind::Person,
            user: Some(UserId(Uuid::from_u128(4))),
            name: "asha.verma".into(),
            roles: vec![Role::Doctor],
            session: Some(Uuid::from_u128(5)),
            on_behalf_of: None,
        },
        purpose: Purpose::Treat,
        reason: None,
        command: "AddProblem".into(),
        correlation_id: Uuid::now_v7(),
        causation_id: Uuid::now_v7(),
        client: Client { address: Some([192, 0, 2, 7].into()), agent: Some("casebook-bench/1".into()) },
        occurred_at: None,
    }
}
