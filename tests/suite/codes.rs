//! A code at each login, beside the password.

use std::time::{SystemTime, UNIX_EPOCH};

use events::access::LoginFailure;
use serde_json::{Value, json};
use tests::{Answer, Client, PASSWORD, Stack, TestClinic};
use totp_rs::Totp;

/// Of a step of half a minute; earlier ones where it is less than nought.
fn code(app: &Totp, steps: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs().cast_signed();
    app.generate((now + steps * 30).unsigned_abs()).to_string()
}

/// A nurse who has set up codes.
struct Nurse {
    stack: Stack,
    clinic: TestClinic,
    id: String,
    client: Client,
    app: Totp,
    recovery: Vec<String>,
}

impl Nurse {
    async fn with_codes() -> Self {
        let stack = Stack::start().await;
        let clinic = TestClinic::register(&stack.client()).await;
        let body = json!({"name": "Meera", "username": "meera", "roles": ["nurse"]});
        let invited = clinic.post("/staff", body).await.expect(201);
        let client = clinic.activate("meera", &invited.text_of("activation")).await;
        client.post("/api/v1/auth/totp", json!({"password": "wrong horse"})).await.expect(401);
        client.post("/api/v1/auth/totp/confirm", json!({"code": "123456"})).await.expect(409);
        let begun = client.post("/api/v1/auth/totp", json!({"password": PASSWORD})).await.expect(200);
        let app = Totp::from_url(begun.text_of("uri")).expect("what apps read");
        assert_eq!(app.secret().to_base32(), begun.text_of("secret"));
        // Nothing has changed before a code is confirmed.
        stack.client().log_in(Some(&clinic.slug), "meera", PASSWORD).await.expect(200);
        let wrong = client.post("/api/v1/auth/totp/confirm", json!({"code": "12345"})).await.expect(422);
        assert_eq!(wrong.code(), "wrong-code");
        let confirmed = json!({"code": code(&app, -1)});
        let confirmed = client.post("/api/v1/auth/totp/confirm", confirmed).await.expect(200).json();
        let codes = confirmed["recovery_codes"].as_array().expect("codes").iter();
        let recovery = codes.map(|code| code.as_str().expect("text").to_owned()).collect();
        Self { stack, clinic, id: invited.id(), client, app, recovery }
    }

