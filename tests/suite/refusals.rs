//! Who was refused, who logged in and who failed to: in the access ledger before the answer, and never with a secret.

use events::{AccessEvent, access::LoginFailure};
use reqwest::Method;
use serde_json::json;
use tests::{Accessed, PASSWORD, Stack, TestClinic, working_time};

/// The one record after a position.
async fn one(log: &tests::AccessLog, before: i64) -> Accessed {
    let mut records = log.after(before).await;
    assert_eq!(records.len(), 1, "{records:?}");
    records.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_in_the_ledger_of_who_asked() {
    let stack = Stack::start().await;
    let (ours, theirs) = (TestClinic::register(&stack.client()).await, TestClinic::register(&stack.client()).await);
    let (patient, nurse) = (theirs.patient("Asha").await, ours.staff(&["nurse"]).await);
    let (log, platform_log) = (stack.access_log(&ours.id), stack.platform_access_log());

    let before = log.position().await;
    let own = ours.patient("Meera").await;
    let merge = ours.path(&format!("/patients/{own}/merge"));
    nurse.post(&merge, json!({"survivor_id": patient})).await.expect(403);
    let refused = one(&log, before).await;
    let AccessEvent::AccessRefused { capability, need, patient: named } = &refused.event else { panic!("{refused:?}") };
    assert_eq!((capability.as_str(), need.as_str()), ("patient_merge", "write"));
    assert_eq!(named.map(|id| id.to_string()), Some(own.clone()));
    assert_eq!(refused.row.command, "POST /clinic/{slug}/api/v1/patients/{id}/merge");
    assert_eq!((refused.row.actor_roles.as_str(), refused.row.patient.is_some()), ("nurse", true));

    let (before, theirs_before) = (log.position().await, stack.access_log(&theirs.id).position().await);
    nurse.get(&theirs.path(&format!("/patients/{patient}"))).await.expect(404);
    let crossed = one(&log, before).await;
    assert_eq!(crossed.event, AccessEvent::CrossClinicAttempted { slug: theirs.slug.clone() });
    assert_eq!(stack.access_log(&theirs.id).position().await, theirs_before, "it is not told whose token it was");

    let before = log.position().await;
    let suspend = format!("/api/v1/clinics/{}/suspend", theirs.id);
    ours.admin.post(&suspend, json!({"reason": "none"})).await.expect(403);
    assert_eq!(one(&log, before).await.event, AccessEvent::PlatformRefused {});

    let platform = stack.platform().await;
    let before = platform_log.position().await;
    platform.get(&theirs.path("/patients")).await.expect(404);
    assert!(matches!(one(&platform_log, before).await.event, AccessEvent::CrossClinicAttempted { .. }));

    let fails = "CREATE FUNCTION log.no_access() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'the disk is full' USING ERRCODE = 'check_violation'; END $$;
                 CREATE TRIGGER no_access BEFORE INSERT ON log.event FOR EACH ROW WHEN (NEW.ledger = 2)
                 EXECUTE FUNCTION log.no_access()";
    stack.run_as_superuser(fails).await;
    nurse.post(&merge, json!({"survivor_id": patient})).await.expect(503);
    nurse.get(&theirs.path(&format!("/patients/{patient}"))).await.expect(503);
    stack.client().log_in(Some(&ours.slug), "admin", PASSWORD).await.expect(503);
    stack.verify_chains().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_and_their_failures_are_recorded() {
    let stack = Stack::start().await;
    let anybody = stack.client();
    let clinic = TestClinic::register(&anybody).await;
    let log = stack.access_log(&clinic.id);
    let begun = one(&log, 0).await;
    assert!(matches!(begun.event, AccessEvent::LoggedIn { .. }), "the registration logs in: {begun:?}");
    assert_eq!((begun.row.actor_name.as_str(), begun.row.command.as_ref()), ("admin", "POST /api/v1/clinics"));

    let before = log.position().await;
    let tokens = anybody.log_in(Some(&clinic.slug), "Admin", PASSWORD).await.expect(200);
    let logged_in = one(&log, before).await;
    let AccessEvent::LoggedIn { session, patient: None } = logged_in.event else { panic!("{logged_in:?}") };
    assert_eq!(
        (logged_in.row.actor_session, logged_in.row.command.as_ref()),
        (Some(session), "POST /api/v1/auth/login")
    );

    let failed = |record: Accessed| {
        let AccessEvent::LoginFailed { failure, username_hash, user, .. } = record.event else { panic!("{record:?}") };
        assert_eq!((record.row.actor_name.as_str(), record.row.actor_user), ("", None), "nobody has proved who it was");
        (failure, username_hash, user.is_some())
    };
    let mut hashes = Vec::new();
    for (username, failure) in [("admin", LoginFailure::WrongPassword), ("stranger", LoginFailure::UnknownUser)] {
        let before = log.position().await;
        anybody.log_in(Some(&clinic.slug), username, "wrong horse").await.expect(401);
        let (seen, hash, known) = failed(one(&log, before).await);
        assert_eq!((seen, known), (failure, username == "admin"));
        hashes.push(hash.expect("a name was given"));
    }
    assert_ne!(hashes[0], hashes[1]);

    let platform_log = stack.platform_access_log();
    let before = platform_log.position().await;
    anybody.log_in(Some("no-such-clinic"), "admin", "wrong horse").await.expect(401);
    assert_eq!(failed(one(&platform_log, before).await).0, LoginFailure::UnknownUser);

    let invited = json!({"name": "Meera", "username": "meera", "roles": ["nurse"]});
    let invited = clinic.post("/staff", invited).await.expect(201);
    let before = log.position().await;
    anybody.log_in(Some(&clinic.slug), "meera", "wrong horse").await.expect(401);
    assert_eq!(failed(one(&log, before).await).0, LoginFailure::NotAllowed);
    let activate = |activation: String| {
        let body = json!({"clinic": clinic.slug, "username": "meera", "activation": activation, "password": PASSWORD});
        let anybody = anybody.clone();
        async move { anybody.post("/api/v1/auth/activate", body).await }
    };
    let before = log.position().await;
    activate("x".repeat(43)).await.expect(401);
    assert_eq!(failed(one(&log, before).await).0, LoginFailure::WrongActivation);
    let before = log.position().await;
    activate(invited.text_of("activation")).await.expect(200);
    let activated = one(&log, before).await;
    assert!(matches!(activated.event, AccessEvent::LoggedIn { .. }) && activated.row.actor_roles == "nurse");

    // A thief uses a refresh token after its owner, or before.
    let next = anybody.clone().refresh(tokens.text_of("refresh_token")).await.expect(200);
    let before = log.position().await;
    anybody.clone().refresh(tokens.text_of("refresh_token")).await.expect(401);
    let (failure, hash, known) = failed(one(&log, before).await);
    assert_eq!((failure, hash, known), (LoginFailure::TokenReused, None, true));

    let before = log.position().await;
    anybody.with_token(next.text_of("access_token")).send(Method::POST, "/api/v1/auth/logout", None).await.expect(204);
    let ended = one(&log, before).await;
    assert_eq!(
        (&ended.event, ended.row.actor_name.as_str()),
        (&AccessEvent::LoggedOut { session, patient: None }, "admin")
    );
    stack.verify_chains().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_and_nothing_that_was_read_is_in_the_access_ledger() {
    const LEDGER: &str = "(SELECT * FROM log.event WHERE ledger = 2)";
    let stack = Stack::start().await;
    let anybody = stack.client();
    let clinic = TestClinic::register(&anybody).await;
    let body = json!({"first_name": "Zubeida", "phone": "+919820012345", "address": {"line": "Marigold Lane"}});
    let patient = clinic.post("/patients", body).await.expect(201).id();
    let mut booking = clinic.booking(&patient, &clinic.doctor().await, working_time(1, 10, 0));
    booking["reason"] = json!("gallstones");
    let booked = clinic.post("/appointments", booking).await.expect(201);
    let (position, appointment) = (booked.position(), format!("/appointments/{}", booked.id()));
    for below in ["/patients/search?q=zubeida", "/patients/search?q=98200%2012345", "/patients?limit=1"] {
        clinic.get_at(position, below).await.expect(200);
    }
    let shown = clinic.get_at(position, &format!("/patients/{patient}")).await.expect(200);
    let visit = clinic.get_at(position, &appointment).await.expect(200);
    assert!(visit.text.contains("gallstones") && shown.text.contains("Marigold"), "{}", shown.text);
    let invited = clinic.post("/staff", json!({"name": "Meera", "username": "meera", "roles": ["nurse"]}));
    let activation = invited.await.expect(201).text_of("activation");
    clinic.activate("meera", &activation).await;
    anybody.log_in(Some(&clinic.slug), "stranger", "wrong horse").await.expect(401);
    anybody.log_in(Some(&clinic.slug), "admin", "wrong horse").await.expect(401);
    let tokens = anybody.log_in(Some(&clinic.slug), "admin", PASSWORD).await.expect(200);
    anybody.clone().refresh(tokens.text_of("refresh_token")).await.expect(200);
    anybody.clone().refresh(tokens.text_of("refresh_token")).await.expect(401);

    let (access, refresh) = (tokens.text_of("access_token"), tokens.text_of("refresh_token"));
    let secret = refresh.split_once('.').expect("two parts").1.to_owned();
    let secrets = [PASSWORD, "wrong horse", &access, &refresh, &secret, &activation, "stranger"];
    let read = ["zubeida", "9820012345", "98200 12345", "marigold", "gallstones"];
    for word in secrets.into_iter().chain(read) {
        assert_eq!(stack.rows_with(LEDGER, word).await, 0, "{word}");
    }
    assert!(stack.rows_with(LEDGER, "nurse").await > 0 && stack.rows_with(LEDGER, "WrongPassword").await == 0);
    assert!(stack.rows_with(LEDGER, "wrong_password").await > 0, "the bytes of the payload are looked through");
}
