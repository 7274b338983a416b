//! What each plan allows, asked for by more people at once than it allows: exactly so many get it.

use chrono::{TimeDelta, Utc};
use events::clinic::Plan;
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tests::{Answer, Client, Stack, TestClinic};

/// Beyond what is left.
const TOO_MANY: i64 = 12;
/// Of what is not limited.
const MANY: i64 = 24;
const AT_ONCE: usize = 32;
/// No plan's storage is a multiple of it.
const DOCUMENT_BYTES: i64 = 300_000_000;

/// One more of something that is counted: the address, and the body of the `n`-th.
type Asked = (&'static str, fn(&TestClinic, i64) -> Value);

const DOCTORS: Asked = ("/doctors", |clinic, n| {
    json!({
        "name": format!("Doctor {n}"), "email": format!("d{n}@{}.example", clinic.slug), "username": format!("doc{n}"),
        "licence_number": format!("L-{n}"), "office_ids": [clinic.office]
    })
});
const RECEPTIONISTS: Asked = (
    "/staff",
    |_, n| json!({"name": format!("Receptionist {n}"), "username": format!("desk{n}"), "roles": ["receptionist"]}),
);
const OFFICES: Asked = ("/offices", |_, n| json!({"name": format!("Office {n}")}));
const PATIENTS: Asked = ("/patients", |_, n| json!({"first_name": format!("Patient {n}")}));

/// A clinic, its administrator in each of two processes, and somebody whose documents need room.
struct Rivals {
    clinic: TestClinic,
    clients: [Client; 2],
    patient: String,
}

impl Rivals {
    async fn of(clinic: TestClinic, second: &Client, patient: String) -> Self {
        let elsewhere = second.with_token(clinic.admin.token().expect("logged in"));
        Self { clients: [clinic.admin.clone(), elsewhere], clinic, patient }
    }

    /// So many, all at once, from both processes.
    async fn ask(&self, below: &str, count: i64, body: impl Fn(i64) -> Value) -> Vec<Answer> {
        let path = self.clinic.path(below);
        let one = |n: i64| self.clients[n as usize % 2].post(&path, body(n));
        // Each future is made before it is polled, so that the bodies are no part of them.
        stream::iter((0..count).map(one).collect::<Vec<_>>()).buffer_unordered(AT_ONCE).collect().await
    }

    /// Room is taken when a document is announced: no byte of it has to come.
    async fn race_for_storage(&self, limit: Option<i64>) {
        let announced = |bytes: i64| {
            json!({
                "patient_id": self.patient, "kind": "administrative", "title": "A scan", "media_type": "text/plain",
                "size": bytes, "sha256": "ab".repeat(32)
            })
        };
        let room = limit.map_or(MANY, |limit| limit / DOCUMENT_BYTES);
        let asked = limit.map_or(MANY, |_| room + TOO_MANY);
        let answers = self.ask("/documents", asked, |_| announced(DOCUMENT_BYTES)).await;
        let made = answers.iter().filter(|answer| answer.status == 201).count() as i64;
        assert_eq!(made, room, "of {limit:?} bytes");
        let Some(limit) = limit else { return };
        for refused in answers.iter().filter(|answer| answer.status != 201) {
            assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "quota-exceeded"), "{}", refused.text);
            assert_eq!(refused.json()["limit"].as_i64(), Some(limit));
        }
        // And of what is left, to the byte, one has it.
        let rest = limit - room * DOCUMENT_BYTES;
        assert_eq!(self.ask("/documents", 1, |_| announced(rest + 1)).await[0].code(), "quota-exceeded");
        let answers = self.ask("/documents", TOO_MANY, |_| announced(rest)).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "the last {rest} bytes");
    }
}

async fn on_plan(anybody: &Client, platform: &Client, plan: Plan) -> TestClinic {
    let clinic = TestClinic::register(anybody).await;
    if plan != Plan::Trial {
        let paid_until = Utc::now() + TimeDelta::days(365);
        let path = format!("/api/v1/clinics/{}/subscription", clinic.id);
        platform.post(&path, json!({"plan": plan, "paid_until": paid_until})).await.expect(200);
    }
    clinic
}

/// Asks for more than is left, all at once; of what is unlimited for many.
async fn race(rivals: &Rivals, (below, body): Asked, limit: Option<i64>, used: i64) {
    let asked = limit.map_or(MANY, |limit| limit - used + TOO_MANY);
    let answers = rivals.ask(below, asked, |n| body(&rivals.clinic, n)).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count() as i64;
    assert_eq!(made, limit.map_or(MANY, |limit| limit - used), "{below}");
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "quota-exceeded"), "{below}");
        assert_eq!((refused.json()["limit"].as_i64(), refused.json()["used"].as_i64()), (limit, limit), "{below}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_plan_gives_exactly_what_it_allows() {
    let stack = Stack::start().await;
    let (anybody, platform, second) = (stack.client(), stack.platform().await, stack.second_command_api().await);
    for plan in [Plan::Trial, Plan::Basic, Plan::Premium, Plan::Enterprise] {
        let clinic = on_plan(&anybody, &platform, plan).await;
        let patient = clinic.patient("Asha").await;
        let rivals = Rivals::of(clinic.clone(), &second, patient).await;
        let limits = plan.limits();
        tokio::join!(
            race(&rivals, DOCTORS, limits.doctors, 0),
            race(&rivals, RECEPTIONISTS, limits.receptionists, 0),
            // The first came with the clinic.
            race(&rivals, OFFICES, limits.offices, 1),
            rivals.race_for_storage(limits.storage),
        );
        // Ten thousand of the next plan are the same rule with another number.
        if plan == Plan::Trial {
            race(&rivals, PATIENTS, limits.patients, 1).await;
        }
        stack.caught_up().await;
        let subscription = clinic.get("/subscription").await.expect(200).json();
        let counted = |what: &str| subscription["usage"][what].as_i64();
        let all = |limit: Option<i64>, first| Some(limit.unwrap_or(MANY + first));
        assert_eq!(counted("doctors"), all(limits.doctors, 0), "{plan:?}: {subscription}");
        assert_eq!(counted("receptionists"), all(limits.receptionists, 0), "{plan:?}: {subscription}");
        assert_eq!(counted("offices"), all(limits.offices, 1), "{plan:?}: {subscription}");
        let stored = limits.storage.unwrap_or(MANY * DOCUMENT_BYTES);
        assert_eq!(counted("storage"), Some(stored), "{plan:?}: {subscription}");
    }
}
