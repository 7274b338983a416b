//! From a command's events to the rows that are stored: placed, encoded, sealed, hashed, chained.

use std::{collections::HashMap, sync::Arc};

use aws_lc_rs::rand;
use chrono::{DateTime, Utc};
use events::{
    AggregateKind, DomainEvent, PatientId, Recorded, StreamId,
    codec::{Encoded, encode},
};
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::{
    draft::{Draft, to_microseconds},
    effects::Effects,
    memory::{Head, Touch},
};
use crate::{
    append::{Append, AppendError},
    outbox::NewMail,
    row::{GENESIS, StoredRow, join_roles},
    vault::{ClinicKey, ClinicKeys, GroupKeys, NewClinic, PatientKey, Place, SealingKey, Vault},
};

/// One command's events as rows on top of a draft, which they do not touch yet.
pub(super) struct Written {
    pub(super) rows: Vec<StoredRow>,
    pub(super) recorded: Vec<Recorded>,
    pub(super) streams: HashMap<StreamId, Touch>,
    pub(super) charts: HashMap<PatientId, Touch>,
    pub(super) head: Head,
}

impl Written {
    pub(super) fn new(
        draft: &Draft<'_>,
        append: &Append,
        events: Vec<DomainEvent>,
        keys: &GroupKeys,
        new_keys: &NewKeys,
    ) -> Result<Self, AppendError> {
        let mut written = Self {
            rows: Vec::with_capacity(events.len()),
            recorded: Vec::with_capacity(events.len()),
            streams: HashMap::new(),
            charts: HashMap::new(),
            head: Head { recorded_at: draft.recorded_at, ..draft.head },
        };
        for (new, event) in append.events.iter().zip(events) {
            let mut row = written.place(draft, append, new.stream, &event)?;
            not_erased(draft, &row, keys)?;
            let Encoded { event_type, schema_version, payload, sealed } = encode(&event);
            row.event_type = event_type.into();
            row.schema_version = schema_version;
            row.payload = payload;
            if let Some(content) = sealed {
                let key = sealing_key(draft, append, row.patient, keys, new_keys)?;
                row.sealed = Some(key.seal(Place::of(&row), &content));
            }
            row.chain_to(written.head.hash);
            written.head.hash = row.hash;
            written.recorded.push(recorded(append, new.stream, event, &row));
            written.rows.push(row);
        }
        Ok(written)
    }

    /// The row with its place in the ledger, the stream and the chart, and everything that the command says.
    fn place(
        &mut self,
        draft: &Draft<'_>,
        append: &Append,
        stream: StreamId,
        event: &DomainEvent,
    ) -> Result<StoredRow, AppendError> {
        self.head.position += 1;
        let position = self.head.position;
        let stream_version = match self.streams.get(&stream) {
            Some(touch) => touch.version,
            None => draft.stream_version(append, stream).ok_or_else(not_read)?,
        } + 1;
        let patient = event.patient(stream);
        let mut patient_version = None;
        if let Some(patient) = patient.filter(|_| draft.is_record()) {
            let version = match self.charts.get(&patient) {
                Some(touch) => touch.version,
                None => draft.chart_version(append, patient).ok_or_else(not_read)?,
            } + 1;
            self.charts.insert(patient, Touch { version, position });
            patient_version = Some(version);
        }
        self.streams.insert(stream, Touch { version: stream_version, position });
        let about = &append.about;
        Ok(StoredRow {
            clinic: append.clinic,
            ledger: append.ledger,
            position,
            stream_kind: stream.kind.as_str().into(),
            stream_id: stream.id,
            stream_version,
            event_id: event_id(draft.recorded_at),
            event_type: "".into(),
            schema_version: 0,
            patient,
            patient_version,
            occurred_at: about.occurred_at.map_or(draft.recorded_at, to_microseconds),
            recorded_at: draft.recorded_at,
            actor_kind: <&str>::from(about.actor.kind).into(),
            actor_user: about.actor.user,
            actor_name: about.actor.name.clone(),
            actor_roles: join_roles(&about.actor.roles),
            actor_session: about.actor.session,
            on_behalf_of: about.actor.on_behalf_of,
            purpose: <&str>::from(about.purpose).into(),
            reason: about.reason.clone(),
            command: about.command.clone(),
            correlation_id: about.correlation_id,
            causation_id: about.causation_id,
            client_address: about.client.address.map(|address| address.to_string()),
            client_agent: about.client.agent.clone(),
            payload: Vec::new(),
            payload_hash: GENESIS,
            sealed: None,
            sealed_hash: None,
            previous_hash: GENESIS,
            hash: GENESIS,
        })
    }
}

/// Nothing is added to the chart of somebody who is erased, whether or not it would have to be sealed.
fn not_erased(draft: &Draft<'_>, row: &StoredRow, keys: &GroupKeys) -> Result<(), AppendError> {
    let Some(patient) = row.patient.filter(|_| draft.is_record()) else { return Ok(()) };
    match keys.patient(row.clinic, patient) {
        PatientKey::Fenced(_) | PatientKey::Destroyed => Err(AppendError::KeyDestroyed),
        _ if draft.erased.contains(&patient) => Err(AppendError::KeyDestroyed),
        PatientKey::Good(_) | PatientKey::Absent => Ok(()),
    }
}

