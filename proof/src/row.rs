//! One event row exactly as it is stored, and its hash.
//!
//! # The hash, for ever
//!
//! `row_hash = SHA-256(encoding)`, where the encoding is the [length-prefixed](crate::fields) sequence of
//! [`ROW_TAG`] and then all audit columns in the order of [`StoredRow`]'s fields, up to `client_agent`,
//! followed by `payload_hash` and `sealed_hash` (SHA-256 of `payload`, and of `sealed` as it is stored,
//! encrypted). So a row can be checked by somebody to whom neither part is shown.
//!
//! `hash = SHA-256(CHAIN_TAG ‖ previous_hash ‖ row_hash)`, each as a field of the same encoding. The first
//! row of a ledger follows [`GENESIS`]. The chain can be walked over row hashes alone, so a row may be
//! withheld and the chain still be checked.

use std::borrow::Cow;

use aws_lc_rs::digest;
use chrono::{DateTime, Utc};
use events::{Actor, ClinicId, Ledger, PatientId, Position, Recorded, Role, StreamId, UserId, codec};
use uuid::Uuid;

use crate::fields::FieldWriter;

/// A SHA-256.
pub type Hash = [u8; 32];

/// What the first row of a ledger follows.
pub const GENESIS: Hash = [0; 32];
/// The first field of a row's encoding: what it is, and the version of the format.
pub const ROW_TAG: &str = "casebook/row/1";
/// The first field of what is hashed into the chain.
pub const CHAIN_TAG: &str = "casebook/chain/1";

const TYPICAL_ENCODING_BYTES: usize = 512;

/// All columns of `log.event`. `payload` is clear, `sealed` as it is stored: encrypted.
///
/// Kinds and codes are text here, not enums: a row of a ledger that this version of the program does not
/// know is still stored, passed on and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRow {
    pub clinic: ClinicId,
    pub ledger: Ledger,
    pub position: Position,
    pub stream_kind: Cow<'static, str>,
    pub stream_id: Uuid,
    pub stream_version: i64,
    /// UUIDv7.
    pub event_id: Uuid,
    pub event_type: Cow<'static, str>,
    pub schema_version: i16,
    pub patient: Option<PatientId>,
    /// Null also for an event of the access ledger about a patient: it does not move the chart.
    pub patient_version: Option<i64>,
    pub occurred_at: DateTime<Utc>,
    /// Whole microseconds.
    pub recorded_at: DateTime<Utc>,
    pub actor_kind: Cow<'static, str>,
    pub actor_user: Option<UserId>,
    /// Empty where there is no user.
    pub actor_name: String,
    /// Joined by commas; empty where there are none.
    pub actor_roles: String,
    pub actor_session: Option<Uuid>,
    pub on_behalf_of: Option<UserId>,
    pub purpose: Cow<'static, str>,
    /// A code.
    pub reason: Option<String>,
    pub command: Cow<'static, str>,
    pub correlation_id: Uuid,
    pub causation_id: Uuid,
    /// As text: `192.0.2.7`, `2001:db8::7`.
    pub client_address: Option<String>,
    pub client_agent: Option<String>,
    pub payload: Vec<u8>,
    pub payload_hash: Hash,
    pub sealed: Option<Vec<u8>>,
    pub sealed_hash: Option<Hash>,
    pub previous_hash: Hash,
    pub hash: Hash,
}

/// Why a stored row cannot be read as an event.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    #[error("position {position} has an unknown {column}")]
    Unknown { position: Position, column: &'static str },
    #[error("position {position}: {source}")]
    Event { position: Position, source: codec::DecodeError },
}

impl StoredRow {
    /// The canonical encoding of all audit columns: what [`row_hash`](Self::row_hash) hashes.
    pub fn encoding(&self) -> Vec<u8> {
        let mut fields = FieldWriter::with_capacity(TYPICAL_ENCODING_BYTES);
        self.write_audit_columns(&mut fields);
        fields.into_bytes()
    }

