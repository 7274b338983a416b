//! What is seen on a tooth.

use events::{
    DentalChartEvent, DentalObservationId, Sealed,
    dental_chart::{CorrectedFinding, DentalCorrectionReason, ToothFinding},
    tooth::{Surface, Tooth, ToothCondition, ToothSeverity},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Mouth, surfaces};
use crate::{
    Context, Decision, Refusal,
    values::{Text, ToothNumber},
};

/// Most observations in one command.
const MAX_OBSERVATIONS: usize = 20;

/// Records what is seen on a tooth. The answer's `observation_id` names it from then on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordObservation {
    pub tooth: ToothNumber,
    /// Where on the tooth; left out where it concerns all of it.
    #[serde(default)]
    pub surfaces: Vec<Surface>,
    pub condition: ToothCondition,
    #[serde(default)]
    pub severity: Option<ToothSeverity>,
    #[serde(default)]
    pub note: Option<Text<1000>>,
}

/// Records what is seen on several teeth: all of it or nothing.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordObservations {
    #[schemars(length(min = 1, max = 20))]
    pub observations: Vec<RecordObservation>,
}

impl RecordObservation {
    pub(super) fn decide(self, mouth: &Mouth<'_>, context: &Context<'_>) -> Result<Decision, Refusal> {
        Ok(Decision::one(mouth.id, self.recorded(context.new_id(0))?))
    }

    fn recorded(self, observation: DentalObservationId) -> Result<DentalChartEvent, Refusal> {
        let (tooth, missing) = (self.tooth.get(), self.says_missing());
        Ok(DentalChartEvent::ObservationRecorded { observation, tooth, missing, sealed: self.finding()?.into() })
    }

    /// The same observation, corrected to this.
    pub(super) fn corrected(
        self,
        observation: DentalObservationId,
        reason: DentalCorrectionReason,
        text: Option<String>,
    ) -> Result<DentalChartEvent, Refusal> {
        let (tooth, missing) = (self.tooth.get(), self.says_missing());
        let sealed = Sealed::Open(CorrectedFinding { finding: self.finding()?, text });
        Ok(DentalChartEvent::ObservationCorrected { observation, tooth, missing, reason, sealed })
    }

    fn says_missing(&self) -> bool {
        self.condition == ToothCondition::Missing
    }

    fn finding(self) -> Result<ToothFinding, Refusal> {
        let tooth: Tooth = self.tooth.get();
        Ok(ToothFinding {
            surfaces: surfaces::of_tooth(tooth, &self.surfaces)?,
            condition: self.condition,
            severity: self.severity,
            note: self.note.map(Into::into),
        })
    }
}

impl RecordObservations {
    pub(super) fn decide(self, mouth: &Mouth<'_>, context: &Context<'_>) -> Result<Decision, Refusal> {
        let given = self.observations.len();
        if given == 0 || given > MAX_OBSERVATIONS {
            let detail = format!("One command records 1 to {MAX_OBSERVATIONS} observations.");
            return Err(Refusal::rule("too-many", detail).at("/observations").with("limit", MAX_OBSERVATIONS));
        }
        let ids = (0..).map(|n| context.new_id(n));
        self.observations.into_iter().zip(ids).enumerate().try_fold(Decision::default(), |decision, (n, (one, id))| {
            let recorded = one.recorded(id).map_err(|refusal| refusal.at("/observations").with("index", n))?;
            Ok(decision.and(mouth.id, recorded))
        })
    }
}

#[cfg(test)]
mod tests {
    use events::{DomainEvent, StreamId};
    use serde_json::json;

    use super::{
        super::sample::{PATIENT, chart, clinic, on},
        *,
    };
    use crate::{
        patient::RecordDeath,
        testing::{World, body, id},
    };

    fn observe(world: &mut World, content: serde_json::Value) -> Result<Vec<DomainEvent>, Refusal> {
        on(world, PATIENT, body::<RecordObservation>(content))
    }

    #[test]
    fn a_chart_begins_with_its_first_observation() {
        let mut world = clinic();
        let events = observe(
            &mut world,
            json!({"tooth": 16, "surfaces": ["mesial", "occlusal"], "condition": "cavity", "severity": "mild"}),
        );
        assert_eq!(events.unwrap().len(), 1);
        assert_eq!(world.log.last().unwrap().0, StreamId::from(events::DentalChartId::from(PATIENT)));
        assert_eq!(chart(&world, PATIENT).observations.len(), 1);
        assert!(!chart(&world, PATIENT).is_missing(Tooth(16)));
    }

    #[test]
    fn nothing_of_a_finding_is_in_clear() {
        let mut world = clinic();
        let events = observe(
            &mut world,
            json!({"tooth": 16, "surfaces": ["occlusal"], "condition": "abscess", "severity": "severe", "note": "pus"}),
        );
        let stored = events::codec::encode(&events.unwrap()[0]);
        let clear = String::from_utf8(stored.payload).unwrap();
        assert!(["occlusal", "abscess", "severe", "pus"].iter().all(|word| !clear.contains(word)), "{clear}");
    }

    #[test]
    fn a_surface_is_one_that_the_tooth_has() {
        let refused = observe(&mut clinic(), json!({"tooth": 36, "surfaces": ["palatal"], "condition": "cavity"}));
        assert_eq!(refused.unwrap_err().code, "no-such-surface");
    }

    #[test]
    fn many_are_recorded_at_once_or_none() {
        let mut world = clinic();
        let seen = |n: usize| vec![json!({"tooth": 16, "condition": "wear"}); n];
        let record = |observations| body::<RecordObservations>(json!({"observations": observations}));
        for n in [0, 21] {
            assert_eq!(on(&mut world, PATIENT, record(seen(n))).unwrap_err().code, "too-many");
        }
        let mut one_is_wrong = seen(3);
        one_is_wrong[1]["surfaces"] = json!(["lingual"]);
        let refused = on(&mut world, PATIENT, record(one_is_wrong)).unwrap_err();
        assert_eq!((refused.code, refused.extra.last().unwrap()), ("no-such-surface", &("index", json!(1))));
        assert!(world.state::<super::super::DentalChart>(events::DentalChartId::from(PATIENT)).is_none());
        assert_eq!(on(&mut world, PATIENT, record(seen(20))).unwrap().len(), 20);
        assert_eq!(chart(&world, PATIENT).observations.len(), 20);
    }

    #[test]
    fn the_dead_are_known_by_their_teeth() {
        let mut world = clinic();
        world.patient(PATIENT, body::<RecordDeath>(json!({}))).unwrap();
        observe(&mut world, json!({"tooth": 16, "condition": "missing"})).unwrap();
    }

    #[test]
    fn nobody_has_no_chart() {
        let refused = on(&mut clinic(), id(9), body::<RecordObservation>(json!({"tooth": 16, "condition": "wear"})));
        assert_eq!(refused.unwrap_err().class, crate::Class::NotFound);
    }
}
