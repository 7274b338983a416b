use events::{ClinicEvent, DoctorEvent, DomainEvent, LeaveId, PatientId, Role, UserId, calendar::day_of};
use serde_json::json;

use super::*;
use crate::{
    Class, Clinic, Doctor,
    appointment::{CheckIn, StartAppointment},
    clinic::{CloseOffice, DeclareClosure},
    doctor::{DeactivateDoctor, DeclareLeave, UnassignOffice},
    testing::{World, at, body, id},
};

const AWAY: u128 = 3;
const OTHER: u128 = 4;
const PATIENT: u128 = 0xA1;
/// Wednesday in Kolkata.
const DAY: &str = "2026-03-04";
const TEN: &str = "2026-03-04T04:30:00Z";
const ELEVEN: &str = "2026-03-04T05:30:00Z";

/// A clinic with two doctors in one office.
fn start() -> World {
    let mut world = World::registered();
    world.given_patient(PATIENT);
    world.given_doctor(AWAY);
    world.given_doctor(OTHER);
    world
}

fn slot(world: &World, doctor: u128, start: &str) -> Slot {
    let (start, office) = (at(start), world.office());
    let (doctor, patient) = (id(doctor), id::<PatientId>(PATIENT));
    let day = day_of(start, chrono_tz::Asia::Kolkata);
    Slot { patient, doctor, office, start, day, minutes: 30, buffer_minutes: 10, lane: 0 }
}

fn given_booked(world: &mut World, n: u128, slot: Slot) {
    let booked = AppointmentEvent::AppointmentBooked {
        number: events::Number::Given(n.to_string()),
        slot,
        kind: Default::default(),
        status: AppointmentStatus::Booked,
        overbooked: false,
        sealed: events::Sealed::Erased,
    };
    world.given(id::<AppointmentId>(n), booked);
}

fn appointment(world: &World, n: u128) -> &Appointment {
    world.state(id::<AppointmentId>(n)).expect("an appointment")
}

fn leave(world: &mut World, from: &str, to: &str, appointments: Value) -> Result<Vec<DomainEvent>, Refusal> {
    let leave = json!({"from": from, "to": to, "appointments": appointments});
    world.when::<Doctor>(id::<DoctorId>(AWAY), body::<DeclareLeave>(leave))
}

fn on_the_day(world: &mut World, appointments: Value) -> Result<Vec<DomainEvent>, Refusal> {
    leave(world, DAY, DAY, appointments)
}

fn to_other() -> Value {
    json!({"reschedule_to": id::<DoctorId>(OTHER)})
}

fn listed(refusal: &Refusal) -> Vec<Value> {
    let appointments = refusal.extra.iter().find(|(member, _)| *member == "appointments");
    appointments.expect("a list").1.as_array().unwrap().iter().map(|listed| listed["id"].clone()).collect()
}

fn ids(numbers: &[u128]) -> Vec<Value> {
    numbers.iter().map(|n| json!(id::<AppointmentId>(*n))).collect()
}

#[test]
fn a_leave_over_appointments_is_refused_with_their_list() {
    let mut world = start();
    let (ten, other) = (slot(&world, AWAY, TEN), slot(&world, OTHER, TEN));
    given_booked(&mut world, 1, ten);
    given_booked(&mut world, 2, other);
    let before = world.log.len();
    let refused = on_the_day(&mut world, json!("refuse")).unwrap_err();
    assert_eq!((refused.class, refused.code), (Class::Conflict, "appointments-booked"));
    assert_eq!(listed(&refused), ids(&[1]));
    assert!(!format!("{refused:?}").contains(&id::<PatientId>(PATIENT).to_string()), "no patient is named");
    assert_eq!(world.log.len(), before);
}

#[test]
fn appointments_that_end_before_or_begin_after_are_not_in_the_way() {
    let mut world = start();
    let (ten, eleven) = (slot(&world, AWAY, TEN), slot(&world, AWAY, ELEVEN));
    given_booked(&mut world, 1, ten);
    given_booked(&mut world, 2, eleven);
    leave(&mut world, "2026-03-04T05:00:00Z", "2026-03-04T05:30:00Z", json!("refuse")).unwrap();
}

#[test]
fn cancelled_appointments_free_the_time() {
    let mut world = start();
    let ten = slot(&world, AWAY, TEN);
    given_booked(&mut world, 1, ten);
    let events = on_the_day(&mut world, json!("cancel")).unwrap();
    let names: Vec<_> = events.iter().map(DomainEvent::event_type).collect();
    assert_eq!(names, ["LeaveDeclared", "AppointmentCancelled"]);
    assert_eq!(appointment(&world, 1).status, AppointmentStatus::Cancelled);
    assert!(world.times.is_empty());
}

