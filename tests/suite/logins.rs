//! Who gets in, and how fast somebody is out again.

use reqwest::Method;
use serde_json::json;
use tests::{PASSWORD, Stack, TestClinic};

#[tokio::test(flavor = "multi_thread")]
async fn a_login_a_refresh_and_a_logout() {
    let stack = Stack::start().await;
    let anybody = stack.client();
    let clinic = TestClinic::register(&anybody).await;
    let tokens = anybody.log_in(Some(&clinic.slug), "ADMIN", PASSWORD).await.expect(200);
    let client = anybody.with_token(tokens.text_of("access_token"));
    client.get(&clinic.path("/staff")).await.expect(200);
    let refresh = |token: String| anybody.clone().refresh(token);
    let next = refresh(tokens.text_of("refresh_token")).await.expect(200);
    let client = anybody.with_token(next.text_of("access_token"));
    client.send(Method::POST, "/api/v1/auth/logout", None).await.expect(204);
    client.get(&clinic.path("/staff")).await.expect(401);
    client.post(&clinic.path("/patients"), json!({"first_name": "Asha"})).await.expect(401);
    refresh(next.text_of("refresh_token")).await.expect(401);
    // The session that the registration began goes on.
    clinic.get("/staff").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_used_twice_ends_its_whole_family() {
    let stack = Stack::start().await;
    let anybody = stack.client();
    let clinic = TestClinic::register(&anybody).await;
    let first = anybody.log_in(Some(&clinic.slug), "admin", PASSWORD).await.expect(200);
    let second = anybody.clone().refresh(first.text_of("refresh_token")).await.expect(200);
    anybody.clone().refresh(first.text_of("refresh_token")).await.expect(401);
    anybody.clone().refresh(second.text_of("refresh_token")).await.expect(401);
    anybody.with_token(second.text_of("access_token")).get(&clinic.path("/staff")).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_passwords_lock_a_login_and_every_failure_says_the_same() {
    let stack = Stack::start().await;
    let anybody = stack.client();
    let clinic = TestClinic::register(&anybody).await;
    let nobody = anybody.log_in(Some(&clinic.slug), "nobody", "wrong horse").await.expect(401);
    let nowhere = anybody.log_in(Some("no-such-clinic"), "admin", "wrong horse").await.expect(401);
    for _ in 0..5 {
        let wrong = anybody.log_in(Some(&clinic.slug), "admin", "wrong horse").await.expect(401);
        for other in [&nobody, &nowhere] {
            assert_eq!((wrong.code(), wrong.text_of("detail")), (other.code(), other.text_of("detail")));
        }
    }
    anybody.log_in(Some(&clinic.slug), "admin", PASSWORD).await.expect(401);
    assert_eq!(stack.count_events(&clinic.id, "StaffLocked").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activation_is_good_once() {
    let stack = Stack::start().await;
    let anybody = stack.client();
    let clinic = TestClinic::register(&anybody).await;
    let invited =
        clinic.post("/staff", json!({"name": "Meera", "username": "meera", "roles": ["nurse"]})).await.expect(201);
    let activation = invited.text_of("activation");
    assert!(activation.len() >= 32, "{}", invited.text);
    anybody.log_in(Some(&clinic.slug), "meera", &activation).await.expect(401);
    let body = json!({"clinic": clinic.slug, "username": "meera", "activation": activation, "password": PASSWORD});
    anybody.post("/api/v1/auth/activate", body.clone()).await.expect(200);
    anybody.post("/api/v1/auth/activate", body).await.expect(401);
    anybody.log_in(Some(&clinic.slug), "meera", PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_role_asks_for_new_tokens_at_once() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let invited =
        clinic.post("/staff", json!({"name": "Meera", "username": "meera", "roles": ["nurse"]})).await.expect(201);
    let nurse = clinic.activate("meera", &invited.text_of("activation")).await;
    nurse.get(&clinic.path("/patients")).await.expect(200);
    clinic.post(&format!("/staff/{}/grant-role", invited.id()), json!({"role": "receptionist"})).await.expect(200);
    nurse.get(&clinic.path("/patients")).await.expect(401);
    nurse.post(&clinic.path("/patients"), json!({"first_name": "Asha"})).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_account_sees_its_own_patient_and_no_other() {
    let stack = Stack::start().await;
    let anybody = stack.client();
    let clinic = TestClinic::register(&anybody).await;
    let body = json!({"first_name": "Asha", "birth_date": "1984-03-12"});
    let (own, other) = (clinic.post("/patients", body).await.expect(201).id(), clinic.patient("Vikram").await);
    let portal = json!({"name": "Asha", "username": "asha", "roles": ["patient"], "patient_id": own});
    let activation = clinic.post("/staff", portal).await.expect(201).text_of("activation");
    let activate = |birth_date: &str| {
        let body = json!({
            "clinic": clinic.slug, "username": "asha", "activation": activation, "password": PASSWORD,
            "birth_date": birth_date
        });
        let anybody = anybody.clone();
        async move { anybody.post("/api/v1/auth/activate", body).await }
    };
    activate("1984-03-13").await.expect(401);
    let patient = anybody.with_token(activate("1984-03-12").await.expect(200).text_of("access_token"));
    patient.get(&clinic.path(&format!("/patients/{own}"))).await.expect(200);
    let refused = patient.get(&clinic.path(&format!("/patients/{other}"))).await;
    assert!([403, 404].contains(&refused.status.as_u16()), "{}", refused.text);
    patient.get(&clinic.path("/staff")).await.expect(403);
    let contact = |id: &str| clinic.path(&format!("/patients/{id}/emergency-contact"));
    patient.post(&contact(&own), json!({"name": "Vikram"})).await.expect(200);
    patient.post(&contact(&other), json!({"name": "Vikram"})).await.expect(403);
    patient.post(&clinic.path("/patients"), json!({"first_name": "Meera"})).await.expect(403);
}
