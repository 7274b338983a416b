//! Short keys over HTTP: a doctor's own and the clinic's, expanded into prescriptions and counted.

use serde_json::{Value, json};
use tests::{Answer, Client, Stack, TestClinic};

struct Scene {
    /// Ends with the test.
    _stack: Stack,
    clinic: TestClinic,
    doctor: Client,
    medicines: Vec<String>,
}

impl Scene {
    async fn set() -> Self {
        let stack = Stack::start().await;
        let clinic = TestClinic::register(&stack.client()).await;
        clinic.without_limits(&stack.platform().await).await;
        let doctor = clinic.new_doctor().await;
        let row = clinic.get_at(doctor.position(), &format!("/staff/{}", doctor.id())).await.expect(200);
        let doctor = clinic.activate(&row.text_of("username"), &doctor.text_of("activation")).await;
        let mut medicines = Vec::new();
        for name in ["Paracetamol 500", "Cetirizine 10"] {
            medicines.push(clinic.post("/medicines", json!({"name": name})).await.expect(201).id());
        }
        Self { _stack: stack, clinic, doctor, medicines }
    }

    fn items(&self, places: &[usize]) -> Value {
        let item = |place: &usize| {
            json!({"medicine_id": self.medicines[*place], "dose": {"value": 1, "unit": "{tablet}"},
                "frequency": {"times": 3, "every": {"count": 1, "unit": "d"}},
                "duration": {"count": 5, "unit": "d"}, "quantity": {"value": 15, "unit": "{tablet}"}})
        };
        places.iter().map(item).collect()
    }

    async fn define(&self, client: &Client, code: &str, more: Value) -> Answer {
        let mut body = json!({"code": code, "items": self.items(&[0, 1])});
        for (name, value) in more.as_object().expect("members") {
            body[name] = value.clone();
        }
        client.post(&self.clinic.path("/short-keys"), body).await
    }