/// A UUIDv7. The random part comes from the library that also makes the keys: `Uuid::now_v7` asks the kernel for
/// each.
fn event_id(at: DateTime<Utc>) -> Uuid {
    let mut random = [0; 10];
    rand::fill(&mut random).expect("the system has randomness");
    uuid::Builder::from_unix_timestamp_millis(at.timestamp_millis().unsigned_abs(), &random).into_uuid()
}

/// The event as its author sees it: open.
fn recorded(append: &Append, stream: StreamId, event: DomainEvent, row: &StoredRow) -> Recorded {
    Recorded {
        clinic: row.clinic,
        ledger: row.ledger,
        position: row.position,
        stream,
        version: row.stream_version,
        event_id: row.event_id,
        patient: row.patient,
        patient_version: row.patient_version,
        occurred_at: row.occurred_at,
        recorded_at: row.recorded_at,
        actor: append.about.actor.clone(),
        purpose: append.about.purpose,
        event,
        hash: row.hash,
    }
}

fn not_read() -> AppendError {
    AppendError::Unavailable("a version was not read".into())
}

/// Keys that come into being with a command: of a clinic and of patients that it registers.
#[derive(Default)]
pub(super) struct NewKeys {
    clinic: Option<Arc<NewClinic>>,
    patients: HashMap<PatientId, (Arc<SealingKey>, Vec<u8>)>,
}

impl NewKeys {
    pub(super) fn of(draft: &Draft<'_>, append: &Append, keys: &GroupKeys, vault: &Vault) -> Result<Self, AppendError> {
        let mut new = Self::default();
        let is_new = |stream: StreamId| draft.stream_version(append, stream) == Some(0);
        let clinic_stream = StreamId::from(append.clinic);
        let registers_clinic = append.events.iter().any(|event| event.stream == clinic_stream);
        if registers_clinic && is_new(clinic_stream) && matches!(keys.clinic(append.clinic), ClinicKey::Absent) {
            new.clinic = Some(vault.new_clinic(append.clinic));
        }
        for event in &append.events {
            let patient = PatientId(event.stream.id);
            let known = new.patients.contains_key(&patient)
                || !matches!(keys.patient(append.clinic, patient), PatientKey::Absent);
            if event.stream.kind == AggregateKind::Patient && !known && is_new(event.stream) {
                let clinic = clinic_keys(draft, append, keys, &new)?;
                new.patients.insert(patient, clinic.new_patient(patient));
            }
        }
        Ok(new)
    }

    /// Makes them known to later members, and has them stored.
    pub(super) fn commit(self, draft: &mut Draft<'_>, effects: &mut Effects) {
        let clinic = draft.place.clinic;
        if let Some(new) = self.clinic {
            effects.add_key(clinic, None, &new.wrapped);
            draft.new_clinic = Some(new.keys.clone());
        }
        for (patient, (key, wrapped)) in self.patients {
            effects.add_key(clinic, Some(patient), &wrapped);
            draft.new_patients.insert(patient, key);
        }
    }
}

/// What each mail keeps until it is sent, sealed for whom it concerns.
pub(super) fn sealed_mails(
    draft: &Draft<'_>,
    append: &Append,
    keys: &GroupKeys,
    new_keys: &NewKeys,
) -> Result<Vec<Vec<u8>>, AppendError> {
    let seal = |mail: &NewMail| {
        let key = sealing_key(draft, append, mail.patient, keys, new_keys)?;
        let place = Place::new(append.clinic, mail.patient, mail.id);
        Ok(key.of_mail(place).seal(place, mail.secret.expose_secret().as_bytes()))
    };
    append.mails.iter().map(seal).collect()
}

fn sealing_key(
    draft: &Draft<'_>,
    append: &Append,
    patient: Option<PatientId>,
    keys: &GroupKeys,
    new: &NewKeys,
) -> Result<Arc<SealingKey>, AppendError> {
    let Some(patient) = patient else { return Ok(clinic_keys(draft, append, keys, new)?.sealing()) };
    let just_made = new.patients.get(&patient).map(|(key, _)| key).or_else(|| draft.new_patients.get(&patient));
    if let Some(key) = just_made {
        return Ok(key.clone());
    }
    match keys.patient(append.clinic, patient) {
        PatientKey::Good(key) => Ok(key.clone()),
        PatientKey::Fenced(_) | PatientKey::Destroyed => Err(AppendError::KeyDestroyed),
        PatientKey::Absent => Err(AppendError::Refused("the patient was never registered".into())),
    }
}

fn clinic_keys(
    draft: &Draft<'_>,
    append: &Append,
    keys: &GroupKeys,
    new: &NewKeys,
) -> Result<Arc<ClinicKeys>, AppendError> {
    let just_made = new.clinic.as_ref().map(|new| &new.keys).or(draft.new_clinic.as_ref());
    if let Some(made) = just_made {
        return Ok(made.clone());
    }
    match keys.clinic(append.clinic) {
        ClinicKey::Good(keys) => Ok(keys.clone()),
        ClinicKey::Fenced(_) | ClinicKey::Destroyed => Err(AppendError::KeyDestroyed),
        ClinicKey::Absent => Err(AppendError::Refused("the clinic was never registered".into())),
    }
}
