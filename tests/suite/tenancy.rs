//! Another clinic's token, another clinic's ids: on every route that there is, taken from the OpenAPI
//! document, so that a route without a case here fails the build.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Client, LOGO, PASSWORD, Stack, TestClinic, working_time};

/// What a command on a resource needs to be understood at all, by operation.
fn body_of(operation: &str) -> Option<Value> {
    let some = "018f0000-0000-7000-8000-000000000001";
    Some(match operation {
        "DeactivatePatient"
        | "ReactivatePatient"
        | "UnmergePatient"
        | "AssertNoKnownAllergies"
        | "RecordDeath"
        | "RequestErasure"
        | "ApproveErasure"
        | "RenewActivation"
        | "LockStaff"
        | "UnlockStaff"
        | "ConfirmAppointment"
        | "CheckIn"
        | "StartAppointment"
        | "CompleteAppointment"
        | "MarkNoShow"
        | "CancelAppointment"
        | "RetireMedicine"
        | "LiftMedicineOverride"
        | "HideMedicine"
        | "ShowMedicine"
        | "ArriveVisit"
        | "StartConsultation"
        | "FinishVisit"
        | "CloseDepartment" => json!({}),
        "RetireShortKey" | "UseShortKey" => json!({}),
        "ResetTotp" => json!({}),
        "ReorderShortKey" => json!({"order": [0]}),
        "SetShortKeyItems" => json!({"items": []}),
        "UpdateMedicine" | "OverrideMedicine" => json!({"name": "Dolo 650"}),
        "IssuePrescription"
        | "CheckPrescription"
        | "UseRefill"
        | "ReleasePrescription"
        | "CompletePrescription"
        | "ReplacePrescription"
        | "PrintPrescription" => json!({}),
        "ExpandShortKey" => json!({"code": "FEVER"}),
        "AddPrescriptionItem" => json!({"item": some_item()}),
        "ChangePrescriptionItem" => json!({"item_id": some, "item": some_item()}),
        "RemovePrescriptionItem" => json!({"item_id": some}),
        "OverrideAlert" => json!({"alert_id": "0000", "reason": "no_alternative"}),
        "DispensePrescription" => json!({"item_id": some, "quantity": {"value": 1, "unit": "{tablet}"}}),
        "AuthoriseRefill" => json!({"refills": 1}),
        "HoldPrescription" | "StopPrescription" | "CancelPrescription" => json!({"reason": "other"}),
        "EnterPrescriptionInError" => json!({"reason": "a mistake"}),
        "UpdateDemographics" => json!({"first_name": "Asha"}),
        "MergePatient" => json!({"survivor_id": some}),
        "AddIdentifier" => json!({"type": "passport", "value": "Z1234567"}),
        "EndIdentifier" => json!({"identifier_id": some}),
        "SetLogo" => json!({"picture": BASE64_STANDARD.encode(LOGO)}),
        "SetEmergencyContact" => json!({"name": "Vikram"}),
        "LinkFamily" => json!({"relative_id": some, "relationship": "sister"}),
        "RecordAllergy" => json!({"substance": "penicillin"}),
        "VerifyAllergy" | "RefuteAllergy" | "ResolveAllergy" => json!({"allergy_id": some}),
        "AddProblem" => json!({"text": "asthma"}),
        "ResolveProblem" => json!({"problem_id": some}),
        "GiveConsent" => json!({"scope": "research"}),
        "WithdrawConsent" => json!({"consent_id": some}),
        "RestrictRecord" => json!({"confidentiality": "restricted"}),
        "BreakGlass" => {
            let text = "Unconscious, no history at hand.";
            json!({"reason": "danger_to_life", "text": text, "hours": 1, "password": PASSWORD})
        }
        "EndEmergencyAccess" => json!({"emergency_access_id": some}),
        "ReviewEmergencyAccess" => {
            json!({"emergency_access_id": some, "verdict": "justified", "text": "As it should have been."})
        }
        "GrantRole" | "RevokeRole" => json!({"role": "nurse"}),
        "DeactivateStaff" | "DeactivateDoctor" | "EnterAppointmentInError" | "EnterDocumentInError" => {
            json!({"reason": "a mistake"})
        }
        "AssignOffice" | "UnassignOffice" | "SetPrimaryOffice" => json!({"office_id": some}),
        "SetWorkingHours" => json!({"hours": []}),
        "DeclareLeave" => json!({"from": working_time(3, 9, 0), "to": working_time(3, 12, 0)}),
        "CancelLeave" => json!({"leave_id": some}),
        "SetFee" => json!({"fee": {"minor": 50_000, "currency": "INR"}}),
        "RecordLicence" => json!({"number": "LIC-1"}),
        "ClassifyDocument" | "ReviewDocument" | "ReleaseDocument" | "UploadDocumentContent" => json!({}),
        "SupersedeDocument" => json!({"by_document_id": some}),
        "RecordDisclosure" => {
            json!({"recipient": "Health officer", "description": "Vaccinations", "statement": "Required by law"})
        }
        "RecordObservation" => json!({"tooth": 16, "condition": "cavity"}),
        "RecordObservations" => json!({"observations": [{"tooth": 16, "condition": "cavity"}]}),
        "CorrectObservation" => {
            let finding = json!({"tooth": 16, "condition": "cavity"});
            json!({"observation_id": some, "finding": finding, "reason": "wrong_tooth"})
        }
        "EnterObservationInError" => json!({"observation_id": some, "reason": "wrong_tooth"}),
        "EnterExtractionInError" => json!({"extraction_id": some, "reason": "wrong_tooth"}),
        "PlanProcedure" => json!({"code": "D1110"}),
        "StartProcedure" | "CompleteProcedure" => json!({"procedure_id": some}),
        "CancelProcedure" => json!({"procedure_id": some, "reason": "not_indicated"}),
        "ExtractTooth" => json!({"tooth": 48}),
        "RetireTemplate" => json!({}),
        "CancelCharge" => json!({"reason": "waived"}),
        "RecordPayment" => json!({"amount": {"minor": 1, "currency": "INR"}, "method": "cash"}),
        "IssueCreditNote" => json!({"amount": {"minor": 1, "currency": "INR"}, "reason": "discount"}),
        "IssueRefund" => json!({"amount": {"minor": 1, "currency": "INR"}, "method": "cash", "reason": "goodwill"}),
        "ActivateLabOrder" | "HoldLabOrder" | "ReleaseLabOrder" | "ReleaseReport" => json!({}),
        "CollectSpecimen" => json!({"barcode": "B-1"}),
        "RejectSpecimen" => json!({"specimen_id": some, "reason": "clotted"}),
        "RevokeLabOrder" | "EnterReportInError" => json!({"reason": "a mistake"}),
        "RecordResult" | "AmendReport" => json!({"result": some_result()}),
        "CorrectReport" => {
            json!({"result_id": some, "result": some_result(), "reason": "other", "why": "a mistake"})
        }
        "VerifyResult" | "AcknowledgeCritical" => json!({"result_id": some}),
        "NotifyCritical" => json!({"result_id": some, "channel": "phone"}),
        "ReleaseNote" | "ApproveCaseStudy" | "PublishCaseStudy" => json!({}),
        "SaveNoteDraft" | "AddNoteAddendum" => json!({"content": "Seen."}),
        "SignNote" | "CosignNote" => json!({"content_sha256": "0".repeat(64)}),
        "AmendNote" => json!({"content": "Seen.", "content_sha256": "0".repeat(64), "reason": "a slip"}),
        "RetractNote" | "WithdrawCaseStudy" => json!({"reason": "a mistake"}),
        "DeIdentifyCaseStudy" => json!({"method": "safe_harbor", "title": "Coughs", "patients": []}),
        "LinkConsent" => json!({"patient_id": some, "consent_id": some}),
        "RescheduleAppointment" => json!({"start": working_time(3, 10, 0)}),
        "RecordChiefComplaint" => json!({"chief_complaint": "a cough"}),
        "RecordVitals" => json!({"heart_rate": {"value": 72}}),
        "EnterVitalsInError" => json!({"vitals_id": some, "reason": "a mistake"}),
        "CompleteTriage" => json!({"priority": "urgent"}),
        "AssignVisitDoctor" => json!({"doctor_id": some}),
        "RecordDiagnosis" => json!({"text": "Asthma"}),
        "CorrectDiagnosis" => {
            json!({"diagnosis_id": some, "text": "Asthma", "certainty": "confirmed", "reason": "a mistake"})
        }
        "EnterDiagnosisInError" => json!({"diagnosis_id": some, "reason": "a mistake"}),
        "PlanFollowUp" => json!({"on": working_time(3, 10, 0).date_naive()}),
        "ReopenVisit" | "EnterVisitInError" => json!({"reason": "a mistake"}),
        "CancelVisit" => json!({"reason": "other"}),
        "AssignHead" | "AssignStaff" | "UnassignStaff" => json!({"staff_id": some}),
        _ => return None,
    })
}

