//! A whole clinic asked as it was, over HTTP.

use std::time::{Duration, Instant};

use events::{AccessEvent, access::Moment};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Client, Stack, TestClinic, working_time};

/// What lies in patients' records, by its collection.
const OF_RECORDS: &[&str] = &[
    "case-studies",
    "appointments",
    "dental-charts",
    "charges",
    "documents",
    "invoices",
    "visits",
    "vitals",
    "prescriptions",
    "medications",
    "lab-orders",
    "lab-reports",
    "notes",
    "results",
];

const READY_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Asks for a replay and waits until it is ready; its id.
async fn replay(clinic: &TestClinic, until: impl Into<Value>) -> String {
    let asked = clinic.post("/audit/replays", json!({"until": until.into()})).await.expect(202);
    until_state(clinic, &asked.id(), "ready").await;
    asked.id()
}

async fn until_state(clinic: &TestClinic, id: &str, state: &str) -> Value {
    let since = Instant::now();
    loop {
        let replay = clinic.get(&format!("/audit/replays/{id}")).await.expect(200).json();
        if replay["state"] == state {
            return replay;
        }
        assert!(since.elapsed() < READY_WITHIN, "it never is {state}: {replay}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn end(clinic: &TestClinic, client: &Client, id: &str) -> Answer {
    client.send(Method::DELETE, &clinic.path(&format!("/audit/replays/{id}")), None).await
}

/// Every query of a clinic that needs no parameter, and takes a replay or not, as the document says.
async fn queries(stack: &Stack) -> Vec<(String, bool)> {
    let document = stack.client().get("/openapi.json").await.expect(200).json();
    let paths = document["paths"].as_object().expect("paths").iter();
    let queries = paths.filter_map(|(path, operations)| {
        let below = path.strip_prefix("/clinic/{slug}/api/v1")?;
        let parameters = operations["get"]["parameters"].as_array()?;
        let takes = parameters.iter().any(|one| one["name"] == "replay" && one["in"] == "query");
        Some((below.to_owned(), takes))
    });
    queries.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_is_answered_as_it_was() {
    let stack = Stack::start().await;
    let mut clinic = TestClinic::register(&stack.client()).await;
    clinic.without_limits(&stack.platform().await).await;
    clinic.with_logo().await;
    // Whose roles show everything.
    clinic.admin = clinic.doctor_and_administrator().await;
    let (doctor, patient) = (clinic.doctor().await, clinic.patient("Asha").await);
    let booked =
        clinic.post("/appointments", clinic.booking(&patient, &doctor, working_time(1, 10, 0))).await.expect(201);
    let then = booked.position();
    let day = working_time(1, 10, 0).format("%F").to_string();
    let ids =
        [("patients", patient.as_str()), ("doctors", &doctor), ("staff", &doctor), ("appointments", &booked.id())];
    let id_in = |path: &str| ids.iter().find(|(collection, _)| path.split('/').nth(1) == Some(*collection));
    let places: Vec<String> = queries(&stack)
        .await
        .into_iter()
        .filter(|(path, takes)| *takes && !path.starts_with("/audit"))
        // Of what has not happened in this clinic there is no id to ask for.
        .filter(|(path, _)| !path.contains("{id}") || id_in(path).is_some())
        // Nor is there a short key.
        .filter(|(path, _)| path != "/short-keys/expand")
        .map(|(path, _)| {
            let path = path.replace("{id}", id_in(&path).map_or("", |(_, id)| id));
            let query = match path.rsplit('/').next() {
                Some("search") => "q=asha".to_owned(),
                Some("slots" | "day-sheet") => format!("date={day}"),
                Some("queue") => format!("office={}&day={day}", clinic.office),
                _ => "limit".to_owned(),
            };
            format!("{path}?{}", if query == "limit" { "" } else { &query })
        })
        .collect();
    assert!(places.len() > 18, "{places:?}");
    let mut before = Vec::new();
    for place in &places {
        before.push(clinic.get_at(then, place).await.expect(200));
    }

    // Much happens, and nothing of it is seen.
    clinic.patient("Asha Later").await;
    clinic.doctor().await;
    clinic.post(&format!("/appointments/{}/cancel", booked.id()), json!({})).await.expect(200);
    clinic.post(&format!("/patients/{patient}/emergency-contact"), json!({"name": "Vikram"})).await.expect(200);
    let last = clinic.post("/offices", json!({"name": "Branch"})).await.expect(201).position();
    let id = replay(&clinic, then).await;
    for (place, before) in places.iter().zip(&before) {
        let join = if place.ends_with('?') { "" } else { "&" };
        let answer = clinic.get(&format!("{place}{join}replay={id}")).await.expect(200);
        assert_eq!(without_clock(answer.json()), without_clock(before.json()), "{place}");
        if !place.starts_with("/patients/search") {
            assert_eq!(answer.position(), then, "{place}");
        }
    }
    // A replay of the present is the present.
    let id = replay(&clinic, last).await;
    for place in &places {
        let join = if place.ends_with('?') { "" } else { "&" };
        let (now, replayed) = (
            clinic.get_at(last, place).await.expect(200),
            clinic.get(&format!("{place}{join}replay={id}")).await.expect(200),
        );
        assert_eq!(without_clock(replayed.json()), without_clock(now.json()), "{place}");
    }
}

/// Days that are cut out of the present.
fn without_clock(mut body: Value) -> Value {
    if let Some(members) = body.as_object_mut() {
        members.retain(|name, _| !matches!(name.as_str(), "from" | "to" | "today" | "next_seven_days"));
    }
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn as_of_is_taken_by_what_is_one_patients_and_refused_elsewhere() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let absent = "018f0000-0000-7000-8000-00000000ffff";
    let document = stack.client().get("/openapi.json").await.expect(200).json();
    let (mut taken, mut refused) = (Vec::new(), 0);
    for (path, operations) in document["paths"].as_object().expect("paths") {
        let (Some(below), Some(get)) = (path.strip_prefix("/clinic/{slug}/api/v1"), operations.get("get")) else {
            continue;
        };
        let parameters = get["parameters"].as_array().expect("parameters");
        if parameters.iter().any(|one| one["name"] == "as_of") {
            taken.push(below);
            continue;
        }
        let required = parameters.iter().filter(|one| one["in"] == "query" && one["required"] == true);
        let values = [("date", "2030-01-07"), ("q", "asha"), ("office", absent)];
        let query: String = required
            .filter_map(|one| values.iter().find(|(name, _)| one["name"] == *name))
            .map(|(name, value)| format!("{name}={value}&"))
            .collect();
        let place = below.replace("{id}", absent).replace("{position}", "1").replace("{tooth}", "16");
        let answer = clinic.get(&format!("{place}?{query}as_of=1")).await.expect(400);
        let detail = answer.json()["errors"][0]["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.contains("replay"), "{place}: {}", answer.text);
        refused += 1;
    }
    let of_records = |place: &str| place.split('/').any(|part| OF_RECORDS.contains(&part));
    let patients: Vec<&&str> = taken.iter().filter(|place| !of_records(place)).collect();
    assert_eq!(patients, [&"/patients/{id}", &"/patients/{id}/history", &"/patients/{id}/timeline"], "{taken:?}");
    assert!(refused > 15, "{refused}");
    let clinic_wide = clinic.get("/appointments?as_of=1").await.expect(400);
    assert!(clinic_wide.text.contains("patient"), "{}", clinic_wide.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_asked_for_once_and_ends_when_it_is_given_up() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let asking = clinic.admin.with("idempotency-key", "one");
    let ask =
        async |client: &Client, until: i64| client.post(&clinic.path("/audit/replays"), json!({"until": until})).await;
    let first = ask(&asking, 2).await.expect(202);
    let location = first.header("location").to_owned();
    assert_eq!(location, clinic.path(&format!("/audit/replays/{}", first.id())));
    assert_eq!(ask(&asking, 2).await.expect(202).text, first.text);
    assert_eq!(
        (
            ask(&asking, 1).await.status.as_u16(),
            clinic.get("/audit/replays").await.json()["items"].as_array().unwrap().len()
        ),
        (422, 1)
    );
    let ready = until_state(&clinic, &first.id(), "ready").await;
    assert_eq!((&ready["events"], &ready["events_total"], &ready["position"]), (&json!(2), &json!(2), &json!(2)));

    for until in [json!(9_999), json!("1999-01-01T00:00:00Z"), json!(0)] {
        assert_eq!(clinic.post("/audit/replays", json!({"until": until})).await.status.as_u16(), 422, "{until}");
    }
    for until in [json!("yesterday"), json!(-1), json!(true), Value::Null] {
        let answer = clinic.post("/audit/replays", json!({"until": until})).await;
        assert!(matches!(answer.status.as_u16(), 400 | 422), "{until}: {}", answer.text);
    }
    for _ in 0..2 {
        ask(&clinic.admin, 1).await.expect(202);
    }
    let full = ask(&clinic.admin, 1).await;
    assert_eq!((full.status.as_u16(), full.code().as_str()), (409, "too-many-replays"));

    let place = format!("/patients?replay={}", first.id());
    clinic.get(&place).await.expect(200);
    assert_eq!(end(&clinic, &clinic.admin, &first.id()).await.status.as_u16(), 204);
    let over = clinic.get(&place).await;
    assert_eq!((over.status.as_u16(), over.code().as_str()), (410, "replay-expired"));
    until_state(&clinic, &first.id(), "expired").await;
    ask(&clinic.admin, 1).await.expect(202);
    assert!(stack.count_events(&clinic.id, "AuditRead").await > 5, "who asks for the past is recorded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_its_clinics_administrators_alone() {
    let stack = Stack::start().await;
    let (ours, theirs) = (TestClinic::register(&stack.client()).await, TestClinic::register(&stack.client()).await);
    let asha = ours.post("/patients", json!({"first_name": "Asha"})).await.expect(201);
    ours.patient("Ravi").await;
    let (id, other) = (replay(&ours, asha.position()).await, replay(&theirs, 1).await);
    let absent = "018f0000-0000-7000-8000-00000000ffff";
    for unknown in [&id, absent] {
        for (method, path) in
            [(Method::GET, format!("/audit/replays/{unknown}")), (Method::DELETE, format!("/audit/replays/{unknown}"))]
        {
            assert_eq!(theirs.admin.send(method, &theirs.path(&path), None).await.status.as_u16(), 404, "{path}");
        }
        for (place, takes) in queries(&stack).await.into_iter().filter(|(place, _)| !place.contains('{')) {
            let answer = theirs.get(&format!("{place}?date=2030-01-07&q=a&office={absent}&replay={unknown}")).await;
            let expected = if takes { 404 } else { 400 };
            assert_eq!(answer.status.as_u16(), expected, "{place}: {}", answer.text);
        }
    }
    for role in ["doctor", "nurse", "receptionist", "auditor"] {
        let client = match role {
            "doctor" => {
                let doctor = ours.new_doctor().await;
                let staff = ours.get_at(doctor.position(), &format!("/staff/{}", doctor.id())).await.expect(200);
                ours.activate(&staff.text_of("username"), &doctor.text_of("activation")).await
            }
            _ => ours.staff(&[role]).await,
        };
        for path in [format!("/patients?replay={id}"), "/audit/replays".to_owned()] {
            assert_eq!(client.get(&ours.path(&path)).await.status.as_u16(), 403, "{role}: {path}");
        }
        let asked = client.post(&ours.path("/audit/replays"), json!({"until": 1})).await;
        assert_eq!(asked.status.as_u16(), 403, "{role}");
        assert_eq!(end(&ours, &client, &id).await.status.as_u16(), 403, "{role}");
    }
    assert_eq!(ours.get(&format!("/patients?replay={other}")).await.status.as_u16(), 404);
    let (log, path) = (stack.access_log(&ours.id), format!("/patients/{}?replay={id}", asha.id()));
    let before = log.position().await;
    ours.get(&path).await.expect(200);
    let seen = &log.after(before).await[0].event;
    let moment = Some(Moment::Replay(id.parse().expect("an id")));
    assert!(matches!(seen, AccessEvent::PatientShown { moment: then, .. } if *then == moment), "{seen:?}");
    for wrong in ["replay=", "replay=7", &format!("replay={id}&replay={id}")] {
        assert_eq!(ours.get(&format!("/patients?{wrong}")).await.status.as_u16(), 400, "{wrong}");
    }
    let later = asha.position() + 1;
    let ahead =
        ours.admin.with("casebook-min-position", later).get(&ours.path(&format!("/patients?replay={id}"))).await;
    assert_eq!((ahead.status.as_u16(), ahead.code().as_str()), (400, "invalid-header"));
    // In a replay nothing is later than its end, whatever is asked of it.
    let patient = asha.id();
    let history = ours.get(&format!("/patients/{patient}/history?replay={id}&as_of=2999-01-01T00:00:00Z")).await;
    assert_eq!(history.expect(200).position(), asha.position());
    assert_eq!(ours.get(&format!("/patients/{patient}?replay={id}&as_of={later}")).await.status.as_u16(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_erased_is_gone_from_replays_too() {
    let stack = Stack::start_erasing().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let settings = json!({"retention": {"clinical_years": 0}}).to_string().into_bytes();
    clinic.admin.send(Method::PATCH, &clinic.path("/settings"), Some(settings)).await.expect(200);
    let second = clinic.staff(&["clinic_admin"]).await;
    let patient = clinic.post("/patients", json!({"first_name": "Zarathustra"})).await.expect(201);
    let id = replay(&clinic, patient.position()).await;
    let (list, one) = (format!("/patients?replay={id}"), format!("/patients/{}", patient.id()));
    assert!(clinic.get(&list).await.expect(200).text.contains("Zarathustra"));

    clinic.post(&format!("{one}/request-erasure"), json!({"reason": "moves away"})).await.expect(200);
    second.post(&clinic.path(&format!("{one}/approve-erasure")), json!({})).await.expect(200);
    let since = Instant::now();
    while !stack.store().unfinished_erasures().await.expect("the log is there").is_empty() {
        assert!(since.elapsed() < READY_WITHIN, "the erasure is never finished");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    until_state(&clinic, &id, "ready").await;
    let listed = clinic.get(&list).await.expect(200);
    assert!(!listed.text.contains("Zarathustra"), "{}", listed.text);
    let found = clinic.get(&format!("/patients/search?q=zarathustra&replay={id}")).await.expect(200);
    assert_eq!(found.json()["items"], json!([]));
    for path in
        [format!("{one}?replay={id}"), format!("{one}/history?replay={id}"), format!("{one}/appointments?replay={id}")]
    {
        assert_eq!(clinic.get(&path).await.code(), "erased", "{path}");
    }
}
