//! What both patients have in their records before anything is random: something of everything.

use serde_json::json;

use super::{
    moves::{CARD, Moves, post},
    twins::Command,
};

type Step = fn(&mut Moves, usize) -> Command;

/// In this order, for each of the two.
pub(super) const STEPS: [Step; 37] = [
    |moves, whose| record(moves, whose, "allergies", json!({"substance": "dust", "criticality": "low"})),
    |moves, whose| record(moves, whose, "problems", json!({"text": "asthma"})),
    |moves, whose| {
        record(moves, whose, "give-consent", json!({"scope": if whose == 0 { "publication" } else { "reminders" }}))
    },
    |moves, whose| record(moves, whose, "add-identifier", json!({"type": "passport", "value": format!("Z{whose}")})),
    |moves, whose| record(moves, whose, "emergency-contact", json!({"name": "Vikram"})),
    |moves, whose| {
        let body = json!({"relative_id": moves.relative, "relationship": "brother"});
        record(moves, whose, "link-family", body)
    },
    |moves, whose| {
        let told = json!({"recipient": "Health officer", "description": "Vaccinations", "statement": "By law"});
        record(moves, whose, "disclosures", told)
    },
    |moves, whose| {
        let (patient, start) = (moves.patients[whose].clone(), moves.start());
        begins(
            "/appointments",
            json!({
                "patient_id": patient, "doctor_id": moves.doctor, "office_id": moves.office, "start": start, "reason": "cough"
            }),
        )
    },
    |moves, whose| {
        let patient = moves.patients[whose].clone();
        begins("/visits", json!({"patient_id": patient, "office_id": moves.office, "doctor_id": moves.doctor}))
    },
    |moves, whose| on(moves, whose, "visit", "visits", "vitals", json!({"heart_rate": {"value": 72}})),
    |moves, whose| on(moves, whose, "visit", "visits", "triage", json!({"priority": "urgent"})),
    |moves, whose| on(moves, whose, "visit", "visits", "start", json!({})),
    |moves, whose| on(moves, whose, "visit", "visits", "diagnoses", json!({"code": "J45.9", "text": "Asthma"})),
    |moves, whose| on(moves, whose, "visit", "visits", "finish", json!({})),
    |moves, whose| {
        let (patient, item) = (moves.patients[whose].clone(), moves.item(whose));
        begins("/prescriptions", json!({"patient_id": patient, "items": [item]}))
    },
    |moves, whose| on(moves, whose, "prescription", "prescriptions", "issue", json!({"refills": 1})),
    |moves, whose| {
        let item = moves.last("item", whose).id;
        let body = json!({"item_id": item, "quantity": {"value": 2, "unit": "{tablet}"}});
        on(moves, whose, "prescription", "prescriptions", "dispense", body)
    },
    |moves, whose| on(moves, whose, "prescription", "prescriptions", "print", json!({})),
    |moves, whose| {
        let tests = json!([{"code": "2345-7", "text": "Glucose", "kind": "blood"}]);
        begins("/lab-orders", json!({"patient_id": moves.patients[whose], "tests": tests}))
    },
    |moves, whose| {
        let barcode = moves.word();
        on(moves, whose, "order", "lab-orders", "collect-specimen", json!({"barcode": barcode}))
    },
    |moves, whose| begins("/lab-reports", json!({"order_id": moves.last("order", whose).id})),
    |moves, whose| {
        let value = json!({"type": "quantity", "value": 90.0, "unit": "mg/dL"});
        let result = json!({"code": "2345-7", "text": "Glucose", "value": value, "range": {"low": 70, "high": 110}});
        let recorded = on(moves, whose, "report", "lab-reports", "results", json!({"result": result}));
        Command { who: "technician", ..recorded }
    },
    |moves, whose| {
        let result = moves.last("result", whose).id;
        on(moves, whose, "report", "lab-reports", "verify-result", json!({"result_id": result}))
    },
    |moves, whose| on(moves, whose, "report", "lab-reports", "release", json!({})),
    |moves, whose| begins("/notes", json!({"patient_id": moves.patients[whose], "content": "Seen."})),
    |moves, whose| {
        let note = moves.last("note", whose).id;
        on(moves, whose, "note", "notes", "sign", json!({"content_sha256": note}))
    },
    |moves, whose| on(moves, whose, "note", "notes", "add-addendum", json!({"content": "And heard."})),
    |moves, whose| on(moves, whose, "note", "notes", "release", json!({})),
    |moves, whose| begins("/documents", moves.announcement(whose)),
    |moves, whose| Command {
        method: reqwest::Method::PUT,
        body: super::twins::Body::Bytes(CARD),
        ..on(moves, whose, "document", "documents", "content", json!({}))
    },
    |moves, whose| on(moves, whose, "document", "documents", "release", json!({})),
    |moves, whose| {
        let seen = json!({"tooth": if whose == 0 { 16 } else { 36 }, "condition": "cavity"});
        moves.on_patient(whose, false, "/dental-charts/{patient}/observations", seen)
    },
    |moves, whose| {
        let plan = json!({"code": "D2391", "teeth": [if whose == 0 { 16 } else { 36 }]});
        moves.on_patient(whose, false, "/dental-charts/{patient}/plan-procedure", plan)
    },
    |moves, whose| {
        let price = json!({"minor": 50_000, "currency": "INR"});
        begins("/charges", json!({"patient_id": moves.patients[whose], "description": "A look", "unit_price": price}))
    },
    |moves, whose| {
        let charge = moves.last("charge", whose).id;
        begins("/invoices", json!({"patient_id": moves.patients[whose], "charge_ids": [charge]}))
    },
    |moves, whose| {
        let paid = json!({"amount": {"minor": 20_000, "currency": "INR"}, "method": "upi", "reference": "UTR"});
        on(moves, whose, "invoice", "invoices", "payments", paid)
    },
    |moves, whose| {
        let records = json!([{"kind": "note", "id": moves.last("note", whose).id}]);
        let part = json!({"patient_id": moves.patients[whose], "records": records, "text": "Coughs."});
        begins("/case-studies", json!({"title": "A cough", "patients": [part]}))
    },
];

fn record(moves: &mut Moves, whose: usize, action: &str, body: serde_json::Value) -> Command {
    moves.on_patient(whose, false, &format!("/patients/{{patient}}/{action}"), body)
}

fn begins(below: &str, body: serde_json::Value) -> Command {
    post(below.to_owned(), body)
}

/// On the last that the patient has of a kind.
fn on(moves: &Moves, whose: usize, kind: &str, collection: &str, action: &str, body: serde_json::Value) -> Command {
    post(format!("/{collection}/{}/{action}", moves.last(kind, whose).id), body)
}
