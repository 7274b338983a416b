//! A field of a partial change: left out, emptied, or set.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};

/// Absent leaves a field as it is, `null` empties it. Use with `#[serde(default)]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    #[default]
    Unchanged,
    Clear,
    Set(T),
}

impl<T> Patch<T> {
    /// The field after the change.
    pub fn over<U: From<T>>(self, before: Option<U>) -> Option<U> {
        match self {
            Self::Unchanged => before,
            Self::Clear => None,
            Self::Set(value) => Some(value.into()),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

impl<T: JsonSchema> JsonSchema for Patch<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Patch_of_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Option<T>>()
    }
}

/// A field of a partial change that may be left out but not emptied: `null` is no value of it. Use with
/// `#[serde(default)]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    #[default]
    Unchanged,
    Set(T),
}

impl<T> Change<T> {
    /// The field after the change.
    pub fn over<U: From<T>>(self, before: U) -> U {
        match self {
            Self::Unchanged => before,
            Self::Set(value) => value.into(),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::Set)
    }
}

impl<T: JsonSchema> JsonSchema for Change<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Change_of_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_null_and_a_value_are_three_things() {
        #[derive(Deserialize)]
        struct Body {
            #[serde(default)]
            phone: Patch<String>,
            #[serde(default)]
            name: Change<String>,
        }
        let after = |text: &str| {
            let body: Body = serde_json::from_str(text).unwrap();
            body.phone.over(Some("old".to_owned()))
        };
        assert_eq!(after("{}").as_deref(), Some("old"));
        assert_eq!(after(r#"{"phone": null}"#), None);
        assert_eq!(after(r#"{"phone": "new"}"#).as_deref(), Some("new"));
        let name = |text: &str| serde_json::from_str::<Body>(text).map(|body| body.name.over("old".to_owned()));
        assert_eq!(name("{}").unwrap(), "old");
        assert_eq!(name(r#"{"name": "new"}"#).unwrap(), "new");
        assert!(name(r#"{"name": null}"#).is_err());
    }
}