fn some_result() -> Value {
    json!({"code": "2345-7", "text": "Glucose", "value": {"type": "text", "text": "none"}})
}

fn some_item() -> Value {
    json!({"medicine_id": "018f0000-0000-7000-8000-000000000001", "quantity": {"value": 10, "unit": "{tablet}"}})
}

struct Route {
    operation: String,
    method: Method,
    path: String,
    /// The parameters that it cannot do without.
    query: String,
    has_body: bool,
}

/// Every operation below a clinic's address.
async fn clinic_routes(anybody: &Client) -> Vec<Route> {
    let document = anybody.get("/openapi.json").await.expect(200).json();
    let mut routes = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            let operation_id = operation["operationId"].as_str().unwrap_or_default().to_owned();
            if path.starts_with("/clinic/{slug}") && operation["responses"].is_object() {
                let has_body = operation["requestBody"].is_object();
                let query = required_query(operation);
                routes.push(Route { operation: operation_id, method, path: path.clone(), query, has_body });
            }
        }
    }
    routes
}

/// `?date=…`, where the document asks for it.
fn required_query(operation: &Value) -> String {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let required = parameters.filter(|parameter| parameter["in"] == "query" && parameter["required"] == true);
    let names = required.filter_map(|parameter| parameter["name"].as_str());
    let pairs: Vec<String> =
        names.map(|name| format!("{name}={}", if name == "date" { "2030-01-07" } else { "some" })).collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

async fn ask(client: &Client, route: &Route, slug: &str, id: &str) -> Answer {
    let path =
        format!("{}{}", route.path.replace("{slug}", slug).replace("{id}", id).replace("{tooth}", "16"), route.query);
    let client = match route.method {
        Method::PUT | Method::DELETE => client.with("if-match", "\"1\""),
        _ => client.clone(),
    };
    let body = route.has_body.then(|| body_of(&route.operation).unwrap_or_else(|| json!({})));
    client.send(route.method.clone(), &path, body.map(|body| body.to_string().into_bytes())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn another_clinics_token_finds_nothing_anywhere() {
    let stack = Stack::start().await;
    let (ours, theirs) = (TestClinic::register(&stack.client()).await, TestClinic::register(&stack.client()).await);
    let patient = ours.patient("Asha").await;
    let routes = clinic_routes(&stack.client()).await;
    assert!(routes.len() > 50, "the document lists {} operations", routes.len());
    for route in &routes {
        let answer = ask(&theirs.admin, route, &ours.slug, &patient).await;
        let seen = format!("{} {}: {}", route.method, route.path, answer.text);
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "not-found"), "{seen}");
        assert!(!answer.text.contains(&ours.id) && !answer.text.contains("Asha"), "{seen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_clinics_id_is_an_id_that_does_not_exist() {
    let stack = Stack::start().await;
    let (ours, theirs) = (TestClinic::register(&stack.client()).await, TestClinic::register(&stack.client()).await);
    let (ids, everything) = (ids_of(&ours).await, theirs.doctor_and_administrator().await);
    let absent = "018f0000-0000-7000-8000-00000000ffff";
    for route in clinic_routes(&stack.client()).await.iter().filter(|route| route.path.contains("{id}")) {
        let collection = route.path.split('/').nth(5).unwrap_or_default();
        let foreign = ids.get(collection).unwrap_or_else(|| panic!("{collection} has no id to try here"));
        assert!(!route.has_body || body_of(&route.operation).is_some(), "{} has no case here", route.operation);
        let answers =
            [ask(&everything, route, &theirs.slug, foreign).await, ask(&everything, route, &theirs.slug, absent).await];
        for answer in &answers {
            assert_eq!(answer.status.as_u16(), 404, "{} {}: {}", route.method, route.path, answer.text);
        }
        assert_eq!(without_ids(&answers[0]), without_ids(&answers[1]), "{}", route.operation);
    }
}

/// One resource of each collection, by the collection's name.
async fn ids_of(clinic: &TestClinic) -> BTreeMap<&'static str, String> {
    let (doctor, patient) = (clinic.doctor().await, clinic.patient("Asha").await);
    let booking = clinic.booking(&patient, &doctor, working_time(1, 10, 0));
    let appointment = clinic.post("/appointments", booking).await.expect(201);
    clinic.get_at(appointment.position(), &format!("/appointments/{}", appointment.id())).await.expect(200);
    let opens = json!({"appointment_id": appointment.id()});
    let visit = clinic.staff(&["receptionist"]).await.post(&clinic.path("/visits"), opens).await.expect(201);
    clinic.get_at(visit.position(), &format!("/visits/{}", visit.id())).await.expect(200);
    let replay = clinic.post("/audit/replays", json!({"until": 1})).await.expect(202).id();
    let department = clinic.post("/departments", json!({"name": "Cardiology"})).await.expect(201);
    clinic.get_at(department.position(), &format!("/departments/{}", department.id())).await.expect(200);
    let nurse = clinic.staff(&["nurse"]).await;
    let glass = clinic.path(&format!("/patients/{patient}/break-glass"));
    let access = nurse.post(&glass, body_of("BreakGlass").expect("a body")).await.expect(201);
    clinic.get_at(access.position(), &format!("/emergency-accesses/{}", access.id())).await.expect(200);
    let dentist = clinic.doctor_and_administrator().await;
    let seen = json!({"tooth": 16, "condition": "cavity"});
    dentist.post(&clinic.path(&format!("/dental-charts/{patient}/observations")), seen).await.expect(200);
    let template = json!({"name": "A look", "procedures": [{"code": "D0140"}]});
    let template = dentist.post(&clinic.path("/dental-templates"), template).await.expect(201);
    let own = clinic.path(&format!("/dental-templates/{}", template.id()));
    dentist.with("casebook-min-position", template.position()).get(&own).await.expect(200);
    let price = json!({"minor": 50_000, "currency": "INR"});
    let charge = json!({"patient_id": patient, "description": "Consultation", "unit_price": price});
    let charge = clinic.post("/charges", charge).await.expect(201).id();
    let invoice = json!({"patient_id": patient, "charge_ids": [charge]});
    let invoice = clinic.post("/invoices", invoice).await.expect(201);
    clinic.get_at(invoice.position(), &format!("/invoices/{}", invoice.id())).await.expect(200);
    let item = json!({"medicine_id": clinic.post("/medicines", json!({"name": "Dolo"})).await.expect(201).id(),
        "quantity": {"value": 10, "unit": "{tablet}"}});
    let short_key = clinic.post("/short-keys", json!({"code": "FEVER", "items": [item]})).await.expect(201);
    clinic.get_at(short_key.position(), &format!("/short-keys/{}", short_key.id())).await.expect(200);
    let medicine = clinic.post("/medicines", json!({"name": "House mixture"})).await.expect(201);
    clinic.get_at(medicine.position(), &format!("/medicines/{}", medicine.id())).await.expect(200);
    let (order, report) = clinic.tested(&patient).await;
    let everything = clinic.doctor_and_administrator().await;
    let drafted = everything.post(&clinic.path("/prescriptions"), json!({"patient_id": patient})).await.expect(201);
    let reader = everything.with("casebook-min-position", drafted.position());
    reader.get(&clinic.path(&format!("/prescriptions/{}", drafted.id()))).await.expect(200);
    let note = json!({"patient_id": patient, "content": "Seen."});
    let note = dentist.post(&clinic.path("/notes"), note).await.expect(201).id();
    let part = json!({"patient_id": patient, "records": [{"kind": "note", "id": note}], "text": "Coughs."});
    let study = json!({"title": "A cough", "patients": [part]});
    let study = dentist.post(&clinic.path("/case-studies"), study).await.expect(201);
    let seen = dentist.with("casebook-min-position", study.position());
    seen.get(&clinic.path(&format!("/case-studies/{}", study.id()))).await.expect(200);
    let document = clinic.uploaded(&dentist, &patient).await;
    BTreeMap::from([
        ("documents", document),
        ("lab-orders", order),
        ("lab-reports", report),
        ("charges", charge),
        ("invoices", invoice.id()),
        ("dental-charts", patient.clone()),
        ("dental-templates", template.id()),
        ("prescriptions", drafted.id()),
        ("notes", note),
        ("case-studies", study.id()),
        ("audit", replay),
        ("medicines", medicine.id()),
        ("short-keys", short_key.id()),
        ("emergency-accesses", access.id()),
        ("patients", patient),
        ("doctors", doctor.clone()),
        ("staff", doctor),
        ("appointments", appointment.id()),
        ("visits", visit.id()),
        ("departments", department.id()),
    ])
}

/// What differs between two requests by itself.
fn without_ids(answer: &Answer) -> Value {
    let mut body = answer.json();
    for member in ["instance", "correlation_id"] {
        body.as_object_mut().map(|body| body.remove(member));
    }
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_good_token_nothing_is_shown() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let good = clinic.admin.token().unwrap().to_owned();
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let turned: String = signature.chars().rev().collect();
    let tokens = ["", "nonsense", &format!("{signed}.{turned}"), &format!("{signed}."), &good[..good.len() - 2]];
    for route in clinic_routes(&stack.client()).await {
        for token in tokens {
            let client = stack.client().with_token(token);
            let answer = ask(&client, &route, &clinic.slug, "018f0000-0000-7000-8000-00000000ffff").await;
            assert_eq!(answer.status.as_u16(), 401, "{} {}: {}", route.method, route.path, answer.text);
        }
    }
}
