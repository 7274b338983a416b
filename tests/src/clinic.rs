//! A clinic with people in it, made over HTTP.

use std::sync::atomic::{AtomicU32, Ordering};

use aws_lc_rs::digest;
use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, Days, NaiveTime, Utc};
use chrono_tz::Asia::Kolkata;
use events::calendar::instant;
use reqwest::Method;
use serde_json::{Value, json};

use crate::http::{Answer, Client};

/// A PNG: a square of one colour.
pub const LOGO: &[u8] = include_bytes!("../../printing/tests/suite/logo.png");

pub const PASSWORD: &str = "correct horse battery staple";

static NEXT: AtomicU32 = AtomicU32::new(1);

/// A registered clinic and its first administrator's client.
#[derive(Clone)]
pub struct TestClinic {
    pub id: String,
    pub slug: String,
    pub office: String,
    pub admin: Client,
    anybody: Client,
}

impl TestClinic {
    /// Registers a clinic with a name of its own.
    pub async fn register(anybody: &Client) -> Self {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let slug = format!("clinic-{n}-{}", std::process::id());
        let answer = anybody.post("/api/v1/clinics", registration(&slug)).await.expect(201);
        let admin = anybody.with_token(answer.text_of("access_token"));
        let office = answer.text_of("office_id");
        Self { id: answer.id(), slug, office, admin, anybody: anybody.clone() }
    }

    /// `/clinic/{slug}/api/v1{below}`
    pub fn path(&self, below: &str) -> String {
        format!("/clinic/{}/api/v1{below}", self.slug)
    }

    pub async fn get(&self, below: &str) -> Answer {
        self.admin.get(&self.path(below)).await
    }

    /// A query that sees at least what is recorded at the position.
    pub async fn get_at(&self, position: i64, below: &str) -> Answer {
        self.admin.with("casebook-min-position", position).get(&self.path(below)).await
    }

    pub async fn post(&self, below: &str, body: Value) -> Answer {
        self.admin.post(&self.path(below), body).await
    }

    /// A patient by first name; gives the id.
    pub async fn patient(&self, first_name: &str) -> String {
        self.post("/patients", json!({"first_name": first_name})).await.expect(201).id()
    }

    /// A doctor who works in the first office at its hours; gives the id.
    pub async fn doctor(&self) -> String {
        self.new_doctor().await.id()
    }

    pub async fn new_doctor(&self) -> Answer {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let body = json!({
            "name": format!("Doctor {n}"), "email": format!("doctor{n}@{}.example", self.slug),
            "username": format!("doctor{n}"), "licence_number": format!("LIC-{n}"), "office_ids": [self.office]
        });
        self.post("/doctors", body).await.expect(201)
    }

    /// Somebody with these roles, activated and logged in.
    pub async fn staff(&self, roles: &[&str]) -> Client {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let username = format!("user{n}");
        let body = json!({"name": format!("User {n}"), "username": username, "roles": roles});
        let invited = self.post("/staff", body).await.expect(201);
        self.activate(&username, &invited.text_of("activation")).await
    }

    /// Sets the first password and logs in.
    pub async fn activate(&self, username: &str, activation: &str) -> Client {
        let body = json!({
            "clinic": self.slug, "username": username, "activation": activation, "password": PASSWORD
        });
        let tokens = self.anybody.post("/api/v1/auth/activate", body).await.expect(200);
        self.anybody.with_token(tokens.text_of("access_token"))
    }

    /// Somebody whose roles allow every command that there is.
    pub async fn doctor_and_administrator(&self) -> Client {
        let doctor = self.new_doctor().await;
        let grant = format!("/staff/{}/grant-role", doctor.id());
        for role in ["clinic_admin", "lab_technician"] {
            self.post(&grant, json!({"role": role})).await.expect(200);
        }
        let staff = self.get_at(doctor.position(), &format!("/staff/{}", doctor.id())).await.expect(200);
        self.activate(&staff.text_of("username"), &doctor.text_of("activation")).await
    }

    /// A doctor's id and login.
    pub async fn doctor_login(&self) -> (String, Client) {
        let doctor = self.new_doctor().await;
        let staff = self.get_at(doctor.position(), &format!("/staff/{}", doctor.id())).await.expect(200);
        (doctor.id(), self.activate(&staff.text_of("username"), &doctor.text_of("activation")).await)
    }

