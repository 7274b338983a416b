//! A desk to test at: one patient, one doctor, Monday morning in Kolkata.

use events::{AppointmentId, DoctorId, DomainEvent, PatientId, appointment::AppointmentStatus};
use serde_json::{Value, json};

use super::{Appointment, BookAppointment};
use crate::{
    Refusal,
    testing::{World, body, id},
};

pub(super) const PATIENT: u128 = 0xA1;
pub(super) const DOCTOR: u128 = 0xD1;

/// Monday, 10:00 in Kolkata, an hour and a half from now.
pub(super) const TEN: &str = "2026-03-02T04:30:00Z";

pub(super) fn desk() -> World {
    let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
    world.given_patient(PATIENT);
    world.given_doctor(DOCTOR);
    world
}

/// The body of a booking, with other members in place of the usual ones.
pub(super) fn booking(others: Value) -> Value {
    let mut all = json!({
        "patient_id": id::<PatientId>(PATIENT), "doctor_id": id::<DoctorId>(DOCTOR),
        "office_id": World::OFFICE, "start": TEN,
    });
    all.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    all
}

pub(super) fn book(world: &mut World, n: u128, others: Value) -> Result<Vec<DomainEvent>, Refusal> {
    world.appointment(id(n), body::<BookAppointment>(booking(others)))
}

pub(super) fn given_booked(world: &mut World, n: u128, others: Value) -> AppointmentId {
    book(world, n, others).expect("a free slot is booked");
    id(n)
}

pub(super) fn state(world: &World, n: u128) -> &Appointment {
    world.state::<Appointment>(id::<AppointmentId>(n)).expect("an appointment")
}

pub(super) fn status(world: &World, n: u128) -> AppointmentStatus {
    state(world, n).status
}

pub(super) fn code(result: Result<Vec<DomainEvent>, Refusal>) -> &'static str {
    result.map(|events| panic!("{events:?}")).unwrap_err().code
}
