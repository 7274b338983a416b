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
async fn race(clinic: &TestClinic, (below, body): Asked, limit: Option<i64>, used: i64) {
    let asked = limit.map_or(MANY, |limit| limit - used + TOO_MANY);
    let one = |n| clinic.post(below, body(clinic, n));
    let answers: Vec<Answer> = stream::iter(0..asked).map(one).buffer_unordered(AT_ONCE).collect().await;
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
    let (anybody, platform) = (stack.client(), stack.platform().await);
    for plan in [Plan::Trial, Plan::Basic, Plan::Premium, Plan::Enterprise] {
        let clinic = on_plan(&anybody, &platform, plan).await;
        let limits = plan.limits();
        tokio::join!(
            race(&clinic, DOCTORS, limits.doctors, 0),
            race(&clinic, RECEPTIONISTS, limits.receptionists, 0),
            // The first came with the clinic.
            race(&clinic, OFFICES, limits.offices, 1),
        );
        // Ten thousand of the next plan are the same rule with another number.
        if plan == Plan::Trial {
            race(&clinic, PATIENTS, limits.patients, 0).await;
        }
        stack.caught_up().await;
        let subscription = clinic.get("/subscription").await.expect(200).json();
        let counted = |what: &str| subscription["usage"][what].as_i64();
        let all = |limit: Option<i64>, first| Some(limit.unwrap_or(MANY + first));
        assert_eq!(counted("doctors"), all(limits.doctors, 0), "{plan:?}: {subscription}");
        assert_eq!(counted("receptionists"), all(limits.receptionists, 0), "{plan:?}: {subscription}");
        assert_eq!(counted("offices"), all(limits.offices, 1), "{plan:?}: {subscription}");
    }
}
