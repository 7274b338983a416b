//! Reminders: who gets one, when, once, and what the record says of it.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use local_servers::{LocalSmtp, Manner};
use serde_json::{Value, json};
use tests::{Answer, Stack, TestClinic, working_time};

const WITHIN: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(20);
const HURRY: &str = "UPDATE log.outbox SET next_attempt_at = now() - interval '1 second' WHERE clinic = $1::uuid";

/// A clinic that reminds a day and two hours before, with a doctor.
struct Desk {
    stack: Stack,
    clinic: TestClinic,
    doctor: String,
}

impl Desk {
    async fn open() -> Self {
        let stack = Stack::start().await;
        let clinic = TestClinic::register(&stack.client()).await;
        let doctor = clinic.doctor().await;
        stack.mailer_to_folder().send_due().await.expect("the doctor's activation goes");
        let desk = Self { stack, clinic, doctor };
        desk.settings(json!({"reminders": {"hours_before": [24, 2]}})).await.expect(200);
        desk
    }

    async fn settings(&self, settings: Value) -> Answer {
        let body = Some(settings.to_string().into_bytes());
        self.clinic.admin.send(reqwest::Method::PATCH, &self.clinic.path("/settings"), body).await
    }

    async fn patient(&self, email: Option<&str>) -> String {
        let body = json!({"first_name": "Meera", "last_name": "Planted-7531", "email": email});
        self.clinic.post("/patients", body).await.expect(201).id()
    }

    /// On the third working day from tomorrow on.
    async fn booked(&self, patient: &str, hour: u32) -> (String, DateTime<Utc>) {
        let start = working_time(2, hour, 0);
        let mut booking = self.clinic.booking(patient, &self.doctor, start);
        booking["reason"] = json!("a planted cough");
        (self.clinic.post("/appointments", booking).await.expect(201).id(), start)
    }

    /// What a scheduler does at that time: how many reminders it queued.
    async fn queued_at(&self, time: DateTime<Utc>) -> i64 {
        self.stack.caught_up().await;
        let looks = self.stack.scheduler(time - Utc::now()).await.look().await;
        looks.iter().find(|(name, _)| *name == "reminders").expect("it is one of the jobs").1.done
    }

    /// Sends what waits; the mails that came of it.
    async fn sent(&self) -> Vec<String> {
        let before = self.stack.mails();
        self.stack.mailer_to_folder().send_due().await.expect("the outbox is there");
        self.stack.mails().into_iter().filter(|mail| !before.contains(mail)).collect()
    }

    async fn reminders(&self, appointment: &str) -> Value {
        self.stack.caught_up().await;
        self.clinic.get(&format!("/appointments/{appointment}")).await.expect(200).json()["reminders"].clone()
    }

    async fn count(&self, event: &str) -> i64 {
        self.stack.count_events(&self.clinic.id, event).await
    }
}

