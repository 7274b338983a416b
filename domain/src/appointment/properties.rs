//! What holds of appointments whatever is done to them, in whatever order.

use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use events::{
    Actor, AppointmentId, DoctorId, PatientId, StreamId,
    appointment::{AppointmentStatus, ReminderFailure},
    claim::DoctorTime,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Appointment, AppointmentCommand, MarkMissed, RecordReminder, ReminderOutcome, Reminding};
use crate::{
    HeldTime,
    testing::{World, at, body, id},
};

const APPOINTMENTS: u128 = 6;
const DOCTORS: [u128; 2] = [0xD1, 0xD2];

/// A command on the `n`-th appointment, or a turn of the world.
#[derive(Clone, Debug)]
enum Step {
    Book(Place),
    Overbook(Place),
    Waitlist(Place),
    Reschedule(Place),
    On(u8),
    /// Whoever has come goes on to what comes next.
    GoesOn,
    Policy(u8),
    Pass(u16),
}

/// Some time of a Monday and a Tuesday.
#[derive(Clone, Debug)]
struct Place {
    doctor: usize,
    fives: i64,
    minutes: Option<i64>,
}

impl Place {
    fn start(&self) -> DateTime<Utc> {
        at("2026-03-02T03:30:00Z") + TimeDelta::minutes(5 * self.fives)
    }

    fn body(&self, others: Value) -> Value {
        let mut all = json!({
            "patient_id": id::<PatientId>(1), "doctor_id": id::<DoctorId>(DOCTORS[self.doctor]),
            "office_id": World::OFFICE, "start": self.start(), "minutes": self.minutes
        });
        all.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
        all
    }
}

fn place() -> impl Strategy<Value = Place> {
    // A busy hour, and now and then another time.
    let fives = prop_oneof![5 => 6..20_i64, 1 => 0..400_i64];
    let minutes = prop_oneof![3 => Just(None), 2 => (1..=12_i64).prop_map(|n| Some(5 * n)), 1 => Just(Some(480))];
    (0..DOCTORS.len(), fives, minutes).prop_map(|(doctor, fives, minutes)| Place { doctor, fives, minutes })
}

fn steps() -> impl Strategy<Value = Vec<(u128, Step)>> {
    let step = prop_oneof![
        6 => place().prop_map(Step::Book),
        3 => place().prop_map(Step::Overbook),
        2 => place().prop_map(Step::Waitlist),
        4 => place().prop_map(Step::Reschedule),
        8 => (0..10_u8).prop_map(Step::On),
        5 => Just(Step::GoesOn),
        1 => (0..4_u8).prop_map(Step::Policy),
        2 => (1..200_u16).prop_map(Step::Pass),
    ];
    proptest::collection::vec((1..=APPOINTMENTS, step), 1..60)
}

fn policy(n: u8) -> Value {
    let overbooking = match n {
        0 => json!({"policy": "forbid"}),
        1 => json!({"policy": "approve"}),
        places => json!({"policy": "capacity", "places": places}),
    };
    let missed = (n == 2).then_some(30);
    json!({"overbooking": overbooking, "confirm_bookings": n == 1, "mark_no_shows_after_minutes": missed})
}

fn command(step: &Step, appointment: Option<&Appointment>) -> Option<AppointmentCommand> {
    Some(match step {
        Step::Book(place) => AppointmentCommand::Book(body(place.body(json!({"reason": "cough"})))),
        Step::Overbook(place) => AppointmentCommand::Overbook(body(place.body(json!({"reason": "in pain"})))),
        Step::Waitlist(place) => AppointmentCommand::Waitlist(body(place.body(json!({})))),
        Step::Reschedule(place) => {
            let doctor = id::<DoctorId>(DOCTORS[place.doctor]);
            let content = json!({"start": place.start(), "minutes": place.minutes, "doctor_id": doctor});
            AppointmentCommand::Reschedule(body(content))
        }
        Step::GoesOn => match appointment?.status {
            AppointmentStatus::Pending => AppointmentCommand::Confirm(body(json!({}))),
            AppointmentStatus::Booked => AppointmentCommand::CheckIn(body(json!({}))),
            AppointmentStatus::Arrived => AppointmentCommand::Start(body(json!({}))),
            _ => AppointmentCommand::Complete(body(json!({}))),
        },
        Step::On(0) => AppointmentCommand::Confirm(body(json!({}))),
        Step::On(1) => AppointmentCommand::CheckIn(body(json!({}))),
        Step::On(2) => AppointmentCommand::Start(body(json!({}))),
        Step::On(3) => AppointmentCommand::Complete(body(json!({}))),
        Step::On(4) => AppointmentCommand::MarkNoShow(body(json!({}))),
        Step::On(5) => AppointmentCommand::Cancel(body(json!({"reason": "ill"}))),
        Step::On(n @ (6 | 7)) => {
            let reminding = Reminding { for_start: at("2026-03-02T04:30:00Z"), hours_before: (*n).into() };
            let failed = ReminderOutcome::Failed(ReminderFailure::Refused);
            let outcome = if *n == 6 { ReminderOutcome::Sent } else { failed };
            RecordReminder { reminding, outcome }.into()
        }
        Step::On(8) => AppointmentCommand::MarkMissed(MarkMissed {}),
        Step::On(_) => AppointmentCommand::EnterInError(body(json!({"reason": "slip"}))),
        Step::Policy(_) | Step::Pass(_) => return None,
    })
}

