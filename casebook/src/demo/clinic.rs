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
    ward::Ward,
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
    /// Of this morning, each with what came of it.
    pub visits: usize,
}

pub(super) async fn fill(mut http: Http, name: &str, random: &mut StdRng) -> Result<DemoClinic> {
    // Slugs and names are unique for ever: a suffix, so that the demo can be run again.
    let suffix = Utc::now().timestamp();
    let (name, slug) = (format!("{name} {suffix}"), format!("{}-{suffix}", name.to_lowercase().replace(' ', "-")));
    let password = OpaqueSecret::generate().expose().to_owned();
    let clinic = http.post("/api/v1/clinics", &registration(&name, &slug, &password)).await?;
    http.log_in(text(&clinic, "access_token")?);
    let (office, home) = (text(&clinic, "office_id")?, format!("/clinic/{slug}/api/v1"));
    let (doctors, doctor) = hire(&http, &home, &slug, &office, &password).await?;
    let patients: Vec<Value> = (0..PATIENTS).map(|n| people::patient(n, random)).collect();
    let patients = create_all(&http, &format!("{home}/patients"), patients.into_iter()).await?;
    let book = Desk { http: &http, home: &home, office: &office, doctors: &doctors, patients: &patients };
    let appointments = book.book(random).await?;
    let [desk, nurse, technician, cashier] = staff(&http, &home, &slug, &password).await?;
    let ward = Ward { home: &home, office: &office, admin: &http, desk, doctor, nurse, technician, cashier };
    let visits = ward.receive(&patients).await?;
    let (doctors, patients) = (doctors.len(), patients.len());
    Ok(DemoClinic { name, slug, username: USERNAME, password, doctors, patients, appointments, visits })
}

/// The doctors' ids, and the first of them logged in. All logins of the demo have its password.
async fn hire(http: &Http, home: &str, slug: &str, office: &str, password: &str) -> Result<(Vec<String>, Http)> {
    let mut answers = Vec::new();
    for body in people::doctors(slug, office) {
        let answer = http.post(&format!("{home}/doctors"), &body).await?;
        answers.push((text(&answer, "id")?, activate(http, slug, &text(&body, "username")?, &answer, password).await?));
    }
    let (ids, mut logins): (Vec<_>, Vec<_>) = answers.into_iter().unzip();
    Ok((ids, logins.swap_remove(0)))
}

async fn staff(http: &Http, home: &str, slug: &str, password: &str) -> Result<[Http; people::STAFF.len()]> {
    let mut logins = Vec::new();
    for (role, name) in people::STAFF {
        let email = format!("{role}@{slug}.example");
        let body = json!({"name": name, "username": role, "email": email, "roles": [role]});
        let answer = http.post(&format!("{home}/staff"), &body).await?;
        logins.push(activate(http, slug, role, &answer, password).await?);
    }
    Ok(logins.try_into().unwrap_or_else(|_| unreachable!("there is a login for each")))
}

/// Sets the password of a new login, and goes on as it.
async fn activate(http: &Http, slug: &str, username: &str, invited: &Value, password: &str) -> Result<Http> {
    let activation = text(invited, "activation")?;
    let body = json!({"clinic": slug, "username": username, "activation": activation, "password": password});
    let session = http.post("/api/v1/auth/activate", &body).await?;
    http.logged_in(text(&session, "access_token")?)
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
