//! One patient's full day, over HTTP alone, as the people of a clinic live it; and the timeline that tells it.

use events::note::{ContentHash, NoteKind};
use serde_json::{Value, json};
use tests::{Answer, Client, Stack, TestClinic, working_time};

const COMPLAINT: &str = "Sore throat and toothache";
const WORDS: &str = "S: sore throat, toothache\nO: red tonsils, 38.9\nA: tonsillitis\nP: amoxicillin, filling of 16";

/// Everybody whom the patient meets.
struct House {
    stack: Stack,
    clinic: TestClinic,
    desk: Client,
    nurse: Client,
    doctor: Client,
    doctor_id: String,
    technician: Client,
    /// Verifies what the other has found.
    second_technician: Client,
    pharmacist: Client,
    cashier: Client,
    asha: String,
}

impl House {
    async fn open() -> Self {
        let stack = Stack::start().await;
        let clinic = TestClinic::register(&stack.client()).await;
        let (doctor_id, doctor) = clinic.doctor_login().await;
        let asha = clinic.patient("Asha").await;
        Self {
            desk: clinic.staff(&["receptionist"]).await,
            nurse: clinic.staff(&["nurse"]).await,
            technician: clinic.staff(&["lab_technician"]).await,
            second_technician: clinic.staff(&["lab_technician"]).await,
            pharmacist: clinic.staff(&["pharmacist"]).await,
            cashier: clinic.staff(&["billing"]).await,
            stack,
            clinic,
            doctor,
            doctor_id,
            asha,
        }
    }

    /// What succeeds.
    async fn done(&self, who: &Client, below: &str, body: Value) -> Answer {
        let answer = who.post(&self.clinic.path(below), body).await;
        assert!(answer.status.is_success(), "{below}: {} {}", answer.status, answer.text);
        answer
    }

    /// What is refused, with this code.
    async fn refused(&self, who: &Client, below: &str, body: Value, code: &str) -> Answer {
        let answer = who.post(&self.clinic.path(below), body).await;
        assert_eq!(answer.code(), code, "{below}: {}", answer.text);
        answer
    }

    async fn reads(&self, who: &Client, below: &str) -> Value {
        self.stack.caught_up().await;
        who.get(&self.clinic.path(below)).await.expect(200).json()
    }

    /// Booked yesterday, received today, triaged by the nurse, seen by the doctor.
    async fn seen_by_the_doctor(&self) -> String {
        let allergy = json!({"substance": "penicillin", "criticality": "high"});
        self.done(&self.nurse, &format!("/patients/{}/allergies", self.asha), allergy).await;
        let booking = self.clinic.booking(&self.asha, &self.doctor_id, working_time(1, 10, 0));
        let appointment = self.done(&self.desk, "/appointments", booking).await.id();
        let opens = json!({"appointment_id": appointment, "chief_complaint": COMPLAINT});
        let visit = self.done(&self.desk, "/visits", opens).await.id();
        let on = |action: &str| format!("/visits/{visit}/{action}");
        self.done(&self.nurse, &on("arrive"), json!({})).await;
        let vitals = json!({"body_temperature": {"value": 38.9}, "heart_rate": {"value": 96}});
        self.done(&self.nurse, &on("vitals"), vitals).await;
        self.done(&self.nurse, &on("triage"), json!({"priority": "less-urgent", "note": "febrile"})).await;
        self.done(&self.doctor, &on("start"), json!({})).await;
        let diagnosis = json!({"code": "J03.9", "text": "Acute tonsillitis", "certainty": "confirmed"});
        self.done(&self.doctor, &on("diagnoses"), diagnosis).await;
        visit
    }

    /// Over an alert, with a reason; and handed out.
    async fn amoxicillin(&self) -> String {
        let entry = json!({"name": "Mox 500", "ingredients": [{"name": "amoxicillin"}], "classes": ["penicillins"]});
        let medicine = self.done(&self.clinic.admin, "/medicines", entry).await.id();
        let item = json!({
            "medicine_id": medicine, "dose": {"value": 1, "unit": "{tablet}"}, "timing": "after_food",
            "frequency": {"times": 3, "every": {"count": 1, "unit": "d"}}, "duration": {"count": 5, "unit": "d"},
            "quantity": {"value": 15, "unit": "{tablet}"}
        });
        let draft = json!({"patient_id": self.asha, "items": [item]});
        let prescription = self.done(&self.doctor, "/prescriptions", draft).await.id();
        let on = |action: &str| format!("/prescriptions/{prescription}/{action}");
        let blocked = self.refused(&self.doctor, &on("issue"), json!({}), "alerts").await;
        let alert = blocked.json()["alerts"][0]["id"].clone();
        let why = json!({"alert_id": alert, "reason": "tolerated_before", "text": "Had it in March without a rash."});
        self.done(&self.doctor, &on("override-alert"), why).await;
        self.done(&self.doctor, &on("issue"), json!({})).await;
        let issued = self.reads(&self.doctor, &format!("/prescriptions/{prescription}")).await;
        let tablets = json!({"item_id": issued["items"][0]["id"], "quantity": {"value": 15, "unit": "{tablet}"}});
        self.done(&self.pharmacist, &on("dispense"), tablets).await;
        prescription
    }

