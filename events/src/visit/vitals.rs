//! Vital signs (FHIR Observation, profile vital-signs): which there are, their LOINC codes and UCUM units.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

/// A value with its UCUM unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quantity {
    pub value: f64,
    pub unit: String,
}

#[derive(
    Clone,
    Copy,
    Debug,
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
pub enum VitalSign {
    BodyTemperature,
    HeartRate,
    RespiratoryRate,
    BloodPressureSystolic,
    BloodPressureDiastolic,
    OxygenSaturation,
    BodyWeight,
    BodyHeight,
    HeadCircumference,
    BloodGlucose,
    PainScore,
}

impl VitalSign {
    /// As HL7's vital-signs profile names them; glucose and pain, which it lacks, as LOINC does.
    pub fn loinc(self) -> &'static str {
        match self {
            Self::BodyTemperature => "8310-5",
            Self::HeartRate => "8867-4",
            Self::RespiratoryRate => "9279-1",
            Self::BloodPressureSystolic => "8480-6",
            Self::BloodPressureDiastolic => "8462-4",
            Self::OxygenSaturation => "2708-6",
            Self::BodyWeight => "29463-7",
            Self::BodyHeight => "8302-2",
            Self::HeadCircumference => "9843-4",
            Self::BloodGlucose => "2339-0",
            Self::PainScore => "72514-3",
        }
    }
}

/// How a value lies to what is usual in adults: FHIR observation interpretation L, H, LL and HH.
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
    IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum VitalFlag {
    Low,
    High,
    CriticallyLow,
    CriticallyHigh,
}

/// One value, as it was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    pub sign: VitalSign,
    pub value: f64,
    /// UCUM.
    pub unit: String,
    /// `None`: as usual, or nothing is known of what is usual.
    pub flag: Option<VitalFlag>,
}

/// What was measured at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VitalSigns {
    pub signs: Vec<Measured>,
    /// `lying, left arm`
    pub note: Option<String>,
}
