//! A day or an instant, where people mean whole days as often as hours.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use events::calendar::whole_day;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// `2026-03-14`, a whole day of the clinic, or `2026-03-14T09:30:00+05:30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayOrInstant {
    Day(NaiveDate),
    Instant(DateTime<Utc>),
}

impl DayOrInstant {
    /// The instant at which a span that begins with it begins.
    pub fn begin(self, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::Day(day) => whole_day(day, zone).from,
            Self::Instant(at) => at,
        }
    }

    /// The instant at which a span that ends with it ends: a day belongs to it whole.
    pub fn end(self, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::Day(day) => whole_day(day, zone).to,
            Self::Instant(at) => at,
        }
    }
}

impl<'de> Deserialize<'de> for DayOrInstant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let instant = || DateTime::parse_from_rfc3339(&text).map(|at| Self::Instant(at.to_utc()));
        text.parse().map(Self::Day).or_else(|_| instant()).map_err(|_| {
            de::Error::custom(
                "a day (2026-03-14) or an instant with its offset (2026-03-14T09:30:00+05:30) is expected",
            )
        })
    }
}

impl JsonSchema for DayOrInstant {
    fn schema_name() -> Cow<'static, str> {
        "DayOrInstant".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A whole day in the clinic's zone, or an instant (RFC 3339).",
            "examples": ["2026-03-14", "2026-03-14T09:30:00+05:30"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_a_whole_day_of_the_clinic() {
        let read = |text: &str| serde_json::from_value::<DayOrInstant>(text.into());
        let day = read("2026-03-14").unwrap();
        assert_eq!(day.begin(Tz::Asia__Kolkata).to_rfc3339(), "2026-03-13T18:30:00+00:00");
        assert_eq!(day.end(Tz::Asia__Kolkata).to_rfc3339(), "2026-03-14T18:30:00+00:00");
        let instant = read("2026-03-14T09:30:00+05:30").unwrap();
        assert_eq!(instant.begin(Tz::UTC), instant.end(Tz::Asia__Kolkata));
        assert!(read("14.3.2026").is_err() && read("2026-03-14T09:30:00").is_err());
    }
}
