//! `casebook rebuild`.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use clap::{Args, builder::PossibleValuesParser};
use event_store::{DbRole, Store};
use events::ClinicId;
use projector::{Comparison, History};
use read_models::registry::NAMES;
use secrecy::{ExposeSecret, SecretString};

use super::clinic;
use crate::{Config, progress::Progress, say::say, servers::Database, system::open_store};

/// One that folds and one that tells how far it is, and some to look.
const CONNECTIONS: u32 = 4;

/// Make read models again from the log, while queries go on being answered
#[derive(Args)]
pub struct Rebuild {
    /// The read model.
    #[arg(required_unless_present = "all", conflicts_with = "all", value_parser = PossibleValuesParser::new(NAMES))]
    projection: Option<String>,
    /// Every read model, one after another.
    #[arg(long)]
    all: bool,
    /// Only one clinic's rows: its slug or id.
    #[arg(long)]
    clinic: Option<String>,
    /// Change nothing: say whether the served rows are, byte for byte, what the log says.
    #[arg(long)]
    compare: bool,
}

impl Rebuild {
    pub async fn run(self, config: &Config) -> Result<()> {
        // Nothing is started for a folder in which nothing was ever set up.
        config.keys.master_key(&crate::data_dir::DataDir::at(&config.common.data_dir))?;
        let database = Database::reach(&config.common).await?;
        let outcome = self.on(config, &database.url).await;
        database.close().await?;
        outcome
    }

    async fn on(&self, config: &Config, url: &SecretString) -> Result<()> {
        let store = open_store(config, url, "casebook-rebuild")?;
        let clinic = clinic::find(&store, self.clinic.as_deref()).await?;
        let history = history(url, store)?;
        let names = self.projection.as_deref().map_or(NAMES.to_vec(), |name| vec![name]);
        let mut differing = Vec::new();
        for name in names {
            match self.compare {
                true => differing.extend((!compare(&history, name, clinic).await?).then_some(name)),
                false => rebuild(&history, name, clinic).await?,
            }
        }
        ensure!(differing.is_empty(), "not as the log says: {}", differing.join(", "));
        Ok(())
    }
}

/// What a command reads to rebuild.
pub(super) fn history(url: &SecretString, store: Store) -> Result<History> {
    let pool = DbRole::Projector.pool(url.expose_secret().parse()?, CONNECTIONS);
    Ok(History::new(pool, Arc::new(store)))
}

async fn rebuild(history: &History, name: &str, clinic: Option<ClinicId>) -> Result<()> {
    let (mut shown, mut folded) = (None, 0);
    let mut progress = |at: projector::Progress| {
        let total = at.total.max(at.events).cast_unsigned();
        folded = at.events;
        shown.get_or_insert_with(|| Progress::start(total, "events")).reach(at.events.cast_unsigned());
    };
    projector::rebuild(history, name, clinic, &mut progress).await.with_context(|| format!("rebuilding {name}"))?;
    drop(shown);
    Ok(say(&format!("{name}: rebuilt from {folded} events"))?)
}

/// Whether all is the same.
async fn compare(history: &History, name: &str, clinic: Option<ClinicId>) -> Result<bool> {
    let compared = projector::compare(history, name, clinic).await.with_context(|| format!("comparing {name}"))?;
    let rows: i64 = compared.iter().map(|one| one.served.rows).sum();
    let differing: Vec<&Comparison> = compared.iter().filter(|one| !one.is_same()).collect();
    for Comparison { clinic, position, served, expected } in &differing {
        let (served, expected) = (served.rows, expected.rows);
        say(&format!(
            "{name}: clinic {clinic} differs at position {position}: {served} rows served, {expected} expected"
        ))?;
    }
    if differing.is_empty() {
        say(&format!("{name}: {rows} rows of {} clinics are as the log says", compared.len()))?;
    }
    Ok(differing.is_empty())
}