    /// A patient with a portal login of their own: the patient's id, and the login.
    pub async fn portal(&self, first_name: &str) -> (String, Client) {
        let (username, birth_date) = (format!("portal{}", NEXT.fetch_add(1, Ordering::Relaxed)), "1984-03-12");
        let body = json!({"first_name": first_name, "birth_date": birth_date});
        let patient = self.post("/patients", body).await.expect(201).id();
        let invite = json!({"name": first_name, "username": username, "roles": ["patient"], "patient_id": patient});
        let activation = self.post("/staff", invite).await.expect(201).text_of("activation");
        let body = json!({"clinic": self.slug, "username": username, "activation": activation, "password": PASSWORD,
            "birth_date": birth_date});
        let tokens = self.anybody.post("/api/v1/auth/activate", body).await.expect(200);
        (patient, self.anybody.with_token(tokens.text_of("access_token")))
    }

    /// An administrative document of a patient, with its content, by somebody who may bring one; gives the id.
    pub async fn uploaded(&self, by: &Client, patient: &str) -> String {
        let content = b"an insurance card";
        let body = json!({
            "patient_id": patient, "kind": "administrative", "title": "A card", "media_type": "text/plain",
            "size": content.len(), "sha256": hex::encode(digest::digest(&digest::SHA256, content))
        });
        let id = by.post(&self.path("/documents"), body).await.expect(201).id();
        let path = self.path(&format!("/documents/{id}"));
        let sent = by.send(Method::PUT, &format!("{path}/content"), Some(content.to_vec())).await.expect(200);
        by.with("casebook-min-position", sent.position()).get(&path).await.expect(200);
        id
    }

    pub fn booking(&self, patient: &str, doctor: &str, start: DateTime<Utc>) -> Value {
        json!({"patient_id": patient, "doctor_id": doctor, "office_id": self.office, "start": start})
    }
}

pub fn registration(slug: &str) -> Value {
    json!({
        "name": format!("Clinic {slug}"), "slug": slug, "email": format!("hello@{slug}.example"),
        "admin": {"username": "admin", "password": PASSWORD, "name": "Asha Rao", "email": format!("a@{slug}.example")}
    })
}

/// A working day of every new office, at `hour`:`minute` in its zone; the `n`-th from tomorrow on.
pub fn working_time(n: u64, hour: u32, minute: u32) -> DateTime<Utc> {
    use chrono::Datelike;
    let today = Utc::now().with_timezone(&Kolkata).date_naive();
    let mut days = (1..).map(|ahead| today + Days::new(ahead)).filter(|day| day.weekday() != chrono::Weekday::Sun);
    let day = days.nth(n as usize).expect("days do not end");
    instant(day, NaiveTime::from_hms_opt(hour, minute, 0).expect("a time of day"), Kolkata)
}

impl TestClinic {
    /// A blood test, ordered by a doctor of its own, and a report with a critical result; the ids of order and report.
    pub async fn tested(&self, patient: &str) -> (String, String) {
        let (doctor, technician) = (self.doctor_and_administrator().await, self.staff(&["lab_technician"]).await);
        let tests = json!([{"code": "2345-7", "text": "Glucose", "kind": "blood"}]);
        let order = json!({"patient_id": patient, "tests": tests});
        let order = doctor.post(&self.path("/lab-orders"), order).await.expect(201).id();
        let report = technician.post(&self.path("/lab-reports"), json!({"order_id": order})).await.expect(201).id();
        let result = json!({
            "code": "2345-7", "text": "Glucose", "value": {"type": "quantity", "value": 500, "unit": "mg/dL"},
            "range": {"critical_high": 400}
        });
        let path = self.path(&format!("/lab-reports/{report}/results"));
        technician.post(&path, json!({"result": result})).await.expect(200);
        (order, report)
    }

    /// With a picture to be printed.
    pub async fn with_logo(&self) {
        self.post("/logo", json!({"picture": BASE64_STANDARD.encode(LOGO)})).await.expect(200);
    }

    /// Lifts every limit of the plan.
    pub async fn without_limits(&self, platform: &Client) {
        let none = json!({"doctors": null, "patients": null, "receptionists": null, "offices": null, "storage": null});
        let path = format!("/api/v1/clinics/{}/limits", self.id);
        platform.post(&path, json!({"limits": none})).await.expect(200);
    }
}
