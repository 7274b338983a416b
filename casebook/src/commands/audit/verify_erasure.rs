//! `casebook audit verify-erasure`.

use ::attachments::Attachments;
use anyhow::{Context, Result, ensure};
use clap::Args;
use event_store::Erased;
use events::PatientId;
use local_servers::LocalPostgres;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{PgPool, postgres::PgPoolOptions};

use crate::{
    Config, bus,
    commands::clinic,
    data_dir::DataDir,
    erasure::{
        ErasureList,
        verify::{Found, Markers, files, objects, scrub, standing, streams, tables},
    },
    instance,
    say::say,
    system::open_store,
};

/// Look for words of a patient who was erased in everything that is kept, while Casebook runs
#[derive(Args)]
pub struct VerifyErasure {
    /// The clinic: its slug or id.
    #[arg(long)]
    clinic: String,
    /// The patient's id.
    #[arg(long)]
    patient: PatientId,
    /// A word that was in the record; more than once for more.
    #[arg(long = "marker")]
    markers: Vec<String>,
    /// First overwrite what PostgreSQL would overwrite in time: replaced rows (each table is locked for a moment) and,
    /// of a private server, the write-ahead log.
    #[arg(long)]
    vacuum: bool,
}

/// The database as its superuser, or as whomever the configuration names.
struct Database {
    pool: PgPool,
    is_ours: bool,
}

impl VerifyErasure {
    pub async fn run(self, config: &Config) -> Result<()> {
        let data_dir = DataDir::at(&config.common.data_dir);
        let markers = Markers::new(&self.markers)?;
        let database = reach(config, &data_dir).await?;
        let erased = self.erased(config, &data_dir).await?;
        let attachments = config.attachments.open(&data_dir)?;
        let mut failed = self.say_standing(config, &database, erased, &attachments).await?;
        if self.vacuum {
            scrub(&database.pool, database.is_ours).await?;
        }
        let mut found = tables(&database.pool, &markers).await?;
        match &config.common.nats_url {
            Some(url) => found.extend(streams(&bus::connect(url, "casebook-audit").await?, &markers).await?),
            // The store of a private server lies in the data folder.
            None => say("NATS: its store is searched with the data folder.")?,
        }
        found.extend(objects(&attachments, erased.clinic, &markers).await?);
        if data_dir.path().is_dir() {
            found.extend(files(data_dir.path(), &markers)?);
        }
        for Found { place, words } in &found {
            say(&format!("FOUND   {words} of {} words in {place}", self.markers.len()))?;
        }
        failed |= !found.is_empty();
        ensure!(!failed, "the erasure is not complete");
        Ok(say(&format!("Nothing of {} words is left in tables, streams, attachments and files.", self.markers.len()))?)
    }

    async fn erased(&self, config: &Config, data_dir: &DataDir) -> Result<Erased> {
        let url = crate::servers::Database::running(&config.common);
        let url = url.with_context(|| format!("no database runs for {:?}", data_dir.path()))?;
        let store = open_store(config, &url, "casebook-audit")?;
        let clinic = clinic::find(&store, Some(&self.clinic)).await?.context("a clinic is named")?;
        Ok(Erased { clinic, patient: Some(self.patient) })
    }

    /// Whether something is missing.
    async fn say_standing(
        &self,
        config: &Config,
        database: &Database,
        erased: Erased,
        attachments: &Attachments,
    ) -> Result<bool> {
        let list = ErasureList::beside(&config.common.anchors());
        let standing = standing(&database.pool, &list, erased).await?;
        let checks = [
            (standing.recorded, "the record says that the patient was erased"),
            (standing.key_destroyed, "the patient's key is destroyed"),
            (standing.listed, "the erasure is on the list outside the database"),
            (standing.purged, "the read models were made again"),
            (attachments.left(erased).await? == 0, "no attachment of the patient is left"),
        ];
        for (holds, what) in checks {
            say(&format!("{} {what}", if holds { "ok     " } else { "MISSING" }))?;
        }
        Ok(checks.iter().any(|(holds, _)| !holds))
    }
}

async fn reach(config: &Config, data_dir: &DataDir) -> Result<Database> {
    let (url, is_ours): (SecretString, bool) = match &config.common.database.url {
        Some(url) => (url.clone(), false),
        None => {
            let url = LocalPostgres::superuser_url_of_running(&data_dir.postgres());
            let running = instance::running(data_dir)?.is_some();
            ensure!(running, "Casebook does not run on {:?}: start it first", data_dir.path());
            (url.context("its database does not run")?.into(), true)
        }
    };
    let pool = PgPoolOptions::new().max_connections(2).connect(url.expose_secret()).await;
    Ok(Database { pool: pool.context("connecting to the database")?, is_ours })
}
