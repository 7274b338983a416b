//! A password on its way to being hashed. It reaches no event, no log line and no error.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};

use super::Invalid;

/// NIST SP 800-63B asks for at least 8, and for length instead of mixtures of characters.
const MIN_PASSWORD_CHARS: usize = 10;
/// NIST SP 800-63B asks to allow at least 64; hashing must stay bounded.
const MAX_PASSWORD_CHARS: usize = 256;

/// A new password: 10 to 256 characters of any kind, exactly as typed.
#[derive(Clone, Debug)]
pub struct Password(SecretString);

impl Password {
    pub fn into_secret(self) -> SecretString {
        self.0
    }
}

impl TryFrom<SecretString> for Password {
    type Error = Invalid;

    fn try_from(secret: SecretString) -> Result<Self, Invalid> {
        let text = secret.expose_secret();
        let one_character = text.chars().next().is_some_and(|first| text.chars().all(|c| c == first));
        if !(MIN_PASSWORD_CHARS..=MAX_PASSWORD_CHARS).contains(&text.chars().count()) {
            return Err(wrong());
        }
        if one_character {
            return Err(Invalid::because("a password is not one character again and again"));
        }
        Ok(Self(secret))
    }
}

fn wrong() -> Invalid {
    Invalid::because(format!("a password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters"))
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // serde's own error would repeat a password that was sent as a number.
        let secret = SecretString::deserialize(deserializer).map_err(|_| de::Error::custom(wrong()))?;
        secret.try_into().map_err(de::Error::custom)
    }
}

impl JsonSchema for Password {
    fn schema_name() -> Cow<'static, str> {
        "Password".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "format": "password", "writeOnly": true,
            "minLength": MIN_PASSWORD_CHARS, "maxLength": MAX_PASSWORD_CHARS
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_long_and_never_shown() {
        let read = |text: &str| serde_json::from_str::<Password>(text);
        let password = read(r#""correct horse battery""#).unwrap();
        assert!(!format!("{password:?}").contains("horse"));
        for text in [r#""too short""#, r#""aaaaaaaaaaaa""#, "1234567890123", &format!("\"{}b\"", "a".repeat(256))] {
            let error = read(text).unwrap_err().to_string();
            assert!(!error.contains("1234567890123") && !error.contains("too short"), "{error}");
        }
    }
}
