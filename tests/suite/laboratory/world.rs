//! A clinic with a laboratory, and everybody who has to do with it.

use serde_json::{Value, json};
use tests::{Answer, Client, PASSWORD, Stack, TestClinic};

pub(super) struct Laboratory {
    pub(super) stack: Stack,
    pub(super) clinic: TestClinic,
    pub(super) doctor: Client,
    pub(super) doctor_id: String,
    pub(super) nurse: Client,
    pub(super) technician: Client,
    pub(super) colleague: Client,
    pub(super) patient: String,
    /// The patient's portal.
    pub(super) asha: Client,
}

impl Laboratory {
    pub(super) async fn open() -> Self {
        let stack = Stack::start().await;
        let clinic = TestClinic::register(&stack.client()).await;
        let registered = clinic.new_doctor().await;
        let staff = clinic.get_at(registered.position(), &format!("/staff/{}", registered.id())).await.expect(200);
        let doctor = clinic.activate(&staff.text_of("username"), &registered.text_of("activation")).await;
        let [nurse, technician, colleague] = [
            clinic.staff(&["nurse"]).await,
            clinic.staff(&["lab_technician"]).await,
            clinic.staff(&["lab_technician"]).await,
        ];
        let (patient, asha) = portal(&stack, &clinic).await;
        let doctor_id = registered.id();
        Self { stack, clinic, doctor, doctor_id, nurse, technician, colleague, patient, asha }
    }

    pub(super) async fn post(&self, who: &Client, below: &str, body: Value) -> Answer {
        who.post(&self.clinic.path(below), body).await
    }

    /// What somebody sees once all that has happened can be seen.
    pub(super) async fn get(&self, who: &Client, below: &str) -> Answer {
        self.stack.caught_up().await;
        who.get(&self.clinic.path(below)).await
    }

    /// By the doctor; its id.
    pub(super) async fn ordered(&self, tests: Value) -> String {
        let body = json!({"patient_id": self.patient, "tests": tests, "priority": "urgent", "reason": "polyuria"});
        self.post(&self.doctor, "/lab-orders", body).await.expect(201).id()
    }

    /// The report of an order, by the technician; its id.
    pub(super) async fn registered(&self, order: &str) -> String {
        self.post(&self.technician, "/lab-reports", json!({"order_id": order})).await.expect(201).id()
    }

    /// By the technician; the result's id.
    pub(super) async fn recorded(&self, report: &str, result: Value) -> String {
        let body = json!({"result": result});
        self.post(&self.technician, &format!("/lab-reports/{report}/results"), body).await.expect(200);
        let shown = self.get(&self.technician, &format!("/lab-reports/{report}")).await.expect(200).json();
        let results = shown["results"].as_array().expect("results");
        results.last().and_then(|result| result["id"].as_str()).expect("the last one").to_owned()
    }

    /// A report with one result, verified and released; the ids of order, report and result.
    pub(super) async fn released(&self) -> (String, String, String) {
        let order = self.ordered(json!([blood_test()])).await;
        let report = self.registered(&order).await;
        let result = self.recorded(&report, glucose(90.0)).await;
        let verify = format!("/lab-reports/{report}/verify-result");
        self.post(&self.colleague, &verify, json!({"result_id": result})).await.expect(200);
        self.post(&self.technician, &format!("/lab-reports/{report}/release"), json!({})).await.expect(200);
        (order, report, result)
    }
}

async fn portal(stack: &Stack, clinic: &TestClinic) -> (String, Client) {
    let body = json!({"first_name": "Asha", "birth_date": "1984-03-12"});
    let patient = clinic.post("/patients", body).await.expect(201).id();
    let invite = json!({"name": "Asha", "username": "asha", "roles": ["patient"], "patient_id": patient});
    let activation = clinic.post("/staff", invite).await.expect(201).text_of("activation");
    let body = json!({
        "clinic": clinic.slug, "username": "asha", "activation": activation, "password": PASSWORD,
        "birth_date": "1984-03-12"
    });
    let tokens = stack.client().post("/api/v1/auth/activate", body).await.expect(200);
    stack.caught_up().await;
    (patient, stack.client().with_token(tokens.text_of("access_token")))
}

pub(super) fn blood_test() -> Value {
    json!({"code": "2345-7", "text": "Glucose [Mass/volume] in Serum or Plasma", "kind": "blood"})
}

/// More than 400 is critical.
pub(super) fn glucose(value: f64) -> Value {
    json!({
        "code": "2345-7", "text": "Glucose [Mass/volume] in Serum or Plasma",
        "value": {"type": "quantity", "value": value, "unit": "mg/dL"},
        "range": {"low": 70, "high": 110, "critical_low": 40, "critical_high": 400}
    })
}
