//! Confirming an appointment and moving it to another time.

use chrono::{DateTime, Utc};
use events::{
    AppointmentEvent, DoctorId, OfficeId,
    appointment::{AppointmentReason, AppointmentStatus},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Appointment,
    wish::{Place, Wish},
    wrong_status,
};
use crate::{
    Context, Facts, Read, Refusal,
    values::{Reason, VisitMinutes},
};

/// Confirms a pending appointment, or gives one from the waiting list the time that it waits for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmAppointment {}

/// Moves an appointment to another time, office or doctor. What is left out stays as it is; the number and
/// the id always do. Who has arrived already is booked again, and loses the token.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RescheduleAppointment {
    /// Cut to the whole minute.
    pub start: DateTime<Utc>,
    #[serde(default)]
    pub minutes: Option<VisitMinutes>,
    #[serde(default)]
    pub doctor_id: Option<DoctorId>,
    #[serde(default)]
    pub office_id: Option<OfficeId>,
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// From the waiting list the time is taken now, so it is chosen now.
pub(super) fn reads_to_confirm(state: &Appointment, facts: &Facts) -> Vec<Read> {
    match state.status {
        AppointmentStatus::Waitlist => confirmed(state).reads(facts),
        AppointmentStatus::Pending
        | AppointmentStatus::Booked
        | AppointmentStatus::Arrived
        | AppointmentStatus::CheckedIn
        | AppointmentStatus::Fulfilled
        | AppointmentStatus::Cancelled
        | AppointmentStatus::NoShow
        | AppointmentStatus::EnteredInError => Vec::new(),
    }
}

fn confirmed(state: &Appointment) -> Wish {
    Wish::for_slot(&state.slot, state.kind, Place::Booked)
}

impl ConfirmAppointment {
    pub(super) fn decide(
        self,
        state: &Appointment,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<AppointmentEvent, Refusal> {
        let slot = match state.status {
            AppointmentStatus::Pending => state.slot,
            AppointmentStatus::Waitlist => confirmed(state).grant(facts, context)?,
            AppointmentStatus::Booked
            | AppointmentStatus::Arrived
            | AppointmentStatus::CheckedIn
            | AppointmentStatus::Fulfilled
            | AppointmentStatus::Cancelled
            | AppointmentStatus::NoShow
            | AppointmentStatus::EnteredInError => return Err(wrong_status(state, "confirmed")),
        };
        Ok(AppointmentEvent::AppointmentConfirmed { slot, was: state.status })
    }
}

impl RescheduleAppointment {
    pub(super) fn reads(&self, state: &Appointment, facts: &Facts) -> Vec<Read> {
        self.wish(state).reads(facts)
    }

    /// `None`: it is there already.
    pub(super) fn decide(
        self,
        state: &Appointment,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Option<AppointmentEvent>, Refusal> {
        let status = match state.status {
            AppointmentStatus::Pending => AppointmentStatus::Pending,
            AppointmentStatus::Booked | AppointmentStatus::Arrived => AppointmentStatus::Booked,
            AppointmentStatus::Waitlist => AppointmentStatus::Waitlist,
            AppointmentStatus::CheckedIn
            | AppointmentStatus::Fulfilled
            | AppointmentStatus::Cancelled
            | AppointmentStatus::NoShow
            | AppointmentStatus::EnteredInError => return Err(wrong_status(state, "rescheduled")),
        };
        if self.is_already_so(state) {
            return Ok(None);
        }
        let to = self.wish(state).grant(facts, context)?;
        Ok(Some(AppointmentEvent::AppointmentRescheduled {
            from: state.slot,
            to,
            was: state.status,
            status,
            kind: state.kind,
            sealed: AppointmentReason { reason: self.reason.map(Into::into) }.into(),
        }))
    }

    fn wish(&self, state: &Appointment) -> Wish {
        let place = if state.status == AppointmentStatus::Waitlist { Place::Waiting } else { Place::Booked };
        let now = Wish::for_slot(&state.slot, state.kind, place);
        Wish {
            start: self.start,
            minutes: self.minutes.map(i64::from).or(now.minutes),
            doctor: self.doctor_id.unwrap_or(now.doctor),
            office: self.office_id.unwrap_or(now.office),
            ..now
        }
    }

    fn is_already_so(&self, state: &Appointment) -> bool {
        let (wish, slot) = (self.wish(state), &state.slot);
        (wish.start, wish.doctor, wish.office) == (slot.start, slot.doctor, slot.office)
            && wish.minutes == Some(slot.minutes)
            && state.status != AppointmentStatus::Arrived
    }
}

#[cfg(test)]
mod tests {
    use events::{AppointmentId, DomainEvent};
    use serde_json::{Value, json};

