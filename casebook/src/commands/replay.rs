//! `casebook replay`.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use event_store::{
    AccessRecord, DbRole, Store,
    replays::{AskedReplay, REPLAYS_MAX, ReplayAnswer, Until},
};
use events::{
    AccessEvent, Actor, Client, ClinicId, Purpose,
    access::{Parameter, Parameters},
};
use projector::{Built, History, Replaying, build_replay, replay_error, replaying};
use secrecy::{ExposeSecret, SecretString};
use service_kit::AsOf;
use sqlx::PgPool;
use uuid::Uuid;

use super::{clinic, rebuild::history};
use crate::{Config, progress::Progress, say::say, servers::Database, system::open_store};

/// How often the progress of another process is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Build a clinic as it was at a moment, for its administrators to ask
#[derive(Args)]
pub struct Replay {
    /// The clinic: its slug or id.
    #[arg(long)]
    clinic: String,
    /// A position of the clinic's record, or an instant such as 2026-03-14T09:00:00Z.
    #[arg(long, value_parser = until)]
    until: AsOf,
}

fn until(text: &str) -> Result<AsOf, &'static str> {
    AsOf::read(text).ok_or("expected a position, or an instant such as 2026-03-14T09:00:00Z")
}

impl Replay {
    pub async fn run(self, config: &Config) -> Result<()> {
        // Nothing is started for a folder in which nothing was ever set up.
        config.keys.master_key(&crate::data_dir::DataDir::at(&config.common.data_dir))?;
        let database = Database::reach(&config.common).await?;
        let outcome = self.on(config, &database.url).await;
        database.close().await?;
        outcome
    }

    async fn on(&self, config: &Config, url: &SecretString) -> Result<()> {
        let store = open_store(config, url, "casebook-replay")?;
        let clinic = clinic::find(&store, Some(&self.clinic)).await?.context("there is no such clinic")?;
        let id = Uuid::now_v7();
        record(&store, clinic, id, self.until).await?;
        let asked = ask(&store, clinic, id, self.until).await?;
        let pool = DbRole::Projector.pool(url.expose_secret().parse()?, 1);
        build(&history(url, store)?, &pool, clinic, id).await?;
        let AskedReplay { position, instant, expires_at, .. } = asked;
        let (instant, end) = (instant.format("%F %T UTC"), expires_at.format("%F %T UTC"));
        say(&format!("replay {id}: position {position}, as of {instant}"))?;
        Ok(say(&format!("Until {end} every query of the clinic takes ?replay={id}"))?)
    }
}

/// Who has the console sees no patient here, but lets others see the past.
async fn record(store: &Store, clinic: ClinicId, id: Uuid, until: AsOf) -> Result<()> {
    let until = match until {
        AsOf::Position(position) => position.to_string(),
        AsOf::Instant(instant) => instant.to_rfc3339(),
    };
    let plain = |(name, value): (&str, String)| (name.to_owned(), Parameter::Plain(value));
    let parameters: Parameters = [("until", until), ("replay", id.to_string())].into_iter().map(plain).collect();
    let record = AccessRecord {
        actor: Actor::system(),
        client: Client::default(),
        purpose: Purpose::Hoperat,
        correlation_id: id,
        operation: "casebook replay".into(),
        event: AccessEvent::AuditRead {
            part: "replays".to_owned(),
            patient: None,
            parameters,
            count: 0,
            patients_sha256: None,
        },
        shown: Vec::new(),
    };
    store.record_access(clinic, record).await.context("writing to the access ledger")?;
    Ok(())
}

async fn ask(store: &Store, clinic: ClinicId, id: Uuid, until: AsOf) -> Result<AskedReplay> {
    let until = match until {
        AsOf::Position(position) => Until::Position(position),
        AsOf::Instant(instant) => Until::Instant(instant),
    };
    match store.ask_replay(clinic, id, None, until).await.context("asking for a replay")? {
        ReplayAnswer::Asked(asked) | ReplayAnswer::Known(asked) => Ok(asked),
        ReplayAnswer::Beyond => bail!("the clinic's record has not reached this position"),
        ReplayAnswer::Before => bail!("the clinic's record begins later"),
        ReplayAnswer::Full => bail!("the clinic has {REPLAYS_MAX} replays already: one must be deleted, or expire"),
        ReplayAnswer::Taken => bail!("another replay has this id"),
    }
}

/// Here, or by a projector that was faster.
async fn build(history: &History, pool: &PgPool, clinic: ClinicId, id: Uuid) -> Result<()> {
    let mut shown = None;
    let mut progress = |at: projector::Progress| {
        let total = at.total.cast_unsigned();
        shown.get_or_insert_with(|| Progress::start(total, "events")).reach(at.events.cast_unsigned());
    };
    while let Some(replay) = waiting(pool, id).await? {
        let built = build_replay(history, &replay, &mut progress).await.context("building the replay")?;
        if built == Built::Busy {
            progress(projector::Progress { events: replay.events, total: replay.position });
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    match replay_error(pool, clinic, id).await? {
        Some(error) => bail!("the replay cannot be built: {error}"),
        None => Ok(()),
    }
}

/// The replay, until it is built.
async fn waiting(pool: &PgPool, id: Uuid) -> sqlx::Result<Option<Replaying>> {
    Ok(replaying(pool).await?.into_iter().find(|replay| replay.id == id))
}
