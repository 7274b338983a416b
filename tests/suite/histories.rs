//! Every resource tells its versions: who made each, when, by which command.

use serde_json::{Value, json};
use tests::{Stack, TestClinic, working_time};

/// What has an address of its own and no versions, each with the reason.
const WITHOUT: &[(&str, &str)] = &[
    ("/audit/access/{position}", "a record of the ledger, which never changes"),
    ("/audit/events/{position}", "a record of the ledger, which never changes"),
    ("/audit/proofs/{position}", "a proof"),
    ("/audit/replays/{id}", "made by command, gone after a day"),
    ("/emergency-accesses/{id}", "told by the login's history and the patient's"),
    ("/dental-charts/{id}/teeth/{tooth}", "is itself the history of a tooth"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_resource_has_a_history() {
    let stack = Stack::start().await;
    let document = stack.client().get("/openapi.json").await.expect(200).json();
    let paths = document["paths"].as_object().expect("paths");
    let mut found = 0;
    for (path, operations) in paths {
        let Some(below) = path.strip_prefix("/clinic/{slug}/api/v1") else { continue };
        if !(below.ends_with('}') && operations["get"].is_object())
            || WITHOUT.iter().any(|(without, _)| *without == below)
        {
            continue;
        }
        let history = paths.get(&format!("{path}/history"));
        assert!(history.is_some_and(|operations| operations["get"].is_object()), "{path} has no history");
        found += 1;
    }
    assert!(found >= 18, "{found} resources");
}

/// The events of a history, the latest first, each with the version that it made.
fn versions(history: &Value) -> Vec<(i64, &str)> {
    let items = history["items"].as_array().expect("a list").iter();
    items.map(|one| (one["version"].as_i64().expect("a version"), one["event"].as_str().expect("a name"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_in_nobodys_record_tells_who_changed_it_to_who_may_know() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let doctor = clinic.doctor().await;
    let department = clinic.post("/departments", json!({"name": "Cardiology"})).await.expect(201).id();
    let head = json!({"staff_id": doctor});
    let led = clinic.post(&format!("/departments/{department}/head"), head).await.expect(200);

    let history = clinic.get_at(led.position(), &format!("/departments/{department}/history")).await.expect(200).json();
    assert_eq!(versions(&history), [(2, "DepartmentHeadAssigned"), (1, "DepartmentCreated")]);
    assert_eq!(
        (&history["items"][0]["command"], &history["items"][0]["actor_kind"]),
        (&json!("AssignHead"), &json!("person"))
    );
    let first = clinic.get(&format!("/departments/{department}/history?limit=1")).await.expect(200).json();
    let next = first["next"].as_str().expect("another page");
    let second =
        clinic.get(&format!("/departments/{department}/history?limit=1&cursor={next}")).await.expect(200).json();
    assert_eq!((versions(&first)[0].0, versions(&second)[0].0, &second["next"]), (2, 1, &Value::Null));

    let nurse = clinic.staff(&["nurse"]).await;
    nurse.get(&clinic.path(&format!("/departments/{department}/history"))).await.expect(200);
    nurse.get(&clinic.path(&format!("/doctors/{doctor}/history"))).await.expect(200);
    nurse.get(&clinic.path(&format!("/staff/{doctor}/history"))).await.expect(403);
    let lab = clinic.staff(&["lab_technician"]).await;
    lab.get(&clinic.path(&format!("/doctors/{doctor}/history"))).await.expect(403);
    clinic.get(&format!("/departments/{doctor}/history")).await.expect(404);
    let staff = clinic.get(&format!("/staff/{doctor}/history")).await.expect(200).json();
    assert_eq!(versions(&staff).last(), Some(&(1, "StaffInvited")), "{staff}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appointment_tells_who_moved_it_and_when_as_it_was_known_then() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let (patient, doctor) = (clinic.patient("Asha").await, clinic.doctor().await);
    let booking = clinic.booking(&patient, &doctor, working_time(7, 10, 0));
    let booked = clinic.post("/appointments", booking).await.expect(201);
    let path = format!("/appointments/{}", booked.id());
    let moved = json!({"start": working_time(7, 11, 0)});
    let moved = clinic.post(&format!("{path}/reschedule"), moved).await.expect(200);
    let cancelled = clinic.post(&format!("{path}/cancel"), json!({})).await.expect(200);

    let history = clinic.get_at(cancelled.position(), &format!("{path}/history")).await.expect(200).json();
    let told = ["AppointmentCancelled", "AppointmentRescheduled", "AppointmentBooked"];
    assert_eq!(
        versions(&history),
        told.map(|event| (told.len() as i64 - told.iter().position(|one| *one == event).unwrap() as i64, event))
    );
    let then = clinic.get(&format!("{path}/history?as_of={}", moved.position())).await.expect(200).json();
    assert_eq!(versions(&then), versions(&history)[1..]);

    let (_, portal) = clinic.portal("Vikram").await;
    portal.get(&clinic.path(&format!("{path}/history"))).await.expect(404);
    let billing = clinic.staff(&["billing"]).await;
    billing.get(&clinic.path(&format!("{path}/history"))).await.expect(403);
}
