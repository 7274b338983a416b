//! How a dental chart writes teeth and procedures.

use std::borrow::Cow;

use events::tooth::Tooth;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use super::{Invalid, checked_text};

/// A tooth that there is, in FDI two-digit notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ToothNumber(Tooth);

impl ToothNumber {
    pub fn get(self) -> Tooth {
        self.0
    }
}

impl<'de> Deserialize<'de> for ToothNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        let tooth = u8::try_from(number).ok().map(Tooth).filter(|tooth| tooth.exists());
        tooth.map(Self).ok_or_else(|| {
            de::Error::custom(
                "a tooth is 11–18, 21–28, 31–38 or 41–48, a primary one 51–55, 61–65, 71–75 or 81–85 (FDI)",
            )
        })
    }
}

impl JsonSchema for ToothNumber {
    fn schema_name() -> Cow<'static, str> {
        "ToothNumber".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer", "minimum": 11, "maximum": 85,
            "description": "FDI two-digit notation: 11–18, 21–28, 31–38, 41–48; primary 51–55, 61–65, 71–75, 81–85.",
            "examples": [16]
        })
    }
}

checked_text! {
    /// A procedure's code: CDT, a `D` and four digits.
    CdtCode, check_cdt, { "type": "string", "pattern": "^[Dd][0-9]{4}$", "examples": ["D2391"] }
}

fn check_cdt(text: &str) -> Result<String, Invalid> {
    let code = text.trim().to_ascii_uppercase();
    match code.strip_prefix('D') {
        Some(digits) if digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()) => Ok(code),
        _ => Err(Invalid::because("a procedure's code is a D and four digits (CDT): D2391")),
    }
}

impl CdtCode {
    /// Whether it is an implant or a prosthesis, which take the place of teeth. The categories of the ADA's Code on
    /// Dental Procedures and Nomenclature: D5000–D5899 removable prosthodontics, D5900–D5999 maxillofacial
    /// prosthetics, D6000–D6199 implant services, D6200–D6999 fixed prosthodontics.
    pub fn replaces_teeth(&self) -> bool {
        matches!(self.as_str().as_bytes(), [b'D', b'5' | b'6', ..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tooth_is_one_that_there_is() {
        let read = |number: i64| serde_json::from_value::<ToothNumber>(number.into());
        assert!([11, 18, 48, 51, 85].into_iter().all(|number| read(number).is_ok()));
        assert!([-16, 0, 10, 19, 49, 56, 86, 95, 16 + 256].into_iter().all(|number| read(number).is_err()));
    }

    #[test]
    fn a_code_is_a_d_and_four_digits() {
        assert_eq!(" d2391 ".parse::<CdtCode>().unwrap().as_str(), "D2391");
        for text in ["", "2391", "D239", "D23910", "D23x1", "E2391", "D²391"] {
            assert!(text.parse::<CdtCode>().is_err(), "{text}");
        }
    }

    #[test]
    fn implants_and_prostheses_replace_teeth() {
        let replaces = |code: &str| code.parse::<CdtCode>().unwrap().replaces_teeth();
        assert!(["D5110", "D5999", "D6010", "D6199", "D6240", "D6999"].into_iter().all(replaces));
        assert!(!["D0120", "D2391", "D4999", "D7140"].into_iter().any(replaces));
    }
}
