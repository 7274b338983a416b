//! Money, over HTTP: charges, invoices, payments, and what is given back.

use std::{collections::BTreeSet, time::Duration};

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Client, PASSWORD, Stack, TestClinic};

const LOOK_EVERY: Duration = Duration::from_millis(50);

fn inr(minor: i64) -> Value {
    json!({"minor": minor, "currency": "INR"})
}

/// A charge of a patient; its id.
async fn charge(clinic: &TestClinic, patient: &str, minor: i64) -> String {
    let body = json!({"patient_id": patient, "description": "Consultation", "unit_price": inr(minor)});
    clinic.post("/charges", body).await.expect(201).id()
}

async fn issue(clinic: &TestClinic, patient: &str, charges: &[&str]) -> Answer {
    clinic.post("/invoices", json!({"patient_id": patient, "charge_ids": charges})).await
}

/// An invoice over one charge; its id.
async fn invoice(clinic: &TestClinic, patient: &str, minor: i64) -> String {
    let charge = charge(clinic, patient, minor).await;
    issue(clinic, patient, &[&charge]).await.expect(201).id()
}

fn payment(minor: i64) -> Value {
    json!({"amount": inr(minor), "method": "upi", "reference": "UTR 4711"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_treatment_is_charged_invoiced_paid_and_partly_given_back() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let profile = json!({"tax_id": "27AAPFU0939F1ZV"}).to_string().into_bytes();
    clinic.admin.send(Method::PATCH, &clinic.path(""), Some(profile)).await.expect(200);
    let patient = clinic.patient("Asha").await;
    let dentist = clinic.doctor_and_administrator().await;
    let plan = json!({"code": "D2391", "teeth": [16]});
    let planned =
        dentist.post(&clinic.path(&format!("/dental-charts/{patient}/plan-procedure")), plan).await.expect(200);

    let filling = json!({
        "patient_id": patient, "description": "Filling of 16", "unit_price": inr(50_025), "quantity": 3,
        "tax_basis_points": 1800, "procedure_id": planned.text_of("procedure_id")
    });
    let filling = clinic.post("/charges", filling).await.expect(201);
    let visit = charge(&clinic, &patient, 40_000).await;
    let mistake = charge(&clinic, &patient, 1).await;
    let cancelled = json!({"reason": "entered_in_error", "text": "of another patient"});
    let cancelled = clinic.post(&format!("/charges/{mistake}/cancel"), cancelled).await.expect(200);
    let open = clinic.get_at(cancelled.position(), &format!("/patients/{patient}/charges?status=captured")).await;
    let open = open.expect(200).json();
    assert_eq!(open["items"].as_array().unwrap().len(), 2);
    let taxed = open["items"].as_array().unwrap().iter().find(|item| item["id"] == filling.id()).unwrap();
    // 18 % of 1500.75 rupees are 270.135.
    assert_eq!(
        (&taxed["net"]["minor"], &taxed["tax"]["minor"], &taxed["total"]["minor"]),
        (&json!(150_075), &json!(27_014), &json!(177_089))
    );

    let issued = issue(&clinic, &patient, &[&filling.id(), &visit]).await.expect(201);
    assert_eq!(issued.json()["events"], json!(["InvoiceIssued", "ChargeInvoiced", "ChargeInvoiced"]));
    let path = format!("/invoices/{}", issued.id());
    let shown = clinic.get_at(issued.position(), &path).await.expect(200).json();
    let year = shown["day"].as_str().unwrap()[..4].to_owned();
    assert_eq!(shown["number"], json!(format!("INV-{year}-00001")));
    assert_eq!((&shown["issuer"]["tax_id"], &shown["status"]), (&json!("27AAPFU0939F1ZV"), &json!("issued")));
    assert_eq!((&shown["total"], &shown["due"]), (&json!(217_089), &json!(217_089)));
    assert_eq!(shown["lines"][0]["description"], "Filling of 16");
    assert_eq!(issue(&clinic, &patient, &[&visit]).await.expect(409).code(), "charge-invoiced");
    assert_eq!(issue(&clinic, &patient, &[&mistake]).await.expect(409).code(), "charge-cancelled");
    let late = clinic.post(&format!("/charges/{visit}/cancel"), json!({"reason": "waived"})).await.expect(409);
    assert_eq!(late.code(), "charge-invoiced");

    let desk = clinic.staff(&["receptionist"]).await;
    let paid = desk.post(&clinic.path(&format!("{path}/payments")), payment(200_000)).await.expect(200);
    let too_much = clinic.post(&format!("{path}/payments"), payment(17_090)).await.expect(422);
    assert_eq!((too_much.code(), too_much.json()["limit"].clone()), ("more-than-due".into(), json!(17_089)));
    let rest = json!({"amount": inr(17_089), "method": "cash"});
    clinic.post(&format!("{path}/payments"), rest).await.expect(200);
    let refund = json!({"amount": inr(40_000), "method": "cash", "reason": "not_rendered", "text": "not seen"});
    clinic.post(&format!("{path}/refunds"), refund).await.expect(200);
    let credit = json!({"amount": inr(40_000), "reason": "not_rendered"});
    let credited = clinic.post(&format!("{path}/credit-notes"), credit).await.expect(200);

    let shown = clinic.get_at(credited.position(), &path).await.expect(200).json();
    assert_eq!((&shown["status"], &shown["due"]), (&json!("paid"), &json!(0)));
    assert_eq!(
        (&shown["paid"], &shown["refunded"], &shown["credited"]),
        (&json!(217_089), &json!(40_000), &json!(40_000))
    );
    assert_eq!(
        (&shown["payments"][0]["reference"], &shown["credit_notes"][0]["number"]),
        (&json!("UTR 4711"), &json!(format!("CN-{year}-00001")))
    );
    let then = clinic.get(&format!("{path}?as_of={}", paid.position())).await.expect(200).json();
    assert_eq!(
        (&then["status"], &then["due"], &then["lines"][0]["description"]),
        (&json!("partially-paid"), &json!(17_089), &json!("Filling of 16"))
    );

    let day = shown["day"].as_str().unwrap();
    let summary = clinic.get(&format!("/billing/summary?day={day}")).await.expect(200).json();
    let money = &summary["items"][0];
    assert_eq!(
        (&money["currency"], &money["billed"], &money["credited"]),
        (&json!("INR"), &json!(217_089), &json!(40_000))
    );
    assert_eq!((&money["paid_by_method"], &money["due"]), (&json!({"cash": 17_089, "upi": 200_000}), &json!(0)));
    assert_eq!(money["refunded_by_method"], json!({"cash": 40_000}));
    let by_number = clinic.get(&format!("/invoices?number=INV-{year}-00001&status=paid&day={day}")).await.expect(200);
    assert_eq!(by_number.json()["items"][0]["id"], json!(issued.id()));
    let none = clinic.get(&format!("/invoices?to={day}")).await.expect(200).json();
    assert_eq!(none["items"], json!([]));
    stack.read_models_equal_the_log().await;
    stack.verify_chains().await;
}

/// Every command on invoices that there is, taken from the OpenAPI document, by somebody with each role: what was
/// issued is the same afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn an_issued_invoice_is_changed_by_no_command_of_any_role() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let patient = clinic.patient("Asha").await;
    let id = invoice(&clinic, &patient, 100_000).await;
    let other = charge(&clinic, &patient, 500).await;
    stack.caught_up().await;
    let snapshot = async || {
        stack.caught_up().await;
        let body = clinic.get(&format!("/invoices/{id}")).await.expect(200).json();
        [
            "id",
            "number",
            "patient_id",
            "day",
            "issuer",
            "currency",
            "lines",
            "net",
            "tax",
            "total",
            "issued_at",
            "issued",
        ]
        .map(|member| body[member].clone())
    };
    let before = snapshot().await;
    let document = stack.client().get("/openapi.json").await.expect(200).json();
    let commands: Vec<(Method, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(path, _)| path.starts_with("/clinic/{slug}/api/v1/invoices"))
        .flat_map(|(path, operations)| {
            let methods = operations.as_object().unwrap().keys().filter_map(|key| key.to_uppercase().parse().ok());
            methods.filter(|method| *method != Method::GET).map(|method: Method| (method, path.clone()))
        })
        .collect();
    assert!(commands.len() >= 4, "{commands:?}");
    let bodies = [
        json!({"id": id, "patient_id": patient, "charge_ids": [other]}),
        payment(10),
        json!({"amount": inr(10), "reason": "discount"}),
        json!({"amount": inr(5), "method": "cash", "reason": "goodwill"}),
        json!({"total": 1}),
        json!({}),
    ];
    let mut who = vec![clinic.doctor_and_administrator().await];
    for role in ["clinic_admin", "nurse", "receptionist", "lab_technician", "pharmacist", "billing", "auditor"] {
        who.push(clinic.staff(&[role]).await);
    }
    for somebody in &who {
        for (method, path) in &commands {
            let path = path.replace("{slug}", &clinic.slug).replace("{id}", &id);
            for body in &bodies {
                somebody.send(method.clone(), &path, Some(body.to_string().into_bytes())).await;
            }
        }
        for method in [Method::PUT, Method::PATCH, Method::DELETE] {
            let path = clinic.path(&format!("/invoices/{id}"));
            let answer = somebody.send(method, &path, Some(b"{\"total\": 1}".to_vec())).await;
            assert_eq!(answer.status.as_u16(), 405, "{}", answer.text);
        }
    }
    assert_eq!(snapshot().await, before);
    assert_eq!(stack.count_events(&clinic.id, "InvoiceIssued").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_payments_race_for_the_last_rupee() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let patient = clinic.patient("Asha").await;
    let id = invoice(&clinic, &patient, 100_000).await;
    clinic.post(&format!("/invoices/{id}/payments"), payment(99_900)).await.expect(200);
    let second = stack.second_command_api().await.with_token(clinic.admin.token().expect("a token"));
    let path = clinic.path(&format!("/invoices/{id}/payments"));
    let all = (0..10).map(|n| {
        let (who, path) = (if n % 2 == 0 { &clinic.admin } else { &second }, &path);
        async move { who.post(path, payment(100)).await.status.as_u16() }
    });
    let mut outcomes = join_all(all).await;
    outcomes.sort_unstable();
    assert_eq!((outcomes[0], outcomes[1..].to_vec()), (200, vec![422; 9]));
    stack.caught_up().await;
    let shown = clinic.get(&format!("/invoices/{id}")).await.expect(200).json();
    assert_eq!((&shown["due"], &shown["paid"], &shown["status"]), (&json!(0), &json!(100_000), &json!("paid")));
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_have_no_gaps_and_a_charge_one_invoice_however_many_issue_at_once() {
    const PATIENTS: usize = 3;
    const CHARGES: usize = 8;
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let second = stack.second_command_api().await.with_token(clinic.admin.token().expect("a token"));
    let clients = [clinic.admin.clone(), second];
    let mut wanted = Vec::new();
    for n in 0..PATIENTS {
        let patient = clinic.patient(&format!("Asha {n}")).await;
        for _ in 0..CHARGES {
            wanted.push((patient.clone(), charge(&clinic, &patient, 1_000).await));
        }
    }
    // Each charge is wanted on three invoices, and some invoices are refused for other reasons.
    let path = clinic.path("/invoices");
    let all = wanted.iter().flat_map(|(patient, charge)| {
        let path = &path;
        clients.iter().cycle().take(4).enumerate().map(move |(n, who)| async move {
            let charges = if n == 3 { json!([charge, patient]) } else { json!([charge]) };
            who.post(path, json!({"patient_id": patient, "charge_ids": charges})).await.status.as_u16()
        })
    });
    let outcomes = join_all(all).await;
    let issued = outcomes.iter().filter(|status| **status == 201).count();
    assert_eq!(issued, PATIENTS * CHARGES);
    assert!(outcomes.iter().all(|status| matches!(status, 201 | 404 | 409)), "{outcomes:?}");
    stack.caught_up().await;
    let listed = clinic.get("/invoices?limit=200").await.expect(200).json();
    let items = listed["items"].as_array().unwrap();
    let year = items[0]["day"].as_str().unwrap()[..4].to_owned();
    let numbers: BTreeSet<String> = items.iter().map(|item| item["number"].as_str().unwrap().to_owned()).collect();
    assert_eq!(numbers, (1..=issued).map(|n| format!("INV-{year}-{n:05}")).collect());
    let charges: BTreeSet<&str> = items.iter().map(|item| item["lines"][0]["charge_id"].as_str().unwrap()).collect();
    assert_eq!(charges.len(), issued);
    stack.verify_chains().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_money_and_who_sees_it() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let born = json!({"first_name": "Asha", "birth_date": "1984-03-12"});
    let (patient, other) = (clinic.post("/patients", born).await.expect(201).id(), clinic.patient("Vikram").await);
    let (id, theirs) = (invoice(&clinic, &patient, 100_000).await, invoice(&clinic, &other, 100_000).await);
    stack.caught_up().await;
    let on = |below: &str| clinic.path(&format!("/invoices/{id}{below}"));
    let capture = json!({"patient_id": patient, "description": "A look", "unit_price": inr(10)});
    let credit = json!({"amount": inr(10), "reason": "discount"});
    let refund = json!({"amount": inr(10), "method": "cash", "reason": "goodwill"});
    // Reads, captures and invoices, takes payments, gives back.
    let table = [
        ("clinic_admin", 200, 201, 200, 200),
        ("billing", 200, 201, 200, 200),
        ("receptionist", 200, 403, 200, 403),
        ("nurse", 403, 403, 403, 403),
        ("lab_technician", 403, 403, 403, 403),
        ("pharmacist", 403, 403, 403, 403),
        ("auditor", 200, 403, 403, 403),
    ];
    for (role, reads, captures, pays, gives_back) in table {
        let who = clinic.staff(&[role]).await;
        who.get(&on("")).await.expect(reads);
        who.get(&clinic.path("/invoices")).await.expect(reads);
        who.get(&clinic.path(&format!("/charges?patient={patient}"))).await.expect(reads);
        who.get(&clinic.path("/billing/summary")).await.expect(reads);
        who.post(&clinic.path("/charges"), capture.clone()).await.expect(captures);
        who.post(&on("/payments"), payment(100)).await.expect(pays);
        who.post(&on("/credit-notes"), credit.clone()).await.expect(gives_back);
        who.post(&on("/refunds"), refund.clone()).await.expect(gives_back);
    }
    let doctor = clinic.new_doctor().await;
    let staff = clinic.get_at(doctor.position(), &format!("/staff/{}", doctor.id())).await.expect(200);
    let doctor = clinic.activate(&staff.text_of("username"), &doctor.text_of("activation")).await;
    doctor.get(&on("")).await.expect(200);
    doctor.post(&clinic.path("/charges"), capture.clone()).await.expect(403);
    doctor.post(&on("/payments"), payment(100)).await.expect(403);

    let asha = portal(&stack, &clinic, &patient).await;
    asha.get(&on("")).await.expect(200);
    asha.get(&clinic.path(&format!("/invoices/{theirs}"))).await.expect(403);
    let own = asha.get(&clinic.path("/invoices")).await.expect(200).json();
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
    asha.get(&clinic.path("/billing/summary")).await.expect(403);
    asha.post(&on("/payments"), payment(100)).await.expect(403);
}

/// A patient, logged in.
async fn portal(stack: &Stack, clinic: &TestClinic, patient: &str) -> Client {
    let account = json!({"name": "Asha", "username": "asha", "roles": ["patient"], "patient_id": patient});
    let activation = clinic.post("/staff", account).await.expect(201).text_of("activation");
    let body = json!({
        "clinic": clinic.slug, "username": "asha", "activation": activation, "password": PASSWORD,
        "birth_date": "1984-03-12"
    });
    let tokens = stack.client().post("/api/v1/auth/activate", body).await.expect(200);
    stack.client().with_token(tokens.text_of("access_token"))
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_still_count_when_the_patient_is_forgotten() {
    let stack = Stack::start_erasing().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let settings = json!({"retention": {"clinical_years": 0}}).to_string().into_bytes();
    clinic.admin.send(Method::PATCH, &clinic.path("/settings"), Some(settings)).await.expect(200);
    let second = clinic.staff(&["clinic_admin"]).await;
    let patient = clinic.patient("Zarathustrina").await;
    let id = invoice(&clinic, &patient, 100_000).await;
    let paid = clinic.post(&format!("/invoices/{id}/payments"), payment(60_000)).await.expect(200);
    let before = clinic.get_at(paid.position(), "/billing/summary").await.expect(200).json();
    clinic.post(&format!("/patients/{patient}/request-erasure"), json!({"reason": "moves away"})).await.expect(200);
    let approve = clinic.path(&format!("/patients/{patient}/approve-erasure"));
    second.post(&approve, json!({})).await.expect(200);
    while !stack.store().unfinished_erasures().await.expect("the log is there").is_empty() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    stack.caught_up().await;
    assert_eq!(clinic.get("/billing/summary").await.expect(200).json()["items"], before["items"]);
    clinic.get(&format!("/invoices/{id}")).await.expect(410);
    clinic.post(&format!("/invoices/{id}/payments"), payment(1)).await.expect(410);
    let capture = json!({"patient_id": patient, "description": "A look", "unit_price": inr(10)});
    clinic.post("/charges", capture).await.expect(410);
    assert_eq!(stack.rows_with("read.invoice_1", "UTR 4711").await, 0);
    assert_eq!(stack.rows_with("read.charge_1", "Consultation").await, 0);
    stack.read_models_equal_the_log().await;
}
