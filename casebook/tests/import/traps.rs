//! A small book with every trap that real ones hold.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt};

use chrono::{Datelike, Days, Utc, Weekday};
use event_store::row::sha256;
use events::{ActorKind, ClinicId, DomainEvent, PatientEvent, UserId, values::BirthDate};

use crate::{
    log::{self, Counts},
    world::{World, said},
};

const HEADER: &str = "PatientId,AppointmentID,Gender,ScheduledDay,AppointmentDay,Age,Neighbourhood,No-show\n";

/// Lines 2 to 18. The last one is half done: it can be booked, and cannot have been fulfilled yet.
fn book() -> Vec<u8> {
    let next_month = Utc::now().date_naive() + Days::new(30);
    let next_month = if next_month.weekday() == Weekday::Sun { next_month + Days::new(1) } else { next_month };
    let lines = [
        "9377952927E-5,1,F,2016-05-18T09:12:29Z,2016-05-20T00:00:00Z,33,FORTE SÃO JOÃO,No".to_owned(),
        "9377952927E-5,2,F,2016-05-18T09:12:29Z,2016-05-20T00:00:00Z,34,FORTE SÃO JOÃO,Yes".to_owned(),
        "7,3,M,2016-05-28T09:00:00Z,2016-05-20T00:00:00Z,0,FORTE SÃO JOÃO,No".to_owned(),
        "8,4,M,2016-05-18T09:00:00Z,2016-05-20T00:00:00Z,-1,FORTE SÃO JOÃO,No".to_owned(),
        "8,5,M,2016-05-18T09:00:00Z,2016-05-20T00:00:00Z,50,FORTE SÃO JOÃO,Perhaps".to_owned(),
        "8,1,M,2016-05-18T09:00:00Z,2016-05-20T00:00:00Z,50,FORTE SÃO JOÃO,No".to_owned(),
        "8,6,M,2016-05-18T09:00:00Z,2016-05-32T00:00:00Z,50,FORTE SÃO JOÃO,No".to_owned(),
        "8,7,M,2016-05-18T09:00:00Z,2016-05-22T00:00:00Z,50,FORTE SÃO JOÃO,No".to_owned(),
        ",8,M,2016-05-18T09:00:00Z,2016-05-20T00:00:00Z,50,FORTE SÃO JOÃO,No".to_owned(),
        "9,9,M,2016-05-18T09:00:00Z,2016-05-20T00:00:00Z,50,FORTE SÃO JOÃO".to_owned(),
        "7,1,,2016-05-18T09:00:00Z,2016-05-20T00:00:00Z,,Forte Sao Joao,Yes".to_owned(),
        "\"7\",1,F,2016-05-18T09:00:00Z,2016-05-20T00:00:00Z,5,\"D'ÁGUA, NORTE\",No".to_owned(),
        "7,2,F,2016-05-18T09:00:00Z,2016-05-20T00:00:00Z,5,\"d'água,  norte\",No".to_owned(),
        "7,3,F,2016-05-18T09:00:00Z,2016-05-20T00:00:00Z,5,D?GUA,No".to_owned(),
        "7,4,F,2016-05-18T09:00:00Z,2090-05-18T00:00:00Z,5,\"D'ÁGUA, NORTE\",No".to_owned(),
        "\"7\n8\",5,F,2016-05-18T09:00:00Z,2016-05-20T00:00:00Z,5,\"D'ÁGUA, NORTE\",No".to_owned(),
        format!("7,6,F,2016-05-18T09:00:00Z,{next_month}T00:00:00Z,5,\"D'ÁGUA, NORTE\",No"),
    ];
    let text = format!("\u{feff}{HEADER}{}\r\n", lines.join("\r\n"));
    // One line is in another encoding.
    text.into_bytes().into_iter().map(|byte| if byte == b'?' { 0xC1 } else { byte }).collect()
}

/// By line: at which step, and with which code.
const REFUSED: [(u64, &str, &str); 11] = [
    (5, "read", "unreadable"),
    (6, "read", "unreadable"),
    (7, "read", "unreadable"),
    (8, "read", "unreadable"),
    (9, "book", "outside-working-hours"),
    (10, "read", "unreadable"),
    (11, "read", "unreadable"),
    (15, "read", "unreadable"),
    (16, "book", "too-far-ahead"),
    (17, "read", "unreadable"),
    (19, "check-in", "in-the-future"),
];

fn refused(world: &World) -> Vec<(u64, String, String)> {
    let mut csv = csv::Reader::from_path(world.left().join("refused.csv")).unwrap();
    let rows = csv.deserialize::<(u64, String, String, String)>();
    rows.map(|row| row.map(|(line, step, code, _)| (line, step, code)).unwrap()).collect()
}

