//! `casebook status`.

use anyhow::{Context, Result};
use clap::Args;
use event_store::{
    DbRole,
    election::{Duty, Holder},
    schedule::{self, JobState},
};
use projector::{ProjectionStatus, Replaying, replaying, status};
use secrecy::ExposeSecret;
use service_kit::config::CommonConfig;
use sqlx::{PgPool, postgres::PgPoolOptions};

use crate::{data_dir::DataDir, instance, say::say, servers::Database};

/// Of the longest name of a read model, so that what is said of them stands below each other.
const NAME_WIDTH: usize = 18;

/// Say what runs, how far the read models are, and what has become of scheduled work
#[derive(Args)]
pub struct Status {}

impl Status {
    pub async fn run(self, config: &CommonConfig) -> Result<()> {
        match instance::running(&DataDir::at(&config.data_dir))? {
            Some(pid) => say(&format!("Casebook runs on {} (process {pid}).", config.data_dir.display()))?,
            None => say("Casebook does not run.")?,
        }
        match Database::running(config) {
            Some(url) => {
                let pool = DbRole::Projector.pool(url.expose_secret().parse()?, 1);
                say_read_models(&pool).await?;
                // Who is connected is not shown to the role of a service.
                let login = PgPoolOptions::new().max_connections(1).connect_lazy(url.expose_secret())?;
                say_schedule(&login, &pool).await.context("asking how scheduled work stands")?;
                super::mail::say_in_short(&url).await
            }
            None => Ok(()),
        }
    }
}

async fn say_read_models(pool: &PgPool) -> Result<()> {
    for model in status(pool).await.context("asking how the read models stand")? {
        say(&line(&model))?;
        for parked in &model.parked {
            say(&format!("  parked: {}", super::parked::line(parked)))?;
        }
    }
    for Replaying { clinic, id, position, events, .. } in replaying(pool).await.context("asking for the replays")? {
        say(&format!("replay {id} of clinic {clinic}: {events} of {position} events"))?;
    }
    Ok(())
}

async fn say_schedule(login: &PgPool, pool: &PgPool) -> Result<()> {
    match Duty::Schedule.holder(login).await? {
        Some(Holder { pid, process, since }) => {
            let process = process.unwrap_or_else(|| "a process of another login".to_owned());
            let since = since.map(|since| format!(" since {}", since.format("%F %T UTC"))).unwrap_or_default();
            say(&format!("Scheduled work is done by {process} (connection {pid}){since}."))?;
        }
        None => say("Nobody does scheduled work.")?,
    }
    for job in schedule::jobs(pool).await? {
        say(&job_line(&job))?;
    }
    Ok(())
}

/// `prescriptions       looked at 2026-03-14 09:00:00 UTC, 12 done, 1 waiting`
fn job_line(JobState { job, looked_at, succeeded_at, total }: &JobState) -> String {
    let looked = looked_at.format("%F %T UTC");
    let standing = match succeeded_at {
        Some(succeeded) if succeeded == looked_at => String::new(),
        Some(succeeded) => format!("; it fails, and last went well {}", succeeded.format("%F %T UTC")),
        None => "; it fails, and never went well".to_owned(),
    };
    format!("{job:<NAME_WIDTH$}  looked at {looked}, {} done, {} waiting{standing}", total.done, total.waiting)
}

/// `patient_1           12 events of 3 clinics behind, since 2026-03-14 09:00:00 UTC`
fn line(model: &ProjectionStatus) -> String {
    let rebuilding = if model.rebuilding.is_empty() { "" } else { ", being rebuilt" };
    let standing = match model.behind_since {
        Some(since) => format!(
            "{} events of {} clinics behind, since {}",
            model.behind,
            model.clinics_behind,
            since.format("%F %T UTC")
        ),
        None => "up to date".to_owned(),
    };
    format!("{:<NAME_WIDTH$}  {standing}{rebuilding}", model.projection)
}
