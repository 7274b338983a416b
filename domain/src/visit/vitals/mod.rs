//! Vital signs: measured as often as it takes, each set for itself. A set that is wrong is struck out, and measured
//! anew.

mod norms;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use events::{
    VisitEvent, VitalsId,
    visit::{Measured, VisitReason, VitalSign, VitalSigns},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{PRESENT, Visit};
use crate::{
    Context, Refusal,
    values::{Reason, Text},
};

use norms::Norm;

/// So many sets has a visit, and no more; those that were struck out among them.
const MAX_SETS: usize = 100;
/// A device's clock may be ahead by so much.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// A value with its unit.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// At most two decimals.
    pub value: f64,
    /// UCUM; the sign's own unit, where it is left out.
    #[serde(default)]
    pub unit: Option<Text<20>>,
}

/// Records vital signs that were measured together; at least one. Impossible values are refused, those that are unusual
/// in adults are flagged.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordVitals {
    /// Now, where it is left out.
    #[serde(default)]
    pub measured_at: Option<DateTime<Utc>>,
    /// `Cel`, or `[degF]`.
    #[serde(default)]
    pub body_temperature: Option<Measure>,
    /// `/min`
    #[serde(default)]
    pub heart_rate: Option<Measure>,
    /// `/min`
    #[serde(default)]
    pub respiratory_rate: Option<Measure>,
    /// `mm[Hg]`
    #[serde(default)]
    pub blood_pressure_systolic: Option<Measure>,
    /// `mm[Hg]`
    #[serde(default)]
    pub blood_pressure_diastolic: Option<Measure>,
    /// `%`
    #[serde(default)]
    pub oxygen_saturation: Option<Measure>,
    /// `kg`, or `[lb_av]`.
    #[serde(default)]
    pub body_weight: Option<Measure>,
    /// `cm`, or `[in_i]`.
    #[serde(default)]
    pub body_height: Option<Measure>,
    /// `cm`, or `[in_i]`.
    #[serde(default)]
    pub head_circumference: Option<Measure>,
    /// `mg/dL`, or `mmol/L`.
    #[serde(default)]
    pub blood_glucose: Option<Measure>,
    /// `{score}`, from 0 (none) to 10 (the worst that can be imagined).
    #[serde(default)]
    pub pain_score: Option<Measure>,
    /// How it was measured: `lying, left arm`.
    #[serde(default)]
    pub note: Option<Text<500>>,
}

/// Strikes out a set of vital signs that should never have been entered. It stays on record.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterVitalsInError {
    pub vitals_id: VitalsId,
    pub reason: Reason,
}

impl RecordVitals {
    pub(super) fn decide(self, visit: &Visit, context: &Context<'_>) -> Result<VisitEvent, Refusal> {
        visit.must_take(&PRESENT, "vital signs")?;
        if visit.vitals.len() >= MAX_SETS {
            let detail = format!("A visit has at most {MAX_SETS} sets of vital signs.");
            return Err(Refusal::rule("too-many", detail).with("limit", MAX_SETS));
        }
        let measured_at = self.measured_at.unwrap_or(context.occurred_at).trunc_subsecs(6);
        if measured_at > context.now + CLOCK_TOLERANCE {
            let detail = "What is measured was measured already.";
            return Err(Refusal::rule("in-the-future", detail).at("/measured_at"));
        }
        let signs = self.checked()?;
        Ok(VisitEvent::VitalsRecorded {
            attendance: visit.attendance,
            vitals: context.new_id(0),
            measured_at,
            sealed: VitalSigns { signs, note: self.note.map(Into::into) }.into(),
        })
    }

    fn measures(&self) -> [(VitalSign, &Option<Measure>); 11] {
        [
            (VitalSign::BodyTemperature, &self.body_temperature),
            (VitalSign::HeartRate, &self.heart_rate),
            (VitalSign::RespiratoryRate, &self.respiratory_rate),
            (VitalSign::BloodPressureSystolic, &self.blood_pressure_systolic),
            (VitalSign::BloodPressureDiastolic, &self.blood_pressure_diastolic),
            (VitalSign::OxygenSaturation, &self.oxygen_saturation),
            (VitalSign::BodyWeight, &self.body_weight),
            (VitalSign::BodyHeight, &self.body_height),
            (VitalSign::HeadCircumference, &self.head_circumference),
            (VitalSign::BloodGlucose, &self.blood_glucose),
            (VitalSign::PainScore, &self.pain_score),
        ]
    }

    fn checked(&self) -> Result<Vec<Measured>, Refusal> {
        let given = self.measures().into_iter().filter_map(|(sign, measure)| Some((sign, measure.as_ref()?)));
        let signs: Vec<Measured> = given
            .map(|(sign, measure)| Norm::of(sign).check(measure.value, measure.unit.as_ref().map(Text::as_str)))
            .collect::<Result<_, _>>()?;
        if signs.is_empty() {
            return Err(Refusal::rule("required", "Give at least one vital sign."));
        }
        let pressure = |sign| signs.iter().find(|measured| measured.sign == sign).map(|measured| measured.value);
        match (pressure(VitalSign::BloodPressureSystolic), pressure(VitalSign::BloodPressureDiastolic)) {
            (Some(systolic), Some(diastolic)) if diastolic >= systolic => {
                let detail = "The diastolic pressure is below the systolic one.";
                Err(Refusal::rule("impossible-value", detail).at("/blood_pressure_diastolic"))
            }
            _ => Ok(signs),
        }
    }
}

impl EnterVitalsInError {
    /// `None`: they are struck out already.
    pub(super) fn decide(self, visit: &Visit) -> Result<Option<VisitEvent>, Refusal> {
        let stands = visit.vitals.get(&self.vitals_id).copied();
        let stands = stands.ok_or_else(|| Refusal::not_found("set of vital signs").at("/vitals_id"))?;
        visit.must_take(&PRESENT, "correction")?;
        let sealed = VisitReason { reason: Some(self.reason.into()) }.into();
        Ok(stands.then_some(VisitEvent::VitalsEnteredInError {
            attendance: visit.attendance,
            vitals: self.vitals_id,
            sealed,
        }))
    }
}

#[cfg(test)]
mod tests;
