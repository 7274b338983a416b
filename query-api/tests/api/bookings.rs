//! Appointments, the day sheet and the queue.

use events::{
    AppointmentEvent, AppointmentId, DoctorEvent, Number, OfficeId, PatientEvent, PatientId, Role, Sealed,
    appointment::{AppointmentStatus, BookingReason, Slot},
    claim::KeyedHash,
    patient::Confidentiality,
};
use serde_json::json;

use crate::world::{Clinic, World};

/// The `n`-th half hour of 2 March 2026, for a patient.
fn works_in(office: OfficeId) -> DoctorEvent {
    DoctorEvent::DoctorRegistered {
        licence_hash: KeyedHash("licence".to_owned()),
        licence_expires: None,
        years_of_experience: None,
        offices: vec![office],
        sealed: Sealed::Erased,
    }
}

fn book(clinic: &mut Clinic, patient: PatientId, n: i64) -> (AppointmentId, Slot) {
    let slot = Slot { patient, ..clinic.history.slot(n) };
    let id = AppointmentId(clinic.history.fresh());
    let sealed = Sealed::Open(BookingReason { reason: Some("cough".to_owned()), overbooking: None });
    let status = AppointmentStatus::Booked;
    let number = Number::Given(format!("APT-20260302-{n:03}"));
    let booked = AppointmentEvent::AppointmentBooked {
        number,
        slot,
        kind: Default::default(),
        status,
        overbooked: false,
        sealed,
    };
    clinic.history.appointment(id, booked);
    (id, slot)
}

fn check_in(clinic: &mut Clinic, (id, slot): (AppointmentId, Slot), token: &str) {
    let token = Number::Given(token.to_owned());
    let was = AppointmentStatus::Booked;
    clinic.history.appointment(id, AppointmentEvent::PatientCheckedIn { slot, was, token });
}

#[tokio::test]
async fn appointments_are_found_by_what_they_are() {
    let world = World::new().await;
    let mut clinic = world.clinic(1).await;
    let (asha, ravi) = (clinic.history.registered("Asha"), clinic.history.registered("Ravi"));
    let (first, slot) = book(&mut clinic, asha, 1);
    let (second, _) = book(&mut clinic, ravi, 2);
    let (third, moved) = book(&mut clinic, asha, 3);
    clinic.history.fulfilled(third, moved);
    world.publish(&clinic).await;
    let login = world.login(&clinic, &[Role::Receptionist]).await;
    let ids = async |query: String| {
        let answer = world.get(&login, &clinic.path(&query)).await;
        answer.ids().into_iter().map(|id| id.parse::<AppointmentId>().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(ids("/appointments".into()).await, [first, second, third]);
    assert_eq!(ids("/appointments?sort=-start&limit=2".into()).await, [third, second]);
    assert_eq!(ids(format!("/appointments?patient={asha}")).await, [first, third]);
    assert_eq!(ids(format!("/patients/{asha}/appointments?status=fulfilled")).await, [third]);
    assert_eq!(ids("/appointments?status=booked&day=2026-03-02".into()).await, [first, second]);
    assert_eq!(ids("/appointments?day=2026-03-03".into()).await, []);
    assert_eq!(ids(format!("/appointments?doctor={}&office={}", slot.doctor, slot.office)).await.len(), 3);
    let before = slot.end().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    assert_eq!(ids(format!("/appointments?to={before}")).await, [first]);
    assert_eq!(ids(format!("/appointments?from={before}")).await, [second, third]);
    let one = world.get(&login, &clinic.path(&format!("/appointments/{first}"))).await.body;
    assert_eq!((&one["number"], &one["reason"]), (&json!("APT-20260302-001"), &json!("cough")));
    assert_eq!((&one["patient_id"], &one["minutes"]), (&json!(asha), &json!(30)));
    let twice = world.get(&login, &clinic.path(&format!("/patients/{asha}/appointments?patient={ravi}"))).await;
    assert_eq!(twice.code(), (400, "invalid-parameter"));
    clinic.history.merged(ravi, asha);
    world.publish(&clinic).await;
    for id in [asha, ravi] {
        let of_group = world.get(&login, &clinic.path(&format!("/appointments?patient={id}"))).await;
        assert_eq!(of_group.items().len(), 3);
    }
}

#[tokio::test]
async fn the_desk_sees_who_comes_and_who_waits() {
    let world = World::new().await;
    let mut clinic = world.clinic(1).await;
    let (asha, ravi) = (clinic.history.registered("Asha"), clinic.history.registered("Ravi"));
    let (early, late) = (book(&mut clinic, asha, 1), book(&mut clinic, ravi, 2));
    clinic.history.doctor(early.1.doctor, works_in(early.1.office));
    check_in(&mut clinic, late, "9");
    check_in(&mut clinic, early, "10");
    let confidentiality = Confidentiality::Restricted;
    clinic.history.patient(ravi, PatientEvent::RecordRestricted { confidentiality, sealed: Sealed::Erased });
    world.publish(&clinic).await;
    let slot = early.1;
    let desk = world.login(&clinic, &[Role::Receptionist]).await;
    let sheet = world.get(&desk, &clinic.path(&format!("/doctors/{}/day-sheet?date=2026-03-02", slot.doctor))).await;
    assert_eq!(sheet.ids(), [early.0.to_string(), late.0.to_string()]);
    let (open, veiled) = (&sheet.items()[0], &sheet.items()[1]);
    assert_eq!((&open["patient"]["first_name"], &open["reason"]), (&json!("Asha"), &json!("cough")));
    assert_eq!((&veiled["patient"]["first_name"], &veiled["reason"]), (&json!(null), &json!(null)));
    assert_eq!(veiled["patient"]["number"], "PT-2026-00002");
    let queue = clinic.path(&format!("/queue?office={}&day=2026-03-02", slot.office));
    assert_eq!(world.get(&desk, &queue).await.ids(), [late.0.to_string(), early.0.to_string()]);
    let doctor = world.login(&clinic, &[Role::Doctor]).await;
    assert_eq!(world.get(&doctor, &queue).await.items()[0]["patient"]["first_name"], "Ravi");
    let reason = |body: &serde_json::Value| body["reason"].clone();
    let path = clinic.path(&format!("/appointments/{}", late.0));
    assert_eq!(reason(&world.get(&desk, &path).await.body), json!(null));
    assert_eq!(reason(&world.get(&doctor, &path).await.body), json!("cough"));
    let today = world.get(&desk, &clinic.path(&format!("/queue?office={}", slot.office))).await;
    assert!(today.items().is_empty());
    let billing = world.login(&clinic, &[Role::Billing]).await;
    assert_eq!(world.get(&billing, &queue).await.code(), (403, "forbidden"));
}
