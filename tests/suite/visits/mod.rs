//! Visits as the people of a clinic live them.

mod rights;
mod rivals;
mod story;

use serde_json::{Value, json};
use tests::{Answer, Client, Stack, TestClinic};

/// A clinic with somebody of each role whom a visit meets.
struct Ward {
    stack: Stack,
    clinic: TestClinic,
    desk: Client,
    nurse: Client,
    doctor: Client,
    doctor_id: String,
}

impl Ward {
    async fn open() -> Self {
        Self::on(Stack::start().await).await
    }

    async fn on(stack: Stack) -> Self {
        let clinic = TestClinic::register(&stack.client()).await;
        let (desk, nurse) = (clinic.staff(&["receptionist"]).await, clinic.staff(&["nurse"]).await);
        let (doctor_id, doctor) = practitioner(&clinic).await;
        Self { stack, clinic, desk, nurse, doctor, doctor_id }
    }

    /// Somebody walks in.
    async fn walk_in(&self, patient: &str) -> String {
        self.opened(json!({"patient_id": patient, "office_id": self.clinic.office})).await.id()
    }

    async fn opened(&self, opens: Value) -> Answer {
        self.desk.post(&self.clinic.path("/visits"), opens).await.expect(201)
    }

    async fn act(&self, who: &Client, visit: &str, action: &str, body: Value) -> Answer {
        who.post(&self.clinic.path(&format!("/visits/{visit}/{action}")), body).await
    }

    async fn start(&self, visit: &str) -> Answer {
        self.act(&self.doctor, visit, "start", json!({})).await
    }

    async fn finish(&self, visit: &str) -> Answer {
        self.act(&self.doctor, visit, "finish", json!({})).await.expect(200)
    }

    /// What somebody sees at the position or later.
    async fn sees(&self, who: &Client, position: i64, below: &str) -> Answer {
        who.with("casebook-min-position", position).get(&self.clinic.path(below)).await
    }
}

/// A doctor of the clinic's first office, logged in; the id, and the client.
async fn practitioner(clinic: &TestClinic) -> (String, Client) {
    let made = clinic.new_doctor().await;
    let staff = clinic.get_at(made.position(), &format!("/staff/{}", made.id())).await.expect(200);
    let client = clinic.activate(&staff.text_of("username"), &made.text_of("activation")).await;
    (made.id(), client)
}

/// The ids of a list.
fn ids(list: &Answer) -> Vec<String> {
    let body = list.json();
    let items = body["items"].as_array().expect("a list");
    items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}
