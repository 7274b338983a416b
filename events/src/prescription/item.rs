//! A line of a prescription: what is taken and how, and how much of it is handed out.

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, VariantArray};

use crate::{MedicineId, PrescriptionItemId, medicine::MedicineEntry, values::Money};

/// How much of something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// At most four decimal places.
    #[serde(with = "rust_decimal::serde::float")]
    #[schemars(with = "f64")]
    pub value: Decimal,
    /// UCUM: `mg`, `mL`, `{tablet}`.
    pub unit: String,
}

/// UCUM's units of time, as far as a course of medicine is measured in them.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    EnumString,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum TimeUnit {
    /// Hours.
    H,
    /// Days.
    D,
    /// Weeks.
    Wk,
    /// Months, of 30 days.
    Mo,
}

impl TimeUnit {
    pub fn hours(self) -> i64 {
        match self {
            Self::H => 1,
            Self::D => 24,
            Self::Wk => 7 * 24,
            Self::Mo => 30 * 24,
        }
    }
}

/// So many hours, days, weeks or months.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Period {
    pub count: i64,
    pub unit: TimeUnit,
}

/// How often: three times in one day is `{times: 3, every: {count: 1, unit: "d"}}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Frequency {
    pub times: i64,
    pub every: Period,
    /// Only when it is needed, and then no more often than this.
    #[serde(default)]
    pub as_needed: bool,
}

/// When in relation to food (FHIR EventTiming).
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    EnumString,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum FoodTiming {
    BeforeFood,
    WithFood,
    AfterFood,
    /// Hours from any food.
    EmptyStomach,
    Bedtime,
}

/// What is taken, and how (FHIR Dosage).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Regimen {
    pub medicine: MedicineId,
    /// Each time.
    pub dose: Option<Amount>,
    /// `oral`, `topical`.
    pub route: Option<String>,
    /// `None`: once.
    pub frequency: Option<Frequency>,
    /// `None`: until it is stopped; or once.
    pub duration: Option<Period>,
    pub timing: Option<FoodTiming>,
    pub instructions: Option<String>,
}

impl Regimen {
    /// When a course that begins then is over; `None`: it goes on until it is stopped. What is taken once is over after
    /// a day.
    pub fn ends(&self, from: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match (self.duration, self.frequency) {
            (Some(Period { count, unit }), _) => Some(from + TimeDelta::hours(count * unit.hours())),
            (None, Some(_)) => None,
            (None, None) => Some(from + TimeDelta::days(1)),
        }
    }
}

/// What is handed out for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Supply {
    /// With each filling.
    pub quantity: Amount,
    pub substitution_allowed: bool,
    /// Of one unit of the quantity.
    pub unit_price: Option<Money>,
}

/// A line of a prescription, or of what expands to one (a short key).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PrescriptionItem {
    pub regimen: Regimen,
    pub supply: Supply,
}

/// The clear part of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ItemSupply {
    pub item: PrescriptionItemId,
    pub supply: Supply,
}

/// The sealed part of a line as it was issued: what the catalogue said of the medicine then stays with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IssuedItem {
    pub item: PrescriptionItemId,
    pub regimen: Regimen,
    pub entry: MedicineEntry,
}