fn hours(hours: i64) -> TimeDelta {
    TimeDelta::hours(hours)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_is_reminded_once_at_each_time_and_the_record_says_so() {
    let desk = Desk::open().await;
    let patient = desk.patient(Some("meera@post.example")).await;
    let (appointment, start) = desk.booked(&patient, 10).await;
    assert_eq!(desk.queued_at(start - hours(25)).await, 0, "not yet");
    assert_eq!(desk.queued_at(start - hours(24)).await, 1);
    assert_eq!(desk.queued_at(start - hours(23)).await, 0, "it is queued already");
    assert_eq!(desk.count("ReminderSent").await, 0, "nothing was sent yet");
    let mails = desk.sent().await;
    assert_eq!(mails.len(), 1);
    for (expected, word) in [
        (true, "To: meera@post.example"),
        (true, "Subject: Reminder of your appointment"),
        (true, "Main office"),
        (true, "10:00 (IST)"),
        (false, "Meera"),
        (false, "Planted"),
        (false, "cough"),
        (false, "Doctor"),
    ] {
        assert_eq!(mails[0].contains(word), expected, "{word}: {}", mails[0]);
    }
    let reminders = desk.reminders(&appointment).await;
    assert_eq!((&reminders[0]["hours_before"], &reminders[0]["failure"]), (&json!(24), &Value::Null));
    assert_eq!(desk.queued_at(start - hours(3)).await, 0, "once");
    assert_eq!(desk.queued_at(start - hours(1)).await, 1);
    assert_eq!(desk.sent().await.len(), 1);
    assert_eq!(desk.reminders(&appointment).await.as_array().map(Vec::len), Some(2));
    assert_eq!(desk.queued_at(start).await, 0);
    // Another start is reminded of anew.
    let later = start + hours(1);
    desk.clinic.post(&format!("/appointments/{appointment}/reschedule"), json!({"start": later})).await.expect(200);
    assert_eq!(desk.queued_at(later - hours(20)).await, 1);
    assert_eq!(desk.sent().await.len(), 1);
    assert_eq!((desk.count("ReminderSent").await, desk.count("ReminderFailed").await), (3, 0));
    let events = desk.clinic.get(&format!("/audit/events?patient={patient}")).await.expect(200).json();
    let told = events["items"].as_array().expect("a list").iter().find(|event| event["event"] == "ReminderSent");
    let told = told.expect("it is told").to_string();
    assert!(told.contains("The system reminded patient") && !told.contains("post.example"), "{told}");
    desk.stack.read_models_equal_the_log().await;
    desk.stack.verify_chains().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_reminded_who_does_not_come_cannot_be_reached_or_does_not_want_it() {
    let desk = Desk::open().await;
    let post = async |path: String, body: Value| desk.clinic.post(&path, body).await.expect(200);
    let nowhere = desk.patient(None).await;
    desk.booked(&nowhere, 10).await;
    let objecting = desk.patient(Some("objects@post.example")).await;
    let consent = post(format!("/patients/{objecting}/give-consent"), json!({"scope": "reminders"})).await;
    let withdraw = json!({"consent_id": consent.text_of("consent_id")});
    post(format!("/patients/{objecting}/withdraw-consent"), withdraw).await;
    desk.booked(&objecting, 11).await;
    let died = desk.patient(Some("died@post.example")).await;
    desk.booked(&died, 12).await;
    post(format!("/patients/{died}/record-death"), json!({})).await;
    let cancelling = desk.patient(Some("cancels@post.example")).await;
    let (cancelled, _) = desk.booked(&cancelling, 13).await;
    post(format!("/appointments/{cancelled}/cancel"), json!({})).await;
    let (regretted, start) = desk.booked(&cancelling, 14).await;
    assert_eq!(desk.queued_at(start - hours(20)).await, 1);
    // Cancelled after the reminder was queued.
    post(format!("/appointments/{regretted}/cancel"), json!({})).await;
    assert_eq!(desk.sent().await, [""; 0]);
    desk.settings(json!({"reminders": {"hours_before": []}})).await.expect(200);
    desk.booked(&cancelling, 15).await;
    assert_eq!(desk.queued_at(start - hours(20)).await, 0, "who sets no times sends no reminders");
    assert_eq!((desk.count("ReminderSent").await, desk.count("ReminderFailed").await), (0, 0));
    let never = desk.settings(json!({"reminders": {"hours_before": [0]}})).await.expect(422);
    assert_eq!(never.code(), "invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_merged_is_reminded_where_the_person_is_reached_now() {
    let desk = Desk::open().await;
    let (double, survivor) =
        (desk.patient(Some("old@post.example")).await, desk.patient(Some("new@post.example")).await);
    let (appointment, start) = desk.booked(&double, 10).await;
    let merge = json!({"survivor_id": survivor});
    desk.clinic.post(&format!("/patients/{double}/merge"), merge).await.expect(200);
    assert_eq!(desk.queued_at(start - hours(20)).await, 1);
    let mails = desk.sent().await;
    assert!(mails[0].contains("To: new@post.example"), "{}", mails[0]);
    assert_eq!(desk.reminders(&appointment).await.as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_dies_before_saying_so_sends_again_and_it_is_recorded_once() {
    let desk = Desk::open().await;
    let patient = desk.patient(Some("meera@post.example")).await;
    let (_, start) = desk.booked(&patient, 10).await;
    assert_eq!(desk.queued_at(start - hours(20)).await, 1);
    let server = LocalSmtp::start(None).await.unwrap();
    server.behaves(Manner::TakesAndSaysNothing);
    let dying = tokio::spawn({
        let mailer = desk.stack.mailer(&server.url());
        async move { mailer.send_due().await }
    });
    let since = Instant::now();
    while server.taken().is_empty() {
        assert!(since.elapsed() < WITHIN, "nothing is sent");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    dying.abort();
    server.behaves(Manner::Takes);
    let mailer = desk.stack.mailer(&server.url());
    for _ in 0..2 {
        desk.stack.as_superuser(HURRY, &desk.clinic.id).await;
        mailer.send_due().await.unwrap();
    }
    let taken = server.taken();
    let id = |n: usize| taken[n].content.lines().find(|line| line.starts_with("Message-ID:")).map(str::to_owned);
    assert_eq!((taken.len(), id(0)), (2, id(1)));
    assert_eq!(desk.count("ReminderSent").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_that_is_refused_is_on_record_without_the_address() {
    let desk = Desk::open().await;
    let patient = desk.patient(Some("meera@post.example")).await;
    let (appointment, start) = desk.booked(&patient, 10).await;
    assert_eq!(desk.queued_at(start - hours(20)).await, 1);
    let server = LocalSmtp::start(None).await.unwrap();
    server.behaves(Manner::Refuses(550));
    desk.stack.mailer(&server.url()).send_due().await.unwrap();
    assert_eq!(desk.reminders(&appointment).await[0]["failure"], "refused");
    assert_eq!(desk.stack.rows_with("log.event", "post.example").await, 0);
    assert_eq!(desk.queued_at(start - hours(19)).await, 0, "nobody is bothered again");
    // Unless somebody asks for it.
    server.behaves(Manner::Takes);
    let writer = event_store::DbRole::Writer.pool(desk.stack.postgres.url().parse().unwrap(), 1);
    assert_eq!(event_store::outbox::retry(&writer, None).await.unwrap(), 1);
    desk.stack.mailer(&server.url()).send_due().await.unwrap();
    assert_eq!((desk.count("ReminderSent").await, desk.count("ReminderFailed").await), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_schedulers_and_two_mailers_remind_once() {
    let desk = Desk::open().await;
    let patient = desk.patient(Some("meera@post.example")).await;
    for hour in 10..16 {
        desk.booked(&patient, hour).await;
    }
    desk.stack.caught_up().await;
    let ahead = working_time(2, 10, 0) - hours(3) - Utc::now();
    let (mut one, mut other) = (desk.stack.scheduler(ahead).await, desk.stack.scheduler(ahead).await);
    tokio::join!(one.look(), other.look());
    let server = LocalSmtp::start(None).await.unwrap();
    let (first, second) = (desk.stack.mailer(&server.url()), desk.stack.mailer(&server.url()));
    let (first, second) = tokio::join!(first.send_due(), second.send_due());
    assert_eq!(first.unwrap() + second.unwrap(), server.taken().len());
    assert_eq!((server.taken().len() as i64, desk.count("ReminderSent").await), (6, 6));
}
