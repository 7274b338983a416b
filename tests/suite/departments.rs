//! Departments of a clinic.

use futures::future::join_all;
use serde_json::json;
use tests::{Stack, TestClinic};

#[tokio::test(flavor = "multi_thread")]
async fn a_department_has_a_name_a_head_and_people_until_it_is_closed() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let doctor = clinic.doctor().await;
    let made = clinic.post("/departments", json!({"name": "Cardiology"})).await.expect(201);
    let department = made.id();
    let path = |action: &str| format!("/departments/{department}/{action}");
    let taken = clinic.post("/departments", json!({"name": " CARDIOLOGY"})).await.expect(409);
    assert_eq!((taken.code().as_str(), &taken.json()["taken"]), ("duplicate", &json!("department-name")));
    clinic.post(&path("head"), json!({"staff_id": doctor})).await.expect(200);
    clinic.post(&path("assign-staff"), json!({"staff_id": doctor})).await.expect(200);
    let again = clinic.post(&path("assign-staff"), json!({"staff_id": doctor})).await.expect(200);
    assert_eq!(again.json()["events"], json!([]), "already so");
    let one = clinic.get_at(again.position(), &format!("/departments/{department}")).await.expect(200).json();
    assert_eq!((&one["head"]["id"], &one["staff"][0]["id"]), (&json!(doctor), &json!(doctor)), "{one}");
    assert!(one["head"]["name"].as_str().is_some_and(|name| name.starts_with("Doctor")), "{one}");

    let staffed = clinic.post(&path("close"), json!({})).await.expect(409);
    assert_eq!((staffed.code().as_str(), &staffed.json()["staff"]), ("department-staffed", &json!(1)));
    // Whose login ends belongs to no department any more.
    let retires = json!({"reason": "retired"}).to_string().into_bytes();
    let record = clinic.path(&format!("/doctors/{doctor}"));
    clinic.admin.with("if-match", "\"1\"").send(reqwest::Method::DELETE, &record, Some(retires)).await.expect(200);
    let closed = clinic.post(&path("close"), json!({})).await.expect(200);
    let open = clinic.get_at(closed.position(), "/departments").await.expect(200).json();
    assert_eq!(open["items"], json!([]));
    let all = clinic.get("/departments?closed=true").await.expect(200).json();
    assert_eq!((&all["items"][0]["name"], &all["items"][0]["staff"]), (&json!("Cardiology"), &json!([])));
    clinic.post("/departments", json!({"name": "Cardiology"})).await.expect(201);
    stack.caught_up().await;
    stack.read_models_equal_the_log().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_departments_and_an_administrator_sets_them_up() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let made = clinic.post("/departments", json!({"name": "Surgery"})).await.expect(201);
    clinic.get_at(made.position(), "/departments").await.expect(200);
    for role in ["nurse", "receptionist", "billing", "auditor"] {
        let client = clinic.staff(&[role]).await;
        let list = client.get(&clinic.path("/departments")).await.expect(200).json();
        assert_eq!(list["items"][0]["name"], "Surgery", "{role}");
        client.post(&clinic.path("/departments"), json!({"name": "Radiology"})).await.expect(403);
        client.post(&clinic.path(&format!("/departments/{}/close", made.id())), json!({})).await.expect(403);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_assigned_to_a_department_that_closes_meanwhile() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let doctor = clinic.doctor().await;
    for n in 0..8 {
        let department = clinic.post("/departments", json!({"name": format!("Ward {n}")})).await.expect(201).id();
        let path = |action: &str| format!("/departments/{department}/{action}");
        let (assign, close) = (path("assign-staff"), path("close"));
        let (assigned, closed) =
            futures::join!(clinic.post(&assign, json!({"staff_id": doctor})), clinic.post(&close, json!({})));
        match (assigned.status.as_u16(), closed.status.as_u16()) {
            (200, 409) => assert_eq!(closed.code(), "department-staffed"),
            (409, 200) => assert_eq!(assigned.code(), "department-closed"),
            _ => panic!("{} {}", assigned.text, closed.text),
        }
    }
    let path = clinic.path("/departments");
    let rivals = join_all((0..8).map(|_| clinic.admin.post(&path, json!({"name": "Only one"})))).await;
    assert_eq!(rivals.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(rivals.iter().filter(|answer| answer.status != 201).all(|answer| answer.code() == "duplicate"));
}