#[test]
fn moved_appointments_keep_time_and_place() {
    let mut world = start();
    let (ten, eleven) = (slot(&world, AWAY, TEN), slot(&world, AWAY, ELEVEN));
    given_booked(&mut world, 1, ten);
    given_booked(&mut world, 2, eleven);
    on_the_day(&mut world, to_other()).unwrap();
    let moved = appointment(&world, 1);
    assert_eq!(moved.slot, Slot { doctor: id(OTHER), buffer_minutes: 0, ..ten });
    assert_eq!(moved.status, AppointmentStatus::Booked);
    assert!(world.times.iter().all(|held| held.time.doctor == id(OTHER)));
}

#[test]
fn if_one_cannot_be_moved_none_is() {
    let mut world = start();
    let (ten, eleven, busy) =
        (slot(&world, AWAY, TEN), slot(&world, AWAY, ELEVEN), slot(&world, OTHER, "2026-03-04T05:45:00Z"));
    given_booked(&mut world, 1, ten);
    given_booked(&mut world, 2, eleven);
    given_booked(&mut world, 3, busy);
    let refused = on_the_day(&mut world, to_other()).unwrap_err();
    assert_eq!((refused.class, refused.code), (Class::Conflict, "cannot-reschedule"));
    assert_eq!(listed(&refused), ids(&[2]));
    assert_eq!(appointment(&world, 1).slot.doctor, id(AWAY));
}

#[test]
fn nobody_is_moved_to_a_doctor_who_is_not_there() {
    let ready = || {
        let mut world = start();
        let ten = slot(&world, AWAY, TEN);
        given_booked(&mut world, 1, ten);
        world
    };
    let other = id::<DoctorId>(OTHER);
    let span = Span { from: at(TEN), to: at(ELEVEN) };
    let mut away = ready();
    away.given(other, DoctorEvent::LeaveDeclared { leave: id::<LeaveId>(9), span, sealed: Default::default() });
    let mut elsewhere = ready();
    elsewhere.given_office(id(9));
    elsewhere.given(other, DoctorEvent::OfficeAssigned { office: id(9) });
    let office = elsewhere.office();
    elsewhere.given(other, DoctorEvent::OfficeUnassigned { office });
    let mut later = ready();
    let afternoon = json!([{"office_id": later.office(), "weekday": "wed", "from": "10:15", "to": "18:00"}]);
    later.given_hours(other, afternoon);
    for mut world in [away, elsewhere, later] {
        assert_eq!(on_the_day(&mut world, to_other()).unwrap_err().code, "cannot-reschedule");
    }
    let mut world = ready();
    let itself = json!({"reschedule_to": id::<DoctorId>(AWAY)});
    assert_eq!(on_the_day(&mut world, itself).unwrap_err().code, "same-doctor");
    let nobody = json!({"reschedule_to": id::<DoctorId>(9)});
    assert_eq!(on_the_day(&mut world, nobody).unwrap_err().class, Class::NotFound);
    world.given(other, DoctorEvent::DoctorDeactivated { sealed: Default::default() });
    assert_eq!(on_the_day(&mut world, to_other()).unwrap_err().class, Class::NotFound);
}

#[test]
fn two_in_two_lanes_do_not_both_fit_with_the_other() {
    let mut world = start();
    let ten = slot(&world, AWAY, TEN);
    given_booked(&mut world, 1, ten);
    given_booked(&mut world, 2, Slot { lane: 1, ..ten });
    let refused = on_the_day(&mut world, to_other()).unwrap_err();
    assert_eq!(listed(&refused), ids(&[2]));
}

#[test]
fn who_is_with_the_doctor_stays_and_who_waits_is_not_moved() {
    let mut world = start();
    let (ten, eleven) = (slot(&world, AWAY, TEN), slot(&world, AWAY, ELEVEN));
    given_booked(&mut world, 1, ten);
    given_booked(&mut world, 2, eleven);
    world.now = at("2026-03-04T04:31:00Z");
    for n in [1, 2] {
        world.appointment(id(n), CheckIn {}).unwrap();
    }
    world.appointment(id(1), StartAppointment {}).unwrap();
    assert_eq!(listed(&on_the_day(&mut world, to_other()).unwrap_err()), ids(&[2]));
    on_the_day(&mut world, json!("cancel")).unwrap();
    assert_eq!(appointment(&world, 1).status, AppointmentStatus::CheckedIn);
    assert_eq!(appointment(&world, 2).status, AppointmentStatus::Cancelled);
}