    use super::{
        super::{
            CancelAppointment, CheckIn, WaitlistAppointment,
            sample::{DOCTOR, TEN, book, booking, code, desk, given_booked, state, status},
        },
        *,
    };
    use crate::testing::{World, at, body, id};

    const ELEVEN: &str = "2026-03-02T05:30:00Z";

    fn confirm(world: &mut World, n: u128) -> Result<Vec<DomainEvent>, Refusal> {
        world.appointment(id(n), ConfirmAppointment {})
    }

    fn reschedule(world: &mut World, n: u128, content: Value) -> Result<Vec<DomainEvent>, Refusal> {
        world.appointment(id(n), body::<RescheduleAppointment>(content))
    }

    fn given_waiting(world: &mut World, n: u128) -> AppointmentId {
        world.appointment(id(n), body::<WaitlistAppointment>(booking(json!({})))).unwrap();
        id(n)
    }

    #[test]
    fn a_pending_booking_is_confirmed_once() {
        let mut world = desk();
        world.given_settings(json!({"confirm_bookings": true}));
        given_booked(&mut world, 1, json!({}));
        confirm(&mut world, 1).unwrap();
        assert_eq!((status(&world, 1), world.times.len()), (AppointmentStatus::Booked, 1));
        assert_eq!(code(confirm(&mut world, 1)), "wrong-status");
    }

    #[test]
    fn who_waits_takes_the_slot_once_it_is_free() {
        let mut world = desk();
        let first = given_booked(&mut world, 1, json!({}));
        given_waiting(&mut world, 2);
        assert_eq!(code(confirm(&mut world, 2)), "slot-taken");
        world.appointment(first, body::<CancelAppointment>(json!({}))).unwrap();
        confirm(&mut world, 2).unwrap();
        assert_eq!(status(&world, 2), AppointmentStatus::Booked);
        assert_eq!(world.times[0].holder, id::<AppointmentId>(2).into());
    }

    #[test]
    fn a_time_that_has_passed_is_not_confirmed() {
        let mut world = desk();
        given_waiting(&mut world, 1);
        world.now = at("2026-03-02T04:31:00Z");
        assert_eq!(code(confirm(&mut world, 1)), "in-the-past");
    }

    #[test]
    fn a_move_frees_the_old_slot() {
        let mut world = desk();
        given_booked(&mut world, 1, json!({"minutes": 20}));
        let events = reschedule(&mut world, 1, json!({"start": ELEVEN, "reason": "train is late"})).unwrap();
        let DomainEvent::Appointment(AppointmentEvent::AppointmentRescheduled { from, to, .. }) = &events[0] else {
            panic!("a move was recorded");
        };
        assert_eq!((from.start, to.start, to.minutes), (at(TEN), at(ELEVEN), 20));
        given_booked(&mut world, 2, json!({}));
        assert_eq!(code(book(&mut world, 3, json!({"start": ELEVEN}))), "slot-taken");
    }

