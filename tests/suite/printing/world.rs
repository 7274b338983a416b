//! A clinic that has something to print.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Client, Stack, TestClinic};

/// Its people, and a patient with a portal login.
pub struct Desk {
    pub stack: Stack,
    pub clinic: TestClinic,
    pub doctor: Client,
    pub technician: Client,
    colleague: Client,
    pub nurse: Client,
    pub pharmacist: Client,
    pub cashier: Client,
    pub desk: Client,
    pub auditor: Client,
    pub patient: String,
    pub portal: Client,
}

/// What lies in the patient's record.
pub struct Papers {
    pub visit: String,
    pub prescription: String,
    pub report: String,
    pub invoice: String,
}

impl Papers {
    /// As in an address, without `/pdf`.
    pub fn all(&self) -> [String; 4] {
        let Self { visit, prescription, report, invoice } = self;
        [
            format!("/prescriptions/{prescription}"),
            format!("/invoices/{invoice}"),
            format!("/lab-reports/{report}"),
            format!("/visits/{visit}"),
        ]
    }
}

pub fn glucose(value: f64) -> Value {
    json!({
        "code": "2345-7", "text": "Glucose", "value": {"type": "quantity", "value": value, "unit": "mg/dL"},
        "range": {"low": 70.0, "high": 110.0}
    })
}

impl Desk {
    pub async fn open() -> Self {
        Self::on(Stack::start().await).await
    }

    pub async fn on(stack: Stack) -> Self {
        let clinic = TestClinic::register(&stack.client()).await;
        let (_, doctor) = clinic.doctor_login().await;
        let (patient, portal) = clinic.portal("Meera #1 *Iyer*").await;
        Self {
            technician: clinic.staff(&["lab_technician"]).await,
            colleague: clinic.staff(&["lab_technician"]).await,
            nurse: clinic.staff(&["nurse"]).await,
            pharmacist: clinic.staff(&["pharmacist"]).await,
            cashier: clinic.staff(&["billing"]).await,
            desk: clinic.staff(&["receptionist"]).await,
            auditor: clinic.staff(&["auditor"]).await,
            stack,
            clinic,
            doctor,
            patient,
            portal,
        }
    }

    /// What succeeds.
    pub async fn done(&self, who: &Client, below: &str, body: Value) -> Answer {
        let answer = who.post(&self.clinic.path(below), body).await;
        assert!(answer.status.is_success(), "{below}: {} {}", answer.status, answer.text);
        answer
    }

    /// The clinic's address, numbers and logo.
    pub async fn letterhead(&self) {
        let profile = json!({
            "phone": "+912026123456", "registration_number": "MH-2019/12345", "tax_id": "27AAAPA1234A1Z5",
            "address": {"line": "12 Residency Road", "city": "Pune", "country": "IN"}
        });
        let profile = profile.to_string().into_bytes();
        self.clinic.admin.send(Method::PATCH, &self.clinic.path(""), Some(profile)).await.expect(200);
        self.clinic.with_logo().await;
    }

    /// One of each, of the patient.
    pub async fn papers(&self) -> Papers {
        let allergy = json!({"substance": "penicillin", "reaction": "a rash"});
        self.done(&self.nurse, &format!("/patients/{}/allergies", self.patient), allergy).await;
        let visit = self.seen().await;
        let prescription = self.prescribed(&visit).await;
        let report = self.tested(&visit).await;
        self.done(&self.doctor, &format!("/visits/{visit}/finish"), json!({})).await;
        let invoice = self.invoiced().await;
        self.stack.caught_up().await;
        Papers { visit, prescription, report, invoice }
    }

    async fn seen(&self) -> String {
        let opens = json!({"patient_id": self.patient, "office_id": self.clinic.office, "chief_complaint": "a cough"});
        let visit = self.done(&self.desk, "/visits", opens).await.id();
        let on = |action: &str| format!("/visits/{visit}/{action}");
        self.done(&self.nurse, &on("vitals"), json!({"heart_rate": {"value": 96}})).await;
        self.done(&self.nurse, &on("triage"), json!({"priority": "less-urgent", "note": "walks unaided"})).await;
        self.done(&self.doctor, &on("start"), json!({})).await;
        let diagnosis = json!({"code": "J18.9", "text": "Pneumonia", "certainty": "confirmed"});
        self.done(&self.doctor, &on("diagnoses"), diagnosis).await;
        visit
    }

