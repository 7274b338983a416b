//! `casebook mail`.

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use event_store::{
    DbRole,
    outbox::{MailStanding, retry, standing},
};
use events::ClinicId;
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{Config, mail::failed, say::say, servers::Database};

/// Say which mails wait to be sent, and which were given up
#[derive(Args)]
pub struct Mail {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// Let those that wait or were given up be tried again at once, where they are still worth something
    Retry {
        /// Only those of the clinic with this id.
        #[arg(long)]
        clinic: Option<Uuid>,
    },
}

impl Mail {
    pub async fn run(self, config: &Config) -> Result<()> {
        let url = Database::running(&config.common).context("Casebook does not run, and DATABASE_URL is not set")?;
        let pool = outbox(&url)?;
        match self.action {
            None => list(&standing(&pool).await?),
            Some(Action::Retry { clinic }) => {
                let many = retry(&pool, clinic.map(ClinicId)).await?;
                Ok(say(&format!("{many} are tried again."))?)
            }
        }
    }
}

/// What `casebook status` says of mails.
pub async fn say_in_short(url: &SecretString) -> Result<()> {
    let standing = standing(&outbox(url)?).await.context("asking for the mails")?;
    let count = |of: fn(&MailStanding) -> i64| standing.iter().map(of).sum::<i64>();
    Ok(say(&format!("mail: {} waiting, {} given up", count(|one| one.waiting), count(failed)))?)
}

fn outbox(url: &SecretString) -> Result<PgPool> {
    Ok(DbRole::Writer.pool(url.expose_secret().parse()?, 1))
}

fn list(standing: &[MailStanding]) -> Result<()> {
    if standing.is_empty() {
        say("No mail waits, and none was given up.")?;
    }
    for one in standing {
        say(&line(one))?;
    }
    Ok(())
}

/// `clinic 0199… activation: 2 waiting, 0 given up, the first since 2026-03-14 09:00:00 UTC: unreachable`
fn line(one: &MailStanding) -> String {
    let MailStanding { clinic, kind, last_error, waiting, given_up, since } = one;
    let given_up = match failed(one) {
        0 if *given_up > 0 => format!("{given_up} not needed any more"),
        failed => format!("{failed} given up"),
    };
    let why = last_error.as_deref().map(|code| format!(": {code}")).unwrap_or_default();
    format!("clinic {clinic} {kind}: {waiting} waiting, {given_up}, the first since {}{why}", since.format("%F %T UTC"))
}
