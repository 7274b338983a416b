//! One clinic of the demo.

use anyhow::Result;
use chrono::Utc;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use service_kit::tokens::OpaqueSecret;

use super::{
    desk::Desk,
    http::{Http, text},
    people,
};

const PATIENTS: usize = 40;
const USERNAME: &str = "admin";

/// A clinic that was just filled, and how its administrator logs in.
pub struct DemoClinic {
    pub name: String,
    pub slug: String,
    pub username: &'static str,
    pub password: String,
    pub doctors: usize,
    pub patients: usize,
    pub appointments: usize,
}

pub(super) async fn fill(mut http: Http, name: &str, random: &mut StdRng) -> Result<DemoClinic> {
    // Slugs and names are unique for ever: a suffix, so that the demo can be run again.
    let suffix = Utc::now().timestamp();
    let (name, slug) = (format!("{name} {suffix}"), format!("{}-{suffix}", name.to_lowercase().replace(' ', "-")));
    let password = OpaqueSecret::generate().expose().to_owned();
    let clinic = http.post("/api/v1/clinics", &registration(&name, &slug, &password)).await?;
    http.log_in(text(&clinic, "access_token")?);
    let (office, home) = (text(&clinic, "office_id")?, format!("/clinic/{slug}/api/v1"));
    let doctors = create_all(&http, &format!("{home}/doctors"), people::doctors(&slug, &office)).await?;
    let patients: Vec<Value> = (0..PATIENTS).map(|n| people::patient(n, random)).collect();
    let patients = create_all(&http, &format!("{home}/patients"), patients.into_iter()).await?;
    let desk = Desk { http: &http, home: &home, office: &office, doctors: &doctors, patients: &patients };
    let appointments = desk.book(random).await?;
    let (doctors, patients) = (doctors.len(), patients.len());
    Ok(DemoClinic { name, slug, username: USERNAME, password, doctors, patients, appointments })
}

fn registration(name: &str, slug: &str, password: &str) -> Value {
    json!({
        "name": name, "slug": slug, "email": format!("hello@{slug}.example"), "time_zone": "Asia/Kolkata",
        "address": {"line": "12 Lake Road", "city": "Pune", "state": "Maharashtra", "country": "IN"},
        "admin": {
            "username": USERNAME, "password": password, "name": "Demo Administrator",
            "email": format!("admin@{slug}.example")
        }
    })
}

/// Creates one after another; their ids.
async fn create_all(http: &Http, path: &str, bodies: impl Iterator<Item = Value>) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    for body in bodies {
        ids.push(text(&http.post(path, &body).await?, "id")?);
    }
    Ok(ids)
}
