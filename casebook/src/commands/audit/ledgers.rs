//! `casebook audit verify`, `checkpoint`, `fingerprint` and `rotate-key`: that no ledger was altered.

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Subcommand};
use event_store::{
    DbRole, Store, StoreOptions,
    checkpoint::{Anchors, Auditor, Checkpointer, Made, Report},
};
use events::{ClinicId, Ledger};
use secrecy::{ExposeSecret, SecretString};

use super::super::clinic;
use crate::{
    Config, bus, checkpoint_key::CheckpointKey, data_dir::DataDir, say::say, servers::Database, system::open_store,
};

/// One that signs and one that looks.
const CONNECTIONS: u32 = 2;
/// Rows opened at once.
const PAGE_ROWS: u32 = 5_000;

#[derive(Subcommand)]
pub enum Ledgers {
    /// Say whether ledgers are what they were when they were written; fails if one is not.
    Verify(Verify),
    /// Sign and anchor at once what is new; a service that runs does it each minute.
    Checkpoint,
    /// Show the fingerprint of the key that signs checkpoints: a verifier is to know it from elsewhere.
    Fingerprint,
    /// Hand the signing on to a new key. Checkpoints of the old one stay verifiable.
    RotateKey,
}

#[derive(Args)]
pub struct Verify {
    /// Only one clinic: its slug or id.
    #[arg(long)]
    clinic: Option<String>,
    /// The fingerprint that was noted elsewhere; by default that of the key of this installation.
    #[arg(long)]
    fingerprint: Option<String>,
    /// From the first row on, though an earlier verification has found some intact.
    #[arg(long)]
    whole: bool,
    /// Try as well whether every sealed part opens under the keys of today: one that does not had its key replaced.
    #[arg(long)]
    open: bool,
}

impl Ledgers {
    pub async fn run(self, config: &Config) -> Result<()> {
        // Nothing is started for a folder in which nothing was ever set up.
        config.keys.master_key(&DataDir::at(&config.common.data_dir))?;
        let database = Database::reach(&config.common).await?;
        let outcome = self.on(config, &database.url).await;
        database.close().await?;
        outcome
    }

    async fn on(self, config: &Config, url: &SecretString) -> Result<()> {
        let key = config.keys.checkpoint_key(&DataDir::at(&config.common.data_dir));
        let checkpointer = checkpointer(config, url, &key).await?;
        match self {
            Self::Verify(verify) => verify.run(config, url, &checkpointer).await,
            Self::Checkpoint => checkpoint(&checkpointer).await,
            Self::Fingerprint => say_fingerprint(&checkpointer).await,
            Self::RotateKey => rotate(&checkpointer, &key).await,
        }
    }
}

async fn checkpointer(config: &Config, url: &SecretString, key: &CheckpointKey) -> Result<Checkpointer> {
    let nats = match &config.common.nats_url {
        Some(nats) => Some(bus::connect(nats, "casebook-audit").await?),
        None => None,
    };
    Ok(Checkpointer {
        pool: DbRole::Auditor.pool(url.expose_secret().parse()?, CONNECTIONS),
        keys: key.source(),
        anchors: Anchors::at(&config.common.anchors()),
        nats,
    })
}

async fn checkpoint(checkpointer: &Checkpointer) -> Result<()> {
    loop {
        match checkpointer.checkpoint().await? {
            Made::Checkpoint { number, is_everything } => {
                say(&format!("Checkpoint {number} is signed and anchored."))?;
                if is_everything {
                    return Ok(());
                }
            }
            Made::NothingNew => return Ok(say("Everything is signed already.")?),
            Made::Elsewhere => bail!("another process is making a checkpoint; try again in a moment"),
        }
    }
}

async fn say_fingerprint(checkpointer: &Checkpointer) -> Result<()> {
    Ok(say(&own_fingerprint(checkpointer).await?)?)
}