    /// The medicines that a code stands for, in their order.
    async fn expanded(&self, client: &Client, position: i64, code: &str) -> Vec<usize> {
        let path = self.clinic.path(&format!("/short-keys/expand?code={code}"));
        let key = client.with("casebook-min-position", position).get(&path).await.expect(200).json();
        let items = key["items"].as_array().expect("items").iter();
        let place = |item: &Value| {
            let medicine = item["regimen"]["medicine"].as_str().expect("a medicine");
            self.medicines.iter().position(|id| id == medicine).expect("a medicine of the scene")
        };
        items.map(place).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doctors_own_short_key_comes_before_the_clinics_and_is_counted() {
    let scene = Scene::set().await;
    let (clinic, doctor) = (&scene.clinic, &scene.doctor);
    let clinics = scene.define(&clinic.admin, "Fever", json!({"title": "Fever in adults"})).await.expect(201);
    assert_eq!(scene.expanded(doctor, clinics.position(), "fever").await, [0, 1]);
    let own = scene.define(doctor, "FEVER", json!({})).await.expect(201);
    let path = clinic.path(&format!("/short-keys/{}", own.id()));
    let reordered = doctor.post(&format!("{path}/reorder"), json!({"order": [1, 0]})).await.expect(200);
    assert_eq!(scene.expanded(doctor, reordered.position(), "FEVER").await, [1, 0]);
    assert_eq!(scene.expanded(&clinic.admin, reordered.position(), "FEVER").await, [0, 1]);
    let set = doctor.post(&format!("{path}/items"), json!({"items": scene.items(&[1])})).await.expect(200);
    assert_eq!(scene.expanded(doctor, set.position(), "FEVER").await, [1]);

    doctor.post(&format!("{path}/use"), json!({})).await.expect(200);
    let used = doctor.post(&format!("{path}/use"), json!({})).await.expect(200);
    let seen = doctor.with("casebook-min-position", used.position()).get(&path).await.expect(200);
    assert_eq!((seen.json()["uses"].clone(), seen.json()["last_used_at"].is_string()), (json!(2), true));
    let elsewhere = json!({"prescription_id": "018f0000-0000-7000-8000-000000000001"});
    doctor.post(&format!("{path}/use"), elsewhere).await.expect(404);

    let retired = doctor.post(&format!("{path}/retire"), json!({})).await.expect(200);
    assert_eq!(scene.expanded(doctor, retired.position(), "FEVER").await, [0, 1]);
    assert_eq!(doctor.post(&format!("{path}/use"), json!({})).await.expect(409).code(), "short-key-retired");
    doctor.get(&clinic.path("/short-keys/expand?code=nothing")).await.expect(404);
    let listed = doctor.get(&clinic.path("/short-keys?owner=own&retired=true")).await.expect(200).json();
    assert_eq!((listed["items"].as_array().unwrap().len(), &listed["items"][0]["code"]), (1, &json!("FEVER")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_unique_for_its_owner_though_it_is_asked_for_twice_at_once() {
    let scene = Scene::set().await;
    let clinic = &scene.clinic;
    let both =
        tokio::join!(scene.define(&clinic.admin, "COUGH", json!({})), scene.define(&clinic.admin, "cough", json!({})));
    let mut statuses = [both.0.status.as_u16(), both.1.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    scene.define(&scene.doctor, "COUGH", json!({})).await.expect(201);
    assert_eq!(scene.define(&scene.doctor, "COUGH", json!({})).await.expect(409).code(), "duplicate");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctors_change_their_own_short_keys_and_nobody_elses() {
    let scene = Scene::set().await;
    let (clinic, doctor) = (&scene.clinic, &scene.doctor);
    let clinics = scene.define(&clinic.admin, "FEVER", json!({})).await.expect(201).id();
    let path = |id: &str, action: &str| clinic.path(&format!("/short-keys/{id}/{action}"));
    assert_eq!(scene.define(doctor, "X", json!({"owner": "clinic"})).await.expect(403).code(), "forbidden");
    for (action, body) in
        [("retire", json!({})), ("reorder", json!({"order": [1, 0]})), ("items", json!({"items": scene.items(&[0])}))]
    {
        doctor.post(&path(&clinics, action), body).await.expect(403);
    }
    doctor.post(&path(&clinics, "use"), json!({})).await.expect(200);
    for role in ["nurse", "receptionist", "pharmacist", "billing", "auditor"] {
        let client = clinic.staff(&[role]).await;
        assert_eq!(scene.define(&client, "X", json!({})).await.expect(403).code(), "forbidden", "{role}");
        client.get(&clinic.path("/short-keys")).await.expect(200);
        let expected = if role == "nurse" { 200 } else { 403 };
        client.post(&path(&clinics, "use"), json!({})).await.expect(expected);
    }
    assert_eq!(scene.define(&clinic.admin, "X", json!({"owner": "own"})).await.expect(422).code(), "not-a-doctor");
    assert_eq!(
        scene.define(&clinic.admin, "X", json!({"items": []})).await.expect(422).code(),
        "wrong-number-of-items"
    );
    for code in ["", "a b", &"x".repeat(21)] {
        scene.define(&clinic.admin, code, json!({})).await.expect(422);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_becomes_lines_of_a_prescription_in_one_request() {
    let scene = Scene::set().await;
    let (clinic, doctor) = (&scene.clinic, &scene.doctor);
    let key = scene.define(doctor, "FEVER", json!({})).await.expect(201);
    let patient = clinic.patient("Asha").await;
    let draft = doctor.post(&clinic.path("/prescriptions"), json!({"patient_id": patient})).await.expect(201).id();
    let path = clinic.path(&format!("/prescriptions/{draft}"));
    let unknown = doctor.post(&format!("{path}/expand-short-key"), json!({"code": "COUGH"})).await.expect(404);
    assert_eq!(unknown.json()["errors"][0]["pointer"], "/code");
    let expanded = doctor.post(&format!("{path}/expand-short-key"), json!({"code": "fever"})).await.expect(200);
    let shown = doctor.with("casebook-min-position", expanded.position()).get(&path).await.expect(200).json();
    let medicines: Vec<&Value> =
        shown["items"].as_array().expect("items").iter().map(|item| &item["regimen"]["medicine"]).collect();
    assert_eq!(medicines, [&json!(scene.medicines[0]), &json!(scene.medicines[1])], "{shown}");
    let used = doctor.get(&clinic.path(&format!("/short-keys/{}", key.id()))).await.expect(200).json();
    assert_eq!(used["uses"], json!(1));

    // Two doctors' requests at once: each has its lines, each use counts.
    let drafts = futures::future::join_all((0..8).map(|_| async {
        let body = json!({"patient_id": patient});
        let draft = doctor.post(&clinic.path("/prescriptions"), body).await.expect(201).id();
        let path = clinic.path(&format!("/prescriptions/{draft}/expand-short-key"));
        doctor.post(&path, json!({"code": "FEVER"})).await.expect(200).position()
    }))
    .await;
    let position = drafts.into_iter().max().expect("some");
    let used = clinic.get_at(position, &format!("/short-keys/{}", key.id())).await.expect(200).json();
    assert_eq!(used["uses"], json!(9));
}
