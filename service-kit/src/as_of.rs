//! `as_of` and `until`: a position of the clinic's record, or an instant.

use std::{borrow::Cow, fmt};

use chrono::{DateTime, Utc};
use events::Position;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

/// Up to when a record is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    Position(Position),
    /// By when it was recorded, not by when it happened.
    Instant(DateTime<Utc>),
}

impl AsOf {
    /// As a request or somebody at the console writes it.
    pub fn read(text: &str) -> Option<Self> {
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return text.parse().ok().map(Self::Position);
        }
        // In a query a plus sign that was not encoded has become a blank.
        DateTime::parse_from_rfc3339(&text.replace(' ', "+")).ok().map(|at| Self::Instant(at.with_timezone(&Utc)))
    }
}

const EXPECTED: &str = "a position, or an instant such as 2026-03-14T09:00:00Z";

struct Read;

impl Visitor<'_> for Read {
    type Value = AsOf;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<AsOf, E> {
        AsOf::read(text).ok_or_else(|| E::custom(format_args!("expected {EXPECTED}")))
    }

    fn visit_u64<E: Error>(self, position: u64) -> Result<AsOf, E> {
        self.visit_str(&position.to_string())
    }
}

impl<'de> Deserialize<'de> for AsOf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Read)
    }
}

impl JsonSchema for AsOf {
    fn schema_name() -> Cow<'static, str> {
        "AsOf".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A position of the clinic's record, or an instant (RFC 3339): what had been recorded then.",
            "examples": ["1042", "2026-03-14T09:00:00Z"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_may_hold_a_position_as_a_number() {
        let read = |json: &str| serde_json::from_str::<AsOf>(json).ok();
        assert_eq!(read("1042"), Some(AsOf::Position(1042)));
        assert_eq!(read("\"1042\""), Some(AsOf::Position(1042)));
        for json in ["-1", "1.5", "true", "null", "18446744073709551615", "[]"] {
            assert_eq!(read(json), None, "{json}");
        }
    }

    #[test]
    fn a_moment_is_a_position_or_an_instant() {
        let instant = Some(AsOf::Instant("2026-03-14T03:30:00Z".parse().unwrap()));
        assert_eq!(AsOf::read("1042"), Some(AsOf::Position(1042)));
        for text in ["2026-03-14T03:30:00Z", "2026-03-14T09:00:00+05:30", "2026-03-14T09:00:00 05:30"] {
            assert_eq!(AsOf::read(text), instant, "{text}");
        }
        for text in ["", "-1", "yesterday", "2026-03-14", "99999999999999999999"] {
            assert_eq!(AsOf::read(text), None, "{text}");
        }
    }
}
