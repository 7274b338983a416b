//! Units of measure.

use super::{Invalid, checked_text};

/// Longest unit, in bytes.
const MAX_UNIT_BYTES: usize = 64;

checked_text! {
    /// A unit of UCUM, in its case-sensitive form: `mg/dL`, `10*3/uL`; `1` for a bare number.
    Unit, check_unit, {
        "type": "string", "minLength": 1, "maxLength": MAX_UNIT_BYTES,
        "description": "A unit of UCUM (https://ucum.org/ucum), case-sensitive; `1` for a bare number.",
        "examples": ["mg/dL"]
    }
}

fn check_unit(text: &str) -> Result<String, Invalid> {
    let unit = text.trim();
    let is_known = !unit.is_empty() && unit.len() <= MAX_UNIT_BYTES && ucum::validate(unit).is_ok();
    is_known.then(|| unit.to_owned()).ok_or_else(|| {
        Invalid::because("a unit is written in UCUM, with its capitals: mg/dL, mmol/L, 10*3/uL; 1 for a bare number")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_units_of_a_laboratory_are_known() {
        let all = [
            "mg/dL",
            "mmol/L",
            "10*3/uL",
            "10*6/uL",
            "g/dL",
            "%",
            "fL",
            "pg",
            "U/L",
            "m[IU]/L",
            "[pH]",
            "1",
            "mm[Hg]",
            "Cel",
            "kg/m2",
            "mL/min/{1.73_m2}",
            "ng/mL",
            "mm/h",
            "{score}",
            "/[HPF]",
        ];
        for unit in all {
            assert_eq!(unit.parse::<Unit>().unwrap().as_str(), unit);
        }
    }

    #[test]
    fn what_people_write_otherwise_is_refused() {
        for unit in ["", " ", "mg/dl?", "mmHg", "cells/uL", "MG/DL", "°C", "mg per dL", "m/", &"m.".repeat(40)] {
            assert!(unit.parse::<Unit>().is_err(), "{unit:?}");
        }
    }
}
