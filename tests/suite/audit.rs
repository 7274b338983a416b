//! The audit trail as an auditor reads it: a day of a clinic, told entry by entry.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Client, Stack, TestClinic, working_time};

/// The items of a list.
fn items(answer: &Answer) -> Vec<Value> {
    answer.json()["items"].as_array().cloned().unwrap_or_else(|| panic!("no list: {}", answer.text))
}

/// All pages of a list.
async fn all(client: &Client, path: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut next = path.to_owned();
    loop {
        let answer = client.get(&next).await.expect(200);
        found.extend(items(&answer));
        match answer.header("link").strip_prefix('<').and_then(|link| link.split_once('>')) {
            Some((link, _)) => next = link.to_owned(),
            None => return found,
        }
    }
}

/// The one entry of an event's type.
#[track_caller]
fn of_event<'a>(entries: &'a [Value], event: &str) -> &'a Value {
    let mut found = entries.iter().filter(|entry| entry["event"] == event);
    let entry = found.next().unwrap_or_else(|| panic!("no {event} among {entries:#?}"));
    assert!(found.next().is_none(), "more than one {event}");
    entry
}

fn change<'a>(entry: &'a Value, field: &str) -> &'a Value {
    let changes = entry["changes"].as_array().expect("changes");
    changes
        .iter()
        .find(|change| change["field"] == field)
        .unwrap_or_else(|| panic!("no change of {field} in {entry:#}"))
}

fn events(entries: &[Value]) -> Vec<&str> {
    entries.iter().filter_map(|entry| entry["event"].as_str()).collect()
}

/// What happens on a day of a clinic.
struct Day {
    stack: Stack,
    clinic: TestClinic,
    patient: String,
    doctor: String,
    appointment: String,
    number: String,
}

impl Day {
    async fn lived() -> Self {
        let stack = Stack::start().await;
        let clinic = TestClinic::register(&stack.client()).await;
        let doctor = clinic.doctor().await;
        let body = json!({"first_name": "Asha", "phone": "+919820012345"});
        let patient = clinic.post("/patients", body).await.expect(201).id();
        let booking = clinic.booking(&patient, &doctor, working_time(1, 10, 0));
        let appointment = clinic.post("/appointments", booking).await.expect(201).id();
        let moved = json!({"start": working_time(1, 11, 0)});
        clinic.post(&format!("/appointments/{appointment}/reschedule"), moved).await.expect(200);
        let corrected = json!({"first_name": "Asha", "phone": "+919820054321"}).to_string().into_bytes();
        let path = clinic.path(&format!("/patients/{patient}"));
        clinic.admin.with("if-match", "\"1\"").send(Method::PUT, &path, Some(corrected)).await.expect(200);
        let granted = clinic.post(&format!("/staff/{doctor}/grant-role"), json!({"role": "auditor"})).await.expect(200);
        let shown = clinic.get_at(granted.position(), &format!("/appointments/{appointment}")).await.expect(200);
        let number = shown.text_of("number");
        clinic.get_at(granted.position(), &format!("/staff/{doctor}")).await.expect(200);
        stack.caught_up().await;
        Self { stack, clinic, patient, doctor, appointment, number }
    }

