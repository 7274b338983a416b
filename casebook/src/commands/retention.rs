//! `casebook retention`.

use anyhow::Result;
use clap::Args;
use command_api::execute::Executor;
use event_store::{DbRole, Store, StoreOptions};
use secrecy::{ExposeSecret, SecretString};

use super::rebuild::history;
use crate::{
    Config,
    data_dir::DataDir,
    erasure::{Eraser, ErasureList, shred_due},
    say::say,
    servers::Database,
    system::open_store,
};

/// Carry out what retention and erasures ask for now: destroy the keys of closed clinics whose time is over, and take
/// erasures that were begun as far as they go
#[derive(Args)]
pub struct Retention {}

impl Retention {
    pub async fn run(self, config: &Config) -> Result<()> {
        // Nothing is started for a folder in which nothing was ever set up.
        config.keys.master_key(&DataDir::at(&config.common.data_dir))?;
        let database = Database::reach(&config.common).await?;
        let outcome = carry_out(config, &database.url).await;
        database.close().await?;
        outcome
    }
}

async fn carry_out(config: &Config, url: &SecretString) -> Result<()> {
    let executor = Executor::new(open_store(config, url, "casebook-retention")?);
    let all = all_clinics(config, url)?;
    let ended = shred_due(&executor, &all.clinics().await?).await?;
    for clinic in &ended {
        say(&format!("The retention of clinic {clinic} has run out: its keys are destroyed."))?;
    }
    let list = ErasureList::beside(&config.common.anchors());
    let attachments = config.attachments.open(&DataDir::at(&config.common.data_dir))?;
    let eraser = Eraser::new(executor.store().clone(), history(url, all)?, list, attachments);
    let waiting = eraser.advance().await?;
    if waiting.is_empty() {
        return Ok(say("No erasure is unfinished.")?);
    }
    say(&format!(
        "{} erasures wait until no process can hold an opened key; the read models are made again a minute after.",
        waiting.len()
    ))?;
    Ok(())
}

/// A process that sees all clinics.
fn all_clinics(config: &Config, url: &SecretString) -> Result<Store> {
    let key = config.keys.master_key(&DataDir::at(&config.common.data_dir))?;
    let database = url.expose_secret().parse()?;
    Ok(Store::open(StoreOptions { reads_as: DbRole::Projector, ..StoreOptions::new(database, key) }))
}