    async fn log_in(&self, more: Value) -> Answer {
        let mut body = json!({"clinic": self.clinic.slug, "username": "meera", "password": PASSWORD});
        body.as_object_mut().expect("members").extend(more.as_object().expect("members").clone());
        self.stack.client().post("/api/v1/auth/login", body).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_needs_a_code_and_takes_each_once() {
    let nurse = Nurse::with_codes().await;
    let without = nurse.log_in(json!({})).await.expect(401);
    assert_eq!(without.code(), "code-required");
    // The code that was confirmed is spent, and so is each that was taken.
    assert_eq!(nurse.log_in(json!({"code": code(&nurse.app, -1)})).await.expect(401).code(), "bad-credentials");
    let now = code(&nurse.app, 1);
    nurse.log_in(json!({"code": format!("{} {}", &now[..3], &now[3..])})).await.expect(200);
    nurse.log_in(json!({"code": now})).await.expect(401);
    // A wrong password is not told from a wrong code, and neither says that a code is needed.
    let wrong = json!({"password": "wrong horse", "code": "000000"});
    assert_eq!(nurse.log_in(wrong).await.expect(401).code(), "bad-credentials");

    // Two at once with one recovery code: one of them.
    let recovery = json!({"code": nurse.recovery[0].to_lowercase().replace('-', " ")});
    let both = tokio::join!(nurse.log_in(recovery.clone()), nurse.log_in(recovery));
    let mut statuses = [both.0.status.as_u16(), both.1.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
    nurse.log_in(json!({"code": nurse.recovery[1]})).await.expect(200);

    let row = nurse.clinic.get(&format!("/staff/{}", nurse.id)).await.expect(200).json();
    assert_eq!(row["totp"], true);
    assert_eq!(nurse.stack.count_events(&nurse.clinic.id, "TotpEnabled").await, 1);
    nurse.stack.caught_up().await;
    nurse.stack.read_models_equal_the_log().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_codes_lock_a_login_and_are_recorded() {
    let nurse = Nurse::with_codes().await;
    let log = nurse.stack.access_log(&nurse.clinic.id);
    let before = log.position().await;
    for _ in 0..5 {
        nurse.log_in(json!({"code": "AAAA-AAAA-AAAA-AAAA"})).await.expect(401);
    }
    nurse.log_in(json!({"code": nurse.recovery[0]})).await.expect(401);
    assert_eq!(nurse.stack.count_events(&nurse.clinic.id, "StaffLocked").await, 1);
    let failures: Vec<LoginFailure> = log.after(before).await.iter().filter_map(|one| failure(&one.event)).collect();
    assert_eq!(failures[..5], [LoginFailure::WrongCode; 5]);
}

fn failure(event: &events::AccessEvent) -> Option<LoginFailure> {
    match event {
        events::AccessEvent::LoginFailed { failure, .. } => Some(*failure),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_end_by_a_code_or_by_an_administrator() {
    let nurse = Nurse::with_codes().await;
    let (clinic, client) = (&nurse.clinic, &nurse.client);
    client.post("/api/v1/auth/totp", json!({"password": PASSWORD})).await.expect(409);
    let end = |code: &str| client.post("/api/v1/auth/totp/disable", json!({"password": PASSWORD, "code": code}));
    end("000000").await.expect(401);
    client.post(&clinic.path(&format!("/staff/{}/reset-totp", nurse.id)), json!({})).await.expect(403);
    end(&nurse.recovery[0]).await.expect(204);
    nurse.log_in(json!({})).await.expect(200);

    // Set up again, and the device is lost.
    let begun = client.post("/api/v1/auth/totp", json!({"password": PASSWORD})).await.expect(200);
    let app = Totp::from_url(begun.text_of("uri")).expect("what apps read");
    client.post("/api/v1/auth/totp/confirm", json!({"code": code(&app, 0)})).await.expect(200);
    assert_eq!(nurse.log_in(json!({"code": nurse.recovery[1]})).await.expect(401).code(), "bad-credentials");
    // A new activation sets a new password and asks for the code all the same.
    let renewed = clinic.post(&format!("/staff/{}/renew-activation", nurse.id), json!({})).await.expect(200);
    let activate = json!({"clinic": clinic.slug, "username": "meera", "activation": renewed.text_of("activation"),
        "password": PASSWORD});
    let refused = nurse.stack.client().post("/api/v1/auth/activate", activate.clone()).await.expect(401);
    assert_eq!(refused.code(), "code-required");
    clinic.post(&format!("/staff/{}/reset-totp", nurse.id), json!({})).await.expect(200);
    nurse.stack.client().post("/api/v1/auth/activate", activate).await.expect(200);
    nurse.log_in(json!({})).await.expect(200);
    assert_eq!(nurse.stack.count_events(&clinic.id, "TotpDisabled").await, 2);
    nurse.stack.verify_chains().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_lies_in_the_database() {
    let nurse = Nurse::with_codes().await;
    let secret = nurse.app.secret().as_bytes().to_vec();
    let kept: Vec<(Vec<u8>, Vec<Vec<u8>>)> =
        sqlx::query_as("SELECT salt, recovery FROM log.totp").fetch_all(nurse.stack.superuser()).await.unwrap();
    assert_eq!((kept.len(), kept[0].1.len()), (1, 10));
    assert_ne!(kept[0].0, secret[..16]);
    for code in &nurse.recovery {
        assert_eq!(nurse.stack.rows_with("log.event", code).await, 0);
        assert!(!kept[0].1.iter().any(|hash| hash.windows(4).any(|part| part == &code.as_bytes()[..4])));
    }
    assert_eq!(nurse.stack.rows_with("log.event", &nurse.app.secret().to_base32()).await, 0);
}
