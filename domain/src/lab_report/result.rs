//! What a result may be, and what its flag says.

use events::lab_report::{Comparator, LabResult, ReferenceRange, ResultFlag, ResultValue};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    Refusal,
    values::{LoincCode, Name, Reason, Text, Unit, Url},
};

/// Larger than anything that is measured; beyond it digits are lost.
const LARGEST: f64 = 1e12;

/// What was found.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "type", deny_unknown_fields)]
pub enum FoundValue {
    Quantity {
        value: f64,
        /// UCUM.
        unit: Unit,
        /// `<` where it lies below what the method can tell.
        #[serde(default)]
        comparator: Option<Comparator>,
    },
    /// What was seen, in words.
    Text { text: Text<10_000> },
    Coded {
        /// The coding system, an URL: `http://snomed.info/sct`.
        system: Url,
        code: Text<64>,
        #[serde(default)]
        text: Option<Name>,
    },
}

/// What is usual, in the unit of the value. A bound that is left out does not bind.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UsualRange {
    #[serde(default)]
    pub low: Option<f64>,
    #[serde(default)]
    pub high: Option<f64>,
    /// Below it a life is in danger.
    #[serde(default)]
    pub critical_low: Option<f64>,
    /// Above it a life is in danger.
    #[serde(default)]
    pub critical_high: Option<f64>,
    /// For whom it holds, or what is usual where that is no number.
    #[serde(default)]
    pub text: Option<Name>,
}

/// One result (FHIR Observation).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewResult {
    /// LOINC.
    pub code: LoincCode,
    /// As the laboratory calls it.
    pub text: Name,
    pub value: FoundValue,
    #[serde(default)]
    pub range: Option<UsualRange>,
    /// Computed from the range where it is left out. What the range calls critical is not called less.
    #[serde(default)]
    pub flag: Option<ResultFlag>,
    #[serde(default)]
    pub note: Option<Reason>,
}

impl NewResult {
    /// The result with its flag.
    pub(super) fn checked(self) -> Result<LabResult, Refusal> {
        let value = checked_value(self.value)?;
        let range = self.range.map(checked_range).transpose()?;
        let computed = range.as_ref().and_then(|range| flag_of(&value, range));
        let critical = computed.filter(|flag| flag.is_critical());
        if let (Some(critical), Some(given)) = (critical, self.flag)
            && given != critical
        {
            let detail = format!("By its range the result is {critical}: leave the flag out, or correct the range.");
            return Err(Refusal::rule("flag-contradicts-range", detail).at("/result/flag"));
        }
        Ok(LabResult {
            code: self.code.into(),
            text: self.text.into(),
            value,
            range,
            flag: self.flag.or(computed),
            note: self.note.map(Into::into),
        })
    }
}

fn checked_value(value: FoundValue) -> Result<ResultValue, Refusal> {
    Ok(match value {
        FoundValue::Quantity { value, .. } if value.abs() > LARGEST => {
            return Err(Refusal::rule("quantity-too-large", "No quantity is beyond 10^12.").at("/result/value"));
        }
        FoundValue::Quantity { value, unit, comparator } => {
            ResultValue::Quantity { value, unit: unit.into(), comparator }
        }
        FoundValue::Text { text } => ResultValue::Text { text: text.into() },
        FoundValue::Coded { system, code, text } => {
            ResultValue::Coded { system: system.into(), code: code.into(), text: text.map(Into::into) }
        }
    })
}

fn checked_range(range: UsualRange) -> Result<ReferenceRange, Refusal> {
    let bounds = [range.critical_low, range.low, range.high, range.critical_high];
    if !bounds.iter().flatten().is_sorted() {
        let detail = "The bounds of a range rise: critical_low, low, high, critical_high.";
        return Err(Refusal::rule("range-not-rising", detail).at("/result/range"));
    }
    if bounds.iter().flatten().any(|bound| bound.abs() > LARGEST) {
        return Err(Refusal::rule("quantity-too-large", "No quantity is beyond 10^12.").at("/result/range"));
    }
    let [critical_low, low, high, critical_high] = bounds;
    Ok(ReferenceRange { low, high, critical_low, critical_high, text: range.text.map(Into::into) })
}

/// What the range says of a quantity, a bound belonging to what is usual; `None` where it says nothing of it.
fn flag_of(value: &ResultValue, range: &ReferenceRange) -> Option<ResultFlag> {
    let ResultValue::Quantity { value, comparator, .. } = value else { return None };
    let below = |bound: Option<f64>| {
        bound.is_some_and(|bound| match comparator {
            Some(Comparator::Less) => *value <= bound,
            None | Some(Comparator::AtMost) => *value < bound,
            Some(Comparator::AtLeast | Comparator::Greater) => false,
        })
    };
    let above = |bound: Option<f64>| {
        bound.is_some_and(|bound| match comparator {
            Some(Comparator::Greater) => *value >= bound,
            None | Some(Comparator::AtLeast) => *value > bound,
            Some(Comparator::AtMost | Comparator::Less) => false,
        })
    };
    if below(range.critical_low) {
        Some(ResultFlag::CriticallyLow)
    } else if above(range.critical_high) {
        Some(ResultFlag::CriticallyHigh)
    } else if below(range.low) {
        Some(ResultFlag::Low)
    } else if above(range.high) {
        Some(ResultFlag::High)
    } else {
        is_within(*value, *comparator, range).then_some(ResultFlag::Normal)
    }
}

