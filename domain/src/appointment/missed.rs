//! No-shows that the program marks itself, where the clinic's settings say so.

use chrono::TimeDelta;
use events::{ActorKind, AppointmentEvent, appointment::AppointmentStatus};

use super::{Appointment, wrong_status};
use crate::{
    Context, Facts, Refusal,
    patient::{Group, Life},
};

/// Marks who was booked and has not come, so long after the start as the clinic's settings say. Only the program itself
/// does so, and never of who has arrived: they sit in the waiting room, and people say who did not wait.
#[derive(Clone, Debug)]
pub struct MarkMissed {}

impl MarkMissed {
    /// `None`: it is so already.
    pub(super) fn decide(
        self,
        state: &Appointment,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Option<AppointmentEvent>, Refusal> {
        if context.actor.kind != ActorKind::System {
            return Err(Refusal::forbidden("system-only", "Mark the no-show as a person."));
        }
        match state.status {
            AppointmentStatus::Booked => {}
            AppointmentStatus::NoShow => return Ok(None),
            _ => return Err(wrong_status(state, "marked as a no-show by itself")),
        }
        let Some(minutes) = context.in_clinic()?.settings.no_shows_marked_after_minutes() else {
            return Err(Refusal::rule("marked-by-people", "The clinic's people mark its no-shows."));
        };
        if context.now < state.slot.start + TimeDelta::minutes(minutes) {
            return Err(Refusal::rule("too-early", "The patient may still come."));
        }
        could_come(state, facts)?;
        Ok(Some(AppointmentEvent::AppointmentMarkedNoShow { slot: state.slot, was: state.status }))
    }
}

/// Of who died, nobody says without looking that they did not come.
fn could_come(state: &Appointment, facts: &Facts) -> Result<(), Refusal> {
    match Group::find(state.slot.patient, facts)?.life() {
        Life::Active | Life::Inactive => Ok(()),
        Life::Deceased => Err(Refusal::rule("patient-deceased", "The patient's death is on record.")),
        Life::Erased => Err(Refusal::gone()),
    }
}

#[cfg(test)]
mod tests {
    use events::{Actor, DomainEvent};
    use serde_json::json;

    use super::{
        super::{
            AppointmentCommand, CheckIn, ConfirmAppointment, MarkNoShow, StartAppointment,
            sample::{PATIENT, TEN, code, desk, given_booked, status},
        },
        *,
    };
    use crate::{
        patient::RecordDeath,
        testing::{World, at, body, id},
    };

    /// An appointment at ten, where no-shows are marked after so many minutes.
    fn given(minutes: Option<i64>) -> World {
        let mut world = desk();
        world.given_settings(json!({"mark_no_shows_after_minutes": minutes}));
        given_booked(&mut world, 1, json!({}));
        world.now = at(TEN) + TimeDelta::minutes(60);
        world
    }

    /// The program comes by.
    fn mark(world: &mut World) -> Result<Vec<DomainEvent>, Refusal> {
        let actor = std::mem::replace(&mut world.actor, Actor::system());
        let marked = world.appointment(id(1), MarkMissed {});
        world.actor = actor;
        marked
    }

    #[test]
    fn who_has_not_come_is_marked_when_the_clinic_wants_it_and_once() {
        let mut world = given(Some(60));
        world.now -= TimeDelta::seconds(1);
        assert_eq!(code(mark(&mut world)), "too-early");
        world.now += TimeDelta::seconds(1);
        assert_eq!(mark(&mut world).unwrap().len(), 1);
        assert_eq!(status(&world, 1), AppointmentStatus::NoShow);
        assert!(mark(&mut world).unwrap().is_empty(), "once");
        assert!(world.times.is_empty(), "the doctor's time is free again");
        assert_eq!(code(mark(&mut given(None))), "marked-by-people");
    }

    #[test]
    fn never_before_the_grace_time() {
        let mut world = given(Some(0));
        world.now = at(TEN) + TimeDelta::minutes(14);
        assert_eq!(code(mark(&mut world)), "too-early");
        world.now += TimeDelta::minutes(1);
        mark(&mut world).unwrap();
    }

    #[test]
    fn who_is_in_the_waiting_room_or_with_the_doctor_is_not_marked() {
        let ways: [&[AppointmentCommand]; 3] =
            [&[CheckIn {}.into()], &[CheckIn {}.into(), StartAppointment {}.into()], &[MarkNoShow {}.into()]];
        let came: Vec<_> = ways
            .into_iter()
            .map(|way| {
                let mut world = given(Some(30));
                way.iter().for_each(|command| drop(world.appointment(id(1), command.clone()).unwrap()));
                mark(&mut world).map(|events| events.len()).map_err(|refusal| refusal.code)
            })
            .collect();
        assert_eq!(came, [Err("wrong-status"), Err("wrong-status"), Ok(0)]);
    }

    #[test]
    fn who_was_never_promised_a_time_is_not_marked() {
        let mut world = desk();
        world.given_settings(json!({"mark_no_shows_after_minutes": 30, "confirm_bookings": true}));
        given_booked(&mut world, 1, json!({}));
        let mut confirmed = world.clone();
        confirmed.appointment(id(1), ConfirmAppointment {}).unwrap();
        for (mut world, expected) in [(world, Err("wrong-status")), (confirmed, Ok(1))] {
            world.now = at(TEN) + TimeDelta::minutes(60);
            assert_eq!(mark(&mut world).map(|events| events.len()).map_err(|refusal| refusal.code), expected);
        }
    }

    #[test]
    fn of_who_died_it_is_left_to_people() {
        let mut world = given(Some(30));
        world.patient(id(PATIENT), body::<RecordDeath>(json!({}))).unwrap();
        assert_eq!(code(mark(&mut world)), "patient-deceased");
    }

    #[test]
    fn no_person_marks_so() {
        let mut world = given(Some(30));
        assert_eq!(code(world.appointment(id(1), MarkMissed {})), "system-only");
    }
}
