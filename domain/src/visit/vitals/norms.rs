//! What a value may be, and what is usual in adults of any age.
//!
//! What is *possible* is the span that people have survived, with a margin: beyond it somebody mistyped.
//!
//! What is *usual* (source of each line):
//! - temperature, heart rate, respiratory rate, systolic pressure, oxygen saturation: the range that scores 0 in the
//!   National Early Warning Score 2, and critical what scores 3 (Royal College of Physicians, *NEWS2*, 2017);
//! - diastolic pressure: from 60 to below 90, where hypertension of grade 1 begins (ESC/ESH Guidelines, 2018);
//! - glucose, at any time of day: from 70, below which hypoglycaemia begins, to below 200, where a casual value speaks
//!   for diabetes; critical below 54, clinically significant hypoglycaemia (American Diabetes Association, *Standards of
//!   Care*, 2024);
//! - pain: up to 3 of 10 is mild, from 7 severe (numeric rating scale as the WHO's analgesic ladder is used with).

use events::visit::{Measured, VitalFlag, VitalSign};

use crate::Refusal;

/// A unit, and how a value in it becomes one in the sign's own: `(value - shift) * scale`.
struct Unit {
    /// UCUM.
    code: &'static str,
    shift: f64,
    scale: f64,
}

const fn unit(code: &'static str) -> Unit {
    Unit { code, shift: 0.0, scale: 1.0 }
}

/// What is usual, both ends included, and from where on it is critical.
#[derive(Clone, Copy)]
struct Usual {
    critical_low: Option<f64>,
    low: f64,
    high: f64,
    critical_high: Option<f64>,
}

pub(super) struct Norm {
    sign: VitalSign,
    /// Into the body of the command.
    pointer: &'static str,
    /// The sign's own unit first.
    units: &'static [Unit],
    possible: (f64, f64),
    usual: Option<Usual>,
}

const PER_MINUTE: &[Unit] = &[unit("/min")];
const PERCENT: &[Unit] = &[unit("%")];
const SCORE: &[Unit] = &[unit("{score}")];
const PRESSURE: &[Unit] = &[unit("mm[Hg]")];
const LENGTH: &[Unit] = &[unit("cm"), Unit { code: "[in_i]", shift: 0.0, scale: 2.54 }];
const WEIGHT: &[Unit] = &[unit("kg"), Unit { code: "[lb_av]", shift: 0.0, scale: 0.453_592_37 }];
const TEMPERATURE: &[Unit] = &[unit("Cel"), Unit { code: "[degF]", shift: 32.0, scale: 1.0 / 1.8 }];
/// Glucose weighs 180.16 g/mol.
const GLUCOSE: &[Unit] = &[unit("mg/dL"), Unit { code: "mmol/L", shift: 0.0, scale: 18.016 }];

const fn usual(critical_low: Option<f64>, low: f64, high: f64, critical_high: Option<f64>) -> Option<Usual> {
    Some(Usual { critical_low, low, high, critical_high })
}

impl Norm {
    #[rustfmt::skip]
    pub(super) fn of(sign: VitalSign) -> Self {
        use VitalSign::*;
        let (pointer, units, possible, usual) = match sign {
            BodyTemperature => ("/body_temperature", TEMPERATURE, (10.0, 48.0), usual(Some(35.0), 36.1, 38.0, None)),
            HeartRate => ("/heart_rate", PER_MINUTE, (5.0, 350.0), usual(Some(40.0), 51.0, 90.0, Some(131.0))),
            RespiratoryRate => ("/respiratory_rate", PER_MINUTE, (1.0, 120.0), usual(Some(8.0), 12.0, 20.0, Some(25.0))),
            BloodPressureSystolic => ("/blood_pressure_systolic", PRESSURE, (20.0, 370.0), usual(Some(90.0), 111.0, 219.0, Some(220.0))),
            BloodPressureDiastolic => ("/blood_pressure_diastolic", PRESSURE, (5.0, 360.0), usual(None, 60.0, 89.99, None)),
            OxygenSaturation => ("/oxygen_saturation", PERCENT, (10.0, 100.0), usual(Some(91.0), 96.0, 100.0, None)),
            BodyWeight => ("/body_weight", WEIGHT, (0.2, 700.0), None),
            BodyHeight => ("/body_height", LENGTH, (20.0, 280.0), None),
            HeadCircumference => ("/head_circumference", LENGTH, (10.0, 100.0), None),
            BloodGlucose => ("/blood_glucose", GLUCOSE, (5.0, 3000.0), usual(Some(53.99), 70.0, 199.99, None)),
            PainScore => ("/pain_score", SCORE, (0.0, 10.0), usual(None, 0.0, 3.0, Some(7.0))),
        };
        Self { sign, pointer, units, possible, usual }
    }

    /// The value as it was measured, flagged where it is unusual.
    pub(super) fn check(&self, value: f64, given: Option<&str>) -> Result<Measured, Refusal> {
        let unit = match given {
            None => Some(&self.units[0]),
            Some(code) => self.units.iter().find(|unit| unit.code == code),
        };
        let Some(unit) = unit else {
            let units: Vec<&str> = self.units.iter().map(|unit| unit.code).collect();
            let detail = format!("This is measured in {} (UCUM).", units.join(" or "));
            return Err(Refusal::rule("unknown-unit", detail).at(self.pointer).with("units", units));
        };
        if two_decimals(value) != value || self.sign == VitalSign::PainScore && value.fract() != 0.0 {
            let detail = "A value has at most two decimals, a pain score none.";
            return Err(Refusal::rule("too-precise", detail).at(self.pointer));
        }
        let own = two_decimals((value - unit.shift) * unit.scale);
        let (least, most) = self.possible;
        if !(least..=most).contains(&own) {
            let own_unit = self.units[0].code;
            let detail = format!("That cannot be: from {least} to {most} {own_unit} is possible.");
            return Err(Refusal::rule("impossible-value", detail).at(self.pointer));
        }
        let flag = self.usual.and_then(|usual| usual.flag(own));
        Ok(Measured { sign: self.sign, value, unit: unit.code.to_owned(), flag })
    }
}

impl Usual {
    fn flag(self, value: f64) -> Option<VitalFlag> {
        if self.critical_low.is_some_and(|critical| value <= critical) {
            Some(VitalFlag::CriticallyLow)
        } else if self.critical_high.is_some_and(|critical| value >= critical) {
            Some(VitalFlag::CriticallyHigh)
        } else if value < self.low {
            Some(VitalFlag::Low)
        } else {
            (value > self.high).then_some(VitalFlag::High)
        }
    }
}

fn two_decimals(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
