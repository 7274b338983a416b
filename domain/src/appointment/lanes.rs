//! Which lane of a doctor's time an appointment takes. No two appointments in one lane overlap: the log
//! sees to that, so where there is one lane to choose from nothing is read at first. Only once an append
//! has lost the time are the claims read, to name what is free instead.

use chrono::{DateTime, TimeDelta, Utc};
use events::{appointment::Slot, clinic::Overbooking, values::Span};

use super::{
    alternatives::{self, DAYS_SEARCHED},
    wish::{Place, Wish},
};
use crate::{Clinic, Context, Doctor, Facts, HeldTime, Read, Refusal};

/// Of the open lanes a policy has at most twenty; overbookings may open as many again. More is a mistake.
const MAX_LANES: i16 = 40;
/// An appointment lasts up to eight hours, so one that reaches into a day began on the day before at most.
const MARGIN: TimeDelta = TimeDelta::days(2);

/// The lanes of one doctor's time around a wish.
pub(super) struct Lanes<'a> {
    place: Place,
    policy: Overbooking,
    clinic: &'a Clinic,
    now: DateTime<Utc>,
    /// Claims of others; `None`: not read.
    held: Option<Vec<&'a HeldTime>>,
}

impl<'a> Lanes<'a> {
    /// The claims around the wish, where the decision needs to know them.
    pub(super) fn read(wish: &Wish, clinic: &Clinic, contended: bool) -> Option<Read> {
        let needed = match wish.place {
            Place::Booked => contended || open_lanes(clinic.settings.overbooking) > 1,
            Place::Overbooked => true,
            Place::Waiting => false,
        };
        needed.then(|| around(wish))
    }

    pub(super) fn of(wish: &Wish, clinic: &'a Clinic, facts: &'a Facts, context: &Context<'_>) -> Self {
        let read = Self::read(wish, clinic, facts.contended);
        let others = |held: &&HeldTime| held.holder != context.target;
        let held = read.map(|read| facts.times(&read).iter().filter(others).collect());
        Self { place: wish.place, policy: clinic.settings.overbooking, clinic, now: context.now, held }
    }

    /// The lane for the slot.
    pub(super) fn choose(&self, slot: &Slot, doctor: &Doctor) -> Result<i16, Refusal> {
        let lanes = match (self.place, self.policy) {
            (Place::Waiting, _) => return Ok(0),
            (Place::Overbooked, Overbooking::Forbid) => {
                return Err(Refusal::rule("overbooking-forbidden", "The clinic's policy allows no overbooking."));
            }
            (Place::Overbooked, Overbooking::Approve | Overbooking::Capacity { .. }) => MAX_LANES,
            (Place::Booked, policy) => open_lanes(policy),
        };
        let free = (0..lanes).find(|lane| self.is_free(*lane, &slot.span()));
        free.ok_or_else(|| self.taken(slot, doctor))
    }

    pub(super) fn is_free(&self, lane: i16, span: &Span) -> bool {
        !self.held_in(lane).any(|held| held.overlaps(span))
    }

    /// The spans that are taken in a lane.
    pub(super) fn held_in(&self, lane: i16) -> impl Iterator<Item = Span> {
        let held = self.held.iter().flatten().filter(move |held| held.time.lane == lane);
        held.map(|held| held.span())
    }

    /// How many may be booked at once without an overbooking.
    pub(super) fn open(&self) -> i16 {
        open_lanes(self.policy)
    }

    fn taken(&self, slot: &Slot, doctor: &Doctor) -> Refusal {
        let free = alternatives::near(slot, doctor, self.clinic, self, self.now);
        Refusal::conflict("slot-taken", "The doctor has another appointment then.").with("alternatives", free)
    }
}

/// Whether a lane lies beyond what the policy opens.
pub(super) fn is_beyond(lane: i16, policy: Overbooking) -> bool {
    lane >= open_lanes(policy)
}

fn open_lanes(policy: Overbooking) -> i16 {
    match policy {
        Overbooking::Forbid | Overbooking::Approve => 1,
        Overbooking::Capacity { places } => places.clamp(1, MAX_LANES),
    }
}

fn around(wish: &Wish) -> Read {
    let ahead = MARGIN + TimeDelta::days(DAYS_SEARCHED.into());
    let from = wish.start.checked_sub_signed(MARGIN).unwrap_or(wish.start);
    Read::DoctorTime { doctor: wish.doctor, from, to: wish.start.checked_add_signed(ahead).unwrap_or(wish.start) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::sample::{TEN, book, desk, given_booked, state},
        *,
    };
    use crate::{
        Aggregate, Appointment, AppointmentCommand,
        appointment::{
            BookAppointment, OverbookAppointment, RescheduleAppointment, WaitlistAppointment, sample::booking,
        },
        testing::{World, at, body, id},
    };

    /// Whether the command reads the claims on the doctor's time, at the first try or after a lost one.
    fn reads_times(world: &World, command: impl Into<AppointmentCommand>, contended: bool) -> bool {
        let clinic = world.state::<Clinic>(world.clinic).unwrap().clone();
        let streams = [(world.clinic.into(), Some(std::sync::Arc::new(clinic.into())))].into();
        let facts = Facts { contended, streams, ..Facts::default() };
        let appointment = world.state::<Appointment>(id::<events::AppointmentId>(1));
        let target = id::<events::AppointmentId>(1).into();
        let reads = Appointment::reads(target, appointment, &command.into(), &facts);
        reads.iter().any(|read| matches!(read, Read::DoctorTime { .. }))
    }

    #[test]
    fn bookings_of_one_doctor_do_not_disturb_each_other_where_there_is_one_lane() {
        let book = || body::<BookAppointment>(booking(json!({})));
        for policy in ["forbid", "approve"] {
            let mut world = desk();
            world.given_settings(json!({"overbooking": {"policy": policy}}));
            assert!(!reads_times(&world, book(), false));
            assert!(reads_times(&world, book(), true), "a lost time is read, to name what is free");
            given_booked(&mut world, 1, json!({}));
            let later = body::<RescheduleAppointment>(json!({"start": "2026-03-02T05:30:00Z"}));
            assert!(!reads_times(&world, later, false));
        }
        let mut world = desk();
        world.given_settings(json!({"overbooking": {"policy": "capacity", "places": 2}}));
        assert!(reads_times(&world, book(), false), "a lane has to be chosen");
    }

    #[test]
    fn an_overbooking_reads_and_a_wish_to_wait_never_does() {
        let world = desk();
        let overbook = booking(json!({"reason": "cannot wait"}));
        assert!(reads_times(&world, body::<OverbookAppointment>(overbook), false));
        assert!(!reads_times(&world, body::<WaitlistAppointment>(booking(json!({}))), true));
    }

    #[test]
    fn the_widest_policy_can_still_be_overbooked() {
        let mut world = desk();
        world.given_settings(json!({"overbooking": {"policy": "capacity", "places": 20}}));
        for n in 1..=20 {
            given_booked(&mut world, n, json!({}));
        }
        assert_eq!(book(&mut world, 21, json!({})).unwrap_err().code, "slot-taken");
        let overbook = || body::<OverbookAppointment>(booking(json!({"reason": "cannot wait"})));
        for n in 21..=40 {
            world.appointment(id(n), overbook()).unwrap();
            assert!(state(&world, n).overbooked);
        }
        assert_eq!(world.appointment(id(41), overbook()).unwrap_err().code, "slot-taken");
        assert!(world.times.iter().all(|held| held.time.from == at(TEN)));
    }
}
