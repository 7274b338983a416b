//! The patient comes, is seen and goes.

use events::{AppointmentEvent, Number, Series, appointment::AppointmentStatus};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Appointment, wrong_status};
use crate::Refusal;

/// The patient is in the waiting room and gets a token, unique in the office and day.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckIn {}

/// The patient is with the doctor.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartAppointment {}

/// The patient has been seen.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteAppointment {}

impl CheckIn {
    pub(super) fn decide(self, state: &Appointment) -> Result<AppointmentEvent, Refusal> {
        must_be(state, AppointmentStatus::Booked, "checked in")?;
        let slot = state.slot;
        let token = Number::Next(Series::QueueToken { office: slot.office, day: slot.day });
        Ok(AppointmentEvent::PatientCheckedIn { slot, was: state.status, token })
    }
}

impl StartAppointment {
    pub(super) fn decide(self, state: &Appointment) -> Result<AppointmentEvent, Refusal> {
        must_be(state, AppointmentStatus::Arrived, "started")?;
        Ok(AppointmentEvent::AppointmentStarted { slot: state.slot })
    }
}

impl CompleteAppointment {
    pub(super) fn decide(self, state: &Appointment) -> Result<AppointmentEvent, Refusal> {
        must_be(state, AppointmentStatus::CheckedIn, "completed")?;
        Ok(AppointmentEvent::AppointmentFulfilled { slot: state.slot })
    }
}

/// What becomes of an appointment with its visit, where it stands so that the step can be taken.
impl Appointment {
    pub(crate) fn when_visit_arrives(&self) -> Option<AppointmentEvent> {
        CheckIn {}.decide(self).ok()
    }

    pub(crate) fn when_visit_starts(&self) -> Option<AppointmentEvent> {
        StartAppointment {}.decide(self).ok()
    }

    pub(crate) fn when_visit_finishes(&self) -> Option<AppointmentEvent> {
        CompleteAppointment {}.decide(self).ok()
    }
}

fn must_be(state: &Appointment, status: AppointmentStatus, what: &str) -> Result<(), Refusal> {
    if state.status == status { Ok(()) } else { Err(wrong_status(state, what)) }
}

#[cfg(test)]
mod tests {
    use events::{DomainEvent, OfficeId};
    use serde_json::json;

    use super::{
        super::sample::{DOCTOR, desk, given_booked, status},
        *,
    };
    use crate::testing::{World, id};

    fn check_in(world: &mut World, n: u128) -> String {
        world.appointment(id(n), CheckIn {}).unwrap();
        match world.log.last() {
            Some((_, DomainEvent::Appointment(AppointmentEvent::PatientCheckedIn { token, .. }))) => {
                token.as_str().to_owned()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_visit_goes_from_the_door_to_the_door() {
        let mut world = desk();
        given_booked(&mut world, 1, json!({}));
        check_in(&mut world, 1);
        assert_eq!(status(&world, 1), AppointmentStatus::Arrived);
        world.appointment(id(1), StartAppointment {}).unwrap();
        assert_eq!((status(&world, 1), world.times.len()), (AppointmentStatus::CheckedIn, 1));
        world.appointment(id(1), CompleteAppointment {}).unwrap();
        assert_eq!((status(&world, 1), world.times.len()), (AppointmentStatus::Fulfilled, 0));
    }

    #[test]
    fn a_token_is_unique_in_the_office_and_day() {
        let mut world = desk();
        let other = id::<OfficeId>(9);
        world.given_office(other);
        world.given(id::<events::DoctorId>(DOCTOR), events::DoctorEvent::OfficeAssigned { office: other });
        given_booked(&mut world, 1, json!({}));
        given_booked(&mut world, 2, json!({"start": "2026-03-02T05:00:00Z"}));
        given_booked(&mut world, 3, json!({"start": "2026-03-02T06:00:00Z", "office_id": other}));
        given_booked(&mut world, 4, json!({"start": "2026-03-03T06:00:00Z"}));
        let tokens: Vec<_> = (1..=4).map(|n| check_in(&mut world, n)).collect();
        assert_eq!(tokens, ["1", "2", "1", "1"]);
    }
}
