//! Names and free text.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::{Invalid, checked_text};

/// Longest name of a person or a thing, in characters.
const MAX_NAME_CHARS: usize = 200;

checked_text! {
    /// The name of a person or a thing: 1 to 200 characters on one line.
    Name, check_name, {
        "type": "string", "minLength": 1, "maxLength": MAX_NAME_CHARS,
        "description": "1 to 200 characters on one line.", "examples": ["Asha Clinic"]
    }
}

fn check_name(text: &str) -> Result<String, Invalid> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARS {
        return Err(Invalid::because(format!("a name has 1 to {MAX_NAME_CHARS} characters")));
    }
    if name.chars().any(char::is_control) {
        return Err(Invalid::because("a name has no line breaks and no control characters"));
    }
    Ok(name.to_owned())
}

/// Shortest and longest justification, in characters.
const JUSTIFICATION_CHARS: std::ops::RangeInclusive<usize> = 10..=1000;

checked_text! {
    /// Why something exceptional was done, at some length: 10 to 1000 characters.
    Justification, check_justification, {
        "type": "string", "minLength": 10, "maxLength": 1000,
        "description": "10 to 1000 characters.", "examples": ["Unconscious after a fall; bleeding, and no history at hand."]
    }
}

fn check_justification(text: &str) -> Result<String, Invalid> {
    let text = text.parse::<Text<{ *JUSTIFICATION_CHARS.end() }>>().ok();
    text.filter(|text| JUSTIFICATION_CHARS.contains(&text.as_str().chars().count()))
        .map(String::from)
        .ok_or_else(|| Invalid::because("a justification has 10 to 1000 characters"))
}

/// Free text of 1 to `MAX` characters; line breaks and tabs are allowed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, derive_more::Display, Serialize)]
#[serde(transparent)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> std::str::FromStr for Text<MAX> {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > MAX {
            return Err(Invalid::because(format!("a text of 1 to {MAX} characters is expected")));
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(Invalid::because("a text has no control characters but line breaks and tabs"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> Self {
        text.0
    }
}

impl<const MAX: usize> JsonSchema for Text<MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Text{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_on_one_line() {
        assert_eq!("  Asha ".parse::<Name>().unwrap().as_str(), "Asha");
        for text in ["", "  ", "a\nb", &"x".repeat(201)] {
            assert!(text.parse::<Name>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_justification_says_something() {
        assert_eq!("  unconscious ".parse::<Justification>().unwrap().as_str(), "unconscious");
        for text in ["", "urgent", "    x     y    ".trim(), &"x".repeat(1001)] {
            assert!(text.parse::<Justification>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_text_is_counted_in_characters() {
        assert!("äöü".parse::<Text<3>>().is_ok());
        assert!("äöüß".parse::<Text<3>>().is_err());
        assert!("a\nb".parse::<Text<3>>().is_ok());
        assert!("a\u{0}b".parse::<Text<3>>().is_err());
    }
}
