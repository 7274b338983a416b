//! A line of `record.ndjson` or `access.ndjson`: a row of a ledger, or what stands for one that is withheld.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::written::{Hex32, base64_option, id, id_option, instant};
use crate::{
    row::{GENESIS, StoredRow, chain_hash, ledger_of, sha256},
    seal::EventKey,
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RowLine {
    Shown(Box<ShownRow>),
    Withheld(WithheldRow),
}

/// What keeps the chain whole where a row is not for the reader's eyes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithheldRow {
    pub position: i64,
    /// Always true.
    pub withheld: bool,
    pub row_hash: Hex32,
    pub previous_hash: Hex32,
    pub hash: Hex32,
}

/// Why a sealed part comes with its event's key, or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// The row has no sealed part.
    None,
    Given,
    /// The reader may not see it.
    Withheld,
    /// It was erased.
    Destroyed,
    /// There ought to be a key, and what is stored in its place is not it.
    Lost,
}

/// All columns of a row, by their names in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownRow {
    pub position: i64,
    #[serde(with = "id")]
    pub clinic: Uuid,
    pub ledger: i16,
    pub stream_kind: String,
    #[serde(with = "id")]
    pub stream_id: Uuid,
    pub stream_version: i64,
    #[serde(with = "id")]
    pub event_id: Uuid,
    pub event_type: String,
    pub schema_version: i16,
    #[serde(with = "id_option")]
    pub patient: Option<Uuid>,
    pub patient_version: Option<i64>,
    #[serde(with = "instant")]
    pub occurred_at: DateTime<Utc>,
    #[serde(with = "instant")]
    pub recorded_at: DateTime<Utc>,
    pub actor_kind: String,
    #[serde(with = "id_option")]
    pub actor_user: Option<Uuid>,
    pub actor_name: String,
    pub actor_roles: String,
    #[serde(with = "id_option")]
    pub actor_session: Option<Uuid>,
    #[serde(with = "id_option")]
    pub on_behalf_of: Option<Uuid>,
    pub purpose: String,
    pub reason: Option<String>,
    pub command: String,
    #[serde(with = "id")]
    pub correlation_id: Uuid,
    #[serde(with = "id")]
    pub causation_id: Uuid,
    pub client_address: Option<String>,
    pub client_agent: Option<String>,
    /// The exact text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// Instead of `payload`, where somebody made it bytes that are no text.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "base64_option")]
    pub payload_base64: Option<Vec<u8>>,
    pub payload_hash: Hex32,
    /// As it is stored: encrypted.
    #[serde(with = "base64_option")]
    pub sealed: Option<Vec<u8>>,
    pub sealed_hash: Option<Hex32>,
    pub key: KeyState,
    /// 64 bytes; see [`crate::seal`].
    #[serde(default, skip_serializing_if = "Option::is_none", with = "base64_option")]
    pub event_key: Option<Vec<u8>>,
    pub previous_hash: Hex32,
    pub hash: Hex32,
}

/// Why a line is no row.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    #[error("a row is in ledger 1 or 2")]
    Ledger,
    #[error("a row has one payload")]
    Payload,
    #[error("an event's key has 64 bytes, and is there exactly where the line says that it is given")]
    Key,
}

impl WithheldRow {
    /// Of a row whose parts are not those that were hashed, no hash is given that would fit the chain: being withheld
    /// hides nothing.
    pub fn of(row: &StoredRow) -> Self {
        let parts_agree =
            row.payload_hash == sha256(&row.payload) && row.sealed_hash == row.sealed.as_deref().map(sha256);
        let row_hash = Hex32(if parts_agree { row.row_hash() } else { GENESIS });
        let (previous_hash, hash) = (Hex32(row.previous_hash), Hex32(row.hash));
        Self { position: row.position, withheld: true, row_hash, previous_hash, hash }
    }

    /// Whether the hash is that of what came before and of the row that is not shown.
    pub fn is_intact(&self) -> bool {
        self.withheld && self.hash.0 == chain_hash(&self.previous_hash.0, &self.row_hash.0)
    }
}

impl ShownRow {
    /// Without a key; see [`ShownRow::with_key`].
    pub fn of(row: StoredRow) -> Self {
        let (payload, payload_base64) = match String::from_utf8(row.payload) {
            Ok(text) => (Some(text), None),
            Err(error) => (None, Some(error.into_bytes())),
        };
        Self {
            position: row.position,
            clinic: row.clinic.0,
            ledger: row.ledger as i16,
            stream_kind: row.stream_kind.into_owned(),
            stream_id: row.stream_id,
            stream_version: row.stream_version,
            event_id: row.event_id,
            event_type: row.event_type.into_owned(),
            schema_version: row.schema_version,
            patient: row.patient.map(|patient| patient.0),
            patient_version: row.patient_version,
            occurred_at: row.occurred_at,
            recorded_at: row.recorded_at,
            actor_kind: row.actor_kind.into_owned(),
            actor_user: row.actor_user.map(|user| user.0),
            actor_name: row.actor_name,
            actor_roles: row.actor_roles,
            actor_session: row.actor_session,
            on_behalf_of: row.on_behalf_of.map(|user| user.0),
            purpose: row.purpose.into_owned(),
            reason: row.reason,
            command: row.command.into_owned(),
            correlation_id: row.correlation_id,
            causation_id: row.causation_id,
            client_address: row.client_address,
            client_agent: row.client_agent,
            payload,
            payload_base64,
            payload_hash: Hex32(row.payload_hash),
            key: if row.sealed.is_some() { KeyState::Withheld } else { KeyState::None },
            sealed: row.sealed,
            sealed_hash: row.sealed_hash.map(Hex32),
            event_key: None,
            previous_hash: Hex32(row.previous_hash),
            hash: Hex32(row.hash),
        }
    }

