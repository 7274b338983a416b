//! A row as one NATS message: its canonical encoding (which begins with the version of the format),
//! followed by `payload`, `sealed`, `previous_hash` and `hash` as further fields. The sealed part stays
//! sealed on the wire.

use crate::{
    fields::{FieldError, FieldReader, FieldWriter},
    row::{ROW_TAG, StoredRow, ledger_of},
};

/// Lengths and hashes of a message, beside its two parts.
const FRAME_BYTES: usize = 640;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    #[error("the message is of a format that this program does not know")]
    OtherFormat,
    #[error("the message names a ledger that does not exist")]
    NoSuchLedger,
    #[error(transparent)]
    Field(#[from] FieldError),
}

/// The message of a row.
pub fn to_bytes(row: &StoredRow) -> Vec<u8> {
    let parts = row.payload.len() + row.sealed.as_ref().map_or(0, Vec::len);
    let mut fields = FieldWriter::with_capacity(FRAME_BYTES + parts);
    row.write_audit_columns(&mut fields);
    fields.bytes(&row.payload).optional(row.sealed.as_ref()).bytes(row.previous_hash).bytes(row.hash);
    fields.into_bytes()
}

/// The row of a message, as it was sent: whether it [is intact](StoredRow::is_intact) is another question.
pub fn from_bytes(message: &[u8]) -> Result<StoredRow, WireError> {
    let mut fields = FieldReader::new(message);
    if fields.bytes()? != ROW_TAG.as_bytes() {
        return Err(WireError::OtherFormat);
    }
    let fields = &mut fields;
    // Struct fields are evaluated in the order in which they stand here, which is that of the encoding.
    let row = StoredRow {
        clinic: fields.uuid()?.into(),
        ledger: ledger_of(fields.small()?).ok_or(WireError::NoSuchLedger)?,
        position: fields.integer()?,
        stream_kind: fields.text()?.into(),
        stream_id: fields.uuid()?,
        stream_version: fields.integer()?,
        event_id: fields.uuid()?,
        event_type: fields.text()?.into(),
        schema_version: fields.small()?,
        patient: fields.optional_uuid()?.map(Into::into),
        patient_version: fields.optional_integer()?,
        occurred_at: fields.instant()?,
        recorded_at: fields.instant()?,
        actor_kind: fields.text()?.into(),
        actor_user: fields.optional_uuid()?.map(Into::into),
        actor_name: fields.text()?,
        actor_roles: fields.text()?,
        actor_session: fields.optional_uuid()?,
        on_behalf_of: fields.optional_uuid()?.map(Into::into),
        purpose: fields.text()?.into(),
        reason: fields.optional_text()?,
        command: fields.text()?.into(),
        correlation_id: fields.uuid()?,
        causation_id: fields.uuid()?,
        client_address: fields.optional_text()?,
        client_agent: fields.optional_text()?,
        payload_hash: fields.array()?,
        sealed_hash: fields.optional_array()?,
        payload: fields.bytes()?.to_vec(),
        sealed: fields.optional()?.map(<[u8]>::to_vec),
        previous_hash: fields.array()?,
        hash: fields.array()?,
    };
    FieldReader::end(std::mem::replace(fields, FieldReader::new(&[])))?;
    Ok(row)
}

#[cfg(test)]
mod tests {
    use events::{ClinicId, Ledger};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::row::{GENESIS, sha256};

    prop_compose! {
        fn ids()(ids in prop::array::uniform8(any::<u128>())) -> [Uuid; 8] {
            ids.map(Uuid::from_u128)
        }
    }

    prop_compose! {
        fn texts()(required in prop::array::uniform8(".{0,12}"), optional in prop::array::uniform3(prop::option::of(".{0,12}")))
            -> ([String; 8], [Option<String>; 3]) {
            (required, optional)
        }
    }

    prop_compose! {
        fn row()(
            ids in ids(),
            (required, optional) in texts(),
            access in any::<bool>(),
            nulls in prop::array::uniform4(any::<bool>()),
            (position, version, schema_version, chart) in (any::<i64>(), any::<i64>(), any::<i16>(), prop::option::of(any::<i64>())),
            // The years 1 to 9999.
            instants in prop::array::uniform2(-62_135_596_800_000_000_i64..253_402_300_800_000_000),
            payload in prop::collection::vec(any::<u8>(), 0..64),
            sealed in prop::option::of(prop::collection::vec(any::<u8>(), 0..64)),
        ) -> StoredRow {
            let [stream_kind, event_type, actor_kind, actor_name, actor_roles, purpose, command, _] = required;
            let [reason, client_address, client_agent] = optional;
            let [occurred_at, recorded_at] = instants.map(|at| chrono::DateTime::from_timestamp_micros(at).unwrap());
            let unless = |null: bool, id: Uuid| (!null).then_some(id);
            let mut row = StoredRow {
                clinic: ClinicId(ids[0]),
                ledger: if access { Ledger::Access } else { Ledger::Record },
                position,
                stream_kind: stream_kind.into(),
                stream_id: ids[1],
                stream_version: version,
                event_id: ids[2],
                event_type: event_type.into(),
                schema_version,
                patient: unless(nulls[0], ids[3]).map(Into::into),
                patient_version: chart,
                occurred_at,
                recorded_at,
                actor_kind: actor_kind.into(),
                actor_user: unless(nulls[1], ids[4]).map(Into::into),
                actor_name,
                actor_roles,
                actor_session: unless(nulls[2], ids[5]),
                on_behalf_of: unless(nulls[3], ids[6]).map(Into::into),
                purpose: purpose.into(),
                reason,
                command: command.into(),
                correlation_id: ids[7],
                causation_id: ids[0],
                client_address,
                client_agent,
                payload,
                payload_hash: GENESIS,
                sealed,
                sealed_hash: None,
                previous_hash: GENESIS,
                hash: GENESIS,
            };
            row.chain_to(sha256(ids[1].as_bytes()));
            row
        }
    }

    proptest! {
        #[test]
        fn a_row_comes_back_from_its_message(row in row()) {
            let message = to_bytes(&row);
            prop_assert!(row.is_intact());
            prop_assert_eq!(from_bytes(&message), Ok(row));
        }

        #[test]
        fn a_message_that_was_cut_or_lengthened_is_refused(row in row(), cut in any::<prop::sample::Index>()) {
            let mut message = to_bytes(&row);
            prop_assert!(from_bytes(&message[..cut.index(message.len())]).is_err());
            message.push(0);
            prop_assert_eq!(from_bytes(&message), Err(FieldError::TooLong.into()));
        }

        #[test]
        fn a_flipped_bit_is_never_taken_for_the_row(row in row(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let mut message = to_bytes(&row);
            let at = at.index(message.len());
            message[at] ^= 1 << bit;
            prop_assert!(from_bytes(&message).map_or(true, |read| !read.is_intact()));
        }
    }
}
