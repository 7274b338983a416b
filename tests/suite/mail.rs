//! Mails: what comes by one, that it comes exactly if it should, and that nothing of it lies about.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use local_servers::{LocalSmtp, Manner};
use serde_json::{Value, json};
use tests::{PASSWORD, Stack, TestClinic};

const WITHIN: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(20);
const REQUEST: &str = "/api/v1/auth/request-password-reset";
const RESET: &str = "/api/v1/auth/reset-password";

/// Nobody waits for the next try.
const HURRY: &str = "UPDATE log.outbox SET next_attempt_at = now() - interval '1 second' WHERE clinic = $1::uuid";

fn nurse(username: &str) -> Value {
    json!({"name": "Ravi", "username": username, "email": format!("{username}@post.example"), "roles": ["nurse"]})
}

/// What stands behind `Code:` in the plain text.
fn code_in(mail: &str) -> String {
    let (_, rest) = mail.split_once("Code: ").unwrap_or_else(|| panic!("no code in {mail}"));
    rest.split_whitespace().next().unwrap_or_default().to_owned()
}

fn message_id(mail: &str) -> &str {
    mail.lines().find(|line| line.starts_with("Message-ID:")).unwrap_or_else(|| panic!("no Message-ID in {mail}"))
}

/// Sends what there is into the stack's folder, as soon as there is something.
async fn next_mail(stack: &Stack) -> String {
    let (mailer, before, since) = (stack.mailer_to_folder(), stack.mails().len(), Instant::now());
    while mailer.send_due().await.expect("the outbox is there") == 0 {
        assert!(since.elapsed() < WITHIN, "no mail is queued");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let mails = stack.mails();
    assert_eq!(mails.len(), before + 1, "one mail was sent");
    mails.last().expect("there is one").clone()
}

/// Waits until what is done behind the answer of a request is done.
async fn recorded(stack: &Stack, clinic: &TestClinic, event: &str, times: i64) {
    let since = Instant::now();
    while stack.count_events(&clinic.id, event).await < times {
        assert!(since.elapsed() < WITHIN, "{event} is not recorded");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn waiting(stack: &Stack) -> i64 {
    let standing = stack.store().mails_standing().await.expect("the outbox is there");
    standing.iter().map(|one| one.waiting).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activation_comes_by_mail_and_works() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let invited = clinic.post("/staff", nurse("ravi")).await.expect(201);
    let mail = next_mail(&stack).await;
    assert!(mail.contains("To: ravi@post.example") && mail.contains(&format!("Clinic {}", clinic.slug)), "{mail}");
    assert_eq!(code_in(&mail), invited.text_of("activation"), "the same that is shown to the administrator");
    let renew = format!("/staff/{}/renew-activation", invited.id());
    let renewed = clinic.post(&renew, json!({})).await.expect(200);
    let mail = next_mail(&stack).await;
    assert_eq!(code_in(&mail), renewed.text_of("activation"));
    clinic.activate("ravi", &code_in(&mail)).await;

    let doctor = clinic.new_doctor().await;
    assert_eq!(code_in(&next_mail(&stack).await), doctor.text_of("activation"));
    let body = json!({"first_name": "Asha", "birth_date": "1984-03-12", "language": "hi"});
    let patient = clinic.post("/patients", body).await.expect(201).id();
    let portal = json!({"name": "Asha", "username": "asha", "email": "asha@post.example", "roles": ["patient"],
        "patient_id": patient});
    clinic.post("/staff", portal).await.expect(201);
    let mail = next_mail(&stack).await;
    assert!(mail.contains("To: asha@post.example") && mail.contains("hi"), "{mail}");
    clinic.post("/staff", json!({"name": "Meera", "username": "meera", "roles": ["nurse"]})).await.expect(201);
    assert_eq!(waiting(&stack).await, 0, "without an address there is no mail");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_a_mail_exactly_if_there_is_the_event() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let keyed = clinic.admin.with("idempotency-key", "invite-ravi");
    let first = keyed.post(&clinic.path("/staff"), nurse("ravi")).await.expect(201);
    let second = keyed.post(&clinic.path("/staff"), nurse("ravi")).await.expect(201);
    assert_eq!(first.text, second.text);
    clinic.post("/staff", nurse("ravi")).await.expect(409);
    clinic
        .post("/staff", json!({"name": "X", "username": "x", "email": "x@post.example", "roles": []}))
        .await
        .expect(422);
    assert_eq!(waiting(&stack).await, 1);
    // Of two secrets only the later one is worth a mail.
    clinic.post(&format!("/staff/{}/renew-activation", first.id()), json!({})).await.expect(200);
    let mailer = stack.mailer_to_folder();
    assert_eq!(mailer.send_due().await.unwrap(), 2);
    let mails = stack.mails();
    assert_eq!(mails.len(), 1);
    clinic.activate("ravi", &code_in(&mails[0])).await;
    let standing = stack.store().mails_standing().await.unwrap();
    assert_eq!((standing[0].given_up, standing[0].last_error.as_deref()), (1, Some("superseded")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_set_anew_by_mail() {
    let stack = Stack::start().await;
    let (anybody, clinic) = (stack.client(), TestClinic::register(&stack.client()).await);
    let ask = async |username: &str| {
        let asked = anybody.post(REQUEST, json!({"clinic": clinic.slug, "username": username})).await.expect(202);
        assert_eq!(asked.text, "", "nothing is told");
    };
    ask("ADMIN").await;
    let mail = next_mail(&stack).await;
    // Until it is used, nothing has changed; and who asks again at once gets no second mail.
    clinic.get("/staff").await.expect(200);
    anybody.log_in(Some(&clinic.slug), "admin", PASSWORD).await.expect(200);
    ask("admin").await;
    let reset = |secret: &str| json!({"clinic": clinic.slug, "username": "admin", "secret": secret, "password": "another horse battery"});
    for wrong in ["", "wrong"] {
        anybody.post(RESET, reset(wrong)).await.expect(401);
    }
    let weak = json!({"clinic": clinic.slug, "username": "admin", "secret": code_in(&mail), "password": "short"});
    anybody.post(RESET, weak).await.expect(422);
    let tokens = anybody.post(RESET, reset(&code_in(&mail))).await.expect(200);
    anybody.with_token(tokens.text_of("access_token")).get(&clinic.path("/staff")).await.expect(200);
    clinic.get("/staff").await.expect(401);
    anybody.log_in(Some(&clinic.slug), "admin", PASSWORD).await.expect(401);
    anybody.log_in(Some(&clinic.slug), "admin", "another horse battery").await.expect(200);
    anybody.post(RESET, reset(&code_in(&mail))).await.expect(401);
    assert_eq!(stack.count_events(&clinic.id, "PasswordResetRequested").await, 1);
    // By the address, too; and a secret that has run out is none.
    ask(&format!("a@{}.example", clinic.slug)).await;
    let late = next_mail(&stack).await;
    stack.as_superuser("UPDATE log.credential SET reset_expires_at = now() WHERE clinic = $1::uuid", &clinic.id).await;
    anybody.post(RESET, reset(&code_in(&late))).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_log_in_gets_no_reset_and_nobody_is_told() {
    let stack = Stack::start().await;
    let (anybody, clinic) = (stack.client(), TestClinic::register(&stack.client()).await);
    let other = TestClinic::register(&anybody).await;
    let invited = clinic.post("/staff", nurse("locked")).await.expect(201);
    clinic.activate("locked", &invited.text_of("activation")).await;
    clinic.post(&format!("/staff/{}/lock", invited.id()), json!({})).await.expect(200);
    clinic.post("/staff", nurse("invited")).await.expect(201);
    stack.mailer_to_folder().send_due().await.unwrap();
    let sent = stack.mails().len();
    let mut answers = BTreeSet::new();
    for (slug, username) in [
        (clinic.slug.as_str(), "locked"),
        (&clinic.slug, "invited"),
        (&clinic.slug, "nobody"),
        (&clinic.slug, "nobody@post.example"),
        (&other.slug, "locked"),
        (&other.slug, "locked@post.example"),
        ("no-such-clinic", "admin"),
    ] {
        let answer = anybody.post(REQUEST, json!({"clinic": slug, "username": username})).await;
        answers.insert((answer.status.as_u16(), answer.text.clone(), answer.header("content-type").to_owned()));
    }
    assert_eq!(answers, BTreeSet::from([(202, String::new(), String::new())]));
    // One more, who may: when its mail is queued, the others have been looked at.
    recorded(&stack, &clinic, "LoginFailed", 4).await;
    recorded(&stack, &other, "LoginFailed", 2).await;
    assert_eq!(stack.mailer_to_folder().send_due().await.unwrap(), 0);
    assert_eq!((stack.mails().len(), stack.count_events(&clinic.id, "PasswordResetRequested").await), (sent, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_account_is_asked_for_the_birth_date_again() {
    let stack = Stack::start().await;
    let (anybody, clinic) = (stack.client(), TestClinic::register(&stack.client()).await);
    let body = json!({"first_name": "Asha", "birth_date": "1984-03-12"});
    let patient = clinic.post("/patients", body).await.expect(201).id();
    let portal = json!({"name": "Asha", "username": "asha", "email": "asha@post.example", "roles": ["patient"],
        "patient_id": patient});
    let activation = clinic.post("/staff", portal).await.expect(201).text_of("activation");
    let mut body = json!({"clinic": clinic.slug, "username": "asha", "activation": activation, "password": PASSWORD,
        "birth_date": "1984-03-12"});
    anybody.post("/api/v1/auth/activate", body.clone()).await.expect(200);
    // What has been used is not sent any more.
    stack.mailer_to_folder().send_due().await.unwrap();
    anybody.post(REQUEST, json!({"clinic": clinic.slug, "username": "asha@post.example"})).await.expect(202);
    let mail = next_mail(&stack).await;
    body = json!({"clinic": clinic.slug, "username": "asha", "secret": code_in(&mail), "password": PASSWORD});
    anybody.post(RESET, body.clone()).await.expect(401);
    body["birth_date"] = json!("1984-03-13");
    anybody.post(RESET, body.clone()).await.expect(401);
    body["birth_date"] = json!("1984-03-12");
    anybody.post(RESET, body).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_helps_an_administrator_who_lost_access() {
    let stack = Stack::start().await;
    let (clinic, platform) = (TestClinic::register(&stack.client()).await, stack.platform().await);
    let nurse = clinic.staff(&["nurse"]).await;
    let path = format!("/api/v1/clinics/{}/reset-administrator", clinic.id);
    clinic.admin.post(&path, json!({"username": "admin"})).await.expect(403);
    let nobodys = nurse.get("/api/v1/auth/profile").await.expect(200).text_of("username");
    assert_eq!(platform.post(&path, json!({"username": nobodys})).await.expect(422).code(), "not-an-administrator");
    platform.post(&path, json!({"username": "nobody"})).await.expect(404);
    let nowhere = "/api/v1/clinics/018f0000-0000-7000-8000-000000000001/reset-administrator";
    platform.post(nowhere, json!({"username": "admin"})).await.expect(404);
    let reset = platform.post(&path, json!({"username": "admin"})).await.expect(200);
    assert_eq!(reset.json()["events"], json!(["ActivationRenewed"]));
    assert_eq!(reset.text_of("activation"), "", "who holds it is the administrator");
    let mail = next_mail(&stack).await;
    clinic.get("/staff").await.expect(401);
    stack.client().log_in(Some(&clinic.slug), "admin", PASSWORD).await.expect(401);
    let admin = clinic.activate("admin", &code_in(&mail)).await;
    admin.get(&clinic.path("/staff")).await.expect(200);

    // Somebody without an address cannot be helped otherwise.
    let second = json!({"name": "Meera", "username": "meera", "roles": ["clinic_admin"]});
    let second = admin.post(&clinic.path("/staff"), second).await.expect(201);
    clinic.activate("meera", &second.text_of("activation")).await;
    let shown = platform.post(&path, json!({"username": "meera"})).await.expect(200).text_of("activation");
    clinic.activate("meera", &shown).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_server_is_away_commands_go_on_and_the_mail_comes_later() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let server = LocalSmtp::start(None).await.unwrap();
    let (port, mailer) = (server.port(), stack.mailer(&server.url()));
    drop(server);
    clinic.post("/staff", nurse("ravi")).await.expect(201);
    assert_eq!(mailer.send_due().await.unwrap(), 1);
    let standing = stack.store().mails_standing().await.unwrap();
    assert_eq!((standing[0].waiting, standing[0].last_error.as_deref()), (1, Some("unreachable")));
    assert_eq!(mailer.send_due().await.unwrap(), 0, "not before its time");
    let server = LocalSmtp::start(Some(port)).await.unwrap();
    for (code, error) in [(450, "refused-for-now"), (535, "server-refuses-us")] {
        server.behaves(Manner::Refuses(code));
        stack.as_superuser(HURRY, &clinic.id).await;
        mailer.send_due().await.unwrap();
        let standing = stack.store().mails_standing().await.unwrap();
        assert_eq!((standing[0].waiting, standing[0].last_error.as_deref()), (1, Some(error)));
    }
    // Refused for good; somebody mends it and has it tried again.
    server.behaves(Manner::Refuses(550));
    stack.as_superuser(HURRY, &clinic.id).await;
    mailer.send_due().await.unwrap();
    assert_eq!(stack.store().mails_standing().await.unwrap()[0].given_up, 1);
    stack.as_superuser(HURRY, &clinic.id).await;
    assert_eq!(mailer.send_due().await.unwrap(), 0, "what is given up is not tried");
    server.behaves(Manner::Takes);
    let writer = event_store::DbRole::Writer.pool(stack.postgres.url().parse().unwrap(), 1);
    assert_eq!(event_store::outbox::retry(&writer, None).await.unwrap(), 1);
    assert_eq!(mailer.send_due().await.unwrap(), 1);
    assert_eq!(server.taken()[0].to, ["ravi@post.example"]);
    assert_eq!(stack.store().mails_standing().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_dies_before_saying_so_has_the_same_mail_sent_again() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let server = LocalSmtp::start(None).await.unwrap();
    clinic.post("/staff", nurse("ravi")).await.expect(201);
    server.behaves(Manner::TakesAndSaysNothing);
    let dying = tokio::spawn({
        let mailer = stack.mailer(&server.url());
        async move { mailer.send_due().await }
    });
    let since = Instant::now();
    while server.taken().is_empty() {
        assert!(since.elapsed() < WITHIN, "nothing is sent");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    dying.abort();
    dying.await.expect_err("it was ended");
    server.behaves(Manner::Takes);
    let second = stack.mailer(&server.url());
    assert_eq!(second.send_due().await.unwrap(), 0, "it is taken for a while");
    stack.as_superuser(HURRY, &clinic.id).await;
    assert_eq!(second.send_due().await.unwrap(), 1);
    let taken = server.taken();
    assert_eq!(taken.len(), 2);
    assert_eq!(message_id(&taken[0].content), message_id(&taken[1].content));
    assert_eq!(code_in(&taken[0].content), code_in(&taken[1].content));
    assert_eq!(waiting(&stack).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_mailers_send_each_mail_once() {
    const MAILS: usize = 40;
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    for n in 0..MAILS {
        clinic.post("/staff", nurse(&format!("nurse{n}"))).await.expect(201);
    }
    let server = LocalSmtp::start(None).await.unwrap();
    let (one, other) = (stack.mailer(&server.url()), stack.mailer(&server.url()));
    let (one, other) = tokio::join!(one.send_due(), other.send_due());
    assert_eq!(one.unwrap() + other.unwrap(), MAILS);
    let taken = server.taken();
    let ids: BTreeSet<&str> = taken.iter().map(|mail| message_id(&mail.content)).collect();
    assert_eq!((taken.len(), ids.len()), (MAILS, MAILS));
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_an_address_nor_a_secret_lies_in_the_outbox() {
    let stack = Stack::start().await;
    let (clinic, other) = (TestClinic::register(&stack.client()).await, TestClinic::register(&stack.client()).await);
    let secret = clinic.post("/staff", nurse("planted-7531")).await.expect(201).text_of("activation");
    let server = LocalSmtp::start(None).await.unwrap();
    let mailer = stack.mailer(&server.url());
    let is_nowhere = async || {
        for word in ["planted-7531", "post.example", secret.as_str()] {
            assert_eq!(stack.rows_with("log.outbox", word).await, 0, "{word}");
        }
    };
    is_nowhere().await;
    // A server that repeats the address in its refusal.
    server.behaves(Manner::Refuses(450));
    mailer.send_due().await.unwrap();
    is_nowhere().await;
    server.behaves(Manner::Takes);
    stack.as_superuser(HURRY, &clinic.id).await;
    mailer.send_due().await.unwrap();
    assert_eq!(code_in(&server.taken()[0].content), secret);
    is_nowhere().await;
    assert_eq!(stack.rows_with("log.outbox", &other.id).await, 0);
    let reader = event_store::DbRole::Reader.pool(stack.postgres.url().parse().unwrap(), 1);
    let refused = sqlx::query("SELECT * FROM log.outbox").fetch_all(&reader).await.unwrap_err();
    assert!(refused.to_string().contains("permission denied"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_patients_mail_never_goes_and_what_was_sent_is_taken_away() {
    let stack = Stack::start_forgetting().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let settings = json!({"retention": {"clinical_years": 0}}).to_string().into_bytes();
    clinic.admin.send(reqwest::Method::PATCH, &clinic.path("/settings"), Some(settings)).await.expect(200);
    let second = clinic.staff(&["clinic_admin"]).await;
    let patient = clinic.patient("Asha").await;
    let portal = json!({"name": "Asha", "username": "asha", "email": "asha@post.example", "roles": ["patient"],
        "patient_id": patient});
    let login = clinic.post("/staff", portal).await.expect(201).id();
    next_mail(&stack).await;
    clinic.post(&format!("/staff/{login}/renew-activation"), json!({})).await.expect(200);
    clinic.post(&format!("/patients/{patient}/request-erasure"), json!({"reason": "moves"})).await.expect(200);
    second.post(&clinic.path(&format!("/patients/{patient}/approve-erasure")), json!({})).await.expect(200);
    let mailer = stack.mailer_to_folder();
    assert_eq!(mailer.send_due().await.unwrap(), 0, "the mail that waited is gone");
    assert_eq!(stack.mails().len(), 1);
    mailer.tidy().await.unwrap();
    assert_eq!(stack.mails().len(), 0, "and the one that was sent is taken out of the folder");
    assert_eq!(stack.rows_with("log.outbox", &clinic.id).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_comes_too_late_is_given_up_and_keeps_nothing() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    clinic.post("/staff", nurse("ravi")).await.expect(201);
    stack.as_superuser("UPDATE log.outbox SET not_after = now() WHERE clinic = $1::uuid", &clinic.id).await;
    let mailer = stack.mailer_to_folder();
    assert_eq!(mailer.send_due().await.unwrap(), 1);
    assert_eq!(stack.store().mails_standing().await.unwrap()[0].last_error.as_deref(), Some("too-late"));
    mailer.tidy().await.unwrap();
    let forgotten = "UPDATE log.outbox SET given_up_at = now() - interval '31 days'
        WHERE clinic = $1::uuid AND sealed IS NULL";
    assert_eq!(stack.as_superuser(forgotten, &clinic.id).await, 1);
    mailer.tidy().await.unwrap();
    assert_eq!(stack.rows_with("log.outbox", &clinic.id).await, 0);
    assert_eq!(stack.mails().len(), 0);
}
