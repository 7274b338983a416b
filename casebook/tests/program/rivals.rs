//! Two processes that take commands, on one database: a doctor's time is given once, whichever of them is asked.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, TimeZone, Utc, Weekday};
use chrono_tz::Asia::Kolkata;
use futures::future::join_all;
use local_servers::{LocalNats, LocalPostgres};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use super::started::{Started, casebook, folder, ready, serve};

const SLUG: &str = "rivals";
const RIVALS: usize = 1_000;

/// Somebody at the desk, who asks one of the processes.
struct Desk {
    client: Client,
    address: String,
    token: String,
}

impl Desk {
    /// Registers the clinic with the process.
    async fn register(process: &Started) -> (Self, String) {
        let client = Client::new();
        let body = json!({
            "name": "Rivals", "slug": SLUG, "email": "desk@rivals.example",
            "admin": {"username": "asha", "password": "correct horse battery", "name": "Asha", "email": "a@rivals.example"}
        });
        let answer = client.post(format!("{}/api/v1/clinics", process.address)).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        let answer: Value = answer.json().await.unwrap();
        let token = text(&answer, "access_token");
        (Self { client, address: process.address.clone(), token }, text(&answer, "office_id"))
    }

    /// The same person, at the other process.
    fn at(&self, process: &Started) -> Self {
        Self { client: self.client.clone(), address: process.address.clone(), token: self.token.clone() }
    }

    async fn post(&self, below: &str, body: &Value) -> (StatusCode, Value) {
        let url = format!("{}/clinic/{SLUG}/api/v1{below}", self.address);
        let answer = self.client.post(url).bearer_auth(&self.token).json(body).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    async fn create(&self, below: &str, body: Value) -> String {
        let (status, answer) = self.post(below, &body).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        text(&answer, "id")
    }
}

fn text(answer: &Value, member: &str) -> String {
    answer[member].as_str().unwrap().to_owned()
}

/// Ten o'clock on a working day to come.
fn slot() -> DateTime<Utc> {
    let tomorrow = Utc::now().with_timezone(&Kolkata).date_naive() + Days::new(1);
    let day = tomorrow.iter_days().find(|day| day.weekday() != Weekday::Sun).unwrap();
    Kolkata.from_local_datetime(&day.and_hms_opt(10, 0, 0).unwrap()).unwrap().to_utc()
}

async fn booked(postgres: &LocalPostgres) -> i64 {
    let log = sqlx::PgPool::connect(&postgres.superuser_url("casebook")).await.unwrap();
    let count = sqlx::query_scalar("SELECT count(*) FROM log.event WHERE event_type = 'AppointmentBooked'");
    count.fetch_one(&log).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_bookings_of_one_slot_at_two_processes_are_one() {
    let (postgres, nats) = tokio::try_join!(LocalPostgres::start_temporary(), LocalNats::start_temporary()).unwrap();
    let folder = folder();
    let data_dir = folder.path().join("data");
    assert!(casebook(&data_dir, &["setup"]).env("DATABASE_URL", postgres.url()).status().unwrap().success());
    let processes = [(); 2].map(|()| serve(&data_dir, "command-api", &postgres, &nats));
    for process in &processes {
        assert!(ready(process).await);
    }
    let (desk, office) = Desk::register(&processes[0]).await;
    let doctor = json!({
        "name": "Doctor", "email": "doctor@rivals.example", "username": "doctor", "licence_number": "LIC-1",
        "office_ids": [office]
    });
    let doctor = desk.create("/doctors", doctor).await;
    let patient = desk.create("/patients", json!({"first_name": "Asha"})).await;
    let booking = json!({"patient_id": patient, "doctor_id": doctor, "office_id": office, "start": slot()});
    let desks = [desk.at(&processes[0]), desk.at(&processes[1])];
    let rivals = (0..RIVALS).map(|n| desks[n % 2].post("/appointments", &booking));
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    for (status, _) in join_all(rivals).await {
        *statuses.entry(status.as_u16()).or_default() += 1;
    }
    assert_eq!(statuses, BTreeMap::from([(201, 1), (409, RIVALS - 1)]));
    assert_eq!(booked(&postgres).await, 1);
}
