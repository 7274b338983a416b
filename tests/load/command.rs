//! `command`: patients registered over HTTP.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::try_join_all;

use crate::{
    figure::{Figure, Goal, What},
    front::{Clerk, Desk, caught_up, clerks},
    measure::Row,
    raw,
    world::World,
};

const CLERKS: usize = 128;
const CEILING_CLIENTS: u32 = 32;

pub struct Command {
    clerks: Vec<Clerk>,
}

impl Command {
    pub async fn new(desks: &[Desk]) -> Result<Self> {
        Ok(Self { clerks: clerks(desks, CLERKS).await? })
    }
}

impl Row for Command {
    fn figures(&self) -> Vec<Figure> {
        vec![Figure { name: "command", unit: "commands/s", goal: Goal::AtLeast(0.4) }]
    }

    fn what(&self) -> What {
        What {
            ceiling: "single `INSERT`s by pgbench, as for `append-many`.",
            casebook: "patients registered over HTTP by 128 clients of 32 clinics: token, validation, number, patient \
                key, sealing, idempotency key. Publisher, relay and all projectors run in the same process, and the \
                clock stops only when every read model has every patient.",
        }
    }

    async fn ceiling(&mut self, world: &World, turn: Duration) -> Result<Vec<f64>> {
        Ok(vec![raw::inserts_per_second(world, CEILING_CLIENTS, turn).await?])
    }

    async fn casebook(&mut self, world: &World, turn: Duration) -> Result<Vec<f64>> {
        let started = Instant::now();
        let registered = register_for(&mut self.clerks, turn).await?;
        caught_up(world).await?;
        Ok(vec![registered as f64 / started.elapsed().as_secs_f64()])
    }
}

/// How many were registered, everybody working as fast as they are answered.
pub async fn register_for(clerks: &mut Vec<Clerk>, turn: Duration) -> Result<usize> {
    let until = Instant::now() + turn;
    let tasks = std::mem::take(clerks).into_iter().map(|clerk| tokio::spawn(register_until(clerk, until)));
    let mut registered = 0;
    for done in try_join_all(tasks).await? {
        let (clerk, count) = done?;
        clerks.push(clerk);
        registered += count;
    }
    Ok(registered)
}

async fn register_until(mut clerk: Clerk, until: Instant) -> Result<(Clerk, usize)> {
    let mut count = 0;
    while Instant::now() < until {
        clerk.register().await?;
        count += 1;
    }
    Ok((clerk, count))
}
