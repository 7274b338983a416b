//! How bytes and instants are written. There is one way for each value, and no other is read.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::row::Hash;

const INSTANT: &str = "%Y-%m-%dT%H:%M:%S%.6fZ";

/// An instant, as it is written in a bundle.
pub fn instant_text(at: DateTime<Utc>) -> String {
    at.format(INSTANT).to_string()
}

/// A hash, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hex32(pub Hash);

impl fmt::Display for Hex32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl Serialize for Hex32 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hex32 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut hash = Hash::default();
        hex::decode_to_slice(&text, &mut hash).map_err(|_| D::Error::custom("64 hexadecimal digits are expected"))?;
        match hex::encode(hash) == text {
            true => Ok(Self(hash)),
            false => Err(D::Error::custom("hexadecimal digits are written in lower case")),
        }
    }
}

/// Base64, for `#[serde(with = "base64_bytes")]`.
pub(super) mod base64_bytes {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in super::super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// The same for what may be null.
pub(super) mod base64_option {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(in super::super) fn serialize<S: Serializer>(
        bytes: &Option<Vec<u8>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        bytes.as_ref().map(|bytes| STANDARD.encode(bytes)).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| STANDARD.decode(text).map_err(D::Error::custom)).transpose()
    }
}

/// Ids, for `#[serde(with = "id")]`: 36 lower-case characters.
pub(super) mod id {
    use uuid::Uuid;

    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(id: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
        id.serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
        read(&String::deserialize(deserializer)?)
    }

    pub(in super::super) fn read<E: Error>(text: &str) -> Result<Uuid, E> {
        let id = text.parse::<Uuid>().map_err(E::custom)?;
        if id.to_string() == text { Ok(id) } else { Err(E::custom("an id is written in 36 lower-case characters")) }
    }
}

/// The same for what may be null.
pub(super) mod id_option {
    use uuid::Uuid;

    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(id: &Option<Uuid>, serializer: S) -> Result<S::Ok, S::Error> {
        id.serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Uuid>, D::Error> {
        Option::<String>::deserialize(deserializer)?.map(|text| id::read(&text)).transpose()
    }
}

/// Instants, for `#[serde(with = "instant")]`.
pub(super) mod instant {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&instant_text(*at))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let at = text.parse::<DateTime<Utc>>().map_err(D::Error::custom)?;
        match instant_text(at) == text {
            true => Ok(at),
            false => Err(D::Error::custom("an instant is written with microseconds and Z")),
        }
    }
}
