//! A paper comes, is read, is released, and makes room for a better one.

use events::{AccessEvent, AggregateKind, access::Handout};
use serde_json::{Value, json};

use super::world::{World, pdf, sha256};

#[tokio::test(flavor = "multi_thread")]
async fn a_paper_is_scanned_read_released_and_replaced() {
    let world = World::new().await;
    let (receptionist, nurse) = (world.clinic.staff(&["receptionist"]).await, world.clinic.staff(&["nurse"]).await);
    let content = pdf(700_000);

    // The receptionist scans what the patient has brought.
    let body = world.announcement(&content, json!({"title": "Discharge summary", "description": "Two pages"}));
    let announced = receptionist.post(&world.path(""), body).await.expect(201);
    let id = announced.id();
    let link = format!("<{}>; rel=\"edit-media\"", world.path(&format!("/{id}/content")));
    assert_eq!(announced.header("link"), link);
    assert_eq!(announced.json()["events"], json!(["DocumentRegistered"]));
    assert_eq!(world.storage().await, 700_000, "reserved before a byte has come");
    let sent = world.sent(&receptionist, &id, &content).await.expect(200);
    assert_eq!(sent.json()["events"], json!(["DocumentUploaded"]));
    let shown = world.seen(&sent, &id).await.json();
    assert_eq!((&shown["status"], &shown["has_content"]), (&json!("current"), &json!(true)));
    assert_eq!((&shown["size"], &shown["sha256"]), (&json!(700_000), &json!(sha256(&content))));
    assert_eq!((&shown["title"], &shown["owner"]), (&json!("Discharge summary"), &json!({"kind": "document"})));

    // Who scanned it sees it, and no other paper; the doctor reads it.
    let (own, whole) = world.download(&receptionist, &id).await;
    assert_eq!((own.expect(200).header("content-type"), whole == content), ("application/pdf", true));
    let other = world.uploaded(&pdf(10), json!({})).await;
    receptionist.get(&world.path(&format!("/{other}"))).await.expect(404);
    assert_eq!(world.download(&receptionist, &other).await.0.status, 404);
    let listed = receptionist.get(&world.path("")).await.expect(200).json();
    assert_eq!(ids(&listed), [id.as_str()]);
    world.does(&world.doctor, &id, "review", json!({"remark": "nothing new"})).await.expect(200);
    let classified = json!({"kind": "referral", "title": "Letter of the district hospital"});
    world.does(&nurse, &id, "classify", classified).await.expect(200);
    let wrong = json!({"reason": "not hers"});
    world.does(&receptionist, &id, "enter-in-error", wrong).await.expect(403);

    // The patient sees what was released.
    let portal = world.portal().await;
    portal.get(&world.path(&format!("/{id}"))).await.expect(404);
    assert_eq!(world.download(&portal, &id).await.0.status, 404);
    let released = world.does(&world.doctor, &id, "release", json!({})).await.expect(200);
    world.seen(&released, &id).await;
    assert_eq!(world.download(&portal, &id).await.1, content);
    let own = portal.get(&world.clinic.path(&format!("/patients/{}/documents", world.patient))).await.expect(200);
    assert_eq!(ids(&own.json()), [id.as_str()], "and nothing else");

    // A better scan takes its place; the first stays readable.
    let better = world.uploaded(&pdf(50), json!({"title": "The same, straight"})).await;
    let replaced = world.does(&world.doctor, &id, "supersede", json!({"by_document_id": better})).await.expect(200);
    let shown = world.seen(&replaced, &id).await.json();
    assert_eq!((&shown["status"], &shown["superseded_by"]), (&json!("superseded"), &json!(better)));
    assert_eq!((&shown["reviews"][0]["remark"], &shown["kind"]), (&json!("nothing new"), &json!("referral")));
    assert_eq!(world.download(&world.doctor, &id).await.1, content);
    let struck = json!({"reason": "of another patient"});
    let struck = world.does(&world.doctor, &id, "enter-in-error", struck).await.expect(200);
    world.seen(&struck, &id).await;
    portal.get(&world.path(&format!("/{id}"))).await.expect(404);
    assert_eq!(world.download(&world.doctor, &id).await.1, content, "struck out, and still there");

    // Every version is told, and what the record said then.
    let history = world.doctor.get(&world.path(&format!("/{id}/history"))).await.expect(200).json();
    let events: Vec<&str> =
        history["items"].as_array().unwrap().iter().map(|entry| entry["event"].as_str().unwrap()).rev().collect();
    let told = [
        "DocumentRegistered",
        "DocumentUploaded",
        "DocumentReviewed",
        "DocumentClassified",
        "DocumentReleased",
        "DocumentSuperseded",
        "DocumentEnteredInError",
    ];
    assert_eq!(events, told);
    let then = format!("/{id}?as_of={}", sent.position());
    let then = world.clinic.admin.get(&world.path(&then)).await;
    // An administrator sees administrative papers alone.
    assert_eq!(then.status, 404);
    let both = world.clinic.doctor_and_administrator().await;
    let then = both.get(&world.path(&format!("/{id}?as_of={}", sent.position()))).await.expect(200).json();
    assert_eq!((&then["title"], &then["kind"]), (&json!("Discharge summary"), &json!("clinical")));
    world.stack.caught_up().await;
    world.stack.read_models_equal_the_log().await;
}

