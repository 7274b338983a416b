//! Allergies and intolerances (FHIR AllergyIntolerance). A command that names an allergy is recorded where
//! the allergy lies, under whichever of the person's records the command was given.

use events::{
    AllergyId, PatientEvent, PatientId,
    patient::{Allergy, Criticality},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::{AllergyStatus, Chart, sealed_reason};
use crate::{
    Context, Decision, Refusal,
    values::{Reason, Text},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AllergyCategory {
    Food,
    Medication,
    Environment,
    Biologic,
}

/// Records an allergy, unconfirmed until it is verified.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordAllergy {
    pub substance: Text<200>,
    /// In the coding system of the clinic's catalogue (RxNorm, SNOMED CT).
    #[serde(default)]
    pub code: Option<Text<64>>,
    /// The class of substances that it extends to (`penicillins`), where more is meant than the catalogue knows.
    #[serde(default)]
    pub class: Option<Text<200>>,
    #[serde(default)]
    pub category: Option<AllergyCategory>,
    #[serde(default)]
    pub criticality: Option<Criticality>,
    #[serde(default)]
    pub reaction: Option<Text<500>>,
}

/// Confirms an allergy.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyAllergy {
    pub allergy_id: AllergyId,
}

/// Says that it never was one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefuteAllergy {
    pub allergy_id: AllergyId,
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Says that it has passed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveAllergy {
    pub allergy_id: AllergyId,
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Says that the patient was asked and knows of none. Refused while there is an active one; each asking
/// is recorded.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssertNoKnownAllergies {}

impl RecordAllergy {
    pub(super) fn decide(self, chart: &Chart<'_>, context: &Context<'_>) -> Result<Decision, Refusal> {
        let allergy = Allergy {
            substance: self.substance.into(),
            code: self.code.map(Into::into),
            class: self.class.map(Into::into),
            category: self.category.map(|category| <&str>::from(category).to_owned()),
            criticality: self.criticality,
            reaction: self.reaction.map(Into::into),
        };
        chart.record(PatientEvent::AllergyRecorded { allergy: context.new_id(0), sealed: allergy.into() })
    }
}

impl VerifyAllergy {
    pub(super) fn decide(self, chart: &Chart<'_>) -> Result<Decision, Refusal> {
        let allergy = self.allergy_id;
        Ok(match find(chart, allergy)? {
            (_, AllergyStatus::Confirmed) => Decision::already_so(),
            (holder, AllergyStatus::Unconfirmed) => Decision::one(holder, PatientEvent::AllergyVerified { allergy }),
            (_, AllergyStatus::Refuted | AllergyStatus::Resolved) => return Err(not_active()),
        })
    }
}

impl RefuteAllergy {
    pub(super) fn decide(self, chart: &Chart<'_>) -> Result<Decision, Refusal> {
        let allergy = self.allergy_id;
        Ok(match find(chart, allergy)? {
            (_, AllergyStatus::Refuted) => Decision::already_so(),
            (holder, AllergyStatus::Unconfirmed | AllergyStatus::Confirmed) => {
                Decision::one(holder, PatientEvent::AllergyRefuted { allergy, sealed: sealed_reason(self.reason) })
            }
            (_, AllergyStatus::Resolved) => return Err(not_active()),
        })
    }
}

impl ResolveAllergy {
    pub(super) fn decide(self, chart: &Chart<'_>) -> Result<Decision, Refusal> {
        let allergy = self.allergy_id;
        Ok(match find(chart, allergy)? {
            (_, AllergyStatus::Resolved) => Decision::already_so(),
            (holder, AllergyStatus::Unconfirmed | AllergyStatus::Confirmed) => {
                Decision::one(holder, PatientEvent::AllergyResolved { allergy, sealed: sealed_reason(self.reason) })
            }
            (_, AllergyStatus::Refuted) => return Err(not_active()),
        })
    }
}

impl AssertNoKnownAllergies {
    pub(super) fn decide(self, chart: &Chart<'_>) -> Result<Decision, Refusal> {
        if chart.group.active_allergies().next().is_some() {
            let detail = "There are active allergies; refute or resolve them first.";
            return Err(Refusal::rule("active-allergies", detail));
        }
        chart.record(PatientEvent::NoKnownAllergiesAsserted {})
    }
}

fn find(chart: &Chart<'_>, allergy: AllergyId) -> Result<(PatientId, AllergyStatus), Refusal> {
    let found = chart.group.holding(|member| member.allergies.get(&allergy).copied());
    found.ok_or_else(|| Refusal::not_found("allergy").at("/allergy_id"))
}

fn not_active() -> Refusal {
    Refusal::conflict("allergy-not-active", "The allergy was refuted or resolved; record it anew if it is back.")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        Patient, PatientCommand,
        testing::{World, body},
    };

    fn given_allergy(world: &mut World, patient: PatientId) -> AllergyId {
        let content = json!({"substance": "penicillin", "category": "medication", "criticality": "high"});
        world.patient(patient, body::<RecordAllergy>(content)).unwrap();
        *world.state::<Patient>(patient).unwrap().allergies.keys().next_back().unwrap()
    }

    fn verify(allergy: AllergyId) -> PatientCommand {
        VerifyAllergy { allergy_id: allergy }.into()
    }

    fn refute(allergy: AllergyId) -> PatientCommand {
        RefuteAllergy { allergy_id: allergy, reason: None }.into()
    }

    fn resolve(allergy: AllergyId) -> PatientCommand {
        ResolveAllergy { allergy_id: allergy, reason: None }.into()
    }

    fn start() -> (World, PatientId) {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        let patient = world.given_patient(1);
        (world, patient)
    }

    #[test]
    fn an_allergy_goes_the_ways_that_fhir_knows() {
        let (verified, refuted, resolved) = (Ok(1), Ok(1), Ok(1));
        let (so, not) = (Ok(0), Err("allergy-not-active"));
        let first: [fn(AllergyId) -> PatientCommand; 3] = [verify, refute, resolve];
        let then = [[so, refuted, resolved], [not, so, not], [not, not, so]];
        for (one, expected) in first.iter().zip(then) {
            for (next, expected) in first.iter().zip(expected) {
                let (mut world, patient) = start();
                let allergy = given_allergy(&mut world, patient);
                assert_eq!(world.patient(patient, one(allergy)).map(|e| e.len()).map_err(|e| e.code), verified);
                assert_eq!(world.patient(patient, next(allergy)).map(|e| e.len()).map_err(|e| e.code), expected);
            }
        }
    }

    #[test]
    fn who_has_an_active_allergy_has_a_known_one() {
        let (mut world, patient) = start();
        let none = || body::<AssertNoKnownAllergies>(Value::Object(Default::default()));
        world.patient(patient, none()).unwrap();
        assert!(world.state::<Patient>(patient).unwrap().no_known_allergies);
        let allergy = given_allergy(&mut world, patient);
        assert!(!world.state::<Patient>(patient).unwrap().no_known_allergies);
        assert_eq!(world.patient(patient, none()).unwrap_err().code, "active-allergies");
        world.patient(patient, refute(allergy)).unwrap();
        world.patient(patient, none()).unwrap();
    }

    #[test]
    fn an_allergy_is_verified_where_it_lies() {
        let (mut world, survivor) = start();
        let double = world.given_patient(2);
        let allergy = given_allergy(&mut world, double);
        world.given_merge(double, survivor);
        world.patient(survivor, verify(allergy)).unwrap();
        assert_eq!(world.state::<Patient>(double).unwrap().allergies[&allergy], AllergyStatus::Confirmed);
        assert!(world.state::<Patient>(survivor).unwrap().allergies.is_empty());
    }

    #[test]
    fn an_unknown_allergy_is_not_found() {
        let (mut world, patient) = start();
        for command in [verify, refute, resolve] {
            let refused = world.patient(patient, command(AllergyId(uuid::Uuid::nil()))).unwrap_err();
            assert_eq!((refused.class, refused.pointer), (crate::Class::NotFound, Some("/allergy_id")));
        }
    }
}
