//! What must not happen: a label on two tubes, two reports of one order, a final report that changes, and somebody who
//! does what is not theirs.

use std::collections::BTreeMap;

use chrono::{TimeDelta, Utc};
use futures::future::join_all;
use serde_json::{Value, json};
use tests::Client;

use super::world::{Laboratory, blood_test, glucose};

const RIVALS: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn a_label_goes_on_one_tube_whoever_collects_at_once() {
    let lab = Laboratory::open().await;
    let second = lab.stack.second_command_api().await.with_token(lab.technician.token().expect("a token"));
    let mut orders = Vec::new();
    for _ in 0..10 {
        orders.push(lab.ordered(json!([blood_test()])).await);
    }
    let rivals = (0..RIVALS).map(|n| {
        let client = if n % 2 == 0 { &lab.technician } else { &second };
        let path = lab.clinic.path(&format!("/lab-orders/{}/collect-specimen", orders[n % orders.len()]));
        async move { client.post(&path, json!({"barcode": "B-1"})).await }
    });
    let answers = join_all(rivals).await;
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    for answer in &answers {
        *statuses.entry(answer.status.as_u16()).or_default() += 1;
        assert!(
            answer.status == 200 || ["duplicate", "specimen-collected"].contains(&answer.code().as_str()),
            "{}",
            answer.text
        );
    }
    assert_eq!(statuses, BTreeMap::from([(200, 1), (409, RIVALS - 1)]));
    assert_eq!(lab.stack.count_events(&lab.clinic.id, "SpecimenCollected").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_has_one_report_and_is_not_revoked_under_it() {
    let lab = Laboratory::open().await;
    for _ in 0..10 {
        let order = lab.ordered(json!([blood_test()])).await;
        let reports = join_all((0..4).map(|_| lab.post(&lab.technician, "/lab-reports", json!({"order_id": order}))));
        let revoke_path = format!("/lab-orders/{order}/revoke");
        let revoke = lab.post(&lab.doctor, &revoke_path, json!({"reason": "not needed"}));
        let (reports, revoked) = futures::join!(reports, revoke);
        let registered = reports.iter().filter(|answer| answer.status == 201).count();
        let all = registered + usize::from(revoked.status == 200);
        assert_eq!(all, 1, "{} / {:?}", revoked.text, reports.iter().map(|answer| &answer.text).collect::<Vec<_>>());
    }
}

/// Every command that there is on a report, with a body that is understood.
fn commands(result: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("results", json!({"result": glucose(91.0)})),
        ("results", json!({"result": glucose(91.0), "replaces": result})),
        ("verify-result", json!({"result_id": result})),
        ("release", json!({})),
        ("notify-critical", json!({"result_id": result, "channel": "phone"})),
        ("acknowledge-critical", json!({"result_id": result})),
        ("amend", json!({"result": glucose(92.0)})),
        ("correct", json!({"result_id": result, "result": glucose(93.0), "reason": "other", "why": "to see"})),
        ("enter-in-error", json!({"reason": "to see"})),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_final_report_is_changed_by_no_command_of_any_role() {
    let lab = Laboratory::open().await;
    let (_, report, result) = lab.released().await;
    let as_released = |shown: &Value| {
        let all = ["results", "replaced_results"].into_iter().flat_map(|list| shown[list].as_array().unwrap());
        let mut found = all.filter(|found| found["id"] == json!(result)).cloned().collect::<Vec<_>>();
        let mut found = found.pop().expect("the released result is there");
        // That another stands in its place is all that may be said of it.
        found.as_object_mut().unwrap().remove("replaced_by");
        found
    };
    let before = lab.get(&lab.doctor, &format!("/lab-reports/{report}")).await.expect(200).json();
    let mut people: Vec<Client> = vec![lab.clinic.admin.clone(), lab.asha.clone(), lab.doctor.clone()];
    for role in ["nurse", "receptionist", "pharmacist", "billing", "auditor", "lab_technician"] {
        people.push(lab.clinic.staff(&[role]).await);
    }
    people.push(lab.clinic.doctor_and_administrator().await);
    for (action, body) in commands(&result) {
        for person in &people {
            let answer = lab.post(person, &format!("/lab-reports/{report}/{action}"), body.clone()).await;
            let changes = answer.status == 200 && answer.json()["events"] != json!([]);
            // What follows a release adds to it; all else is refused.
            let adds = ["amend", "correct", "enter-in-error"].contains(&action);
            assert!(!changes || adds, "{action}: {}", answer.text);
        }
        let after = lab.get(&lab.doctor, &format!("/lab-reports/{report}")).await.expect(200).json();
        assert_eq!(as_released(&after), as_released(&before), "after {action}");
        assert_eq!((&after["released"], &after["order_id"]), (&before["released"], &before["order_id"]));
    }
    let after = lab.get(&lab.doctor, &format!("/lab-reports/{report}")).await.expect(200).json();
    assert_eq!(after["status"], "entered-in-error");
    assert_eq!(after["struck_out"]["reason"], "to see");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_does_and_sees_what_is_theirs() {
    let lab = Laboratory::open().await;
    let (order, report, result) = lab.released().await;
    let request = json!({"patient_id": lab.patient, "tests": [blood_test()]});
    let pharmacist = lab.clinic.staff(&["pharmacist"]).await;
    let receptionist = lab.clinic.staff(&["receptionist"]).await;
    let auditor = lab.clinic.staff(&["auditor"]).await;
    for (who, orders, drafts) in [
        (&lab.doctor, 201, 201),
        (&lab.nurse, 403, 201),
        (&lab.technician, 403, 403),
        (&pharmacist, 403, 403),
        (&receptionist, 403, 403),
        (&lab.clinic.admin, 403, 403),
        (&lab.asha, 403, 403),
    ] {
        lab.post(who, "/lab-orders", request.clone()).await.expect(orders);
        lab.post(who, "/lab-orders/draft", request.clone()).await.expect(drafts);
    }
    for (action, body) in commands(&result) {
        for who in [&lab.nurse, &pharmacist, &receptionist, &auditor, &lab.clinic.admin, &lab.asha] {
            lab.post(who, &format!("/lab-reports/{report}/{action}"), body.clone()).await.expect(403);
        }
    }
    for (who, of_orders, of_reports, worklist) in [
        (&lab.doctor, 200, 200, 200),
        (&lab.nurse, 200, 403, 403),
        (&lab.technician, 200, 200, 200),
        (&pharmacist, 200, 403, 403),
        (&receptionist, 403, 403, 403),
        (&auditor, 404, 404, 403),
        (&lab.clinic.admin, 403, 403, 403),
        (&lab.asha, 200, 200, 403),
    ] {
        lab.get(who, &format!("/lab-orders/{order}")).await.expect(of_orders);
        lab.get(who, &format!("/lab-reports/{report}")).await.expect(of_reports);
        lab.get(who, "/lab-orders/worklist").await.expect(worklist);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_sees_results_by_grant_alone() {
    let lab = Laboratory::open().await;
    let (_, report, _) = lab.released().await;
    let invited = json!({"name": "Anand", "username": "anand", "roles": ["auditor"]});
    let invited = lab.clinic.post("/staff", invited).await.expect(201);
    let auditor = lab.clinic.activate("anand", &invited.text_of("activation")).await;
    assert_eq!(lab.get(&auditor, "/lab-reports").await.expect(200).json()["items"], json!([]));
    let grant = json!({
        "auditor_id": invited.id(), "scope": ["lab_results"], "from": "2020-01-01", "to": "2999-12-31",
        "expires": Utc::now() + TimeDelta::days(1)
    });
    lab.clinic.post("/auditor-grants", grant).await.expect(201);
    lab.get(&auditor, &format!("/lab-reports/{report}")).await.expect(200);
    assert_eq!(lab.get(&auditor, "/lab-reports").await.expect(200).json()["items"][0]["id"], report);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_patients_portal_and_another_clinics_ids_show_nothing() {
    let lab = Laboratory::open().await;
    let (order, report, _) = lab.released().await;
    let other = lab.clinic.patient("Meera").await;
    lab.get(&lab.asha, &format!("/patients/{other}/results")).await.expect(403);
    lab.get(&lab.asha, &format!("/lab-reports?patient={other}")).await.expect(403);
    let theirs = tests::TestClinic::register(&lab.stack.client()).await;
    let everything = theirs.doctor_and_administrator().await;
    let technician = theirs.staff(&["lab_technician"]).await;
    let order_tests = json!({"patient_id": lab.patient, "tests": [blood_test()]});
    everything.post(&theirs.path("/lab-orders"), order_tests).await.expect(404);
    technician.post(&theirs.path("/lab-reports"), json!({"order_id": order})).await.expect(404);
    everything.get(&theirs.path(&format!("/lab-reports/{report}"))).await.expect(404);
    everything.get(&theirs.path(&format!("/patients/{}/results", lab.patient))).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_saw_an_earlier_version_is_refused() {
    let lab = Laboratory::open().await;
    let order = lab.ordered(json!([blood_test()])).await;
    let report = lab.registered(&order).await;
    lab.recorded(&report, glucose(90.0)).await;
    let stale = lab.technician.with("if-match", "\"1\"");
    let path = format!("/lab-reports/{report}/results");
    lab.post(&stale, &path, json!({"result": glucose(91.0)})).await.expect(412);
    assert_eq!(lab.stack.count_events(&lab.clinic.id, "LabResultRecorded").await, 1);
}
