//! `casebook setup`.

use anyhow::{Context, Result, ensure};
use clap::Args;
use command_api::execute::Executor;
use event_store::{DbRole, MasterKey, Store, StoreOptions};
use events::ClinicId;
use secrecy::{ExposeSecret, SecretString};
use service_kit::tokens::SigningKeys;

use super::{migrate::migrate, rebuild::history};
use crate::{
    Config,
    checkpoint_key::CheckpointKey,
    data_dir::DataDir,
    erasure::{self, ErasureList},
    platform,
    say::say,
    servers::Database,
    system::open_store,
};

/// Make what the services need before they start, where it is absent: tables, keys, the first administrator
#[derive(Args)]
pub struct Setup {}

impl Setup {
    pub async fn run(self, config: &Config) -> Result<()> {
        DataDir::make(&config.common.data_dir)?;
        let database = Database::reach(&config.common).await?;
        let outcome = set_up(config, &database.url).await;
        database.close().await?;
        outcome?;
        Ok(say("Casebook is set up.")?)
    }
}

async fn set_up(config: &Config, url: &SecretString) -> Result<()> {
    prepare(config, url).await?;
    let executor = Executor::new(open_store(config, url, "casebook-setup")?);
    match platform::first_administrator(&executor).await? {
        Some(first) => first.greet(),
        None => Ok(()),
    }
}

/// What every start needs; at once when it is there.
pub async fn prepare(config: &Config, url: &SecretString) -> Result<()> {
    migrate(&config.common, url).await?;
    SigningKeys::open(&config.common.signing_key_file())?;
    let data_dir = DataDir::at(&config.common.data_dir);
    if !config.keys.exists(&data_dir) {
        make_master_key(config, &data_dir, url).await?;
    }
    try_master_key(config.keys.master_key(&data_dir)?, url).await?;
    prepare_checkpoint_key(&config.keys.checkpoint_key(&data_dir), url).await?;
    repeat_erasures(config, url).await
}

/// A backup that was put back knows nothing of the erasures after it.
async fn repeat_erasures(config: &Config, url: &SecretString) -> Result<()> {
    let list = ErasureList::beside(&config.common.anchors());
    if list.read()?.is_empty() {
        return Ok(());
    }
    // A store of its own: what it has opened is forgotten with it.
    let executor = Executor::new(open_store(config, url, "casebook-erasures")?);
    let history = history(url, open_store(config, url, "casebook-erasures")?)?;
    let attachments = config.attachments.open(&DataDir::at(&config.common.data_dir))?;
    match erasure::repeat(&executor, &history, &list, &attachments).await.context("applying the list of erasures")? {
        0 => Ok(()),
        again => Ok(say(&format!("{again} erasures were done again: an earlier state of the database was put back."))?),
    }
}

/// Opens the platform's key, which is made at the first start: a wrong master key is found now, and not by the first
/// patient whose record does not open.
pub async fn try_master_key(key: MasterKey, url: &SecretString) -> Result<()> {
    let options = StoreOptions {
        read_connections_max: 1,
        write_connections_max: 1,
        ..StoreOptions::new(url.expose_secret().parse()?, key)
    };
    Store::open(options).vault().clinic(ClinicId::PLATFORM).await.context("trying the master key")?;
    Ok(())
}

/// A new key opens nothing that an earlier one has sealed, and would hide that it is lost.
async fn make_master_key(config: &Config, data_dir: &DataDir, url: &SecretString) -> Result<()> {
    ensure!(
        !has_keys(url).await?,
        "the master key is missing, and without it the records in this database cannot be read: \
         put the copy of it in its place, or name its file in CASEBOOK_MASTER_KEY_FILE"
    );
    let path = config.keys.make(data_dir)?;
    say(&format!(
        "A master key was made: {}. Without it ALL RECORDS ARE LOST, backups too.\n\
         Keep a copy elsewhere: casebook keys backup <file>",
        path.display()
    ))?;
    Ok(())
}

/// Made at the first start. One that was lost does not keep the clinics from working.
async fn prepare_checkpoint_key(key: &CheckpointKey, url: &SecretString) -> Result<()> {
    if key.exists() {
        return Ok(());
    }
    let file = key.file().display();
    let pool = DbRole::Auditor.pool(url.expose_secret().parse()?, 1);
    if sqlx::query_scalar("SELECT EXISTS (SELECT FROM log.checkpoint)").fetch_one(&pool).await? {
        return Ok(say(&format!(
            "The key that signs checkpoints is missing, and none is made until its copy is back: {file}"
        ))?);
    }
    let fingerprint = key.make()?.fingerprint();
    Ok(say(&format!(
        "A key that signs checkpoints was made: {file}. Note its fingerprint where the owner of the database cannot \
         change it (casebook audit fingerprint):\n{fingerprint}"
    ))?)
}

/// Whether a key was wrapped by a master key already.
async fn has_keys(url: &SecretString) -> Result<bool> {
    let pool = DbRole::Projector.pool(url.expose_secret().parse()?, 1);
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT FROM log.clinic_key)").fetch_one(&pool).await?)
}
