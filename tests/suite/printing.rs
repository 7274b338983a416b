//! Documents people can hold: what stands on them, who may print them, and that no print goes unrecorded.

mod world;

use std::time::Instant;

use base64::{Engine, prelude::BASE64_STANDARD};
use events::{AccessEvent, access::Handout};
use futures::future::join_all;
use serde_json::json;
use tests::{Answer, Client, LOGO, Stack, TestClinic};

use world::{Desk, glucose, plain};

fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(&plain(part)), "{part} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_takes_four_papers_home() {
    let desk = Desk::open().await;
    desk.letterhead().await;
    let papers = desk.papers().await;
    let [prescription, invoice, report, visit] = papers.all();
    let every = ["12 Residency Road", "MH-2019/12345", "+912026123456", "Meera #1 *Iyer*", "PT-", "12 Mar 1984"];

    let (answer, text) = desk.printed(&desk.doctor, &prescription).await;
    contains(&text, &every);
    contains(&text, &["Azithral 500", "azithromycin 500mg", "1 tablet", "once a day, after food", "for 3 days"]);
    contains(&text, &["3 tablets", "penicillin (a rash, unconfirmed)", "Licence LIC-", "version 3"]);
    let name = answer.header("content-disposition").to_owned();
    assert!(name.starts_with("inline; filename=\"RX-") && name.ends_with("-001.pdf\""), "{name}");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.position() > 0);

    let (_, text) = desk.printed(&desk.cashier, &invoice).await;
    contains(&text, &every);
    contains(&text, &["INV-", "Consultation", "1,20,000.50", "18 %", "43,200.18", "2,83,201.18", "1,83,201.18"]);
    contains(&text, &["Payment, UPI", "UPI 4711", "27AAAPA1234A1Z5"]);

    let (_, text) = desk.printed(&desk.technician, &report).await;
    contains(&text, &every);
    contains(&text, &["Glucose", "2345-7", "69", "mg/dL", "70 – 110", "low", "Final"]);
    assert!(!text.contains("CORRECTED"), "{text}");

    let (_, text) = desk.printed(&desk.doctor, &visit).await;
    contains(&text, &every);
    contains(&text, &["VIS-", "a cough", "walks unaided", "96", "Pneumonia", "J18.9", "Azithral 500", "Glucose"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_stand_says_so() {
    let desk = Desk::open().await;
    let papers = desk.papers().await;
    let [prescription, _, report, visit] = papers.all();

    // A correction stands beside what was reported before; what was printed then can be printed again, and says so.
    let before = desk.doctor.get(&desk.clinic.path(&report)).await.expect(200).position();
    let correction = json!({
        "result_id": desk.result(&papers.report).await, "result": glucose(96.0), "reason": "transcription",
        "why": "two digits were swapped"
    });
    desk.done(&desk.technician, &format!("{report}/correct"), correction).await;
    desk.stack.caught_up().await;
    let (_, text) = desk.printed(&desk.doctor, &report).await;
    contains(&text, &["CORRECTED", "96", "69 mg/dL", "Transcription", "two digits were swapped"]);
    let past = desk.clinic.path(&format!("{report}/pdf?as_of={before}"));
    let (answer, bytes) = desk.doctor.download(&past).await;
    assert_eq!(answer.expect(200).position(), before);
    let then = world::text(&bytes);
    contains(&then, &["PAST STATE", "69"]);
    assert!(!then.contains(&plain("two digits were swapped")), "{then}");

    // A prescription that was stopped, a draft, a visit that goes on.
    let stop = json!({"reason": "adverse_reaction", "text": "a rash"});
    desk.done(&desk.doctor, &format!("{prescription}/stop"), stop).await;
    let medicine = desk.done(&desk.clinic.admin, "/medicines", json!({"name": "House mixture"})).await.id();
    let item = json!({"medicine_id": medicine, "quantity": {"value": 100, "unit": "mL"}});
    let draft = json!({"patient_id": desk.patient, "items": [item]});
    let draft = desk.done(&desk.nurse, "/prescriptions", draft).await.id();
    desk.done(&desk.doctor, &format!("{visit}/reopen"), json!({"reason": "forgotten"})).await;
    desk.stack.caught_up().await;
    contains(&desk.printed(&desk.doctor, &prescription).await.1, &["STOPPED", "Adverse reaction: a rash"]);
    let (answer, text) = desk.printed(&desk.nurse, &format!("/prescriptions/{draft}")).await;
    contains(&text, &["DRAFT", "Not issued", "House mixture", "100 mL"]);
    assert!(answer.header("content-disposition").contains(&draft), "a draft has no number");
    contains(&desk.printed(&desk.doctor, &visit).await.1, &["DRAFT", "Not finished"]);
}

/// The command counts in the prescription itself, the query in the access ledger.
#[tokio::test(flavor = "multi_thread")]
async fn a_prescription_says_which_print_it_is() {
    let desk = Desk::open().await;
    let prescription = desk.papers().await.all()[0].clone();
    contains(&desk.printed(&desk.pharmacist, &prescription).await.1, &["not put on paper"]);
    for said in ["Print 1, recorded", "COPY", "COPY"] {
        let printed = desk.done(&desk.pharmacist, &format!("{prescription}/print"), json!({})).await;
        let after = desk.pharmacist.with("casebook-min-position", printed.position());
        let (answer, text) = desk.printed(&after, &prescription).await;
        contains(&text, &[said]);
        assert!(answer.position() >= printed.position());
    }
    contains(&desk.printed(&desk.pharmacist, &prescription).await.1, &["put on paper 3 times"]);
    let late = desk.doctor.with("casebook-min-position", 1_000_000);
    let answer = late.get(&desk.clinic.path(&format!("{prescription}/pdf"))).await.expect(503);
    assert_eq!(answer.code(), "projection-lag");
}

/// As the resource itself.
#[tokio::test(flavor = "multi_thread")]
async fn who_may_print_is_who_may_read() {
    let desk = Desk::open().await;
    let papers = desk.papers().await;
    // Prescription, invoice, report, visit.
    let people = [
        ("administrator", &desk.clinic.admin, [403, 200, 403, 200]),
        ("doctor", &desk.doctor, [200, 200, 200, 200]),
        ("receptionist", &desk.desk, [403, 200, 403, 200]),
        ("technician", &desk.technician, [403, 403, 200, 403]),
        ("pharmacist", &desk.pharmacist, [200, 403, 403, 403]),
        ("billing", &desk.cashier, [403, 200, 403, 403]),
        ("patient", &desk.portal, [200, 200, 200, 200]),
    ];
    for (role, who, statuses) in people {
        for (paper, status) in papers.all().iter().zip(statuses) {
            let (printed, _) = who.download(&desk.clinic.path(&format!("{paper}/pdf"))).await;
            assert_eq!(printed.status.as_u16(), status, "{role}: {paper}");
        }
    }
    for who in [&desk.nurse, &desk.auditor] {
        for paper in papers.all() {
            let shown = who.get(&desk.clinic.path(&paper)).await;
            let (printed, _) = who.download(&desk.clinic.path(&format!("{paper}/pdf"))).await;
            assert_eq!(shown.status, printed.status, "{paper}");
        }
    }
    // The desk sees who came when, and nothing that was found.
    let (_, text) = desk.printed(&desk.desk, &papers.all()[3]).await;
    contains(&text, &["VIS-", "Finished"]);
    assert!(
        ["Pneumonia", "J18.9", "Azithral", "walks unaided"].iter().all(|found| !text.contains(&plain(found))),
        "{text}"
    );

    // A patient prints what was released, and nobody else's.
    let (_, theirs) = desk.clinic.portal("Vikram").await;
    for paper in papers.all() {
        let (answer, _) = theirs.download(&desk.clinic.path(&format!("{paper}/pdf"))).await;
        assert_eq!(answer.status.as_u16(), 403, "{paper}");
    }
    let (_, unreleased) = desk.clinic.tested(&desk.patient).await;
    let draft = desk.done(&desk.nurse, "/prescriptions", json!({"patient_id": desk.patient})).await.id();
    desk.stack.caught_up().await;
    for paper in [format!("/lab-reports/{unreleased}"), format!("/prescriptions/{draft}")] {
        desk.portal.get(&desk.clinic.path(&format!("{paper}/pdf"))).await.expect(404);
    }
    contains(&desk.printed(&desk.doctor, &format!("/lab-reports/{unreleased}")).await.1, &["PRELIMINARY"]);
    let doctor = |query: &str| desk.clinic.path(&format!("{}/pdf?{query}", papers.all()[0]));
    desk.doctor.get(&doctor("replay=018f0000-0000-7000-8000-000000000001")).await.expect(400);
    desk.doctor.get(&doctor("copies=3")).await.expect(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_print_is_in_the_access_ledger_and_none_goes_out_without() {
    let desk = Desk::open().await;
    let papers = desk.papers().await;
    let log = desk.stack.access_log(&desk.clinic.id);
    for (paper, kind) in papers.all().iter().zip(["prescription", "invoice", "lab_report", "visit"]) {
        let before = log.position().await;
        desk.printed(&desk.doctor, paper).await;
        let records = log.after(before).await;
        let [record] = records.as_slice() else { panic!("{paper}: {records:?}") };
        let AccessEvent::HandedOut { handout, resource, sha256, .. } = &record.event else { panic!("{record:?}") };
        let resource = resource.as_ref().expect("the path names it");
        assert_eq!((*handout, resource.kind.as_str(), sha256), (Handout::Print, kind, &None));
        assert!(paper.ends_with(&resource.id.to_string()) && record.patients.contains(&desk.patient), "{record:?}");
    }
    // Auditors and the patient find them as prints.
    desk.stack.caught_up().await;
    let prints = desk.clinic.path(&format!("/audit/access?category=print&patient={}", desk.patient));
    let listed = desk.auditor.get(&prints).await.expect(200).json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(4), "{listed}");
    let own = desk.portal.get(&desk.clinic.path(&format!("/patients/{}/access-log", desk.patient))).await.expect(200);
    assert!(own.text.contains("printed"), "{}", own.text);

    let fails = "CREATE FUNCTION log.no_access() RETURNS trigger LANGUAGE plpgsql AS
                 'BEGIN RAISE EXCEPTION ''the disk is full''; END';
                 CREATE TRIGGER no_access BEFORE INSERT ON log.event FOR EACH ROW WHEN (NEW.ledger = 2)
                 EXECUTE FUNCTION log.no_access()";
    desk.stack.run_as_superuser(fails).await;
    for paper in papers.all() {
        let (answer, _) = desk.doctor.download(&desk.clinic.path(&format!("{paper}/pdf"))).await;
        assert_eq!(answer.expect(503).code(), "unavailable", "{paper}");
    }
    desk.stack.run_as_superuser("DROP TRIGGER no_access ON log.event").await;
    desk.stack.verify_chains().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_who_is_forgotten_is_printed() {
    let desk = Desk::on(Stack::start_erasing().await).await;
    let settings = json!({"retention": {"clinical_years": 0}}).to_string().into_bytes();
    let path = desk.clinic.path("/settings");
    desk.clinic.admin.send(reqwest::Method::PATCH, &path, Some(settings)).await.expect(200);
    let (second, papers) = (desk.clinic.staff(&["clinic_admin"]).await, desk.papers().await);
    let on = |action: &str| format!("/patients/{}/{action}", desk.patient);
    desk.done(&desk.clinic.admin, &on("request-erasure"), json!({"reason": "moves away"})).await;
    let erased = desk.done(&second, &on("approve-erasure"), json!({})).await;
    for paper in papers.all() {
        let who = desk.doctor.with("casebook-min-position", erased.position());
        let (answer, _) = who.download(&desk.clinic.path(&format!("{paper}/pdf"))).await;
        assert_eq!(answer.status.as_u16(), 410, "{paper}: {}", answer.text);
    }
}

/// Two at a time: nobody else waits for the printer.
#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_prints_at_once_hold_nobody_up() {
    const PRINTS: usize = 200;
    let desk = Desk::open().await;
    let paper = desk.papers().await.all()[0].clone();
    let path = desk.clinic.path(&format!("{paper}/pdf"));
    let begun = Instant::now();
    let prints = async {
        let printed = join_all((0..PRINTS).map(|_| desk.doctor.download(&path))).await;
        (printed, begun.elapsed())
    };
    let others = async {
        for _ in 0..20 {
            desk.doctor.get(&desk.clinic.path(&paper)).await.expect(200);
        }
        begun.elapsed()
    };
    let ((printed, all_printed), answered) = futures::join!(prints, others);
    assert!(answered < all_printed, "others waited {answered:?}, as long as the prints: {all_printed:?}");
    for (answer, bytes) in printed {
        let turned_away = || answer.code() == "press-busy" && !answer.header("retry-after").is_empty();
        assert!(bytes.starts_with(b"%PDF-") || turned_away(), "{} {}", answer.status, answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clinic_has_its_logo() {
    let stack = Stack::start().await;
    let (clinic, other) = (TestClinic::register(&stack.client()).await, TestClinic::register(&stack.client()).await);
    clinic.get("/logo").await.expect(404);
    let picture = base64(LOGO);
    let nurse = clinic.staff(&["nurse"]).await;
    nurse.post(&clinic.path("/logo"), json!({"picture": picture})).await.expect(403);
    for wrong in ["", "no base64", &base64(b"<svg xmlns='http://www.w3.org/2000/svg'/>")] {
        let refused = clinic.post("/logo", json!({"picture": wrong})).await.expect(422);
        assert_eq!(refused.json()["errors"][0]["pointer"], "/picture", "{}", refused.text);
    }
    let set = clinic.post("/logo", json!({"picture": picture})).await.expect(200);
    assert_eq!(set.json()["events"], json!(["ClinicLogoSet"]));
    assert_eq!(clinic.post("/logo", json!({"picture": picture})).await.expect(200).json()["events"], json!([]));
    let shown = |who: &Client| who.with("casebook-min-position", set.position());
    let (answer, bytes) = shown(&nurse).download(&clinic.path("/logo")).await;
    assert_eq!((answer.expect(200).header("content-type"), bytes.as_slice()), ("image/png", LOGO));
    let profile: Answer = clinic.get_at(set.position(), "").await.expect(200);
    assert_eq!(profile.json()["printed_logo"]["media_type"], "image/png");
    other.get("/logo").await.expect(404);
    let removed = clinic.post("/logo/remove", json!({})).await.expect(200);
    clinic.get_at(removed.position(), "/logo").await.expect(404);
    assert_eq!(clinic.get_at(removed.position(), "").await.expect(200).json()["printed_logo"], json!(null));
    stack.read_models_equal_the_log().await;
}

fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}