    async fn record(&self, query: &str) -> Vec<Value> {
        all(&self.clinic.admin, &self.clinic.path(&format!("/audit/events?limit=200{query}"))).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_told_in_sentences_that_say_who_did_what_to_whom() {
    let day = Day::lived().await;
    let (record, number) = (day.record("").await, &day.number);
    let patient = day.clinic.get(&format!("/patients/{}", day.patient)).await.expect(200).text_of("number");
    let doctor = day.clinic.get(&format!("/staff/{}", day.doctor)).await.expect(200).text_of("username");
    let said = |event: &str| of_event(&record, event)["sentence"].as_str().unwrap_or_default().to_owned();
    assert_eq!(said("PatientRegistered"), format!("admin (clinic admin) registered patient {patient}"));
    assert_eq!(
        said("DemographicsUpdated"),
        format!("admin (clinic admin) changed the demographics of patient {patient}")
    );
    let day_of =
        |hour| working_time(1, hour, 0).with_timezone(&chrono_tz::Asia::Kolkata).format("%Y-%m-%d %H:%M").to_string();
    assert_eq!(
        said("AppointmentRescheduled"),
        format!(
            "admin (clinic admin) rescheduled appointment {number} of patient {patient} from {} to {}",
            day_of(10),
            day_of(11)
        )
    );
    assert_eq!(said("RoleGranted"), format!("admin (clinic admin) gave {doctor} the role auditor"));
    let booked = of_event(&record, "AppointmentBooked");
    assert_eq!(
        (
            booked["category"].as_str(),
            booked["action"].as_str(),
            booked["outcome"].as_i64(),
            booked["operation"].as_str()
        ),
        (Some("clinical_write"), Some("C"), Some(0), Some("BookAppointment"))
    );
    assert_eq!(booked["patients"], json!([{"id": day.patient, "number": patient}]));
    let resource = json!({"kind": "appointment", "id": day.appointment, "number": number, "version": 1});
    assert_eq!(booked["resource"], resource);
    assert_eq!(booked["actor"]["name"], "admin");
    assert!(booked["client"]["address"].is_string() && booked["hash"].as_str().is_some_and(|hash| hash.len() == 64));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_is_told_before_and_after() {
    let day = Day::lived().await;
    let record = day.record("").await;
    let phone = change(of_event(&record, "DemographicsUpdated"), "phone");
    let told = json!({"field": "phone", "before": "+919820012345", "after": "+919820054321", "withheld": false});
    assert_eq!(*phone, told);
    let moved = of_event(&record, "AppointmentRescheduled");
    let fields: BTreeSet<&str> =
        moved["changes"].as_array().unwrap().iter().filter_map(|change| change["field"].as_str()).collect();
    assert_eq!(fields, BTreeSet::from(["start", "end", "rescheduled_at"]));
    let roles = change(of_event(&record, "RoleGranted"), "roles");
    assert_eq!((&roles["before"], &roles["after"]), (&json!(["doctor"]), &json!(["doctor", "auditor"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_learns_what_changed_in_a_restricted_record_but_not_the_values() {
    let day = Day::lived().await;
    let auditor = day.clinic.staff(&["auditor"]).await;
    let restrict = json!({"confidentiality": "restricted"});
    let path = format!("/patients/{}/restrict", day.patient);
    let restricted = day.clinic.post(&path, restrict).await.expect(200);
    day.clinic.get_at(restricted.position(), &format!("/patients/{}", day.patient)).await.expect(200);
    let path = day.clinic.path(&format!("/audit/events?patient={}", day.patient));
    let shown = auditor.get(&path).await.expect(200);
    let corrected = items(&shown);
    let phone = change(of_event(&corrected, "DemographicsUpdated"), "phone");
    assert_eq!(*phone, json!({"field": "phone", "before": null, "after": null, "withheld": true}));
    assert!(!shown.text.contains("98200") && !shown.text.contains("Asha\""), "{}", shown.text);
    let position = of_event(&corrected, "PatientRegistered")["position"].as_i64().unwrap();
    let one = auditor.get(&day.clinic.path(&format!("/audit/events/{position}"))).await.expect(200).json();
    assert!(one["row"]["payload"].is_null() && one["row"]["payload_hash"].is_string() && one["intact"] == true);
    let administrators = day.clinic.admin.get(&path).await.expect(200);
    assert!(administrators.text.contains("+919820054321"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_is_filtered_by_whatever_an_entry_says() {
    let day = Day::lived().await;
    let everything = day.record("").await;
    let granted = of_event(&everything, "RoleGranted");
    let at = |entry: &Value| entry["recorded_at"].as_str().unwrap().to_owned();
    let expected = [
        ("category=privilege&action=U".to_owned(), vec!["RoleGranted"]),
        (
            format!("patient={}", day.patient),
            vec!["DemographicsUpdated", "AppointmentRescheduled", "AppointmentBooked", "PatientRegistered"],
        ),
        (format!("resource=appointment&resource_id={}&action=U", day.appointment), vec!["AppointmentRescheduled"]),
        (format!("correlation_id={}", granted["correlation_id"].as_str().unwrap()), vec!["RoleGranted"]),
        ("event=DemographicsUpdated".to_owned(), vec!["DemographicsUpdated"]),
        ("operation=BookAppointment".to_owned(), vec!["AppointmentBooked"]),
        (format!("from={}", at(granted)), vec!["RoleGranted"]),
        ("outcome=8".to_owned(), vec![]),
        ("category=break_glass".to_owned(), vec![]),
        ("actor_name=nobody".to_owned(), vec![]),
    ];
    for (query, found) in expected {
        assert_eq!(events(&day.record(&format!("&{query}")).await), found, "{query}");
    }
    let before = day.record(&format!("&to={}", at(granted))).await;
    assert_eq!(events(&before), events(&everything[1..]));
    let by_admin = day.record(&format!("&actor={}&actor_name=admin", granted["actor"]["id"].as_str().unwrap())).await;
    assert!(by_admin.len() >= 5 && by_admin.iter().all(|entry| entry["actor"]["name"] == "admin"));
    for query in ["limit=50&colour=red", "outcome=3", "category=nothing", "sort=mood", "action=X", "ledger=access"] {
        let path = day.clinic.path(&format!("/audit/events?{query}"));
        assert_eq!(day.clinic.admin.get(&path).await.expect(400).code(), "invalid-parameter", "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_sorted_by_every_element_and_its_pages_cover_each_entry_once() {
    let day = Day::lived().await;
    let everything = day.record("").await;
    let expected: BTreeSet<i64> = everything.iter().filter_map(|entry| entry["position"].as_i64()).collect();
    assert_eq!(expected.len(), everything.len());
    let document = day.stack.client().get("/openapi.json").await.expect(200).json();
    let sorts = document["components"]["schemas"]["AuditSort"]["enum"].as_array().expect("the sorts").clone();
    let elements: Vec<&str> = sorts.iter().filter_map(Value::as_str).filter(|sort| !sort.starts_with('-')).collect();
    assert!(elements.len() > 20 && sorts.len() == 2 * elements.len(), "{sorts:?}");
    for element in elements {
        for (sort, down) in [(element.to_owned(), false), (format!("-{element}"), true)] {
            let path = day.clinic.path(&format!("/audit/events?limit=2&sort={sort}"));
            let entries = all(&day.clinic.admin, &path).await;
            let positions: Vec<i64> = entries.iter().filter_map(|entry| entry["position"].as_i64()).collect();
            assert_eq!(positions.len(), expected.len(), "{sort}");
            assert_eq!(positions.iter().copied().collect::<BTreeSet<_>>(), expected, "{sort}");
            let key = |entry: &Value| match element {
                "actor" => entry["actor"]["name"].to_string(),
                "resource" => entry["resource"]["kind"].to_string(),
                element => entry[element].to_string(),
            };
            let told = ["recorded_at", "category", "action", "event", "operation", "actor", "resource", "id"];
            let mut keys: Vec<String> = entries.iter().map(key).collect();
            if down {
                keys.reverse();
            }
            assert!(!told.contains(&element) || keys.is_sorted(), "{sort}: {keys:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_cover_each_entry_once_while_the_log_grows() {
    let day = Day::lived().await;
    let clinic = &day.clinic;
    for (list, sort) in
        [("events", "-recorded_at"), ("trail", "-recorded_at"), ("trail", "recorded_at"), ("trail", "actor")]
    {
        let path = |limit: u32| clinic.path(&format!("/audit/{list}?limit={limit}&sort={sort}"));
        let key = |entry: &Value| (entry["ledger"].to_string(), entry["position"].as_i64());
        let before: Vec<_> = all(&clinic.admin, &path(200)).await.iter().map(key).collect();
        let (mut seen, mut next) = (Vec::new(), path(2));
        // Each page that is read is itself an entry more: two are read for each that is added.
        while seen.len() < 2 * before.len() + 200 {
            let answer = clinic.admin.get(&next).await.expect(200);
            seen.extend(items(&answer).iter().map(key));
            if seen.len() <= 40 {
                clinic.patient("Meera").await;
            }
            match answer.header("link").strip_prefix('<').and_then(|link| link.split_once('>')) {
                Some((link, _)) => next = link.to_owned(),
                None => break,
            }
        }
        let once: BTreeSet<_> = seen.iter().cloned().collect();
        assert_eq!(once.len(), seen.len(), "{list} by {sort}: an entry came twice");
        let missing: Vec<_> = before.iter().filter(|entry| !once.contains(*entry)).collect();
        assert!(missing.is_empty(), "{list} by {sort}: never shown: {missing:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_entry_has_all_that_its_hash_covers() {
    let day = Day::lived().await;
    let record = day.record("&sort=recorded_at").await;
    for entry in &record {
        let position = entry["position"].as_i64().unwrap();
        let one = day.clinic.get(&format!("/audit/events/{position}")).await.expect(200).json();
        assert_eq!((&one["intact"], &one["row"]["hash"]), (&json!(true), &entry["hash"]));
        assert_eq!(one["sentence"], entry["sentence"]);
        let row: proof::bundle::ShownRow = serde_json::from_value(one["row"].clone()).unwrap();
        let (stored, key) = row.into_stored().unwrap();
        assert!(stored.is_intact() && key.is_none());
        assert_eq!(hex::encode(stored.row_hash()), one["row_hash"].as_str().unwrap());
    }
    let last = record.len() as i64;
    for absent in [0, last + 1, -1] {
        day.clinic.get(&format!("/audit/events/{absent}")).await.expect(404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_administrators_and_auditors_read_the_trail_and_only_of_their_clinic() {
    let day = Day::lived().await;
    let other = TestClinic::register(&day.stack.client()).await;
    let theirs = all(&other.admin, &other.path("/audit/trail?limit=200")).await;
    assert!(!theirs.is_empty() && theirs.iter().all(|entry| !entry.to_string().contains(&day.patient)));
    for roles in [&["receptionist"][..], &["doctor"], &["nurse", "billing"]] {
        let client = match roles {
            ["doctor"] => doctor(&day.clinic).await,
            _ => day.clinic.staff(roles).await,
        };
        for path in ["/audit/events", "/audit/access", "/audit/trail", "/audit/events/1", "/audit/access/1"] {
            client.get(&day.clinic.path(path)).await.expect(403);
        }
    }
    let auditor = day.clinic.staff(&["auditor"]).await;
    auditor.get(&day.clinic.path("/audit/trail")).await.expect(200);
    auditor.get(&other.path("/audit/trail")).await.expect(404);
}

async fn doctor(clinic: &TestClinic) -> Client {
    let doctor = clinic.new_doctor().await;
    let staff = clinic.get_at(doctor.position(), &format!("/staff/{}", doctor.id())).await.expect(200);
    clinic.activate(&staff.text_of("username"), &doctor.text_of("activation")).await
}

/// The access records since a moment, the oldest first, without readings of the trail itself.
async fn seen_since(clinic: &TestClinic, position: i64) -> Vec<Value> {
    let path = clinic.path("/audit/access?limit=200&sort=recorded_at");
    let mut entries = all(&clinic.admin, &path).await;
    entries.retain(|entry| entry["position"].as_i64() > Some(position) && entry["event"] != "AuditRead");
    entries
}

/// Where the access ledger stands.
async fn access_head(clinic: &TestClinic) -> i64 {
    let newest = clinic.get("/audit/access?limit=1").await.expect(200).json();
    newest["items"][0]["position"].as_i64().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_seen_is_told_and_names_no_word_that_was_typed() {
    let day = Day::lived().await;
    let clinic = &day.clinic;
    let meera = clinic.post("/patients", json!({"first_name": "Meera"})).await.expect(201);
    clinic.get_at(meera.position(), &format!("/patients/{}", meera.id())).await.expect(200);
    let before = access_head(clinic).await;
    let shown = clinic.get(&format!("/patients/{}", day.patient)).await.expect(200);
    let number = shown.text_of("number");
    clinic.get("/patients/search?q=Ash").await.expect(200);
    clinic.get("/patients?limit=10").await.expect(200);
    clinic.get(&format!("/appointments/{}?as_of=12", day.appointment)).await;
    let seen = seen_since(clinic, before).await;
    let sentences: Vec<&str> = seen.iter().filter_map(|entry| entry["sentence"].as_str()).collect();
    assert_eq!(
        &sentences[..3],
        [
            format!("admin (clinic admin) was shown data of patient {number} (patient read)"),
            "admin (clinic admin) searched among the patients; found: 1 (patient read)".to_owned(),
            "admin (clinic admin) was shown a list; patients on it: 2 (patient read)".to_owned(),
        ]
    );
    let of = |entry: &Value| entry["patients"].as_array().map(|patients| patients.len());
    assert_eq!(seen[..3].iter().map(of).collect::<Vec<_>>(), [Some(1), Some(1), Some(2)]);
    let categories: Vec<_> = seen[..3].iter().filter_map(|entry| entry["category"].as_str()).collect();
    assert_eq!(categories, ["read", "search", "read"]);
    assert_eq!(seen[0]["resource"]["id"], json!(day.patient));
    assert!(seen[1]["parameters"]["q"]["hashed"].is_string(), "{:#}", seen[1]);
    let everything = Value::from(seen.clone()).to_string();
    assert!(!everything.contains("Asha") && !everything.contains("\"Ash\""), "{everything}");
    let filtered = |query: String| async move {
        let found = all(&clinic.admin, &clinic.path(&format!("/audit/access?limit=200&{query}"))).await;
        found.iter().filter_map(|entry| entry["position"].as_i64()).filter(|at| *at > before).collect::<BTreeSet<_>>()
    };
    let position = |n: usize| seen[n]["position"].as_i64().unwrap();
    assert_eq!(filtered("category=search".to_owned()).await, BTreeSet::from([position(1)]));
    let of_meera = filtered(format!("patient={}&category=read&event=PatientsListed", meera.id())).await;
    assert_eq!(of_meera, BTreeSet::from([position(2)]));
    let shown = filtered(format!("resource=patient&resource_id={}", day.patient)).await;
    assert_eq!(shown, BTreeSet::from([position(0)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patients_access_log_says_who_saw_the_record_alone_in_a_list_and_in_the_trail() {
    let day = Day::lived().await;
    let clinic = &day.clinic;
    let auditor = clinic.staff(&["auditor"]).await;
    let nurse = clinic.staff(&["nurse"]).await;
    nurse.get(&clinic.path("/patients")).await.expect(200);
    nurse.get(&clinic.path(&format!("/patients/{}/appointments", day.patient))).await.expect(200);
    auditor.get(&clinic.path(&format!("/audit/events?patient={}", day.patient))).await.expect(200);
    let log = auditor.get(&clinic.path(&format!("/patients/{}/access-log", day.patient))).await.expect(200);
    let entries = items(&log);
    let who: Vec<(String, String)> = entries
        .iter()
        .map(|entry| (entry["actor"]["roles"][0].as_str().unwrap().to_owned(), entry["data"].to_string()))
        .take(3)
        .collect();
    let expected = [("auditor", "null"), ("nurse", "\"appointments\""), ("nurse", "\"patient_read\"")];
    assert_eq!(who, expected.map(|(role, data)| (role.to_owned(), data.to_owned())), "{}", log.text);
    assert_eq!((&entries[1]["purpose"], &entries[1]["category"]), (&json!("TREAT"), &json!("read")));
    assert!(!log.text.contains("127.0.0.1"), "where staff sit is no business of the patient's");
    // Asked again, the log says that it was asked.
    let looked = |entries: &[Value]| entries.iter().filter(|entry| entry["actor"]["roles"][0] == "auditor").count();
    let before = looked(&entries);
    auditor.get(&clinic.path("/audit/trail")).await.expect(200);
    let again = items(&auditor.get(&clinic.path(&format!("/patients/{}/access-log", day.patient))).await.expect(200));
    assert!(again[1]["sentence"].as_str().unwrap().contains("looked at the audit trail (access log)"), "{again:#?}");
    assert_eq!(looked(&again), before + 2, "a page of the trail shows what changed in this record: {again:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_is_a_fhir_bundle_with_an_event_for_each_patient_of_a_list() {
    let day = Day::lived().await;
    let clinic = &day.clinic;
    let meera = clinic.post("/patients", json!({"first_name": "Meera"})).await.expect(201);
    clinic.get_at(meera.position(), "/patients").await.expect(200);
    let answer = clinic.get("/audit/fhir?limit=200").await.expect(200);
    assert_eq!(answer.header("content-type"), "application/fhir+json");
    let bundle = answer.json();
    assert_eq!((&bundle["resourceType"], &bundle["type"]), (&json!("Bundle"), &json!("collection")));
    let events: Vec<&Value> =
        bundle["entry"].as_array().expect("entries").iter().map(|entry| &entry["resource"]).collect();
    let mut ids = BTreeSet::new();
    for event in &events {
        assert_eq!(event["resourceType"], "AuditEvent");
        // What R4 asks for: type, recorded, agent.requestor, source.observer; an id of at most 64 characters.
        assert!(event["type"]["code"].is_string() && event["recorded"].is_string(), "{event:#}");
        assert!(event["agent"][0]["requestor"] == true && event["source"]["observer"].is_object(), "{event:#}");
        let id = event["id"].as_str().expect("an id");
        assert!(id.len() <= 64 && ids.insert(id), "{id}");
    }
    let listed: Vec<_> =
        events.iter().filter(|event| event["entity"].to_string().contains("was shown a list")).collect();
    let patients: BTreeSet<_> =
        listed.iter().filter_map(|event| event["entity"][0]["what"]["reference"].as_str()).collect();
    let expected = [day.patient.clone(), meera.id()].map(|id| format!("Patient/{id}"));
    assert_eq!(patients, expected.iter().map(String::as_str).collect());
    let granted = events.iter().find(|event| event["entity"].to_string().contains("the role auditor")).unwrap();
    assert_eq!((&granted["type"]["code"], &granted["subtype"][0]["code"]), (&json!("110113"), &json!("110136")));
    assert!(!answer.text.contains("+9198200"), "values of changes are not handed on");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_of_an_erased_person_names_nothing_even_while_the_key_still_opens() {
    // Nobody carries the erasure out here: the key is fenced, not destroyed.
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let second = clinic.staff(&["clinic_admin"]).await;
    let body = json!({"first_name": "Marigold", "phone": "+919820012345"});
    let patient = clinic.post("/patients", body).await.expect(201);
    let id = patient.id();
    let told = json!({"recipient": "Begonia", "description": "Visits", "statement": "Required by law"});
    let disclosed = clinic.post(&format!("/patients/{id}/disclosures"), told).await.expect(201);
    let shown = clinic.get_at(patient.position(), &format!("/patients/{id}")).await.expect(200);
    clinic.post(&format!("/patients/{id}/request-erasure"), json!({"reason": "moves away"})).await.expect(200);
    second.post(&clinic.path(&format!("/patients/{id}/approve-erasure")), json!({})).await.expect(200);
    let record = format!("/audit/events?patient={id}");
    let entry = format!("/audit/access/{}", disclosed.json()["access_position"]);
    let (log, disclosures) = (format!("/patients/{id}/access-log"), format!("/patients/{id}/disclosures"));
    for path in [record.as_str(), "/audit/trail", "/audit/fhir", "/audit/events/3", &entry, &log, &disclosures] {
        let answer = clinic.get(path).await.expect(200);
        for word in ["Marigold", "98200", "Begonia", "moves away"] {
            assert!(!answer.text.contains(word), "{path} shows {word}: {}", answer.text);
        }
    }
    let number = shown.text_of("number");
    let entries = items(&clinic.get(&record).await.expect(200));
    let registered = of_event(&entries, "PatientRegistered");
    assert_eq!(registered["sentence"], format!("admin (clinic admin) registered patient {number}"));
    assert_eq!(registered["content"], "erased");
    assert_eq!(
        *change(registered, "first_name"),
        json!({"field": "first_name", "before": null, "after": null, "withheld": true})
    );
    of_event(&entries, "PatientErased");
    let seen = items(&clinic.get(&log).await.expect(200));
    assert!(seen.iter().any(|entry| entry["data"] == "patient_read"), "who saw it before is told: {seen:#?}");
    let accounted = items(&clinic.get(&disclosures).await.expect(200));
    assert_eq!((&accounted[0]["content"], &accounted[0]["disclosure"]), (&json!("erased"), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_and_logins_are_told_with_what_was_refused() {
    let day = Day::lived().await;
    let (clinic, anybody) = (&day.clinic, day.stack.client());
    let number = clinic.get(&format!("/patients/{}", day.patient)).await.expect(200).text_of("number");
    let receptionist = clinic.staff(&["receptionist"]).await;
    let before = access_head(clinic).await;
    let merge = clinic.path(&format!("/patients/{}/merge", day.patient));
    receptionist.post(&merge, json!({"survivor_id": day.doctor})).await.expect(403);
    clinic.admin.get("/clinic/somewhere-else/api/v1/patients").await.expect(404);
    anybody.log_in(Some(&clinic.slug), "admin", "wrong horse").await.expect(401);
    anybody.log_in(Some(&clinic.slug), "admin", tests::PASSWORD).await.expect(200);
    let seen = seen_since(clinic, before).await;
    let name = seen[0]["actor"]["name"].as_str().unwrap_or_default().to_owned();
    let said: Vec<&str> = seen.iter().filter_map(|entry| entry["sentence"].as_str()).collect();
    assert_eq!(
        said,
        [
            &format!(
                "{name} (receptionist) was refused POST /clinic/{{slug}}/api/v1/patients/{{id}}/merge of patient {number}: \
                 it needs the right to write (patient merge)"
            ),
            "admin (clinic admin) was refused GET /clinic/{slug}/api/v1/patients: it named another clinic \
             (somewhere-else)",
            "Somebody without a login failed to log in as admin: wrong password",
            "admin (clinic admin) logged in",
        ]
    );
    let how = |entry: &Value| {
        let of = |member: &str| entry[member].as_str().map(str::to_owned);
        (of("category"), entry["outcome"].as_i64(), of("problem"))
    };
    let told = |category: &str, outcome, problem: Option<&str>| {
        (Some(category.to_owned()), Some(outcome), problem.map(str::to_owned))
    };
    assert_eq!(
        seen.iter().map(how).collect::<Vec<_>>(),
        [
            told("security", 8, Some("forbidden")),
            told("security", 8, Some("cross-clinic")),
            told("login", 4, Some("wrong_password")),
            told("login", 0, None),
        ]
    );
    let position = |n: usize| seen[n]["position"].as_i64().unwrap();
    for (query, expected) in [
        ("outcome=8".to_owned(), vec![position(1), position(0)]),
        ("outcome=4".to_owned(), vec![position(2)]),
        (format!("patient={}&category=security", day.patient), vec![position(0)]),
    ] {
        let found = all(&clinic.admin, &clinic.path(&format!("/audit/access?{query}"))).await;
        let found: Vec<i64> = found.iter().filter_map(|entry| entry["position"].as_i64()).collect();
        assert_eq!(found, expected, "{query}");
    }
    let text = Value::from(seen).to_string();
    assert!(!text.contains("wrong horse") && !text.contains(tests::PASSWORD), "{text}");
}
