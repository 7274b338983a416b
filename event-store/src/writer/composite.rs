//! What a group has many of, as PostgreSQL takes composites: the number of fields, then each as the oid of its
//! type, its length and its bytes. Written by hand: a group is a few thousand fields.

use chrono::{DateTime, Utc};
use sqlx::{
    Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo},
};
use uuid::Uuid;

use super::{batch::AnswerRow, draft::Drafted, memory::Head};
use crate::row::StoredRow;

/// `log.head_move`
pub(super) struct HeadMove<'a> {
    pub(super) from: &'a Head,
    pub(super) to: &'a Drafted,
}

/// `log.new_answer`
pub(super) struct NewAnswer<'a>(pub(super) &'a AnswerRow);

/// `log.new_event`
pub(super) struct NewEvent<'a>(pub(super) &'a StoredRow);

impl HeadMove<'_> {
    fn write(&self, fields: &mut Fields<'_>) {
        let Self { from, to } = self;
        fields.uuid(to.place.clinic.0).smallint(to.place.ledger as i16);
        fields.bigint(from.position).bytea(&from.hash).bigint(from.key_epoch);
        fields.bigint(to.head.position).bytea(&to.head.hash).timestamp(to.head.recorded_at);
    }
}

impl NewAnswer<'_> {
    fn write(&self, fields: &mut Fields<'_>) {
        let answer = self.0;
        fields.integer(i32::try_from(answer.member).unwrap_or(i32::MAX)).uuid(answer.clinic.0).uuid(answer.user);
        fields.bytea(&answer.key_hash).bytea(&answer.fingerprint).bytea(&answer.encrypted);
    }
}

impl NewEvent<'_> {
    fn write(&self, fields: &mut Fields<'_>) {
        let row = self.0;
        fields.uuid(row.clinic.0).smallint(row.ledger as i16).bigint(row.position);
        fields.text(&row.stream_kind).uuid(row.stream_id).bigint(row.stream_version);
        fields.uuid(row.event_id).text(&row.event_type).smallint(row.schema_version);
        fields.optional_uuid(row.patient.map(|patient| patient.0)).optional_bigint(row.patient_version);
        fields.timestamp(row.occurred_at).timestamp(row.recorded_at);
        fields.text(&row.actor_kind).optional_uuid(row.actor_user.map(|user| user.0));
        fields.text(&row.actor_name).text(&row.actor_roles).optional_uuid(row.actor_session);
        fields.optional_uuid(row.on_behalf_of.map(|user| user.0)).text(&row.purpose);
        fields.optional_text(row.reason.as_deref()).text(&row.command);
        fields.uuid(row.correlation_id).uuid(row.causation_id);
        fields.optional_text(row.client_address.as_deref()).optional_text(row.client_agent.as_deref());
        fields.bytea(&row.payload).bytea(&row.payload_hash).optional_bytea(row.sealed.as_deref());
        fields.optional_bytea(row.sealed_hash.as_ref().map(<[u8; 32]>::as_slice));
        fields.bytea(&row.previous_hash).bytea(&row.hash);
    }
}

macro_rules! composite {
    ($type:ident, $name:literal) => {
        impl Type<Postgres> for $type<'_> {
            fn type_info() -> PgTypeInfo {
                PgTypeInfo::with_name($name)
            }
        }

        impl PgHasArrayType for $type<'_> {
            fn array_type_info() -> PgTypeInfo {
                PgTypeInfo::array_of($name)
            }
        }

        impl Encode<'_, Postgres> for $type<'_> {
            fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
                Fields::record(buffer, |fields| self.write(fields));
                Ok(IsNull::No)
            }
        }
    };
}

composite!(HeadMove, "log.head_move");
composite!(NewAnswer, "log.new_answer");
composite!(NewEvent, "log.new_event");

/// Oids of PostgreSQL's own types, which are the same everywhere.
mod oid {
    pub(super) const BYTEA: u32 = 17;
    pub(super) const BIGINT: u32 = 20;
    pub(super) const SMALLINT: u32 = 21;
    pub(super) const INTEGER: u32 = 23;
    pub(super) const TEXT: u32 = 25;
    pub(super) const TIMESTAMPTZ: u32 = 1184;
    pub(super) const UUID: u32 = 2950;
}

/// PostgreSQL counts microseconds from 2000-01-01T00:00:00Z.
const EPOCH_MICROSECONDS: i64 = 946_684_800_000_000;
const NULL: i32 = -1;

struct Fields<'a> {
    buffer: &'a mut Vec<u8>,
    count: u32,
}

impl Fields<'_> {
    /// Writes a record: the number of its fields stands before them.
    fn record(buffer: &mut Vec<u8>, write: impl FnOnce(&mut Fields<'_>)) {
        let start = buffer.len();
        buffer.extend_from_slice(&0_u32.to_be_bytes());
        let mut fields = Fields { buffer, count: 0 };
        write(&mut fields);
        let count = fields.count;
        buffer[start..start + size_of::<u32>()].copy_from_slice(&count.to_be_bytes());
    }

    fn field(&mut self, oid: u32, content: Option<&[u8]>) -> &mut Self {
        self.count += 1;
        self.buffer.extend_from_slice(&oid.to_be_bytes());
        let length = content.map_or(NULL, |content| i32::try_from(content.len()).expect("a field is below 2 GiB"));
        self.buffer.extend_from_slice(&length.to_be_bytes());
        self.buffer.extend_from_slice(content.unwrap_or_default());
        self
    }

    fn uuid(&mut self, id: Uuid) -> &mut Self {
        self.field(oid::UUID, Some(id.as_bytes()))
    }

    fn optional_uuid(&mut self, id: Option<Uuid>) -> &mut Self {
        self.field(oid::UUID, id.as_ref().map(|id| id.as_bytes().as_slice()))
    }

    fn smallint(&mut self, value: i16) -> &mut Self {
        self.field(oid::SMALLINT, Some(&value.to_be_bytes()))
    }

    fn integer(&mut self, value: i32) -> &mut Self {
        self.field(oid::INTEGER, Some(&value.to_be_bytes()))
    }

    fn bigint(&mut self, value: i64) -> &mut Self {
        self.field(oid::BIGINT, Some(&value.to_be_bytes()))
    }

    fn optional_bigint(&mut self, value: Option<i64>) -> &mut Self {
        self.field(oid::BIGINT, value.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice))
    }

    fn timestamp(&mut self, at: DateTime<Utc>) -> &mut Self {
        let microseconds = at.timestamp_micros() - EPOCH_MICROSECONDS;
        self.field(oid::TIMESTAMPTZ, Some(&microseconds.to_be_bytes()))
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.field(oid::TEXT, Some(text.as_bytes()))
    }

    fn optional_text(&mut self, text: Option<&str>) -> &mut Self {
        self.field(oid::TEXT, text.map(str::as_bytes))
    }

    fn bytea(&mut self, content: &[u8]) -> &mut Self {
        self.field(oid::BYTEA, Some(content))
    }

    fn optional_bytea(&mut self, content: Option<&[u8]>) -> &mut Self {
        self.field(oid::BYTEA, content)
    }
}