    async fn prescribed(&self, visit: &str) -> String {
        let entry = json!({"name": "Azithral 500", "ingredients": [{"name": "azithromycin", "strength": "500mg"}]});
        let medicine = self.done(&self.clinic.admin, "/medicines", entry).await.id();
        let item = json!({
            "medicine_id": medicine, "dose": {"value": 1, "unit": "{tablet}"}, "timing": "after_food",
            "frequency": {"times": 1, "every": {"count": 1, "unit": "d"}}, "duration": {"count": 3, "unit": "d"},
            "quantity": {"value": 3, "unit": "{tablet}"}, "instructions": "all of them"
        });
        let draft = json!({"patient_id": self.patient, "visit_id": visit, "items": [item]});
        let id = self.done(&self.doctor, "/prescriptions", draft).await.id();
        self.done(&self.doctor, &format!("/prescriptions/{id}/issue"), json!({})).await;
        id
    }

    /// Ordered in the visit, found and released.
    async fn tested(&self, visit: &str) -> String {
        let tests = json!([{"code": "2345-7", "text": "Glucose", "kind": "blood"}]);
        let order = json!({"patient_id": self.patient, "visit_id": visit, "tests": tests});
        let order = self.done(&self.doctor, "/lab-orders", order).await.id();
        let collect = format!("/lab-orders/{order}/collect-specimen");
        self.done(&self.technician, &collect, json!({"barcode": "B-1"})).await;
        let report = self.done(&self.technician, "/lab-reports", json!({"order_id": order})).await.id();
        let on = |action: &str| format!("/lab-reports/{report}/{action}");
        self.done(&self.technician, &on("results"), json!({"result": glucose(69.0)})).await;
        let verify = json!({"result_id": self.result(&report).await});
        self.done(&self.colleague, &on("verify-result"), verify).await;
        self.done(&self.technician, &on("release"), json!({})).await;
        report
    }

    /// The result that stands.
    pub async fn result(&self, report: &str) -> Value {
        self.stack.caught_up().await;
        let shown = self.technician.get(&self.clinic.path(&format!("/lab-reports/{report}"))).await.expect(200);
        shown.json()["results"][0]["id"].clone()
    }

    async fn invoiced(&self) -> String {
        let price = json!({"minor": 12_000_050, "currency": "INR"});
        let charge = json!({
            "patient_id": self.patient, "description": "Consultation", "unit_price": price, "quantity": 2,
            "tax_basis_points": 1_800
        });
        let charge = self.done(&self.cashier, "/charges", charge).await.id();
        let invoice = json!({"patient_id": self.patient, "charge_ids": [charge]});
        let invoice = self.done(&self.cashier, "/invoices", invoice).await.id();
        let payment =
            json!({"amount": {"minor": 10_000_000, "currency": "INR"}, "method": "upi", "reference": "UPI 4711"});
        self.done(&self.cashier, &format!("/invoices/{invoice}/payments"), payment).await;
        invoice
    }

    /// The PDF's answer and its text, on one line.
    pub async fn printed(&self, who: &Client, below: &str) -> (Answer, String) {
        let (answer, bytes) = who.download(&self.clinic.path(&format!("{below}/pdf"))).await;
        let answer = answer.expect(200);
        assert_eq!(answer.header("content-type"), "application/pdf", "{below}");
        assert!(bytes.starts_with(b"%PDF-"), "{below}");
        (answer, text(&bytes))
    }
}

/// What can be copied out of a PDF.
pub fn text(pdf: &[u8]) -> String {
    plain(&pdf_extract::extract_text_from_mem(pdf).expect("it can be read"))
}

/// Without spaces, of which a reader of PDFs finds more or fewer than were written, and without the places at which long
/// words may break.
pub fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '\u{200b}').collect()
}