#[test]
fn what_is_over_is_not_in_the_way() {
    let mut world = start();
    let ten = slot(&world, AWAY, TEN);
    given_booked(&mut world, 1, ten);
    world.now = at("2026-03-04T05:00:00Z");
    on_the_day(&mut world, json!("refuse")).unwrap();
}

#[test]
fn a_closure_cancels_in_its_office_alone() {
    let mut world = start();
    let ten = slot(&world, AWAY, TEN);
    given_booked(&mut world, 1, ten);
    world.given_office(id(9));
    let elsewhere = Slot { office: id(9), ..slot(&world, OTHER, TEN) };
    given_booked(&mut world, 2, elsewhere);
    let closure = |appointments: &str| {
        body::<DeclareClosure>(json!({
            "office_id": ten.office, "from": DAY, "reason": "Paint", "appointments": appointments
        }))
    };
    let refused = world.when::<Clinic>(world.clinic, closure("refuse")).unwrap_err();
    assert_eq!((refused.code, listed(&refused)), ("appointments-booked", ids(&[1])));
    world.when::<Clinic>(world.clinic, closure("cancel")).unwrap();
    assert_eq!(appointment(&world, 1).status, AppointmentStatus::Cancelled);
    assert_eq!(appointment(&world, 2).status, AppointmentStatus::Booked);
    let moved = json!({"from": DAY, "reason": "x", "appointments": to_other()});
    assert!(serde_json::from_value::<DeclareClosure>(moved).is_err(), "nobody stands in for a closed clinic");
}

#[test]
fn an_office_with_appointments_is_neither_closed_nor_left() {
    let mut world = start();
    world.given_office(id(9));
    world.given(id::<DoctorId>(AWAY), DoctorEvent::OfficeAssigned { office: id(9) });
    let there = Slot { office: id(9), ..slot(&world, AWAY, TEN) };
    given_booked(&mut world, 1, there);
    let limits = serde_json::from_value(json!({})).unwrap();
    world.given(world.clinic, ClinicEvent::LimitsSet { limits: Some(limits) });
    let closed = world.when::<Clinic>(world.clinic, CloseOffice { office_id: id(9) }).unwrap_err();
    let left = world.when::<Doctor>(id::<DoctorId>(AWAY), UnassignOffice { office_id: id(9) }).unwrap_err();
    for refused in [closed, left] {
        assert_eq!((refused.code, listed(&refused)), ("appointments-booked", ids(&[1])));
    }
    let main = world.office();
    world.when::<Doctor>(id::<DoctorId>(AWAY), UnassignOffice { office_id: main }).unwrap();
}

#[test]
fn a_doctor_who_leaves_hands_the_appointments_over() {
    let mut world = start();
    let ten = slot(&world, AWAY, TEN);
    given_booked(&mut world, 1, ten);
    let deactivate =
        |appointments: Value| body::<DeactivateDoctor>(json!({"reason": "retired", "appointments": appointments}));
    let refused = world.when::<Doctor>(id::<DoctorId>(AWAY), deactivate(json!("refuse"))).unwrap_err();
    assert_eq!((refused.code, listed(&refused)), ("appointments-booked", ids(&[1])));
    world.when::<Doctor>(id::<DoctorId>(AWAY), deactivate(to_other())).unwrap();
    assert_eq!(appointment(&world, 1).slot.doctor, id(OTHER));
    assert!(!world.state::<Doctor>(id::<DoctorId>(AWAY)).unwrap().is_active());
    world.acts(id::<UserId>(8), &[Role::ClinicAdmin]);
    world.when::<Doctor>(id::<DoctorId>(OTHER), deactivate(json!("cancel"))).unwrap();
    assert!(world.times.is_empty());
}

#[test]
fn more_than_one_command_can_settle_are_counted_and_listed_in_part() {
    let mut world = start();
    let ten = slot(&world, AWAY, TEN);
    for n in 0..=MAX_AT_ONCE {
        let start = ten.start + TimeDelta::hours(n as i64);
        given_booked(&mut world, 1_000 + n as u128, Slot { start, ..ten });
    }
    let refused = leave(&mut world, DAY, "2026-04-30", json!("cancel")).unwrap_err();
    assert_eq!(refused.code, "appointments-booked");
    assert_eq!(refused.extra[0], ("count", (MAX_AT_ONCE + 1).into()));
    assert_eq!(listed(&refused).len(), MAX_LISTED);
}