fn expected_refusals() -> Vec<(u64, String, String)> {
    REFUSED.map(|(line, step, code)| (line, step.to_owned(), code.to_owned())).to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_understood_is_taken_and_the_rest_is_reported_at_every_run() {
    let world = World::new().await;
    let file = world.write("book.csv", book());
    let first = said(world.import(&file));
    assert!(first.contains("3 clinics, 3 doctors, 5 patients"), "{first}");
    assert!(
        first.contains("Appointments: 6 (4 fulfilled, 2 noshow)") && first.contains("Refused lines: 11"),
        "{first}"
    );
    assert_eq!(refused(&world), expected_refusals());
    let store = world.store();
    check_counts(&log::counts(&store).await);
    let before = store.heads().await.unwrap();

    // As after 48 hours, when the log has forgotten the idempotency keys.
    sqlx::query("DELETE FROM log.idempotency").execute(&world.superuser().await).await.unwrap();
    let second = said(world.import(&file));
    assert!(second.contains("5 patients") && second.contains("6 (4 fulfilled, 2 noshow)"), "{second}");
    assert_eq!(refused(&world), expected_refusals());
    assert_eq!(store.heads().await.unwrap(), before, "nothing was recorded twice");
    log::assert_intact(&store).await;
}

fn check_counts(counts: &std::collections::BTreeMap<String, Counts>) {
    let of = |patients, booked, fulfilled, no_shows| Counts { patients, booked, fulfilled, no_shows };
    assert_eq!(counts["FORTE SÃO JOÃO"], of(3, 3, 2, 1));
    assert_eq!(counts["Forte Sao Joao"], of(1, 1, 0, 1));
    assert_eq!(counts["D'ÁGUA, NORTE"], of(1, 3, 2, 0));
    assert_eq!(counts.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_say_when_it_happened_and_that_an_import_said_so() {
    let world = World::new().await;
    said(world.import(&world.write("book.csv", book())));
    let store = world.store();
    let mut slugs = BTreeSet::new();
    for clinic in log::clinics(&store).await {
        slugs.insert(log::name_and_slug(&store, clinic).await.1);
        for recorded in store.read_clinic(clinic, 0, 1_000).await.unwrap() {
            assert_eq!(recorded.actor.kind, ActorKind::Import);
            assert_ne!(recorded.event_id.get_version_num(), 4);
            check_event(&recorded.event, recorded.occurred_at.year());
        }
    }
    assert_eq!(slugs, BTreeSet::from(["forte-sao-joao", "forte-sao-joao-2", "d-agua-norte"].map(str::to_owned)));
}

fn check_event(event: &DomainEvent, occurred_in: i32) {
    match event {
        // Made for the operator, now.
        DomainEvent::Staff(events::StaffEvent::ActivationRenewed { .. }) => assert!(occurred_in > 2016),
        DomainEvent::Patient(PatientEvent::PatientRegistered { sealed, birth_year, .. }) => {
            let person = sealed.open().unwrap();
            assert!(person.first_name.starts_with("Patient "));
            assert_eq!(person.birth_date, birth_year.map(BirthDate::Year), "an age gives no more than a year");
            assert_eq!(occurred_in, 2016);
        }
        _ => assert_eq!(occurred_in, 2016, "{event:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_administrators_activations_are_left_for_the_operator_alone() {
    let world = World::new().await;
    let said = said(world.import(&world.write("book.csv", book())));
    let path = world.left().join("activations.csv");
    assert!(said.contains(path.to_str().unwrap()), "{said}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let store = world.store();
    let mut handed_over = 0;
    for row in csv::Reader::from_path(path).unwrap().deserialize::<(String, String, String, String, String)>() {
        let (name, slug, _, activation, _) = row.unwrap();
        let clinic = store.clinic_by_slug(&slug).await.unwrap().unwrap();
        assert_eq!(log::name_and_slug(&store, clinic).await, (name, slug));
        let credential = store.credential(clinic, administrator(&store, clinic).await).await.unwrap().unwrap();
        assert_eq!(credential.activation.unwrap().0, sha256(activation.as_bytes()));
        handed_over += 1;
    }
    assert_eq!(handed_over, 3);
}

async fn administrator(store: &event_store::Store, clinic: ClinicId) -> UserId {
    let first = store.read_rows(clinic, events::Ledger::Record, 0, 4).await.unwrap();
    UserId(first.iter().find(|row| row.event_type == "StaffInvited").unwrap().stream_id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clinic_whose_name_is_taken_is_reported_line_by_line() {
    let world = World::new().await;
    said(world.import(&world.write("book.csv", format!("{HEADER}7,1,F,{DAYS},5,CENTRO,No\n"))));
    let other = world.write("other.csv", format!("{HEADER}7,1,F,{DAYS},5,CENTRO,No\n8,2,F,{DAYS},5,CENTRO,No\n"));
    let report = world.path("report.csv");
    let output = said(world.import_with(&other, &["--report", report.to_str().unwrap()]));
    assert!(output.contains("0 clinics") && output.contains("Refused lines: 2"), "{output}");
    let text = fs::read_to_string(report).unwrap();
    assert!(text.contains("2,register-clinic,duplicate") && text.contains("3,register-clinic,duplicate"), "{text}");
}

const DAYS: &str = "2016-05-18T09:00:00Z,2016-05-20T00:00:00Z";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_such_book_is_a_failure() {
    let world = World::new().await;
    let file = world.write("book.csv", HEADER.replace("Gender", "Sex"));
    let output = world.import(&file);
    let complained = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && complained.contains("the file has no column `Gender`"), "{complained}");
}
