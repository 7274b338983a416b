//! What a record said at an earlier time.

use events::{DoctorId, PatientEvent, PatientId, Role, Sealed, UserId, appointment::Slot, patient::Demographics};
use serde_json::json;

use crate::world::{Clinic, World};

fn renamed(clinic: &mut Clinic, patient: PatientId, first_name: &str) {
    let sealed = Sealed::Open(Demographics { first_name: first_name.to_owned(), ..clinic.history.demographics("") });
    let was = events::patient::Standing {
        status: events::patient::PatientStatus::Active,
        gender: events::values::Gender::Female,
        birth_year: Some(1984),
    };
    let (gender, birth_year) = (was.gender, was.birth_year);
    clinic.history.patient(patient, PatientEvent::DemographicsUpdated { gender, birth_year, was, sealed });
}

fn head(clinic: &Clinic) -> i64 {
    clinic.history.events().count() as i64
}

/// When the event of a position was recorded.
fn recorded_at(clinic: &Clinic, position: i64) -> String {
    let event = clinic.history.events().find(|event| event.position == position).unwrap();
    event.recorded_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

#[tokio::test]
async fn a_record_is_read_as_it_was() {
    let world = World::new().await;
    let mut clinic = world.clinic(1).await;
    let patient = clinic.history.registered("Asha");
    let before = head(&clinic);
    renamed(&mut clinic, patient, "Aisha");
    for _ in 0..9 {
        clinic.history.registered("Ravi");
    }
    world.publish(&clinic).await;
    let admin = world.login(&clinic, &[Role::ClinicAdmin]).await;
    let ask = async |when: String| world.get(&admin, &clinic.path(&format!("/patients/{patient}?as_of={when}"))).await;
    for (position, name, etag) in
        [(before, "Asha", "\"1.2\""), (before + 1, "Aisha", "\"2.3\""), (before + 5, "Aisha", "\"2.3\"")]
    {
        for when in [position.to_string(), recorded_at(&clinic, position)] {
            let answer = ask(when.clone()).await;
            assert_eq!((&answer.body["first_name"], answer.etag()), (&json!(name), etag), "{when}");
            assert_eq!(answer.position(), position, "{when}");
        }
    }
    let now = world.get(&admin, &clinic.path(&format!("/patients/{patient}"))).await;
    assert_eq!(ask("2100-01-01T00:00:00Z".into()).await.body, now.body);
    assert_eq!(ask("1".into()).await.status, 404);
    assert_eq!(ask("2000-01-01T00:00:00Z".into()).await.status, 404);
    for when in ["yesterday".to_owned(), (head(&clinic) + 1).to_string()] {
        assert_eq!(ask(when).await.code(), (400, "invalid-parameter"));
    }
    let history = world.get(&admin, &clinic.path(&format!("/patients/{patient}/history?as_of={before}"))).await;
    assert_eq!((history.items().len(), history.position()), (1, before));
}

#[tokio::test]
async fn a_merged_group_was_apart_before() {
    let world = World::new().await;
    let mut clinic = world.clinic(1).await;
    let (source, survivor) = (clinic.history.registered("Asha"), clinic.history.registered("Asha R"));
    let apart = head(&clinic);
    clinic.history.merged(source, survivor);
    let together = head(&clinic);
    clinic.history.unmerged(source, survivor);
    world.publish(&clinic).await;
    let admin = world.login(&clinic, &[Role::ClinicAdmin]).await;
    let name = async |id: PatientId, when: i64| {
        let answer = world.get(&admin, &clinic.path(&format!("/patients/{id}?as_of={when}"))).await;
        (answer.body["first_name"].as_str().unwrap().to_owned(), answer.body["merged_into"].clone())
    };
    assert_eq!(name(source, apart).await, ("Asha".to_owned(), json!(null)));
    assert_eq!(name(source, together).await, ("Asha R".to_owned(), json!(survivor)));
    assert_eq!(name(source, head(&clinic)).await, ("Asha".to_owned(), json!(null)));
}

#[tokio::test]
async fn a_patient_s_appointments_are_listed_as_they_were() {
    let world = World::new().await;
    let mut clinic = world.clinic(1).await;
    let (first, slot) = clinic.history.booked(1);
    let patient = slot.patient;
    clinic.history.patient(
        patient,
        PatientEvent::PatientRegistered {
            number: events::Number::Given("PT-2026-00001".to_owned()),
            gender: Default::default(),
            birth_year: None,
            sealed: Sealed::Open(clinic.history.demographics("Asha")),
        },
    );
    let before = head(&clinic);
    let moved = Slot { start: slot.start + chrono::TimeDelta::hours(5), ..slot };
    clinic.history.rescheduled(first, slot, moved);
    world.publish(&clinic).await;
    let doctor = world.login_as(&clinic, UserId(slot.doctor.0), &[Role::Doctor], None).await;
    for list in [format!("/appointments?patient={patient}&"), format!("/patients/{patient}/appointments?")] {
        for (when, slot) in [(before, slot), (before + 1, moved)] {
            let answer = world.get(&doctor, &clinic.path(&format!("{list}as_of={when}"))).await;
            let start = answer.items()[0]["start"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>();
            assert_eq!((start.unwrap(), answer.position()), (slot.start, when));
        }
        let none = world.get(&doctor, &clinic.path(&format!("{list}as_of={before}&status=cancelled"))).await;
        assert!(none.items().is_empty());
    }
    let one = world.get(&doctor, &clinic.path(&format!("/appointments/{first}?as_of={before}"))).await;
    assert_eq!((&one.body["version"], one.position()), (&json!(1), before));
    let clinic_wide = world.get(&doctor, &clinic.path(&format!("/appointments?as_of={before}"))).await;
    assert_eq!(clinic_wide.code(), (400, "invalid-parameter"));
}

#[tokio::test]
async fn the_past_is_for_administrators_and_for_the_patient_s_doctor() {
    let world = World::new().await;
    let mut clinic = world.clinic(1).await;
    let patient = clinic.history.registered("Asha");
    let own = DoctorId(clinic.history.fresh());
    let slot = Slot { patient, doctor: own, ..clinic.history.slot(1) };
    let appointment = events::AppointmentId(clinic.history.fresh());
    let booked = events::AppointmentEvent::AppointmentBooked {
        number: events::Number::Given("APT-20260302-001".to_owned()),
        slot,
        kind: Default::default(),
        status: events::appointment::AppointmentStatus::Booked,
        overbooked: false,
        sealed: Sealed::Erased,
    };
    clinic.history.appointment(appointment, booked);
    world.publish(&clinic).await;
    let path = clinic.path(&format!("/patients/{patient}?as_of=2"));
    let doctor = async |id: uuid::Uuid| world.login_as(&clinic, UserId(id), &[Role::Doctor], None).await;
    assert_eq!(world.get(&doctor(own.0).await, &path).await.status, 200);
    let stranger = doctor(uuid::Uuid::now_v7()).await;
    assert_eq!(world.get(&stranger, &path).await.code(), (403, "forbidden"));
    for role in [Role::Receptionist, Role::Nurse, Role::Auditor] {
        let login = world.login(&clinic, &[role]).await;
        assert_eq!(world.get(&login, &path).await.code(), (403, "forbidden"), "{role}");
    }
}
