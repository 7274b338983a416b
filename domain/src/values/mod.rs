//! What a value may be. A command's fields have these types, so a body that parses is a body whose values
//! are allowed (parse, don't validate). Events hold plain strings and numbers: a rule that grows stricter
//! here never makes an old event unreadable.

mod address;
mod amount;
mod contact;
mod content;
mod dental;
mod icd10;
mod identity;
mod laboratory;
mod language;
mod moment;
mod money;
mod numbers;
mod password;
mod patch;
mod picture;
mod text;
mod unit;
mod zone;

pub use address::PostalAddress;
pub use amount::{Amount, PositiveNumber, UcumUnit};
pub use contact::{CountryCode, Email, Phone, Url};
pub use content::{MediaType, Sha256};
pub use dental::{CdtCode, ToothNumber};
pub use icd10::Icd10;
pub use identity::{DocumentNumber, ShortCode, Slug, TaxId, Username};
pub use laboratory::{Barcode, LoincCode};
pub use language::LanguageTag;
pub use moment::DayOrInstant;
pub use money::{Currency, Price, Sum};
pub use numbers::Whole;
pub use password::Password;
pub use patch::{Change, Patch};
pub use picture::Picture;
pub use text::{Justification, Name, Text};
pub use unit::Unit;
pub use zone::TimeZone;

/// Why something was done, in words: a cancellation, a leave, a deactivation.
pub type Reason = Text<500>;

/// Length of a visit, or of a slot: 5 to 480 minutes.
pub type VisitMinutes = Whole<5, 480>;

/// A value that is not allowed, in a sentence that says what is. It never repeats the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

impl Invalid {
    fn because(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

/// Equal for texts that people would call equal: lower case, one space between words.
pub fn folded(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Equal for two ways of writing the number of one document: `MH-2019/12345` and `mh 2019 12345`.
pub fn folded_number(number: &str) -> String {
    number.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// Declares a text that is checked (and brought into its normal form) when it is read.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $check:path, $schema:tt) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, derive_more::Display, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::values::Invalid;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $check(text).map(Self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}
use checked_text;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_people_call_equal_fold_to_one() {
        assert_eq!(folded("  Asha   CLINIC "), folded("asha clinic"));
        assert_eq!(folded_number("MH-2019/12345"), folded_number("mh 2019 12345"));
    }
}