/// No two active appointments of one doctor and lane overlap, and exactly they hold their time.
fn check_times(world: &World) {
    let held = |n: u128| {
        let holder: AppointmentId = id(n);
        let time = world.state::<Appointment>(holder).and_then(Appointment::held)?;
        Some(HeldTime { holder: StreamId::from(holder), time })
    };
    let active: Vec<HeldTime> = (1..=APPOINTMENTS).filter_map(held).collect();
    for (n, one) in active.iter().enumerate() {
        for other in &active[n + 1..] {
            let DoctorTime { doctor, lane, .. } = one.time;
            let apart = doctor != other.time.doctor || lane != other.time.lane || !one.span().overlaps(&other.span());
            assert!(apart, "{one:?} overlaps {other:?}");
        }
        assert!(world.times.contains(one), "{one:?} is not claimed");
    }
    assert_eq!(world.times.len(), active.len(), "nothing is claimed that is not held");
}

/// Some minute around the days on which the clocks of a zone change.
fn around_a_change() -> impl Strategy<Value = (Tz, DateTime<Utc>, i64)> {
    let changes = [
        (chrono_tz::Europe::Berlin, "2026-03-27T00:00:00Z"),
        (chrono_tz::Europe::Berlin, "2026-10-23T00:00:00Z"),
        (chrono_tz::America::Sao_Paulo, "2018-11-02T00:00:00Z"),
        (chrono_tz::America::Sao_Paulo, "2018-02-16T00:00:00Z"),
        (chrono_tz::Australia::Lord_Howe, "2026-04-03T00:00:00Z"),
        (chrono_tz::Asia::Kolkata, "2026-03-27T00:00:00Z"),
    ];
    (proptest::sample::select(changes.to_vec()), 0..5 * 24 * 12_i64, 1..=24_i64)
        .prop_map(|((zone, from), fives, length)| (zone, at(from) + TimeDelta::minutes(5 * fives), 5 * length))
}

/// What the steps lead to is measured: see `crate::lives`.
pub(crate) const LIVES: &[fn()] = &[no_two_active_appointments_of_a_doctor_and_lane_overlap];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_two_active_appointments_of_a_doctor_and_lane_overlap(first in 0..4_u8, steps in steps()) {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        world.given_patient(1);
        for doctor in DOCTORS {
            world.given_doctor(doctor);
        }
        world.given_settings(policy(first));
        for (n, step) in &steps {
            match step {
                Step::Policy(n) => world.given_settings(policy(*n)),
                Step::Pass(minutes) => world.now += TimeDelta::minutes((*minutes).into()),
                _ => {}
            }
            if let Some(command) = command(step, world.state::<Appointment>(id::<AppointmentId>(*n))) {
                let person = world.actor.clone();
                if matches!(command, AppointmentCommand::MarkMissed(_)) {
                    world.actor = Actor::system();
                }
                // Refused or not: the rule holds either way.
                let _outcome = world.appointment(id(*n), command);
                world.actor = person;
            }
            check_times(&world);
        }
    }

    #[test]
    fn a_visit_is_booked_exactly_if_the_clock_on_the_wall_shows_working_hours(
        (zone, start, minutes) in around_a_change()
    ) {
        let mut world = World::with_clinic(zone);
        world.now = start - TimeDelta::days(1);
        world.given_patient(1);
        world.given_doctor(DOCTORS[0]);
        let booking = json!({
            "patient_id": id::<PatientId>(1), "doctor_id": id::<DoctorId>(DOCTORS[0]), "office_id": World::OFFICE,
            "start": start, "minutes": minutes
        });
        let outcome = world.appointment(id(1), AppointmentCommand::Book(body(booking)));
        let (local, end) = (start.with_timezone(&zone), (start + TimeDelta::minutes(minutes)).with_timezone(&zone));
        let clock = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
        let inside = local.weekday() != chrono::Weekday::Sun
            && local.date_naive() == end.date_naive()
            && local.time() >= clock(9)
            && end.time() <= clock(18);
        prop_assert_eq!(outcome.is_ok(), inside, "{} in {}", local, zone);
    }
}