    /// Writes them one after another.
    pub fn write_audit_columns(&self, fields: &mut FieldWriter) {
        fields.bytes(ROW_TAG);
        self.write_place(fields);
        self.write_actor(fields);
        self.write_circumstances(fields);
        fields.bytes(self.payload_hash).optional(self.sealed_hash);
    }

    fn write_place(&self, fields: &mut FieldWriter) {
        fields.uuid(self.clinic.0).integer(self.ledger as i64).integer(self.position);
        fields.bytes(&*self.stream_kind).uuid(self.stream_id).integer(self.stream_version);
        fields.uuid(self.event_id).bytes(&*self.event_type).integer(self.schema_version.into());
        fields.optional(self.patient.map(|patient| patient.0.into_bytes()));
        fields.optional(self.patient_version.map(i64::to_be_bytes));
        fields.instant(self.occurred_at).instant(self.recorded_at);
    }

    fn write_actor(&self, fields: &mut FieldWriter) {
        fields.bytes(&*self.actor_kind).optional(self.actor_user.map(|user| user.0.into_bytes()));
        fields.bytes(&self.actor_name).bytes(&self.actor_roles);
        fields.optional(self.actor_session.map(Uuid::into_bytes));
        fields.optional(self.on_behalf_of.map(|user| user.0.into_bytes()));
    }

    fn write_circumstances(&self, fields: &mut FieldWriter) {
        fields.bytes(&*self.purpose).optional(self.reason.as_ref()).bytes(&*self.command);
        fields.uuid(self.correlation_id).uuid(self.causation_id);
        fields.optional(self.client_address.as_ref()).optional(self.client_agent.as_ref());
    }

    pub fn row_hash(&self) -> Hash {
        sha256(&self.encoding())
    }

    /// Whether the row says what it said when it was hashed. What came before it is the chain's matter.
    pub fn is_intact(&self) -> bool {
        self.payload_hash == sha256(&self.payload)
            && self.sealed_hash == self.sealed.as_deref().map(sha256)
            && self.hash == chain_hash(&self.previous_hash, &self.row_hash())
    }

    /// Puts the row behind `previous` and fills all four hashes in.
    pub fn chain_to(&mut self, previous: Hash) {
        self.payload_hash = sha256(&self.payload);
        self.sealed_hash = self.sealed.as_deref().map(sha256);
        self.previous_hash = previous;
        self.hash = chain_hash(&previous, &self.row_hash());
    }

    /// The stream that the event belongs to; an error in a ledger whose streams are no aggregates.
    pub fn stream(&self) -> Result<StreamId, RowError> {
        let kind = self.stream_kind.parse().map_err(|_| self.unknown("stream_kind"))?;
        Ok(StreamId { kind, id: self.stream_id })
    }

    /// The event, decoded. `opened` is the opened sealed part: `None` where there is none, where it was
    /// erased, and where the reader has no key.
    pub fn recorded(&self, opened: Option<&[u8]>) -> Result<Recorded, RowError> {
        let stream = self.stream()?;
        let event = codec::decode(stream.kind, &self.event_type, self.schema_version, &self.payload, opened)
            .map_err(|source| RowError::Event { position: self.position, source })?;
        Ok(Recorded {
            clinic: self.clinic,
            ledger: self.ledger,
            position: self.position,
            stream,
            version: self.stream_version,
            event_id: self.event_id,
            patient: self.patient,
            patient_version: self.patient_version,
            occurred_at: self.occurred_at,
            recorded_at: self.recorded_at,
            actor: self.actor()?,
            purpose: self.purpose.parse().map_err(|_| self.unknown("purpose"))?,
            event,
            hash: self.hash,
        })
    }

    /// Who gave the command.
    pub fn actor(&self) -> Result<Actor, RowError> {
        Ok(Actor {
            kind: self.actor_kind.parse().map_err(|_| self.unknown("actor_kind"))?,
            user: self.actor_user,
            name: self.actor_name.clone(),
            roles: parse_roles(&self.actor_roles).ok_or_else(|| self.unknown("actor_roles"))?,
            session: self.actor_session,
            on_behalf_of: self.on_behalf_of,
        })
    }

