//! `casebook audit export`.

use std::{
    fs::OpenOptions,
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use clap::Args;
use event_store::{AccessRecord, DbRole, Store, checkpoint::Signed};
use events::{AccessEvent, Actor, Client, ClinicId, PatientId, Purpose, access::Handout};
use query_api::export::{Bundle, Everything, Exporter, Of, What};
use secrecy::{ExposeSecret, SecretString};
use service_kit::AsOf;
use uuid::Uuid;

use crate::{Config, commands::clinic, data_dir::DataDir, say::say, servers::Database, system::open_store};

const SIGNED_CONNECTIONS: u32 = 1;
/// Of a file that holds medical records.
const OWN_ONLY: u32 = 0o600;
const OPERATION: &str = "casebook audit export";

/// Write a bundle that `casebook-verify` checks without this system (docs/verification.md)
#[derive(Args)]
pub(super) struct Export {
    /// Its slug or id.
    #[arg(long)]
    clinic: String,
    /// Only this person's chart: the number or id. Once for each, where records were merged.
    #[arg(long, conflicts_with_all = ["from", "to"])]
    patient: Vec<String>,
    /// Only from this position of the record, or this instant, on.
    #[arg(long, value_parser = moment)]
    from: Option<AsOf>,
    /// Only up to this position of the record, or this instant.
    #[arg(long, value_parser = moment)]
    to: Option<AsOf>,
    /// A new file.
    #[arg(long)]
    out: PathBuf,
    /// With the keys of events: whoever has the file can read what is sealed in it.
    #[arg(long)]
    with_keys: bool,
}

fn moment(text: &str) -> Result<AsOf, &'static str> {
    AsOf::read(text).ok_or("expected a position, or an instant such as 2026-03-14T09:00:00Z")
}

impl Export {
    pub(super) async fn run(self, config: &Config) -> Result<()> {
        // Nothing is started for a folder in which nothing was ever set up.
        config.keys.master_key(&DataDir::at(&config.common.data_dir))?;
        let database = Database::reach(&config.common).await?;
        let outcome = self.on(config, &database.url).await;
        database.close().await?;
        outcome
    }

    async fn on(&self, config: &Config, url: &SecretString) -> Result<()> {
        let store = open_store(config, url, "casebook-audit")?;
        let clinic = clinic::find(&store, Some(&self.clinic)).await?.context("a clinic is named")?;
        let signed = Signed::new(DbRole::Auditor.pool(url.expose_secret().parse()?, SIGNED_CONNECTIONS));
        let exporter = Exporter { store: store.clone(), signed };
        let what = self.what(&exporter, clinic).await?;
        let of = Of { clinic, slug: self.clinic.clone() };
        let sights = Arc::new(Everything { with_keys: self.with_keys });
        let bundle = exporter.export(&of, &what, sights).await?;
        record(&store, clinic, &what, &bundle).await?;
        let (rows, bytes, sha256) = (bundle.rows, bundle.bytes, hex::encode(bundle.sha256));
        keep(bundle, &self.out)?;
        Ok(say(&format!("{}: {rows} rows, {bytes} bytes, SHA-256 {sha256}", self.out.display()))?)
    }

    async fn what(&self, exporter: &Exporter, clinic: ClinicId) -> Result<What> {
        if !self.patient.is_empty() {
            let mut patients = Vec::new();
            for named in &self.patient {
                patients.push(patient(&exporter.store, clinic, named).await?);
            }
            return Ok(What::Person(patients));
        }
        match (self.from, self.to) {
            (None, None) => Ok(What::Clinic),
            (from, to) => exporter.stretch(clinic, from, to).await?.context("nothing was recorded between these two"),
        }
    }
}

async fn patient(store: &Store, clinic: ClinicId, named: &str) -> Result<PatientId> {
    if let Ok(id) = Uuid::parse_str(named) {
        return Ok(PatientId(id));
    }
    let found = store.patient_of_number(clinic, named).await?;
    found.with_context(|| format!("there is no patient {named} in this clinic"))
}

/// Before the file is there: what is not recorded is not handed out.
async fn record(store: &Store, clinic: ClinicId, what: &What, bundle: &Bundle) -> Result<()> {
    let patients = match what {
        What::Person(patients) => patients.clone(),
        What::Clinic | What::Range { .. } => Vec::new(),
    };
    let event = AccessEvent::HandedOut {
        handout: Handout::Export,
        patient: patients.first().copied(),
        category: "export".to_owned(),
        resource: None,
        parameters: Default::default(),
        sha256: Some(hex::encode(bundle.sha256)),
        patients_sha256: None,
    };
    let record = AccessRecord {
        actor: Actor::system(),
        client: Client::default(),
        purpose: Purpose::Hoperat,
        correlation_id: Uuid::now_v7(),
        operation: OPERATION.into(),
        event,
        shown: patients.into_iter().skip(1).collect(),
    };
    store.record_access(clinic, record).await.context("recording the export in the access ledger")?;
    Ok(())
}

fn keep(mut bundle: Bundle, path: &Path) -> Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(OWN_ONLY).open(path);
    let mut file = file.with_context(|| format!("making {path:?}"))?;
    io::copy(&mut bundle.file, &mut file).with_context(|| format!("writing {path:?}"))?;
    file.sync_all().with_context(|| format!("writing {path:?}"))
}
