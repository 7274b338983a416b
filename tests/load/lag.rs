//! `lag`: how long after its commit a command is visible to a query.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::try_join_all;
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    command::register_for,
    figure::{Figure, Goal, What, percentile},
    front::{Clerk, Desk, clerks},
    measure::Row,
    raw,
    world::World,
};

const CLERKS: usize = 64;
const FIND_RATE_FOR: Duration = Duration::from_secs(2);
/// Of the greatest rate.
const SHARE: f64 = 0.2;

pub struct Lag {
    clerks: Vec<Clerk>,
    /// Between two commands of one clerk.
    pause: Duration,
}

impl Lag {
    pub async fn new(desks: &[Desk]) -> Result<Self> {
        let mut clerks = clerks(desks, CLERKS).await?;
        let most = register_for(&mut clerks, FIND_RATE_FOR).await? as f64 / FIND_RATE_FOR.as_secs_f64();
        Ok(Self { clerks, pause: Duration::from_secs_f64(CLERKS as f64 / (most * SHARE)) })
    }
}

impl Row for Lag {
    fn figures(&self) -> Vec<Figure> {
        vec![
            Figure { name: "lag-p50", unit: "ms", goal: Goal::AtMost(15.0) },
            Figure { name: "lag-p99", unit: "ms", goal: Goal::AtMost(75.0) },
        ]
    }

    fn what(&self) -> What {
        What {
            ceiling: "the median latency of one raw `INSERT` with one client.",
            casebook: "from the answer to a registration, at a fifth of the greatest rate, to the answer of a query for \
                that patient that waits for its position; the query itself is part of it.",
        }
    }

    async fn ceiling(&mut self, world: &World, turn: Duration) -> Result<Vec<f64>> {
        let (p50, _) = raw::insert_latency(world, 1, turn).await?;
        Ok(vec![p50, p50])
    }

    async fn casebook(&mut self, _: &World, turn: Duration) -> Result<Vec<f64>> {
        let (until, pause) = (Instant::now() + turn, self.pause);
        let clerks = std::mem::take(&mut self.clerks).into_iter().enumerate();
        let tasks = clerks.map(|(n, clerk)| {
            let first = pause.mul_f64(n as f64 / CLERKS as f64);
            tokio::spawn(look_until(clerk, first, pause, until))
        });
        let mut lags = Vec::new();
        for done in try_join_all(tasks).await? {
            let (clerk, seen) = done?;
            self.clerks.push(clerk);
            lags.extend(seen);
        }
        Ok(vec![percentile(&mut lags, 0.5), percentile(&mut lags, 0.99)])
    }
}

/// Registers and looks at once; the lags in milliseconds.
async fn look_until(mut clerk: Clerk, first: Duration, pause: Duration, until: Instant) -> Result<(Clerk, Vec<f64>)> {
    let mut lags = Vec::new();
    tokio::time::sleep(first).await;
    let mut tick = interval(pause);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while Instant::now() < until {
        tick.tick().await;
        let registered = clerk.register().await?;
        let committed = Instant::now();
        clerk.read(registered.id, Some(registered.position)).await?;
        lags.push(committed.elapsed().as_secs_f64() * 1e3);
    }
    Ok((clerk, lags))
}