    fn unknown(&self, column: &'static str) -> RowError {
        RowError::Unknown { position: self.position, column }
    }
}

/// SHA-256 over the chain so far and the next row.
pub fn chain_hash(previous: &Hash, row_hash: &Hash) -> Hash {
    let mut fields = FieldWriter::with_capacity(CHAIN_TAG.len() + 2 * size_of::<Hash>() + 12);
    fields.bytes(CHAIN_TAG).bytes(previous).bytes(row_hash);
    sha256(&fields.into_bytes())
}

pub fn sha256(content: &[u8]) -> Hash {
    let digest = digest::digest(&digest::SHA256, content);
    digest.as_ref().try_into().expect("a SHA-256 has 32 bytes")
}

/// The ledger of a stored number.
pub fn ledger_of(number: i16) -> Option<Ledger> {
    [Ledger::Record, Ledger::Access].into_iter().find(|ledger| *ledger as i16 == number)
}

/// How `actor_roles` is written.
pub fn join_roles(roles: &[Role]) -> String {
    roles.iter().map(Role::to_string).collect::<Vec<_>>().join(",")
}

fn parse_roles(joined: &str) -> Option<Vec<Role>> {
    joined.split(',').filter(|role| !role.is_empty()).map(|role| role.parse().ok()).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn row() -> StoredRow {
        let id = |n| Uuid::from_u128(n);
        let mut row = StoredRow {
            clinic: ClinicId(id(1)),
            ledger: Ledger::Record,
            position: 1,
            stream_kind: "patient".into(),
            stream_id: id(2),
            stream_version: 1,
            event_id: id(3),
            event_type: "NoKnownAllergiesAsserted".into(),
            schema_version: 1,
            patient: Some(PatientId(id(2))),
            patient_version: Some(1),
            occurred_at: DateTime::from_timestamp_micros(1_767_225_600_000_001).unwrap(),
            recorded_at: DateTime::from_timestamp_micros(1_767_225_600_000_002).unwrap(),
            actor_kind: "person".into(),
            actor_user: Some(UserId(id(4))),
            actor_name: "asha".into(),
            actor_roles: join_roles(&[Role::Doctor, Role::ClinicAdmin]),
            actor_session: None,
            on_behalf_of: None,
            purpose: "TREAT".into(),
            reason: None,
            command: "AssertNoKnownAllergies".into(),
            correlation_id: id(5),
            causation_id: id(6),
            client_address: Some("192.0.2.7".into()),
            client_agent: None,
            payload: b"{}".to_vec(),
            payload_hash: GENESIS,
            sealed: None,
            sealed_hash: None,
            previous_hash: GENESIS,
            hash: GENESIS,
        };
        row.chain_to(GENESIS);
        row
    }

    #[test]
    fn the_format_of_the_hash_never_changes() {
        assert_eq!(hex::encode(row().row_hash()), "8f9bd236fbd6c9575c6b6da6ea68979e64c4bfdf38e663099d5c919a88f05dfb");
        assert_eq!(hex::encode(row().hash), "189567f7d13426a6f66fbe98e32562b99fe0e0cb5b2c575e48f85e4f99089651");
    }

    #[test]
    fn a_row_without_a_text_differs_from_one_with_an_empty_text() {
        let with_empty = StoredRow { reason: Some(String::new()), ..row() };
        assert_ne!(with_empty.row_hash(), row().row_hash());
    }

    #[test]
    fn a_row_reads_as_its_event() {
        let recorded = row().recorded(None).unwrap();
        assert_eq!(recorded.event, events::PatientEvent::NoKnownAllergiesAsserted {}.into());
        assert_eq!(recorded.actor.roles, [Role::Doctor, Role::ClinicAdmin]);
    }

    #[test]
    fn a_row_of_a_kind_from_the_future_is_an_error_that_names_its_position() {
        let future = StoredRow { stream_kind: "robot".into(), ..row() };
        assert_eq!(future.recorded(None).unwrap_err().to_string(), "position 1 has an unknown stream_kind");
    }
}