    /// Ordered, found, released, and corrected after all.
    async fn glucose(&self) -> String {
        let test = json!({"code": "2345-7", "text": "Glucose", "kind": "blood"});
        let order = json!({"patient_id": self.asha, "tests": [test], "reason": "thirst"});
        let order = self.done(&self.doctor, "/lab-orders", order).await.id();
        self.done(&self.technician, &format!("/lab-orders/{order}/collect-specimen"), json!({"barcode": "B-1"})).await;
        let report = self.done(&self.technician, "/lab-reports", json!({"order_id": order})).await.id();
        let on = |action: &str| format!("/lab-reports/{report}/{action}");
        let found = |value: f64| {
            json!({
                "code": "2345-7", "text": "Glucose", "value": {"type": "quantity", "value": value, "unit": "mg/dL"},
                "range": {"low": 70.0, "high": 110.0}
            })
        };
        let result =
            self.done(&self.technician, &on("results"), json!({"result": found(69.0)})).await.text_of("result_id");
        let verify = json!({"result_id": result});
        self.refused(&self.technician, &on("verify-result"), verify.clone(), "same-person").await;
        self.done(&self.second_technician, &on("verify-result"), verify).await;
        self.done(&self.technician, &on("release"), json!({})).await;
        let correction = json!({
            "result_id": result, "result": found(96.0), "reason": "transcription", "why": "two digits were swapped"
        });
        self.done(&self.technician, &on("correct"), correction).await;
        report
    }

    async fn note(&self) -> String {
        let draft = json!({"patient_id": self.asha, "kind": "soap", "title": "Tonsillitis", "content": WORDS});
        let note = self.done(&self.doctor, "/notes", draft).await.id();
        let digest = ContentHash::of_note(note.parse().expect("an id"), NoteKind::Soap, Some("Tonsillitis"), WORDS);
        self.done(&self.doctor, &format!("/notes/{note}/sign"), json!({"content_sha256": digest})).await;
        let addendum = json!({"content": "The swab came back negative."});
        self.done(&self.doctor, &format!("/notes/{note}/add-addendum"), addendum).await;
        note
    }

    /// The procedure's id.
    async fn filling(&self) -> String {
        let on = |action: &str| format!("/dental-charts/{}/{action}", self.asha);
        let seen = json!({"tooth": 16, "surfaces": ["occlusal"], "condition": "cavity", "severity": "moderate"});
        self.done(&self.nurse, &on("observations"), seen).await;
        let plan = json!({"code": "D2391", "teeth": [16], "surfaces": ["occlusal"]});
        let procedure = self.done(&self.doctor, &on("plan-procedure"), plan).await.text_of("procedure_id");
        self.done(&self.doctor, &on("start-procedure"), json!({"procedure_id": procedure})).await;
        let price = json!({"minor": 250_000, "currency": "INR"});
        let done = json!({"procedure_id": procedure, "actual_cost": price});
        self.done(&self.doctor, &on("complete-procedure"), done).await;
        procedure
    }

    async fn paid(&self, procedure: &str) -> String {
        let price = json!({"minor": 250_000, "currency": "INR"});
        let charge = json!({
            "patient_id": self.asha, "description": "Filling of 16", "unit_price": price, "procedure_id": procedure
        });
        let charge = self.done(&self.cashier, "/charges", charge).await.id();
        let invoice = json!({"patient_id": self.asha, "charge_ids": [charge]});
        let invoice = self.done(&self.cashier, "/invoices", invoice).await.id();
        let payment = json!({"amount": price, "method": "upi"});
        self.done(&self.desk, &format!("/invoices/{invoice}/payments"), payment).await;
        invoice
    }
}

/// As the issue tells it, in order; each after the one before.
const TOLD: [&str; 21] = [
    "AllergyRecorded",
    "AppointmentBooked",
    "VisitArrived",
    "VitalsRecorded",
    "TriageCompleted",
    "ConsultationStarted",
    "DiagnosisRecorded",
    "PrescriptionAlertOverridden",
    "PrescriptionIssued",
    "PrescriptionDispensed",
    "LabTestsOrdered",
    "LabReportReleased",
    "LabReportCorrected",
    "NoteSigned",
    "NoteAddendumAdded",
    "ObservationRecorded",
    "ProcedureCompleted",
    "VisitFinished",
    "ChargeCaptured",
    "InvoiceIssued",
    "PaymentRecorded",
];

#[tokio::test(flavor = "multi_thread")]
async fn one_patients_full_day() {
    let house = House::open().await;
    let visit = house.seen_by_the_doctor().await;
    let prescription = house.amoxicillin().await;
    let report = house.glucose().await;
    let note = house.note().await;
    let procedure = house.filling().await;
    house.done(&house.doctor, &format!("/visits/{visit}/finish"), json!({})).await;
    let invoice = house.paid(&procedure).await;

    // Where everything has come to.
    let states = [
        (&house.doctor, format!("/visits/{visit}"), "finished"),
        (&house.doctor, format!("/prescriptions/{prescription}"), "active"),
        (&house.doctor, format!("/lab-reports/{report}"), "corrected"),
        (&house.doctor, format!("/notes/{note}"), "signed"),
        (&house.cashier, format!("/invoices/{invoice}"), "paid"),
    ];
    for (who, below, status) in states {
        assert_eq!(house.reads(who, &below).await["status"], status, "{below}");
    }

    // The timeline tells it in order, to somebody who may know all of it.
    let told_to = house.clinic.doctor_and_administrator().await;
    let timeline =
        house.reads(&told_to, &format!("/patients/{}/timeline?sort=occurred_at&limit=200", house.asha)).await;
    let entries = timeline["items"].as_array().expect("entries");
    let events: Vec<&str> = entries.iter().filter_map(|entry| entry["event"].as_str()).collect();
    let mut rest = events.iter();
    for expected in TOLD {
        assert!(rest.any(|event| *event == expected), "{expected} is missing, or out of order: {events:?}");
    }
    for entry in entries {
        let sentence = entry["sentence"].as_str().unwrap_or_default();
        assert!(sentence.split(' ').count() > 3 && !sentence.contains('{'), "{entry}");
    }
    house.stack.read_models_equal_the_log().await;
    house.stack.verify_chains().await;
}
