//! Time zones by their IANA names.

use std::borrow::Cow;

use chrono_tz::Tz;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// A time zone: `Asia/Kolkata`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Into)]
pub struct TimeZone(pub Tz);

impl Default for TimeZone {
    fn default() -> Self {
        Self(Tz::Asia__Kolkata)
    }
}

impl<'de> Deserialize<'de> for TimeZone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map(Self).map_err(|_| de::Error::custom("a time zone has its IANA name: Asia/Kolkata"))
    }
}

impl JsonSchema for TimeZone {
    fn schema_name() -> Cow<'static, str> {
        "TimeZone".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "description": "IANA name.", "default": "Asia/Kolkata", "examples": ["Asia/Kolkata"]
        })
    }
}
