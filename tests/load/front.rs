//! The front desks of many clinics: what the rows over HTTP are about.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use futures::future::try_join_all;
use rand::Rng;
use serde_json::{Value, json};
use tests::TestClinic;
use tokio::time::sleep;
use uuid::Uuid;

use crate::{
    http::{Answer, Connection},
    world::World,
};

/// Each costs an Argon2 hash to register.
const CLINICS: usize = 32;
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(10);

/// A clinic, as its administrator's client knows it.
#[derive(Clone)]
pub struct Desk {
    pub clinic: Uuid,
    address: SocketAddr,
    /// `/clinic/{slug}/api/v1`
    root: String,
    /// What every request carries.
    headers: String,
}

/// Somebody at a desk, with a connection of their own.
pub struct Clerk {
    desk: Desk,
    connection: Connection,
}

/// Clinics that have been registered over HTTP, without a limit of their plan.
pub async fn open(world: &World) -> Result<Vec<Desk>> {
    let stack = world.stack()?;
    let address = stack.base().strip_prefix("http://").context("a base without TLS")?.parse()?;
    let (platform, anybody) = (stack.platform().await, stack.client());
    let mut desks = Vec::new();
    for _ in 0..CLINICS {
        let clinic = TestClinic::register(&anybody).await;
        clinic.without_limits(&platform).await;
        let token = clinic.admin.token().context("an administrator has a token")?;
        let headers = format!("host: {address}\r\nauthorization: Bearer {token}\r\n");
        desks.push(Desk { clinic: clinic.id.parse()?, address, root: clinic.path(""), headers });
    }
    Ok(desks)
}

/// So many people, spread over the desks.
pub async fn clerks(desks: &[Desk], count: usize) -> Result<Vec<Clerk>> {
    try_join_all((0..count).map(|n| Clerk::new(desks[n % desks.len()].clone()))).await
}

/// A patient who has been registered.
#[derive(Clone, Copy)]
pub struct Registered {
    pub id: Uuid,
    pub position: i64,
}

impl Clerk {
    async fn new(desk: Desk) -> Result<Self> {
        Ok(Self { connection: Connection::open(desk.address).await?, desk })
    }

    pub fn clinic(&self) -> Uuid {
        self.desk.clinic
    }

    /// Registers a patient, under an idempotency key.
    pub async fn register(&mut self) -> Result<Registered> {
        let Desk { root, headers, .. } = &self.desk;
        let key = Uuid::from_u128(rand::random());
        let head = format!("POST {root}/patients HTTP/1.1\r\n{headers}idempotency-key: {key}\r\n");
        let answer = self.connection.call(&head, &patient().to_string()).await?.expect(201)?;
        let position = answer.header("casebook-position").context("a command answers with a position")?.parse()?;
        let body: Value = serde_json::from_slice(&answer.body)?;
        Ok(Registered { id: body["id"].as_str().context("a patient has an id")?.parse()?, position })
    }

    /// One patient's record, at or after a position.
    pub async fn read(&mut self, patient: Uuid, min_position: Option<i64>) -> Result<Answer> {
        let Desk { root, headers, .. } = &self.desk;
        let fresh = min_position.map(|position| format!("casebook-min-position: {position}\r\n")).unwrap_or_default();
        let head = format!("GET {root}/patients/{patient} HTTP/1.1\r\n{headers}{fresh}");
        self.connection.call(&head, "").await?.expect(200)
    }

    /// The medicines that are found for what somebody types.
    pub async fn search_medicines(&mut self, typed: &str) -> Result<Answer> {
        let Desk { root, headers, .. } = &self.desk;
        let head = format!("GET {root}/medicines/search?q={typed} HTTP/1.1\r\n{headers}");
        self.connection.call(&head, "").await?.expect(200)
    }

    /// A request for this path and nothing else.
    pub async fn get(&mut self, path: &str) -> Result<Answer> {
        self.connection.call(&format!("GET {path} HTTP/1.1\r\nhost: ceiling\r\n"), "").await?.expect(200)
    }

    /// The same person at another server.
    pub async fn at(&self, address: SocketAddr) -> Result<Self> {
        Self::new(Desk { address, ..self.desk.clone() }).await
    }
}

/// As much as a front desk usually asks.
fn patient() -> Value {
    let n: u32 = rand::rng().random_range(0..100_000_000);
    json!({
        "first_name": format!("Asha {n}"), "last_name": "Verma", "gender": "female", "birth_date": "1984-03-12",
        "phone": format!("+9198{n:08}"), "email": format!("asha{n}@example.org"), "blood_group": "B+",
        "address": {"line": "12 MG Road", "city": "Bengaluru", "state": "Karnataka", "postal_code": "560001", "country": "IN"}
    })
}

/// Waits until every read model has every event.
pub async fn caught_up(world: &World) -> Result<()> {
    let pool = projector::pool(world.database()?, 1);
    while projector::status(&pool).await?.iter().any(|one| one.behind > 0) {
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}
