//! `read`: one patient's record over HTTP. `access`: what of it the access record costs.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::Result;
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use chrono::{DateTime, NaiveDate, Utc};
use futures::future::try_join_all;
use rand::seq::IndexedRandom;
use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::{FromRow, PgPool, postgres::PgPoolOptions, types::Json as Document};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::{
    figure::{Figure, Goal, What},
    front::{Clerk, Desk, caught_up, clerks},
    measure::Row,
    world::World,
};

const CLERKS: usize = 64;
const PATIENTS_PER_CLERK: usize = 16;
/// As many as the query API has.
const CONNECTIONS: u32 = 16;

/// Somebody who reads, and the patients of their clinic.
struct Reader {
    clerk: Clerk,
    unrecorded: Clerk,
    plain: Clerk,
    patients: Vec<Uuid>,
}

/// Who answers.
#[derive(Clone, Copy)]
enum Server {
    Casebook,
    /// Casebook that forgets who saw what.
    Unrecorded,
    /// axum and sqlx alone.
    Plain,
}

pub struct Reading {
    readers: Vec<Reader>,
}

impl Reading {
    pub async fn new(world: &World, desks: &[Desk]) -> Result<Self> {
        let (plain, unrecorded) = (serve_plainly(world).await?, world.stack()?.unrecorded_queries().await?);
        let readers = clerks(desks, CLERKS).await?.into_iter().map(|clerk| prepare(clerk, plain, unrecorded));
        let readers = try_join_all(readers).await?;
        caught_up(world).await?;
        Ok(Self { readers })
    }

    async fn read_for(&mut self, turn: Duration, from: Server) -> Result<f64> {
        let started = Instant::now();
        let until = started + turn;
        let readers = std::mem::take(&mut self.readers).into_iter();
        let tasks = readers.map(|reader| tokio::spawn(read_until(reader, until, from)));
        let done = try_join_all(tasks).await?;
        let took = started.elapsed();
        let mut all = 0;
        for done in done {
            let (reader, count) = done?;
            self.readers.push(reader);
            all += count;
        }
        Ok(f64::from(all) / took.as_secs_f64())
    }
}

impl Row for Reading {
    fn figures(&self) -> Vec<Figure> {
        let figure = |name, goal| Figure { name, unit: "reads/s", goal };
        vec![figure("read", Goal::AtLeast(0.5)), figure("access", Goal::Told)]
    }

    fn what(&self) -> What {
        What {
            ceiling: "the same rows, 64 clients, by axum and sqlx alone: one look-up by primary key as superuser, no \
                token, no policy, no record; every column, as JSON. Of `access`: Casebook without the access record.",
            casebook: "`GET /patients/{id}` by 64 clients of 32 clinics: token and session, row-level security, \
                position, and an access record that is durable before the answer.",
        }
    }

    async fn ceiling(&mut self, _: &World, turn: Duration) -> Result<Vec<f64>> {
        Ok(vec![self.read_for(turn, Server::Plain).await?, self.read_for(turn, Server::Unrecorded).await?])
    }

    async fn casebook(&mut self, _: &World, turn: Duration) -> Result<Vec<f64>> {
        let read = self.read_for(turn, Server::Casebook).await?;
        Ok(vec![read, read])
    }
}

async fn prepare(mut clerk: Clerk, plain: SocketAddr, unrecorded: SocketAddr) -> Result<Reader> {
    let mut patients = Vec::with_capacity(PATIENTS_PER_CLERK);
    for _ in 0..PATIENTS_PER_CLERK {
        patients.push(clerk.register().await?.id);
    }
    let (plain, unrecorded) = (clerk.at(plain).await?, clerk.at(unrecorded).await?);
    Ok(Reader { clerk, unrecorded, plain, patients })
}

async fn read_until(mut reader: Reader, until: Instant, from: Server) -> Result<(Reader, u32)> {
    let mut count = 0;
    while Instant::now() < until {
        let patient = *reader.patients.choose(&mut rand::rng()).expect("there are some");
        match from {
            Server::Casebook => reader.clerk.read(patient, None).await?,
            Server::Unrecorded => reader.unrecorded.read(patient, None).await?,
            Server::Plain => reader.plain.get(&format!("/{}/{patient}", reader.clerk.clinic())).await?,
        };
        count += 1;
    }
    Ok((reader, count))
}

async fn serve_plainly(world: &World) -> Result<SocketAddr> {
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).test_before_acquire(false);
    let pool = pool.connect(&world.postgres().superuser_url("casebook")).await?;
    let router = Router::new().route("/{clinic}/{patient}", get(plain)).with_state(pool);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

async fn plain(
    State(pool): State<PgPool>,
    Path((clinic, id)): Path<(Uuid, Uuid)>,
) -> Result<Json<PatientRow>, StatusCode> {
    let row = sqlx::query_as("SELECT * FROM read.patient_1 WHERE clinic_id = $1 AND id = $2").bind(clinic).bind(id);
    row.fetch_one(&pool).await.map(Json).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// Every column, as it is stored.
#[derive(FromRow, Serialize)]
struct PatientRow {
    clinic_id: Uuid,
    id: Uuid,
    number: String,
    first_name: Option<String>,
    last_name: Option<String>,
    birth_date: Option<String>,
    birth_year: Option<i32>,
    gender: String,
    phone: Option<String>,
    email: Option<String>,
    address: Option<Stored>,
    blood_group: Option<String>,
    marital_status: Option<String>,
    language: Option<String>,
    identifiers: Stored,
    emergency_contact: Option<Stored>,
    family: Stored,
    allergies: Stored,
    no_known_allergies: Option<DateTime<Utc>>,
    problems: Stored,
    consents: Stored,
    confidentiality: String,
    status: String,
    merged_into: Option<Uuid>,
    merged_ids: Stored,
    died_on: Option<NaiveDate>,
    cause_of_death: Option<String>,
    registered_at: DateTime<Utc>,
    search_text: String,
    version: i64,
    position: i64,
}

/// Passed on as it comes.
type Stored = Document<Box<RawValue>>;
