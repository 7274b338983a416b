//! Amounts of a medicine.

use std::borrow::Cow;

use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use super::{Invalid, checked_text};

/// No amount of a medicine is larger, in any unit.
const MAX_AMOUNT: i64 = 1_000_000;
const MAX_DECIMAL_PLACES: u32 = 4;
const MAX_UNIT_CHARS: usize = 32;

checked_text! {
    /// A unit in UCUM's case-sensitive form.
    UcumUnit, check_unit, {
        "type": "string", "minLength": 1, "maxLength": MAX_UNIT_CHARS,
        "description": "A unit in UCUM's case-sensitive form, without spaces.", "examples": ["mg", "mL", "{tablet}"]
    }
}

fn check_unit(text: &str) -> Result<String, Invalid> {
    let unit = text.trim();
    if unit.is_empty() || unit.len() > MAX_UNIT_CHARS || !unit.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Invalid::because("a unit has 1 to 32 ASCII characters and no spaces (UCUM): mg, mL, {tablet}"));
    }
    Ok(unit.to_owned())
}

/// A number above 0, up to a million, with at most four decimal places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PositiveNumber(Decimal);

impl<'de> Deserialize<'de> for PositiveNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = rust_decimal::serde::float::deserialize(deserializer)?.normalize();
        let allowed = number > Decimal::ZERO && number <= Decimal::from(MAX_AMOUNT);
        if !allowed || number.scale() > MAX_DECIMAL_PLACES {
            let sentence = "an amount is a number above 0, up to a million, with at most four decimal places";
            return Err(de::Error::custom(Invalid::because(sentence)));
        }
        Ok(Self(number))
    }
}

impl JsonSchema for PositiveNumber {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "PositiveNumber".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "number", "exclusiveMinimum": 0, "maximum": MAX_AMOUNT,
            "description": "At most four decimal places."
        })
    }
}

/// How much of something: `{"value": 2.5, "unit": "mL"}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    pub value: PositiveNumber,
    pub unit: UcumUnit,
}

impl From<Amount> for events::prescription::Amount {
    fn from(amount: Amount) -> Self {
        Self { value: amount.value.0, unit: amount.unit.into() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: Value, unit: &str) -> Result<events::prescription::Amount, serde_json::Error> {
        serde_json::from_value::<Amount>(json!({"value": value, "unit": unit})).map(Into::into)
    }

    #[test]
    fn an_amount_is_exact() {
        let sum = [0.1, 0.2].map(|value| read(json!(value), "mg").unwrap().value).iter().sum::<Decimal>();
        assert_eq!(sum, read(json!(0.3), "mg").unwrap().value);
        assert_eq!(read(json!(10), "{tablet}").unwrap().value, Decimal::TEN);
    }

    #[test]
    fn nothing_less_than_nothing_and_nothing_without_end() {
        for value in [json!(0), json!(-1), json!(1_000_001), json!(0.00001), json!("much")] {
            assert!(read(value.clone(), "mg").is_err(), "{value}");
        }
        for unit in ["", " ", "m g", "µg", &"x".repeat(33)] {
            assert!(read(json!(1), unit).is_err(), "{unit}");
        }
    }
}
