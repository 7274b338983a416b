//! Values that events and read models share. Plain data: what is *allowed* is said in `domain::values`,
//! so that a rule which grows stricter never makes an old event unreadable.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use derive_more::Display;
use iso_currency::Currency;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

/// FHIR AdministrativeGender.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Gender {
    Male,
    Female,
    Other,
    #[default]
    Unknown,
}

/// A postal address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// An amount of money in minor units (paise, cents) of an ISO 4217 currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    pub minor: i64,
    pub currency: String,
}

impl Money {
    /// Digits after the point; `None`: ISO 4217 does not know the currency, or it has none.
    pub fn places(currency: &str) -> Option<u32> {
        Currency::from_code(currency)?.exponent().map(u32::from)
    }
}

/// `INR 500.00`; of a currency that nobody knows the minor units are counted.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { minor, currency } = self;
        let Some(places) = Self::places(currency) else { return write!(f, "{currency} {minor} minor units") };
        let scale = 10_u64.pow(places);
        let sign = if *minor < 0 { "-" } else { "" };
        write!(f, "{currency} {sign}{}", minor.unsigned_abs() / scale)?;
        match places {
            0 => Ok(()),
            places => write!(f, ".{:0width$}", minor.unsigned_abs() % scale, width = places as usize),
        }
    }
}

/// A birth date as exact as it is known (FHIR `date`): `1984-03-12`, `1984-03` or `1984`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Display)]
pub enum BirthDate {
    #[display("{_0}")]
    Day(NaiveDate),
    #[display("{year:04}-{month:02}")]
    Month { year: i32, month: u32 },
    #[display("{_0:04}")]
    Year(i32),
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a birth date is a day, a month or a year, such as 1984-03-12, 1984-03 or 1984")]
pub struct BirthDateError;

impl BirthDate {
    pub fn year(self) -> i32 {
        match self {
            Self::Day(day) => chrono::Datelike::year(&day),
            Self::Month { year, .. } | Self::Year(year) => year,
        }
    }

    /// Completed years on `today`, and whether that is an estimate because the day is not known.
    /// The earliest possible age is given.
    pub fn age_on(self, today: NaiveDate) -> (i32, bool) {
        use chrono::Datelike;
        let latest = match self {
            Self::Day(day) => day,
            Self::Month { year, month } => last_day_of(year, month),
            Self::Year(year) => last_day_of(year, 12),
        };
        let before_birthday = (today.month(), today.day()) < (latest.month(), latest.day());
        ((today.year() - latest.year() - i32::from(before_birthday)).max(0), !matches!(self, Self::Day(_)))
    }

    /// The first day that the date may mean.
    pub fn earliest(self) -> NaiveDate {
        match self {
            Self::Day(day) => day,
            Self::Month { year, month } => NaiveDate::from_ymd_opt(year, month, 1).unwrap_or_default(),
            Self::Year(year) => NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default(),
        }
    }
}

fn last_day_of(year: i32, month: u32) -> NaiveDate {
    let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    NaiveDate::from_ymd_opt(next_year, next_month, 1).and_then(|first| first.pred_opt()).unwrap_or_default()
}

impl std::str::FromStr for BirthDate {
    type Err = BirthDateError;

    fn from_str(text: &str) -> Result<Self, BirthDateError> {
        let parts: Vec<&str> = text.split('-').collect();
        let digits = |part: &str, width: usize| {
            (part.len() == width && part.bytes().all(|b| b.is_ascii_digit()))
                .then(|| part.parse::<u32>().ok())
                .flatten()
        };
        let year = digits(parts[0], 4).ok_or(BirthDateError)?.cast_signed();
        match parts[1..] {
            [] => Ok(Self::Year(year)),
            [month] => match digits(month, 2) {
                Some(month @ 1..=12) => Ok(Self::Month { year, month }),
                _ => Err(BirthDateError),
            },
            [month, day] => {
                let (month, day) = digits(month, 2).zip(digits(day, 2)).ok_or(BirthDateError)?;
                NaiveDate::from_ymd_opt(year, month, day).map(Self::Day).ok_or(BirthDateError)
            }
            _ => Err(BirthDateError),
        }
    }
}

impl Serialize for BirthDate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BirthDate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for BirthDate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "BirthDate".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A day, a month or a year, as exact as it is known (FHIR date).",
            "pattern": "^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$",
            "examples": ["1984-03-12", "1984-03", "1984"]
        })
    }
}

/// A span of time, `[from, to)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

impl Span {
    pub fn overlaps(&self, other: &Self) -> bool {
        self.from < other.to && other.from < self.to
    }

    pub fn covers(&self, other: &Self) -> bool {
        self.from <= other.from && other.to <= self.to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_with_the_digits_of_its_currency() {
        let table = [
            (50_000, "INR", "INR 500.00"),
            (-1, "EUR", "EUR -0.01"),
            (1_500, "JPY", "JPY 1500"),
            (1_500, "KWD", "KWD 1.500"),
            (1_500, "QQQ", "QQQ 1500 minor units"),
            (i64::MIN, "USD", "USD -92233720368547758.08"),
        ];
        for (minor, currency, written) in table {
            assert_eq!(Money { minor, currency: currency.to_owned() }.to_string(), written);
        }
    }

    #[test]
    fn a_birth_date_carries_its_precision() {
        for text in ["1984-03-12", "1984-03", "1984"] {
            assert_eq!(text.parse::<BirthDate>().unwrap().to_string(), text);
        }
        for text in ["1984-02-30", "1984-13", "84", "", "1984-3-1", "1984-03-12-1", "+984"] {
            assert!(text.parse::<BirthDate>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_age_from_a_year_is_an_estimate() {
        let today = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap();
        assert_eq!("1984".parse::<BirthDate>().unwrap().age_on(today), (41, true));
        assert_eq!("1984-06-01".parse::<BirthDate>().unwrap().age_on(today), (42, false));
        assert_eq!("1984-06-02".parse::<BirthDate>().unwrap().age_on(today), (41, false));
    }
}
