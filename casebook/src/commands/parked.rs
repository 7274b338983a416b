//! `casebook parked`.

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use event_store::DbRole;
use events::ClinicId;
use projector::Parked as OneParked;
use secrecy::ExposeSecret;
use uuid::Uuid;

use crate::{Config, say::say, servers::Database};

/// List the events that could not be applied, before which a clinic's read model has stopped
#[derive(Args)]
pub struct Parked {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// Let them be tried again, once their cause is mended
    Retry {
        /// Only those of this read model, as the list names it: `patient_1`.
        #[arg(long)]
        projection: Option<String>,
        /// Only those of the clinic with this id.
        #[arg(long)]
        clinic: Option<Uuid>,
    },
}

impl Parked {
    pub async fn run(self, config: &Config) -> Result<()> {
        let url = Database::running(&config.common).context("Casebook does not run, and DATABASE_URL is not set")?;
        let pool = DbRole::Projector.pool(url.expose_secret().parse()?, 1);
        match self.action {
            None => list(&projector::parked(&pool).await?),
            Some(Action::Retry { projection, clinic }) => {
                let many = projector::retry(&pool, projection.as_deref(), clinic.map(ClinicId)).await?;
                Ok(say(&format!("{many} are tried again."))?)
            }
        }
    }
}

fn list(parked: &[OneParked]) -> Result<()> {
    if parked.is_empty() {
        say("Nothing is parked.")?;
    }
    for one in parked {
        say(&format!("{}: {}", one.projection, line(one)))?;
    }
    Ok(())
}

/// `clinic 0199… has stopped before position 12 since 2026-03-14 09:00:00 UTC: …`
pub fn line(one: &OneParked) -> String {
    let OneParked { clinic_id, position, error, parked_at, .. } = one;
    format!(
        "clinic {clinic_id} has stopped before position {position} since {}: {error}",
        parked_at.format("%F %T UTC")
    )
}