async fn own_fingerprint(checkpointer: &Checkpointer) -> Result<String> {
    let key = checkpointer.public_key().await?.context("the key that signs checkpoints is not here")?;
    Ok(key.fingerprint())
}

async fn rotate(checkpointer: &Checkpointer, key: &CheckpointKey) -> Result<()> {
    let before = own_fingerprint(checkpointer).await?;
    let next = key.begin_replacement()?;
    // What was broken off after it was handed on: the next key is the one that signs already.
    if before != next.fingerprint() {
        handed_on(checkpointer.hand_on(next).await?)?;
    }
    if !matches!(checkpointer.checkpoint().await?, Made::Checkpoint { .. } | Made::NothingNew) {
        bail!("another process is making a checkpoint; give the command again");
    }
    key.end_replacement()?;
    let fingerprint = next.fingerprint();
    Ok(say(&format!("A new key signs from now on. Its fingerprint, for those who verify:\n{fingerprint}"))?)
}

fn handed_on(made: Made) -> Result<()> {
    let Made::Checkpoint { number, .. } = made else {
        bail!("another process is making a checkpoint; give the command again");
    };
    Ok(say(&format!("Checkpoint {number} hands on to the new key."))?)
}

impl Verify {
    async fn run(self, config: &Config, url: &SecretString, checkpointer: &Checkpointer) -> Result<()> {
        let key = config.keys.master_key(&DataDir::at(&config.common.data_dir))?;
        let options =
            StoreOptions { reads_as: DbRole::Auditor, ..StoreOptions::new(url.expose_secret().parse()?, key) };
        let auditor = Auditor { store: Store::open(options), anchors: Some(checkpointer.anchors.clone()) };
        let fingerprint = match self.fingerprint {
            Some(fingerprint) => fingerprint,
            None => auditor.own_fingerprint(&checkpointer.keys).await?.unwrap_or_default(),
        };
        let clinics = match clinic::find(&auditor.store, self.clinic.as_deref()).await? {
            Some(clinic) => vec![clinic],
            None => auditor.clinics().await?,
        };
        let (mut wrong, all) = (0, clinics.len());
        for clinic in clinics {
            let report = auditor.verify(clinic, &fingerprint, self.whole).await?;
            tell(clinic, &report)?;
            let opens = !self.open || all_opens(&open_store(config, url, "casebook-audit")?, clinic).await?;
            wrong += usize::from(!report.is_intact() || !opens);
        }
        ensure!(wrong == 0, "{wrong} of {all} clinics are not what was signed");
        Ok(())
    }
}

/// Whether every sealed part of a clinic opens, or was erased.
async fn all_opens(store: &Store, clinic: ClinicId) -> Result<bool> {
    for ledger in [Ledger::Record, Ledger::Access] {
        let mut after = 0;
        loop {
            let rows = store.read_rows(clinic, ledger, after, PAGE_ROWS).await?;
            let Some(last) = rows.last() else { break };
            after = last.position;
            if store.vault().open_all(&rows).await.is_ok() {
                continue;
            }
            for row in &rows {
                if store.vault().open_all(std::slice::from_ref(row)).await.is_err() {
                    let (name, position) = (name(ledger), row.position);
                    say(&format!("{clinic} {name}: the sealed part at position {position} does not open"))?;
                    return Ok(false);
                }
            }
        }
    }
    Ok(true)
}

fn name(ledger: Ledger) -> &'static str {
    match ledger {
        Ledger::Record => "record",
        Ledger::Access => "access",
    }
}

/// `018f… record: intact, all 12 rows are anchored`
fn tell(clinic: ClinicId, report: &Report) -> Result<()> {
    if let Some(wrong) = report.wrong {
        say(&format!("{clinic} checkpoints: {wrong}"))?;
    }
    for ledger in &report.ledgers {
        let name = name(ledger.ledger);
        let before = match ledger.verified_before {
            0 => String::new(),
            before => format!(" (verified before: {before})"),
        };
        say(&format!("{clinic} {name}: {}{before}", ledger.verdict))?;
    }
    Ok(())
}
