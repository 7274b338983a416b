//! The access ledger: who saw what, who was refused, who logged in.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use events::{AccessEvent, Actor, AggregateKind, Client, ClinicId, Ledger, PatientId, Position, Purpose, StreamId};
use proof::patients;
use uuid::Uuid;

use crate::{
    append::{Append, AppendError, Appended, Circumstances, Expectation, Idempotency, NewEvent},
    store::Store,
};

/// One record of a clinic's access ledger.
#[derive(Clone, Debug)]
pub struct AccessRecord {
    pub actor: Actor,
    pub client: Client,
    pub purpose: Purpose,
    /// The trace id of the request.
    pub correlation_id: Uuid,
    /// What was asked for: method and route, `GET /clinic/{slug}/api/v1/patients/{id}`. Never a path with its
    /// parameters.
    pub operation: Cow<'static, str>,
    pub event: AccessEvent,
    /// Who was shown beside the patient whom the event names: those of a list, the other ids of one person. In any
    /// order, and more than once.
    pub shown: Vec<PatientId>,
}

impl Store {
    /// Writes a record and answers once it is durable: then, and not before, the data that it speaks of may be
    /// shown. Returns its position in the access ledger. Whether a patient's key is alive does not matter, unless
    /// the record has a sealed part.
    pub async fn record_access(&self, clinic: ClinicId, record: AccessRecord) -> Result<Position, AppendError> {
        Ok(self.append(record.into_append(clinic)).await?.position)
    }

    /// Writes a record that somebody gives, as a command is given: with when it happened, and remembered under its key.
    pub async fn record_once(
        &self,
        clinic: ClinicId,
        record: AccessRecord,
        occurred_at: DateTime<Utc>,
        idempotency: Option<Idempotency>,
    ) -> Result<Appended, AppendError> {
        let mut append = record.into_append(clinic);
        append.about.occurred_at = Some(occurred_at);
        append.idempotency = idempotency;
        self.append(append).await
    }
}

impl AccessRecord {
    fn into_append(mut self, clinic: ClinicId) -> Append {
        if !self.shown.is_empty() {
            self.event.name_shown(hex::encode(patients::digest(self.shown.iter().copied())));
        }
        let stream = StreamId { kind: AggregateKind::Access, id: Uuid::now_v7() };
        Append {
            clinic,
            ledger: Ledger::Access,
            about: Circumstances {
                actor: self.actor,
                purpose: self.purpose,
                reason: None,
                command: self.operation,
                correlation_id: self.correlation_id,
                causation_id: stream.id,
                client: self.client,
                occurred_at: None,
            },
            events: vec![NewEvent { stream, event: self.event.into() }],
            expectations: vec![Expectation::new_stream(stream)],
            claims: Vec::new(),
            counters: Vec::new(),
            bounds: Vec::new(),
            idempotency: None,
            credentials: Vec::new(),
            mails: Vec::new(),
            shown: self.shown,
        }
    }
}
