//! `verify`: both ledgers of a clinic checked along signed checkpoints, and what memory that takes.

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use event_store::{
    DbRole, Store,
    checkpoint::{Anchors, Auditor, Checkpointer},
    row::sha256,
};
use events::{ClinicId, Ledger};
use futures::{StreamExt, TryStreamExt, stream};
use proof::note::SigningKey;

use crate::{
    figure::{Figure, Goal, What},
    measure::Row,
    patients::{register_clinics, register_patients},
    world::World,
};

/// As many events unless `VERIFY_EVENTS` says otherwise.
const EVENTS: usize = 200_000;
const PATIENTS: usize = 1_000;
const CALLERS: usize = 256;
/// As a verification reads them.
const PAGE_ROWS: u32 = 5_000;
const KEY: [u8; 32] = [9; 32];

pub struct Verify {
    store: Store,
    auditor: Auditor,
    clinic: ClinicId,
    fingerprint: String,
}

impl Verify {
    /// One clinic with its events, all of them under a signed and anchored checkpoint.
    pub async fn new(world: &World) -> Result<Self> {
        let store = world.store()?;
        let clinic = register_clinics(&store, 1).await?[0];
        fill(&store, clinic, events()?).await?;
        let anchors = Anchors::at(&world.folder().join("anchors"));
        let checkpointer = Checkpointer {
            pool: DbRole::Auditor.pool(world.database()?, 2),
            keys: Arc::new(|| Ok(signing_key().into_iter().collect())),
            anchors: anchors.clone(),
            nats: None,
        };
        checkpointer.checkpoint().await?;
        let store = world.store_as(DbRole::Auditor)?;
        let fingerprint = signing_key().context("a seed makes a key")?.public().fingerprint();
        Ok(Self { auditor: Auditor { store: store.clone(), anchors: Some(anchors) }, store, clinic, fingerprint })
    }

    /// How many rows there are, read in the pages of a verification and hashed, one page while the next is read.
    async fn hash_all(&self) -> Result<usize> {
        let (mut rows, mut after) = (0, 0);
        let mut page = self.store.read_rows(self.clinic, Ledger::Record, after, PAGE_ROWS).await?;
        while let Some(last) = page.last().map(|row| row.position) {
            (rows, after) = (rows + page.len(), last);
            let hashed = tokio::task::spawn_blocking(move || {
                page.iter().for_each(|row| {
                    std::hint::black_box((sha256(&row.payload), row.sealed.as_deref().map(sha256), row.row_hash()));
                });
            });
            let (hashed, next) =
                tokio::join!(hashed, self.store.read_rows(self.clinic, Ledger::Record, after, PAGE_ROWS));
            hashed?;
            page = next?;
        }
        Ok(rows)
    }

    async fn verify_all(&self) -> Result<usize> {
        let report = self.auditor.verify(self.clinic, &self.fingerprint, true).await?;
        ensure!(report.is_intact(), "an honest ledger is not intact: {report:?}");
        let head = self.store.head(self.clinic, Ledger::Record).await?;
        Ok(usize::try_from(head.position)?)
    }
}

impl Row for Verify {
    fn figures(&self) -> Vec<Figure> {
        vec![
            Figure { name: "verify", unit: "events/s", goal: Goal::AtLeast(0.6) },
            Figure { name: "verify-memory", unit: "MB", goal: Goal::AtMost(1.2) },
        ]
    }

    fn what(&self) -> What {
        What {
            ceiling: "the same rows read in the same pages, one page ahead, and hashed (payload, sealed part, row), \
                nothing else; the resident set of this process after it.",
            casebook: "a whole verification of one clinic (200,000 events, or VERIFY_EVENTS): chain, Merkle tree, \
                signed checkpoint and anchor; the resident set after it.",
        }
    }

    async fn ceiling(&mut self, _: &World, turn: Duration) -> Result<Vec<f64>> {
        let started = Instant::now();
        let mut rows = 0;
        while started.elapsed() < turn {
            rows += self.hash_all().await?;
        }
        Ok(vec![rows as f64 / started.elapsed().as_secs_f64(), resident_mb()?])
    }

    async fn casebook(&mut self, _: &World, turn: Duration) -> Result<Vec<f64>> {
        let started = Instant::now();
        let mut rows = 0;
        while started.elapsed() < turn {
            rows += self.verify_all().await?;
        }
        Ok(vec![rows as f64 / started.elapsed().as_secs_f64(), resident_mb()?])
    }
}

async fn fill(store: &Store, clinic: ClinicId, events: usize) -> Result<()> {
    let charts = register_patients(store, std::iter::repeat_n(clinic, PATIENTS)).await?;
    let more = events.saturating_sub(PATIENTS).div_ceil(PATIENTS);
    let filled = charts.into_iter().map(|mut chart| async move {
        for _ in 0..more {
            chart.add_problem(store).await?;
        }
        anyhow::Ok(())
    });
    stream::iter(filled).buffer_unordered(CALLERS).try_for_each(|()| async { Ok(()) }).await
}

fn events() -> Result<usize> {
    match std::env::var("VERIFY_EVENTS") {
        Ok(events) => events.parse().context("VERIFY_EVENTS is a number"),
        Err(_) => Ok(EVENTS),
    }
}

fn signing_key() -> Option<SigningKey> {
    SigningKey::from_seed(&KEY)
}

fn resident_mb() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().split(' ').next());
    Ok(kilobytes.context("the system says how much is resident")?.parse::<f64>()? / 1024.0)
}