    #[must_use]
    pub fn with_key(self, key: &EventKey) -> Self {
        Self { key: KeyState::Given, event_key: Some(key.expose().to_vec()), ..self }
    }

    #[must_use]
    pub fn without_key(self, key: KeyState) -> Self {
        Self { key, event_key: None, ..self }
    }

    /// The row as the log stores it, and the key of its event.
    pub fn into_stored(self) -> Result<(StoredRow, Option<EventKey>), LineError> {
        let payload = match (self.payload, self.payload_base64) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(bytes)) => bytes,
            _ => return Err(LineError::Payload),
        };
        let key = event_key(self.key, self.event_key, self.sealed.is_some())?;
        let row = StoredRow {
            clinic: self.clinic.into(),
            ledger: ledger_of(self.ledger).ok_or(LineError::Ledger)?,
            position: self.position,
            stream_kind: self.stream_kind.into(),
            stream_id: self.stream_id,
            stream_version: self.stream_version,
            event_id: self.event_id,
            event_type: self.event_type.into(),
            schema_version: self.schema_version,
            patient: self.patient.map(Into::into),
            patient_version: self.patient_version,
            occurred_at: self.occurred_at,
            recorded_at: self.recorded_at,
            actor_kind: self.actor_kind.into(),
            actor_user: self.actor_user.map(Into::into),
            actor_name: self.actor_name,
            actor_roles: self.actor_roles,
            actor_session: self.actor_session,
            on_behalf_of: self.on_behalf_of.map(Into::into),
            purpose: self.purpose.into(),
            reason: self.reason,
            command: self.command.into(),
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            client_address: self.client_address,
            client_agent: self.client_agent,
            payload,
            payload_hash: self.payload_hash.0,
            sealed: self.sealed,
            sealed_hash: self.sealed_hash.map(|hash| hash.0),
            previous_hash: self.previous_hash.0,
            hash: self.hash.0,
        };
        Ok((row, key))
    }
}

/// The line must say of its key what is so.
fn event_key(state: KeyState, key: Option<Vec<u8>>, is_sealed: bool) -> Result<Option<EventKey>, LineError> {
    match (state, key, is_sealed) {
        (KeyState::None, None, false) => Ok(None),
        (KeyState::Withheld | KeyState::Destroyed | KeyState::Lost, None, true) => Ok(None),
        (KeyState::Given, Some(key), true) => {
            let key = <[u8; _]>::try_from(key).map_err(|_| LineError::Key)?;
            Ok(Some(EventKey::new(Zeroizing::new(key))))
        }
        _ => Err(LineError::Key),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::row::tests::row;

    fn through_json(line: &RowLine) -> RowLine {
        serde_json::from_str(&serde_json::to_string(line).unwrap()).unwrap()
    }

    proptest! {
        #[test]
        fn a_row_comes_out_of_a_bundle_as_it_went_in(
            payload: Vec<u8>, sealed: Option<Vec<u8>>, reason: Option<String>, version: Option<i64>, micros: i32,
        ) {
            let occurred_at = DateTime::from_timestamp_micros(micros.into()).unwrap();
            let patient_version = version;
            let mut stored = StoredRow { payload, sealed, reason, patient_version, occurred_at, ..row() };
            stored.chain_to(GENESIS);
            let line = RowLine::Shown(Box::new(ShownRow::of(stored.clone())));
            let RowLine::Shown(shown) = through_json(&line) else { panic!("it is shown") };
            prop_assert_eq!(shown.into_stored().map(|(row, _)| row), Ok(stored));
        }
    }

    #[test]
    fn a_withheld_row_keeps_the_chain_and_nothing_else() {
        let line = through_json(&RowLine::Withheld(WithheldRow::of(&row())));
        let RowLine::Withheld(withheld) = line else { panic!("it is withheld") };
        assert!(withheld.is_intact());
        assert!(!WithheldRow { row_hash: Hex32(GENESIS), ..withheld }.is_intact());
        let mut altered = row();
        altered.payload.push(b' ');
        assert!(!WithheldRow::of(&altered).is_intact());
    }

    #[test]
    fn what_a_line_says_of_its_key_must_be_so() {
        let key = EventKey::new(Zeroizing::new([1; 64]));
        let sealed = StoredRow { sealed: Some(vec![0]), ..row() };
        assert!(ShownRow::of(sealed.clone()).with_key(&key).into_stored().unwrap().1.is_some());
        assert!(ShownRow::of(sealed.clone()).without_key(KeyState::Destroyed).into_stored().unwrap().1.is_none());
        let claims = ShownRow { key: KeyState::Given, ..ShownRow::of(sealed.clone()) };
        assert_eq!(claims.into_stored().err(), Some(LineError::Key));
        let short = ShownRow { key: KeyState::Given, event_key: Some(vec![1; 63]), ..ShownRow::of(sealed) };
        assert_eq!(short.into_stored().err(), Some(LineError::Key));
        assert_eq!(ShownRow::of(row()).with_key(&key).into_stored().err(), Some(LineError::Key));
    }
}