/// Whether it is certain that what lies beyond no bound is usual: "less than 5" may be too little.
fn is_within(value: f64, comparator: Option<Comparator>, range: &ReferenceRange) -> bool {
    match (comparator, range.low, range.high) {
        (_, None, None) => false,
        (None, ..) => true,
        (Some(Comparator::Less | Comparator::AtMost), None, Some(high)) => value <= high,
        (Some(Comparator::Greater | Comparator::AtLeast), Some(low), None) => value >= low,
        (Some(_), ..) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::body;

    fn result(value: Value, range: Value, flag: Value) -> NewResult {
        body(json!({"code": "2345-7", "text": "Glucose", "value": value, "range": range, "flag": flag}))
    }

    fn glucose(value: f64, comparator: Option<&str>) -> Value {
        json!({"type": "quantity", "value": value, "unit": "mg/dL", "comparator": comparator})
    }

    fn flag(value: Value, range: Value) -> Option<String> {
        result(value, range, Value::Null).checked().unwrap().flag.map(|flag| flag.to_string())
    }

    #[test]
    fn the_range_says_the_flag() {
        let range = json!({"low": 70, "high": 110, "critical_low": 40, "critical_high": 400});
        let cases = [
            (39.9, "LL"),
            (40.0, "L"),
            (69.9, "L"),
            (70.0, "N"),
            (110.0, "N"),
            (110.1, "H"),
            (400.0, "H"),
            (400.1, "HH"),
        ];
        for (value, expected) in cases {
            assert_eq!(flag(glucose(value, None), range.clone()).as_deref(), Some(expected), "{value}");
        }
        assert_eq!(flag(glucose(5.0, None), Value::Null), None);
        assert_eq!(flag(glucose(5.0, None), json!({"text": "not known for children"})), None);
        assert_eq!(flag(glucose(5.0, None), json!({"critical_high": 400})), None, "not in danger is not usual");
        assert_eq!(flag(json!({"type": "text", "text": "yellow"}), range), None);
    }

    #[test]
    fn what_lies_beyond_the_method_is_flagged_where_that_is_certain() {
        let range = json!({"low": 0.4, "high": 4.0});
        let cases = [
            (0.4, "<", Some("L")),
            (0.01, "<", Some("L")),
            (3.0, "<", None),
            (3.0, ">", None),
            (4.0, ">", Some("H")),
            (4.0, ">=", None),
            (4.1, ">=", Some("H")),
            (0.4, "<=", None),
        ];
        for (value, comparator, expected) in cases {
            let said = flag(glucose(value, Some(comparator)), range.clone());
            assert_eq!(said.as_deref(), expected, "{comparator} {value}");
        }
        assert_eq!(flag(glucose(5.0, Some("<")), json!({"high": 5.0})).as_deref(), Some("N"));
        assert_eq!(flag(glucose(60.0, Some(">")), json!({"low": 60.0})).as_deref(), Some("N"));
    }

    #[test]
    fn a_flag_is_the_technicians_unless_it_hides_danger() {
        let range = || json!({"low": 70, "high": 110, "critical_high": 400});
        let said = |value: f64, flag: &str| {
            result(glucose(value, None), range(), json!(flag)).checked().map(|result| result.flag).map_err(|r| r.code)
        };
        assert_eq!(said(120.0, "N"), Ok(Some(ResultFlag::Normal)));
        assert_eq!(said(120.0, "HH"), Ok(Some(ResultFlag::CriticallyHigh)));
        assert_eq!(said(401.0, "HH"), Ok(Some(ResultFlag::CriticallyHigh)));
        assert_eq!(said(401.0, "N"), Err("flag-contradicts-range"));
        let seen = result(json!({"type": "text", "text": "opaque"}), Value::Null, json!("A"));
        assert_eq!(seen.checked().unwrap().flag, Some(ResultFlag::Abnormal));
    }

    #[test]
    fn a_range_rises_and_a_quantity_has_a_unit() {
        let refused = |value: Value, range: Value| result(value, range, Value::Null).checked().unwrap_err().code;
        assert_eq!(refused(glucose(5.0, None), json!({"low": 7, "high": 5})), "range-not-rising");
        assert_eq!(refused(glucose(5.0, None), json!({"critical_low": 7, "high": 5})), "range-not-rising");
        assert_eq!(refused(glucose(2e12, None), Value::Null), "quantity-too-large");
        assert_eq!(refused(glucose(5.0, None), json!({"high": 2e12})), "quantity-too-large");
        let parses = |value: Value| {
            serde_json::from_value::<NewResult>(json!({"code": "2345-7", "text": "Glucose", "value": value})).is_ok()
        };
        assert!(parses(glucose(5.0, None)));
        for wrong in [
            json!({"type": "quantity", "value": 5}),
            json!({"type": "quantity", "value": 5, "unit": "mmHg"}),
            json!({"type": "quantity", "value": "5", "unit": "mg/dL"}),
            json!({"type": "text", "text": ""}),
            json!({"type": "coded", "system": "snomed", "code": "1"}),
            json!({"type": "text", "text": "a", "unit": "mg/dL"}),
        ] {
            assert!(!parses(wrong.clone()), "{wrong}");
        }
    }
}
