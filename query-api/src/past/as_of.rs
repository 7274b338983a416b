//! `as_of`: a position of the clinic's record, or an instant.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use events::{Ledger, Position};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error};

use crate::{scope::Select, sql::Sql};

/// Up to when a record is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    Position(Position),
    /// By when it was recorded, not by when it happened.
    Instant(DateTime<Utc>),
}

impl AsOf {
    fn read(text: &str) -> Option<Self> {
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return text.parse().ok().map(Self::Position);
        }
        // In a query a plus sign that was not encoded has become a blank.
        DateTime::parse_from_rfc3339(&text.replace(' ', "+")).ok().map(|at| Self::Instant(at.with_timezone(&Utc)))
    }

    /// The last position not later than this, and when it was recorded. Times never run backwards in a clinic
    /// and positions have no gaps: so it is found by halving, not by walking.
    pub(super) fn moment(self) -> Select {
        let sql = Sql::new(
            "e.position, e.recorded_at, (SELECT c.time_zone FROM read.clinic_1 c WHERE c.clinic_id = s.clinic \
             AND c.id = s.clinic) AS time_zone FROM log.event e WHERE e.clinic = s.clinic AND e.ledger = ",
        )
        .bind(Ledger::Record as i16)
        .push(" AND e.position = ");
        Select::from_log(match self {
            Self::Position(position) => sql.bind(position),
            Self::Instant(instant) => sql
                .push(
                    "(WITH RECURSIVE search(low, high) AS (SELECT 0::bigint, h.position FROM log.head h \
                     WHERE h.clinic = s.clinic AND h.ledger = 1 \
                     UNION ALL SELECT CASE WHEN mid.past THEN low ELSE mid.position END, \
                     CASE WHEN mid.past THEN mid.position - 1 ELSE high END \
                     FROM search CROSS JOIN LATERAL (SELECT m.position, m.recorded_at > ",
                )
                .bind(instant)
                .push(
                    " AS past FROM log.event m WHERE m.clinic = s.clinic AND m.ledger = 1 \
                     AND m.position = (low + high + 1) / 2) mid WHERE low < high) \
                     SELECT low FROM search WHERE low = high)",
                ),
        })
    }
}

impl<'de> Deserialize<'de> for AsOf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::read(&text)
            .ok_or_else(|| D::Error::custom("expected a position, or an instant such as 2026-03-14T09:00:00Z"))
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
