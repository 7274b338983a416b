//! One patient's blood, from the order to the correction.

use serde_json::{Value, json};

use super::world::{Laboratory, blood_test, glucose};

#[tokio::test(flavor = "multi_thread")]
async fn a_patients_blood_is_ordered_examined_released_and_corrected() {
    let lab = Laboratory::open().await;
    let (doctor, technician, colleague, asha) = (&lab.doctor, &lab.technician, &lab.colleague, &lab.asha);

    // The doctor asks for two tests, at once.
    let tests = json!([blood_test(), {"code": "4548-4", "text": "Hemoglobin A1c", "kind": "blood"}]);
    let body = json!({"patient_id": lab.patient, "tests": tests, "priority": "stat", "reason": "polyuria"});
    let ordered = lab.post(doctor, "/lab-orders", body).await.expect(201);
    assert_eq!(ordered.json()["events"], json!(["LabTestsOrdered"]));
    let order = ordered.id();
    let routine = lab.ordered(json!([blood_test()])).await;

    // The technician finds both orders on the worklist, the urgent one first.
    let listed = lab.get(technician, "/lab-orders/worklist").await.expect(200).json();
    let ids: Vec<&str> = listed["items"].as_array().unwrap().iter().filter_map(|task| task["id"].as_str()).collect();
    assert_eq!(ids, [order.as_str(), routine.as_str()]);
    assert_eq!((&listed["items"][0]["reason"], &listed["items"][0]["report"]), (&json!("polyuria"), &Value::Null));

    // A first specimen is no good, a second is.
    let (collect, reject) =
        (format!("/lab-orders/{order}/collect-specimen"), format!("/lab-orders/{order}/reject-specimen"));
    lab.post(technician, &collect, json!({"barcode": "B-1"})).await.expect(200);
    let again = lab.post(technician, &collect, json!({"barcode": "B-2"})).await.expect(409);
    let (code, specimen) = (again.code(), again.text_of("specimen_id"));
    assert_eq!(code, "specimen-collected");
    let body = json!({"specimen_id": specimen, "reason": "haemolysed", "text": "pink all over"});
    lab.post(technician, &reject, body).await.expect(200);
    lab.post(technician, &collect, json!({"barcode": "B-2"})).await.expect(200);
    let shown = lab.get(doctor, &format!("/lab-orders/{order}")).await.expect(200).json();
    assert_eq!(shown["number"].as_str().map(|number| &number[..4]), Some("LAB-"));
    assert_eq!(shown["specimens"][0]["rejected"]["text"], "pink all over");
    assert_eq!((&shown["specimens"][1]["barcode"], &shown["specimens"][1]["rejected"]), (&json!("B-2"), &Value::Null));

    // Results are recorded; one of them is critical, and nobody but a colleague verifies them.
    let report = lab.registered(&order).await;
    let on = |action: &str| format!("/lab-reports/{report}/{action}");
    let a1c = json!({
        "code": "4548-4", "text": "Hemoglobin A1c", "value": {"type": "quantity", "value": 9.1, "unit": "%"},
        "range": {"high": 5.7}
    });
    let (first, second) = (lab.recorded(&report, glucose(950.0)).await, lab.recorded(&report, a1c).await);
    let own = lab.post(technician, &on("verify-result"), json!({"result_id": first})).await.expect(403);
    assert_eq!(own.code(), "same-person");
    for result in [&first, &second] {
        lab.post(colleague, &on("verify-result"), json!({"result_id": result})).await.expect(200);
    }
    let shown = lab.get(doctor, &format!("/lab-reports/{report}")).await.expect(200).json();
    assert_eq!((&shown["status"], &shown["open_critical"]), (&json!("preliminary"), &json!(true)));
    assert_eq!((&shown["results"][0]["flag"], &shown["results"][1]["flag"]), (&json!("HH"), &json!("H")));
    let open = lab.get(doctor, "/lab-reports?critical=open").await.expect(200).json();
    assert_eq!(open["items"][0]["id"], report);

    // The doctor is told, and takes note; then the report is released, and the patient sees it.
    assert_eq!(lab.post(technician, &on("release"), json!({})).await.expect(409).code(), "critical-not-notified");
    let told = json!({"result_id": first, "channel": "phone", "text": "read back"});
    lab.post(technician, &on("notify-critical"), told).await.expect(200);
    let taken = lab.post(technician, &on("acknowledge-critical"), json!({"result_id": first})).await.expect(403);
    assert_eq!(taken.code(), "not-a-doctor");
    lab.post(doctor, &on("acknowledge-critical"), json!({"result_id": first})).await.expect(200);
    let open = lab.get(doctor, "/lab-reports?critical=open").await.expect(200).json();
    assert_eq!(open["items"], json!([]));
    lab.get(asha, &format!("/lab-reports/{report}")).await.expect(404);
    assert_eq!(lab.get(asha, "/lab-reports").await.expect(200).json()["items"], json!([]));
    let results = format!("/patients/{}/results?code=2345-7", lab.patient);
    assert_eq!(lab.get(asha, &results).await.expect(200).json()["items"], json!([]));
    let released = lab.post(technician, &on("release"), json!({})).await.expect(200);
    assert_eq!(released.json()["events"], json!(["LabReportReleased", "LabOrderCompleted"]));
    let shown = lab.get(asha, &format!("/lab-reports/{report}")).await.expect(200).json();
    assert_eq!(shown["results"][0]["value"], json!({"type": "quantity", "value": 950.0, "unit": "mg/dL"}));
    assert_eq!(shown["results"][0]["notices"], json!([]), "what the laboratory said to the doctor is theirs");
    assert_eq!(lab.get(doctor, &format!("/lab-orders/{order}")).await.json()["status"], "completed");
    let before = released.position();

    // Two digits were swapped: the correction says so, and what was said before stays.
    let correction = json!({
        "result_id": first, "result": glucose(95.0), "reason": "transcription", "why": "two digits were swapped"
    });
    lab.post(technician, &on("correct"), correction).await.expect(200);
    for who in [doctor, asha] {
        let shown = lab.get(who, &format!("/lab-reports/{report}")).await.expect(200).json();
        assert_eq!(shown["status"], "corrected");
        assert_eq!(shown["replaced_results"][0]["value"]["value"], 950.0);
        let corrected = &shown["corrections"][0];
        assert_eq!((&corrected["corrects"], &corrected["reason"]), (&json!(first), &json!("transcription")));
        assert_eq!(
            (&corrected["why"], &corrected["informed_doctor_id"]),
            (&json!("two digits were swapped"), &json!(lab.doctor_id))
        );
        let standing = shown["results"].as_array().unwrap();
        assert!(standing.iter().any(|result| result["value"]["value"] == 95.0 && result["flag"] == "N"), "{shown}");
    }
    // Doctors look back at those who had an appointment with them; an administrator at everybody.
    let everything = lab.clinic.doctor_and_administrator().await;
    let then = lab.get(&everything, &format!("/lab-reports/{report}?as_of={before}")).await.expect(200).json();
    assert_eq!((&then["status"], &then["results"][0]["value"]["value"]), (&json!("final"), &json!(950.0)));

    // Over time the one value stands, then the other.
    let over_time = lab.get(asha, &results).await.expect(200).json();
    let values = |list: &Value| -> Vec<f64> {
        list["items"].as_array().unwrap().iter().filter_map(|item| item["value"]["value"].as_f64()).collect()
    };
    assert_eq!(values(&over_time), [95.0]);
    let earlier = lab.get(&everything, &format!("{results}&as_of={before}")).await.expect(200).json();
    assert_eq!(values(&earlier), [950.0]);

    // The history tells who did what, in order.
    let history = lab.get(doctor, &format!("/lab-reports/{report}/history")).await.expect(200).json();
    let told: Vec<&str> =
        history["items"].as_array().unwrap().iter().rev().filter_map(|entry| entry["event"].as_str()).collect();
    let expected = [
        "LabReportRegistered",
        "LabResultRecorded",
        "LabResultRecorded",
        "LabResultVerified",
        "LabResultVerified",
        "CriticalResultNotified",
        "CriticalResultAcknowledged",
        "LabReportReleased",
        "LabReportCorrected",
    ];
    assert_eq!(told, expected);
    lab.stack.verify_chains().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nurse_drafts_and_a_doctor_makes_it_an_order() {
    let lab = Laboratory::open().await;
    let body = json!({"patient_id": lab.patient, "tests": [blood_test()]});
    let draft = lab.post(&lab.nurse, "/lab-orders/draft", body.clone()).await.expect(201).id();
    let other = lab.post(&lab.nurse, "/lab-orders/draft", body).await.expect(201).id();
    let on = |order: &str, action: &str| format!("/lab-orders/{order}/{action}");
    lab.post(&lab.nurse, &on(&draft, "activate"), json!({})).await.expect(403);
    assert_eq!(lab.get(&lab.asha, "/lab-orders").await.expect(200).json()["items"], json!([]), "nobody's word yet");
    lab.get(&lab.asha, &format!("/lab-orders/{draft}")).await.expect(404);
    lab.post(&lab.doctor, &on(&draft, "activate"), json!({})).await.expect(200);
    let shown = lab.get(&lab.asha, &format!("/lab-orders/{draft}")).await.expect(200).json();
    assert_eq!((&shown["status"], &shown["doctor_id"]), (&json!("active"), &json!(lab.doctor_id)));
    // A nurse takes a draft back, and no order of a doctor's.
    lab.post(&lab.nurse, &on(&other, "revoke"), json!({"reason": "twice"})).await.expect(200);
    lab.post(&lab.nurse, &on(&draft, "revoke"), json!({"reason": "twice"})).await.expect(403);
    let open = lab.get(&lab.nurse, "/lab-orders?open=true").await.expect(200).json();
    assert_eq!(open["items"].as_array().unwrap().len(), 1);
    let drafts = lab.get(&lab.nurse, "/lab-orders?status=revoked").await.expect(200).json();
    assert_eq!(drafts["items"][0]["revoked"]["reason"], "twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clinic_may_let_one_person_record_and_verify() {
    let lab = Laboratory::open().await;
    let report = lab.registered(&lab.ordered(json!([blood_test()])).await).await;
    let result = lab.recorded(&report, glucose(90.0)).await;
    let verify = format!("/lab-reports/{report}/verify-result");
    lab.post(&lab.technician, &verify, json!({"result_id": result})).await.expect(403);
    let settings = lab.clinic.path("/settings");
    let body = json!({"results_verified_by_another": false}).to_string().into_bytes();
    lab.clinic.admin.send(reqwest::Method::PATCH, &settings, Some(body)).await.expect(200);
    lab.post(&lab.technician, &verify, json!({"result_id": result})).await.expect(200);
    let shown = lab.get(&lab.clinic.admin, "/settings").await.expect(200).json();
    assert_eq!(shown["results_verified_by_another"], false, "{shown}");
}
