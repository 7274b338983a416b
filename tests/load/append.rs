//! `append-many`, `append-hot`, `append-latency`: the store's append of one event, with all that belongs to it.

use std::{
    cmp::max,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use event_store::{DbRole, Store, Verdict};
use events::Ledger;
use futures::future::try_join_all;

use crate::{
    figure::{Figure, Goal, What, percentile},
    measure::Row,
    patients::{Chart, register_clinics, register_patients},
    raw,
    world::World,
};

const CLINICS: usize = 1_000;
const CALLERS: usize = 256;
/// Each caller goes round patients of its own.
const PATIENTS_PER_CALLER: usize = 4;
const CEILING_CLIENTS: u32 = 32;
const LATENCY_CALLERS: u32 = 64;

const INSERTS: &str = "single `INSERT`s by pgbench, prepared, 32 clients, one transaction each: the same columns and as \
    many bytes in each, no index but an ascending primary key.";

/// Events per second, in `clinics` clinics.
pub struct Rate {
    name: &'static str,
    goal: Goal,
    casebook: &'static str,
    store: Store,
    callers: Vec<Vec<Chart>>,
}

pub async fn many(world: &World) -> Result<Rate> {
    let store = world.store()?;
    Ok(Rate {
        name: "append-many",
        goal: Goal::AtLeast(3.0),
        casebook: "`Store::append` of one event of 650 bytes (600 of them sealed), 256 callers, 1,000 clinics; with \
            expectations on stream and chart, hash chain, sealing, and an idempotency record with its answer.",
        callers: callers(&store, CLINICS, CALLERS).await?,
        store,
    })
}

pub async fn hot(world: &World) -> Result<Rate> {
    let store = world.store()?;
    Ok(Rate {
        name: "append-hot",
        goal: Goal::AtLeast(2.5),
        casebook: "the same, all 256 callers in one clinic.",
        callers: callers(&store, 1, CALLERS).await?,
        store,
    })
}

impl Row for Rate {
    fn figures(&self) -> Vec<Figure> {
        vec![Figure { name: self.name, unit: "events/s", goal: self.goal }]
    }

    fn what(&self) -> What {
        What { ceiling: INSERTS, casebook: self.casebook }
    }

    async fn ceiling(&mut self, world: &World, turn: Duration) -> Result<Vec<f64>> {
        Ok(vec![raw::inserts_per_second(world, CEILING_CLIENTS, turn).await?])
    }

    async fn casebook(&mut self, world: &World, turn: Duration) -> Result<Vec<f64>> {
        let rate = append_for(&self.store, &mut self.callers, turn).await?.rate;
        assert_intact(world, &self.callers[0][0]).await?;
        Ok(vec![rate])
    }
}

/// How long one append takes.
pub struct Latency {
    store: Store,
    many: Vec<Vec<Chart>>,
    one: Vec<Vec<Chart>>,
}

pub async fn latency(world: &World) -> Result<Latency> {
    let store = world.store()?;
    let (many, one) = (callers(&store, CLINICS, LATENCY_CALLERS as usize).await?, callers(&store, 1, 1).await?);
    Ok(Latency { store, many, one })
}

impl Row for Latency {
    fn figures(&self) -> Vec<Figure> {
        vec![
            Figure { name: "append-p99-of-64", unit: "ms", goal: Goal::AtMost(0.5) },
            Figure { name: "append-p50-of-1", unit: "ms", goal: Goal::AtMost(2.0) },
        ]
    }

    fn what(&self) -> What {
        What {
            ceiling: "the latency of one such `INSERT` with as many clients.",
            casebook: "the latency of one such append: the 99th percentile with 64 callers, the 50th with one.",
        }
    }

    async fn ceiling(&mut self, world: &World, turn: Duration) -> Result<Vec<f64>> {
        let (_, p99) = raw::insert_latency(world, LATENCY_CALLERS, turn).await?;
        let (p50, _) = raw::insert_latency(world, 1, turn).await?;
        Ok(vec![p99, p50])
    }

    async fn casebook(&mut self, _: &World, turn: Duration) -> Result<Vec<f64>> {
        let mut many = append_for(&self.store, &mut self.many, turn).await?;
        let mut one = append_for(&self.store, &mut self.one, turn).await?;
        Ok(vec![percentile(&mut many.latencies_ms, 0.99), percentile(&mut one.latencies_ms, 0.5)])
    }
}

/// Charts for each caller, spread over so many new clinics.
async fn callers(store: &Store, clinics: usize, callers: usize) -> Result<Vec<Vec<Chart>>> {
    let clinics = register_clinics(store, clinics).await?;
    let all = max(callers * PATIENTS_PER_CALLER, clinics.len());
    let mut charts = register_patients(store, (0..all).map(|n| clinics[n % clinics.len()])).await?;
    let mut callers: Vec<_> = (0..callers).map(|_| Vec::new()).collect();
    for n in 0.. {
        let Some(chart) = charts.pop() else { break };
        let caller = n % callers.len();
        callers[caller].push(chart);
    }
    Ok(callers)
}

struct Appending {
    /// Per second.
    rate: f64,
    latencies_ms: Vec<f64>,
}

/// Each caller appends one event after another, to one of its charts after another.
async fn append_for(store: &Store, callers: &mut [Vec<Chart>], turn: Duration) -> Result<Appending> {
    let started = Instant::now();
    let tasks: Vec<_> = callers
        .iter_mut()
        .map(|charts| tokio::spawn(call(store.clone(), std::mem::take(charts), started + turn)))
        .collect();
    let done = try_join_all(tasks).await?;
    let took = started.elapsed();
    let mut latencies_ms = Vec::new();
    for (caller, done) in callers.iter_mut().zip(done) {
        let (charts, latencies) = done?;
        *caller = charts;
        latencies_ms.extend(latencies);
    }
    Ok(Appending { rate: latencies_ms.len() as f64 / took.as_secs_f64(), latencies_ms })
}

async fn call(store: Store, mut charts: Vec<Chart>, until: Instant) -> Result<(Vec<Chart>, Vec<f64>)> {
    let mut latencies_ms = Vec::new();
    let mut next = 0;
    loop {
        let begun = Instant::now();
        if begun >= until {
            return Ok((charts, latencies_ms));
        }
        charts[next].add_problem(&store).await?;
        latencies_ms.push(begun.elapsed().as_secs_f64() * 1e3);
        next = (next + 1) % charts.len();
    }
}

/// What was measured is what the log promises: nothing in it can be changed unseen.
async fn assert_intact(world: &World, chart: &Chart) -> Result<()> {
    let auditor = world.store_as(DbRole::Auditor)?;
    let verdict = auditor.verify(chart.clinic, Ledger::Record).await?;
    ensure!(
        matches!(verdict, Verdict::Intact { up_to, not_yet_anchored } if up_to + not_yet_anchored >= chart.read_at),
        "{verdict:?}"
    );
    Ok(())
}
