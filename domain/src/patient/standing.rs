//! Whether the patient still comes. Neither a deactivation nor a death cancels appointments: the clinic
//! sees them in its lists and cancels them, since somebody may have to be told.

use chrono::NaiveDate;
use events::{PatientEvent, calendar::day_of, patient::Death};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Chart, Life, sealed_reason};
use crate::{
    Context, Decision, Refusal,
    values::{Reason, Text},
};

/// Takes the patient out of the lists. No new appointments until a reactivation; booked ones stay.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeactivatePatient {
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Undoes a deactivation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReactivatePatient {}

/// Records the patient's death. No new appointments; booked ones stay until they are cancelled.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordDeath {
    #[serde(default)]
    pub died_on: Option<NaiveDate>,
    #[serde(default)]
    pub cause: Option<Text<500>>,
}

impl DeactivatePatient {
    pub(super) fn decide(self, chart: &Chart<'_>) -> Result<Decision, Refusal> {
        check_alive(chart)?;
        match chart.patient.life {
            Life::Inactive => Ok(Decision::already_so()),
            Life::Active | Life::Deceased | Life::Erased => chart.record(PatientEvent::PatientDeactivated {
                was: chart.patient.status(),
                sealed: sealed_reason(self.reason),
            }),
        }
    }
}

impl ReactivatePatient {
    pub(super) fn decide(self, chart: &Chart<'_>) -> Result<Decision, Refusal> {
        check_alive(chart)?;
        match chart.patient.life {
            Life::Active => Ok(Decision::already_so()),
            Life::Inactive | Life::Deceased | Life::Erased => {
                chart.record(PatientEvent::PatientReactivated { was: chart.patient.status() })
            }
        }
    }
}

impl RecordDeath {
    pub(super) fn decide(self, chart: &Chart<'_>, context: &Context<'_>) -> Result<Decision, Refusal> {
        check_alive(chart)?;
        let today = day_of(context.now, context.in_clinic()?.zone());
        if self.died_on.is_some_and(|day| day > today) {
            return Err(Refusal::rule("death-in-future", "A death lies in the past.").at("/died_on"));
        }
        let death = Death { died_on: self.died_on, cause: self.cause.map(Into::into) };
        chart.record(PatientEvent::DeathRecorded { was: chart.patient.status(), sealed: death.into() })
    }
}

fn check_alive(chart: &Chart<'_>) -> Result<(), Refusal> {
    match chart.group.life() {
        Life::Active | Life::Inactive => Ok(()),
        Life::Erased => Err(Refusal::gone()),
        Life::Deceased => Err(Refusal::conflict("patient-deceased", "The patient's death is on record.")),
    }
}

#[cfg(test)]
mod tests {
    use events::{DomainEvent, PatientId, patient::PatientStatus};
    use serde_json::json;

    use super::*;
    use crate::{
        Patient,
        testing::{World, body},
    };

    fn start() -> (World, PatientId) {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        let patient = world.given_patient(1);
        (world, patient)
    }

    fn die(world: &mut World, patient: PatientId) -> Result<Vec<DomainEvent>, Refusal> {
        world.patient(patient, body::<RecordDeath>(json!({"died_on": "2026-03-01"})))
    }

    #[test]
    fn a_deactivation_is_undone() {
        let (mut world, patient) = start();
        let status = |world: &World| world.state::<Patient>(patient).unwrap().status();
        for expected in [1, 0] {
            assert_eq!(world.patient(patient, DeactivatePatient { reason: None }).unwrap().len(), expected);
            assert_eq!(status(&world), PatientStatus::Inactive);
        }
        assert_eq!(world.counter("usage/patients"), 1, "an inactive patient still counts");
        for expected in [1, 0] {
            assert_eq!(world.patient(patient, ReactivatePatient {}).unwrap().len(), expected);
            assert_eq!(status(&world), PatientStatus::Active);
        }
    }

    #[test]
    fn a_death_is_final() {
        let (mut world, patient) = start();
        world.patient(patient, DeactivatePatient { reason: None }).unwrap();
        die(&mut world, patient).unwrap();
        assert_eq!(world.state::<Patient>(patient).unwrap().status(), PatientStatus::Deceased);
        assert_eq!(die(&mut world, patient).unwrap_err().code, "patient-deceased");
        assert_eq!(world.patient(patient, ReactivatePatient {}).unwrap_err().code, "patient-deceased");
        let deactivate = DeactivatePatient { reason: None };
        assert_eq!(world.patient(patient, deactivate).unwrap_err().code, "patient-deceased");
        // The record goes on: a late result may still show an allergy.
        world.patient(patient, body::<super::super::RecordAllergy>(json!({"substance": "latex"}))).unwrap();
    }

    #[test]
    fn a_death_lies_in_the_past() {
        let (mut world, patient) = start();
        let tomorrow = body::<RecordDeath>(json!({"died_on": "2026-03-03"}));
        assert_eq!(world.patient(patient, tomorrow).unwrap_err().code, "death-in-future");
    }
}