    #[test]
    fn a_move_may_touch_its_own_old_time_and_nobody_elses() {
        let mut world = desk();
        given_booked(&mut world, 1, json!({"minutes": 30}));
        given_booked(&mut world, 2, json!({"start": ELEVEN}));
        reschedule(&mut world, 1, json!({"start": "2026-03-02T04:45:00Z"})).unwrap();
        let refusal = reschedule(&mut world, 1, json!({"start": "2026-03-02T05:15:00Z"})).unwrap_err();
        assert_eq!(refusal.code, "slot-taken");
        let free = refusal.extra[0].1.to_string();
        assert!(free.contains("05:00:00"), "its own time is free for it: {free}");
        assert_eq!(state(&world, 1).slot.start, at("2026-03-02T04:45:00Z"));
    }

    #[test]
    fn a_move_may_be_to_another_doctor_and_office() {
        let mut world = desk();
        let (doctor, office) = (world.given_doctor(0xD2), id::<OfficeId>(9));
        world.given_office(office);
        world.given(doctor, events::DoctorEvent::OfficeAssigned { office });
        given_booked(&mut world, 1, json!({}));
        reschedule(&mut world, 1, json!({"start": TEN, "doctor_id": doctor, "office_id": office})).unwrap();
        assert_eq!((state(&world, 1).slot.doctor, state(&world, 1).slot.office), (doctor, office));
        assert_eq!(world.times[0].time.doctor, doctor);
        given_booked(&mut world, 2, json!({}));
        assert_eq!(
            code(reschedule(&mut world, 1, json!({"start": TEN, "doctor_id": id::<DoctorId>(DOCTOR)}))),
            "doctor-not-in-office"
        );
    }

    #[test]
    fn a_move_to_where_it_is_is_already_so() {
        let mut world = desk();
        given_booked(&mut world, 1, json!({}));
        assert_eq!(reschedule(&mut world, 1, json!({"start": TEN})).unwrap(), []);
        assert_eq!(reschedule(&mut world, 1, json!({"start": TEN, "minutes": 30})).unwrap().len(), 1);
    }

    #[test]
    fn a_move_keeps_the_standing_but_for_who_has_arrived() {
        let mut world = desk();
        world.given_settings(json!({"confirm_bookings": true}));
        given_booked(&mut world, 1, json!({}));
        reschedule(&mut world, 1, json!({"start": ELEVEN})).unwrap();
        assert_eq!(status(&world, 1), AppointmentStatus::Pending);
        confirm(&mut world, 1).unwrap();
        world.appointment(id(1), CheckIn {}).unwrap();
        reschedule(&mut world, 1, json!({"start": "2026-03-03T04:30:00Z"})).unwrap();
        assert_eq!(status(&world, 1), AppointmentStatus::Booked);
        given_waiting(&mut world, 2);
        reschedule(&mut world, 2, json!({"start": ELEVEN})).unwrap();
        assert_eq!((status(&world, 2), world.times.len()), (AppointmentStatus::Waitlist, 1));
    }

    #[test]
    fn an_overbooked_one_that_is_moved_is_overbooked_no_more() {
        let mut world = desk();
        world.given_settings(json!({"overbooking": {"policy": "approve"}}));
        given_booked(&mut world, 1, json!({}));
        let overbooked = booking(json!({"reason": "cannot wait"}));
        world.appointment(id(2), body::<super::super::OverbookAppointment>(overbooked)).unwrap();
        reschedule(&mut world, 2, json!({"start": ELEVEN})).unwrap();
        assert_eq!((state(&world, 2).slot.lane, state(&world, 2).overbooked), (0, false));
    }

    #[test]
    fn nothing_is_moved_into_the_past_or_out_of_nowhere() {
        let mut world = desk();
        given_booked(&mut world, 1, json!({}));
        assert_eq!(code(reschedule(&mut world, 1, json!({"start": "2026-03-01T04:30:00Z"}))), "in-the-past");
        assert_eq!(code(reschedule(&mut world, 9, json!({"start": ELEVEN}))), "not-found");
    }
}
