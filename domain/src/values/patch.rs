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

/// For a field of a partial change that may be left out but not emptied: `null` is no value of it. Use
/// with `#[serde(default, deserialize_with = "present")]`.
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl<T: JsonSchema> JsonSchema for Patch<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Patch_of_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<T>::json_schema(generator)
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
        }
        let after = |text: &str| {
            let body: Body = serde_json::from_str(text).unwrap();
            body.phone.over(Some("old".to_owned()))
        };
        assert_eq!(after("{}").as_deref(), Some("old"));
        assert_eq!(after(r#"{"phone": null}"#), None);
        assert_eq!(after(r#"{"phone": "new"}"#).as_deref(), Some("new"));
    }
}
