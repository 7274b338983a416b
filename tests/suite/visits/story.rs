//! A visit from the door to the door, and what it looked like at each moment.

use serde_json::{Value, json};
use tests::working_time;

use super::{Ward, ids};

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_goes_from_the_door_to_the_door() {
    let ward = Ward::open().await;
    let clinic = &ward.clinic;
    let patient = clinic.patient("Asha").await;
    let booking = clinic.booking(&patient, &ward.doctor_id, working_time(1, 10, 0));
    let appointment = ward.desk.post(&clinic.path("/appointments"), booking).await.expect(201).id();

    // The desk makes it ready, and the nurse receives Asha.
    let opened = ward.opened(json!({"appointment_id": appointment, "chief_complaint": "a cough"})).await;
    let visit = opened.id();
    let again = ward.desk.post(&clinic.path("/visits"), json!({"appointment_id": appointment})).await.expect(409);
    assert_eq!((again.code().as_str(), &again.json()["visit_id"]), ("visit-exists", &json!(visit)));
    let arrived = ward.act(&ward.nurse, &visit, "arrive", json!({})).await.expect(200);
    assert_eq!(arrived.json()["events"], json!(["VisitArrived", "PatientCheckedIn"]));
    let vitals = json!({
        "body_temperature": {"value": 102.2, "unit": "[degF]"}, "heart_rate": {"value": 118},
        "blood_pressure_systolic": {"value": 120}, "blood_pressure_diastolic": {"value": 80}
    });
    let wrong = ward.act(&ward.nurse, &visit, "vitals", json!({"heart_rate": {"value": 1180}})).await.expect(422);
    assert_eq!(wrong.json()["errors"][0]["pointer"], "/heart_rate", "{}", wrong.text);
    let first = ward.act(&ward.nurse, &visit, "vitals", json!({"heart_rate": {"value": 60}})).await.expect(200);
    let first = first.text_of("vitals_id");
    let strike_out = json!({"vitals_id": first, "reason": "the next patient's"});
    ward.act(&ward.nurse, &visit, "enter-vitals-in-error", strike_out).await.expect(200);
    ward.act(&ward.nurse, &visit, "vitals", vitals).await.expect(200);
    let triage = json!({"priority": "urgent", "note": "short of breath"});
    let triaged = ward.act(&ward.nurse, &visit, "triage", triage).await.expect(200);

    // The doctor sees her, and finds out more.
    let started = ward.start(&visit).await.expect(200);
    assert_eq!(started.json()["events"], json!(["ConsultationStarted", "AppointmentStarted"]));
    let found = json!({"code": "j20.9", "text": "Acute bronchitis"});
    let found = ward.act(&ward.doctor, &visit, "diagnoses", found).await.expect(200);
    let diagnosis = found.text_of("diagnosis_id");
    let corrected = json!({
        "diagnosis_id": diagnosis, "code": "J18.9", "text": "Pneumonia", "certainty": "confirmed",
        "reason": "seen on the X-ray"
    });
    ward.act(&ward.doctor, &visit, "correct-diagnosis", corrected).await.expect(200);
    let again = working_time(5, 9, 0).date_naive();
    let plan = json!({"on": again, "instructions": "bring the X-ray"});
    ward.act(&ward.doctor, &visit, "follow-up", plan).await.expect(200);
    let finished = ward.finish(&visit).await;
    assert_eq!(finished.json()["events"], json!(["VisitFinished", "AppointmentFulfilled"]));
    let late = ward.act(&ward.doctor, &visit, "diagnoses", json!({"text": "Flu"})).await.expect(409);
    assert_eq!(late.code(), "wrong-status");

    // What is on record.
    let seen = ward.sees(&ward.doctor, finished.position(), &format!("/visits/{visit}")).await.expect(200);
    let body = seen.json();
    assert_eq!((&body["status"], &body["doctor_id"]), (&json!("finished"), &json!(ward.doctor_id)), "{body}");
    assert!(body["number"].as_str().is_some_and(|number| number.starts_with("VIS-") && number.ends_with("-001")));
    assert_eq!(body["follow_up"]["on"], json!(again));
    let findings = &body["findings"];
    assert_eq!(findings["chief_complaint"], "a cough");
    let [struck, stands] = findings["vitals"].as_array().expect("two sets").as_slice() else { panic!("{body}") };
    assert_eq!(struck["entered_in_error"]["reason"], "the next patient's");
    let temperature = &stands["signs"][0];
    assert_eq!((&temperature["loinc"], &temperature["flag"]), (&json!("8310-5"), &json!("high")), "{stands}");
    assert_eq!((&temperature["value"], &temperature["unit"]), (&json!(102.2), &json!("[degF]")));
    let diagnosis = &findings["diagnoses"][0];
    assert_eq!((&diagnosis["code"], &diagnosis["certainty"]), (&json!("J18.9"), &json!("confirmed")));
    let correction = &diagnosis["corrections"][0];
    assert_eq!(
        (&correction["was"]["text"], &correction["reason"]),
        (&json!("Acute bronchitis"), &json!("seen on the X-ray"))
    );
    let fulfilled = ward.sees(&ward.desk, finished.position(), &format!("/appointments/{appointment}")).await;
    assert_eq!(fulfilled.expect(200).json()["status"], "fulfilled");

    // As it was, and how it came to be so.
    let then = format!("/visits/{visit}?as_of={}", triaged.position());
    let then = ward.doctor.get(&clinic.path(&then)).await.expect(200).json();
    assert_eq!((&then["status"], &then["findings"]["diagnoses"]), (&json!("triaged"), &json!([])), "{then}");
    let history = ward.doctor.get(&clinic.path(&format!("/visits/{visit}/history"))).await.expect(200).json();
    let events: Vec<&str> = history["items"].as_array().unwrap().iter().map(|e| e["event"].as_str().unwrap()).collect();
    assert_eq!((events.len(), events[0], events[events.len() - 1]), (11, "VisitFinished", "VisitOpened"));

    // The trend leaves out what was struck out.
    let trend = ward.doctor.get(&clinic.path(&format!("/patients/{patient}/vitals?sign=heart_rate"))).await.expect(200);
    let sets = trend.json()["items"].as_array().expect("sets").clone();
    assert_eq!((sets.len(), &sets[0]["visit_id"], &sets[0]["signs"][1]["value"]), (1, &json!(visit), &json!(118.0)));
    let all = ward.doctor.get(&clinic.path(&format!("/patients/{patient}/vitals?struck_out=true"))).await.expect(200);
    assert_eq!(all.json()["items"].as_array().expect("sets").len(), 2);
    let then = format!("/patients/{patient}/vitals?as_of={}", opened.position());
    assert_eq!(ward.doctor.get(&clinic.path(&then)).await.expect(200).json()["items"], json!([]));
    ward.stack.caught_up().await;
    ward.stack.read_models_equal_the_log().await;
    ward.stack.verify_chains().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_that_is_over_is_reopened_and_struck_out_and_stays_on_record() {
    let ward = Ward::open().await;
    let patient = ward.clinic.patient("Asha").await;
    let visit = ward.walk_in(&patient).await;
    ward.start(&visit).await.expect(200);
    let finished = ward.finish(&visit).await;
    let why = json!({"reason": "a diagnosis was forgotten"});
    ward.act(&ward.doctor, &visit, "reopen", json!({})).await.expect(400);
    ward.act(&ward.doctor, &visit, "reopen", why.clone()).await.expect(200);
    ward.act(&ward.doctor, &visit, "diagnoses", json!({"text": "Asthma"})).await.expect(200);
    ward.finish(&visit).await;
    let stale = ward.doctor.with("if-match", "\"1\"");
    ward.act(&stale, &visit, "reopen", why).await.expect(412);
    let strike_out = json!({"reason": "the wrong patient"});
    let struck = ward.act(&ward.doctor, &visit, "enter-in-error", strike_out).await.expect(200);
    for action in ["start", "finish", "arrive"] {
        let refused = ward.act(&ward.doctor, &visit, action, json!({})).await.expect(409);
        assert_eq!(refused.code(), "wrong-status");
    }
    let body = ward.sees(&ward.doctor, struck.position(), &format!("/visits/{visit}")).await.expect(200).json();
    assert_eq!(body["status"], "entered-in-error");
    assert_eq!(body["findings"]["reopened"][0]["reason"], "a diagnosis was forgotten");
    assert_eq!(body["findings"]["entered_in_error"]["reason"], "the wrong patient");
    assert_eq!(body["findings"]["diagnoses"][0]["text"], "Asthma");
    let then = format!("/visits/{visit}?as_of={}", finished.position());
    let then = ward.doctor.get(&ward.clinic.path(&then)).await.expect(200).json();
    assert_eq!((&then["status"], &then["findings"]["reopened"]), (&json!("finished"), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_by_doctor_office_status_day_and_person() {
    let ward = Ward::open().await;
    let (asha, ravi) = (ward.clinic.patient("Asha").await, ward.clinic.patient("Ravi").await);
    let (first, second) = (ward.walk_in(&asha).await, ward.walk_in(&ravi).await);
    let assign = json!({"doctor_id": ward.doctor_id});
    ward.act(&ward.desk, &first, "assign-doctor", assign).await.expect(200);
    let cancel = json!({"reason": "left_before_seen"});
    let last = ward.act(&ward.desk, &second, "cancel", cancel).await.expect(200).position();
    let list = async |below: &str| ids(&ward.sees(&ward.doctor, last, below).await.expect(200));
    let day = ward.sees(&ward.doctor, last, &format!("/visits/{first}")).await.expect(200).text_of("day");
    assert_eq!(list("/visits").await, [second.clone(), first.clone()]);
    assert_eq!(list(&format!("/visits?doctor={}", ward.doctor_id)).await, std::slice::from_ref(&first));
    assert_eq!(list("/visits?status=cancelled").await, std::slice::from_ref(&second));
    assert_eq!(list(&format!("/visits?day={day}&office={}", ward.clinic.office)).await.len(), 2);
    assert_eq!(list("/visits?day=2020-01-01").await, Vec::<String>::new());
    assert_eq!(list(&format!("/visits?patient={asha}")).await, std::slice::from_ref(&first));
    assert_eq!(list(&format!("/patients/{ravi}/visits")).await, std::slice::from_ref(&second));
    let before = format!("/patients/{ravi}/visits?as_of={}", last - 1);
    let then = ward.sees(&ward.clinic.admin, last, &before).await.expect(200).json();
    assert_eq!(then["items"][0]["status"], "arrived");
    // A doctor looks back at their own patients.
    ward.sees(&ward.doctor, last, &before).await.expect(403);
    let page = ward.sees(&ward.doctor, last, "/visits?limit=1").await.expect(200).json();
    let cursor = page["next"].as_str().expect("a next page");
    assert_eq!(list(&format!("/visits?limit=1&cursor={cursor}")).await, [first]);
    ward.doctor.get(&ward.clinic.path("/visits?colour=red")).await.expect(400);
    assert_eq!(Value::Null, ward.sees(&ward.doctor, last, "/visits").await.json()["next"]);
}
