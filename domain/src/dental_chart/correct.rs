//! What the chart said, and was not so. What it said stays on record.

use events::{
    DentalChartEvent, DentalExtractionId, DentalObservationId,
    dental_chart::{DentalCorrectionReason, DentalText},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Mouth, RecordObservation};
use crate::{Decision, Refusal, values::Reason};

/// Says what should have been recorded instead. The earlier finding stays readable.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrectObservation {
    pub observation_id: DentalObservationId,
    /// All of it, as it should be.
    pub finding: RecordObservation,
    pub reason: DentalCorrectionReason,
    /// Why, in words.
    #[serde(default)]
    pub text: Option<Reason>,
}

/// Strikes out an observation that should never have been recorded. It stays on record.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterObservationInError {
    pub observation_id: DentalObservationId,
    pub reason: DentalCorrectionReason,
    /// Why, in words.
    #[serde(default)]
    pub text: Option<Reason>,
}

/// Strikes out an extraction that never was: the tooth is there. It stays on record.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterExtractionInError {
    pub extraction_id: DentalExtractionId,
    pub reason: DentalCorrectionReason,
    /// Why, in words.
    #[serde(default)]
    pub text: Option<Reason>,
}

impl CorrectObservation {
    pub(super) fn decide(self, mouth: &Mouth<'_>) -> Result<Decision, Refusal> {
        let (holder, _) = mouth.observation(self.observation_id)?;
        let corrected = self.finding.corrected(self.observation_id, self.reason, self.text.map(Into::into));
        Ok(Decision::one(holder, corrected.map_err(|refusal| refusal.at("/finding/surfaces"))?))
    }
}

impl EnterObservationInError {
    pub(super) fn decide(self, mouth: &Mouth<'_>) -> Result<Decision, Refusal> {
        let (observation, reason) = (self.observation_id, self.reason);
        let (holder, seen) = mouth.observation(observation)?;
        let sealed = DentalText { text: self.text.map(Into::into) }.into();
        let struck_out = DentalChartEvent::ObservationEnteredInError { observation, tooth: seen.tooth, reason, sealed };
        Ok(Decision::one(holder, struck_out))
    }
}

impl EnterExtractionInError {
    pub(super) fn decide(self, mouth: &Mouth<'_>) -> Result<Decision, Refusal> {
        let (extraction, reason) = (self.extraction_id, self.reason);
        let (holder, pulled) = mouth.extraction(extraction)?;
        if pulled.struck_out {
            return Ok(Decision::already_so());
        }
        let sealed = DentalText { text: self.text.map(Into::into) }.into();
        let struck_out = DentalChartEvent::ExtractionEnteredInError { extraction, tooth: pulled.tooth, reason, sealed };
        Ok(Decision::one(holder, struck_out))
    }
}

#[cfg(test)]
mod tests {
    use events::tooth::Tooth;
    use serde_json::json;

    use super::{
        super::{
            ExtractTooth,
            sample::{PATIENT, chart, clinic, given_observed, on},
        },
        *,
    };
    use crate::testing::{World, body, id};

    fn correct(world: &mut World, observation: DentalObservationId, finding: serde_json::Value) -> Result<(), Refusal> {
        let content = json!({"observation_id": observation, "finding": finding, "reason": "wrong_tooth"});
        on(world, PATIENT, body::<CorrectObservation>(content)).map(drop)
    }

    fn strike_out(world: &mut World, observation: DentalObservationId) -> Result<(), Refusal> {
        let content = json!({"observation_id": observation, "reason": "wrong_patient", "text": "the one before"});
        on(world, PATIENT, body::<EnterObservationInError>(content)).map(drop)
    }

    #[test]
    fn a_corrected_observation_says_something_else() {
        let mut world = clinic();
        let observation = given_observed(&mut world, PATIENT, json!({"tooth": 17, "condition": "missing"}));
        assert!(chart(&world, PATIENT).is_missing(Tooth(17)));
        correct(&mut world, observation, json!({"tooth": 18, "condition": "missing"})).unwrap();
        assert!(!chart(&world, PATIENT).is_missing(Tooth(17)) && chart(&world, PATIENT).is_missing(Tooth(18)));
        correct(&mut world, observation, json!({"tooth": 18, "condition": "impacted"})).unwrap();
        assert!(!chart(&world, PATIENT).is_missing(Tooth(18)));
        let wrong =
            correct(&mut world, observation, json!({"tooth": 18, "condition": "wear", "surfaces": ["lingual"]}));
        assert_eq!(wrong.unwrap_err().pointer, Some("/finding/surfaces"));
    }

    #[test]
    fn what_is_struck_out_counts_no_more() {
        let mut world = clinic();
        let observation = given_observed(&mut world, PATIENT, json!({"tooth": 17, "condition": "missing"}));
        strike_out(&mut world, observation).unwrap();
        assert!(!chart(&world, PATIENT).is_missing(Tooth(17)));
        assert_eq!(strike_out(&mut world, observation).unwrap_err().code, "struck-out");
        let again = correct(&mut world, observation, json!({"tooth": 17, "condition": "wear"}));
        assert_eq!(again.unwrap_err().code, "struck-out");
        assert_eq!(strike_out(&mut world, id(9)).unwrap_err().class, crate::Class::NotFound);
    }

    #[test]
    fn an_extraction_that_never_was_leaves_the_tooth() {
        let mut world = clinic();
        on(&mut world, PATIENT, body::<ExtractTooth>(json!({"tooth": 48}))).unwrap();
        let extraction = *chart(&world, PATIENT).extractions.keys().next().unwrap();
        let strike_out = json!({"extraction_id": extraction, "reason": "wrong_tooth"});
        for events in [1, 0] {
            let done = on(&mut world, PATIENT, body::<EnterExtractionInError>(strike_out.clone()));
            assert_eq!(done.unwrap().len(), events);
            assert!(!chart(&world, PATIENT).is_missing(Tooth(48)));
        }
    }

    #[test]
    fn it_is_corrected_where_it_lies() {
        let mut world = clinic();
        let double = world.given_patient(2);
        let observation = given_observed(&mut world, double, json!({"tooth": 17, "condition": "missing"}));
        world.given_merge(double, PATIENT);
        correct(&mut world, observation, json!({"tooth": 17, "condition": "wear"})).unwrap();
        assert_eq!(world.log.last().unwrap().0.id, double.0);
        assert!(!chart(&world, double).is_missing(Tooth(17)));
    }
}
