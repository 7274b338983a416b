//! The end of a clinic: it is closed, its retention clock runs, and then its keys are destroyed.

use events::ClinicEvent;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Clinic, did, state::Closed};
use crate::{Context, Decision, Refusal, patient::erasure::years_after};

/// Closes a clinic that works no more: suspend it first. Its record is kept, and can be read, until its retention
/// has run out; then its keys are destroyed. There is no way back.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseClinic {}

/// Destroys the keys of a closed clinic whose retention has run out.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShredClinic {}

pub(super) fn closed() -> Refusal {
    Refusal::conflict("clinic-closed", "The clinic is closed for good.")
}

impl CloseClinic {
    pub(super) fn decide(self, clinic: &Clinic, context: &Context<'_>) -> Result<Decision, Refusal> {
        if clinic.closed.is_some() {
            return Ok(Decision::already_so());
        }
        if clinic.standing(context.now).is_ok() {
            return Err(Refusal::conflict("clinic-works", "The clinic is at work: suspend it before it is closed."));
        }
        let retention_until = years_after(context.now, clinic.settings.retention.after_closing_years());
        Ok(did(context, ClinicEvent::ClinicClosed { retention_until }))
    }
}

impl ShredClinic {
    pub(super) fn decide(self, clinic: &Clinic, context: &Context<'_>) -> Result<Decision, Refusal> {
        let Some(Closed { retention_until, shredded }) = clinic.closed else {
            return Err(Refusal::conflict("clinic-open", "Only the keys of a closed clinic are destroyed."));
        };
        if shredded {
            return Ok(Decision::already_so());
        }
        if !clinic.holds.is_empty() {
            let detail = "A legal hold is on the clinic's records: lift it before the keys are destroyed.";
            return Err(Refusal::held("legal-hold", detail));
        }
        if context.now < retention_until {
            let detail = "The clinic's records have to be kept until its retention has run out.";
            return Err(Refusal::conflict("retention", detail).with("until", retention_until.to_rfc3339()));
        }
        Ok(did(context, ClinicEvent::ClinicShredded {}))
    }
}

#[cfg(test)]
mod tests {
    use chrono::Months;
    use serde_json::json;

    use super::*;
    use crate::{
        clinic::{PlaceLegalHold, ResumeClinic, SuspendClinic, UpdateSettings},
        testing::{World, body},
    };

    fn run(world: &mut World, command: impl Into<super::super::ClinicCommand>) -> Result<usize, Refusal> {
        world.when::<Clinic>(world.clinic, command).map(|events| events.len())
    }

    fn closed() -> World {
        let mut world = World::registered();
        run(&mut world, body::<SuspendClinic>(json!({"reason": "gone"}))).unwrap();
        run(&mut world, CloseClinic {}).unwrap();
        world
    }

    #[test]
    fn a_clinic_at_work_is_not_closed() {
        let mut world = World::registered();
        assert_eq!(run(&mut world, CloseClinic {}).unwrap_err().code, "clinic-works");
        assert_eq!(run(&mut world, ShredClinic {}).unwrap_err().code, "clinic-open");
    }

    #[test]
    fn closing_starts_the_clock_and_ends_all_else() {
        let mut world = closed();
        let expected = world.now.checked_add_months(Months::new(21 * 12)).unwrap();
        let clinic = world.state::<Clinic>(world.clinic).unwrap();
        assert_eq!(clinic.closed.unwrap().retention_until, expected, "18 and 3 years: a newborn of the last day");
        assert_eq!(clinic.standing(world.now).unwrap_err().code, "clinic-closed");
        assert_eq!(run(&mut world, CloseClinic {}).unwrap(), 0, "already so");
        assert_eq!(run(&mut world, ResumeClinic {}).unwrap_err().code, "clinic-closed");
        let settings = body::<UpdateSettings>(json!({"retention": {"clinical_years": 0}}));
        assert_eq!(run(&mut world, settings).unwrap_err().code, "clinic-closed", "the clock is not set back");
    }

    #[test]
    fn keys_are_destroyed_when_the_time_is_over_and_no_hold_is_left() {
        let mut world = closed();
        assert_eq!(run(&mut world, ShredClinic {}).unwrap_err().code, "retention");
        world.now = world.state::<Clinic>(world.clinic).unwrap().closed.unwrap().retention_until;
        let mut held = world.clone();
        run(&mut held, body::<PlaceLegalHold>(json!({"reason": "a case"}))).unwrap();
        assert_eq!(run(&mut held, ShredClinic {}).unwrap_err().class, crate::Class::Held);
        assert_eq!(run(&mut world, ShredClinic {}).unwrap(), 1);
        assert_eq!(run(&mut world, ShredClinic {}).unwrap(), 0, "already so");
    }
}