fn ids(list: &Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_is_on_record_before_its_first_byte() {
    let world = World::new().await;
    let id = world.uploaded(&pdf(1_000), json!({})).await;
    let log = world.stack.access_log(&world.clinic.id);
    let before = log.position().await;
    let (answer, _) = world.download(&world.doctor, &id).await;
    let tag = answer.expect(200).header("etag").to_owned();
    let records = log.after(before).await;
    let [record] = records.as_slice() else { panic!("{records:?}") };
    let AccessEvent::HandedOut { handout, patient, category, resource, sha256, .. } = &record.event else {
        panic!("{record:?}")
    };
    assert_eq!((*handout, category.as_str(), sha256), (Handout::Download, "documents", &None));
    assert_eq!(patient.map(|patient| patient.to_string()), Some(world.patient.clone()));
    let resource = resource.as_ref().expect("the path names it");
    assert_eq!((resource.kind, resource.id.to_string()), (AggregateKind::Document, id.clone()));

    let known = world.doctor.with("if-none-match", tag);
    known.get(&world.path(&format!("/{id}/content"))).await.expect(304);
    assert_eq!(log.after(before).await.len(), 2, "who has it already has seen it again");

    let fails = "CREATE FUNCTION log.no_access() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'the disk is full' USING ERRCODE = 'check_violation'; END $$;
                 CREATE TRIGGER no_access BEFORE INSERT ON log.event FOR EACH ROW WHEN (NEW.ledger = 2)
                 EXECUTE FUNCTION log.no_access()";
    world.stack.run_as_superuser(fails).await;
    let (answer, bytes) = world.download(&world.doctor, &id).await;
    assert_eq!(answer.status, 503);
    assert!(!bytes.starts_with(b"%PDF"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_does_what_the_matrix_says() {
    let world = World::new().await;
    let of = |kind: &str| world.announcement(&pdf(10), json!({"kind": kind}));
    for (role, kind, status) in [
        ("nurse", "clinical", 201),
        ("receptionist", "clinical", 201),
        ("lab_technician", "laboratory", 201),
        ("lab_technician", "imaging", 201),
        ("lab_technician", "clinical", 403),
        ("clinic_admin", "identity", 201),
        ("clinic_admin", "clinical", 403),
        ("pharmacist", "clinical", 403),
        ("billing", "administrative", 403),
        ("auditor", "administrative", 403),
    ] {
        let somebody = world.clinic.staff(&[role]).await;
        somebody.post(&world.path(""), of(kind)).await.expect(status);
    }
    let (clinical, consent) =
        (world.uploaded(&pdf(10), json!({})).await, world.uploaded(&pdf(10), json!({"kind": "consent"})).await);
    let admin = &world.clinic.admin;
    admin.get(&world.path(&format!("/{consent}"))).await.expect(200);
    admin.get(&world.path(&format!("/{clinical}"))).await.expect(404);
    world.does(admin, &consent, "classify", json!({"kind": "clinical"})).await.expect(403);
    world.does(admin, &consent, "classify", json!({"kind": "identity"})).await.expect(200);
    world.does(admin, &clinical, "classify", json!({"kind": "consent"})).await.expect(403);
    world.does(admin, &consent, "review", json!({})).await.expect(403);
    for role in ["pharmacist", "billing"] {
        world.clinic.staff(&[role]).await.get(&world.path(&format!("/{clinical}"))).await.expect(403);
    }
    let portal = world.portal().await;
    let own = portal.post(&world.path(""), of("other")).await.expect(201).id();
    world.sent(&portal, &own, &pdf(10)).await.expect(200);
    let stranger = world.clinic.patient("Ravi").await;
    let theirs = world.announcement(&pdf(10), json!({"patient_id": stranger}));
    portal.post(&world.path(""), theirs).await.expect(403);
}
