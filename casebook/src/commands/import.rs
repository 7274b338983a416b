//! `casebook import`.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use command_api::{auth::passwords::Passwords, execute::Executor};
use secrecy::SecretString;

use super::{
    catalogue::{Interactions, Medicines, Substances},
    setup::prepare,
};
use crate::{
    Config,
    data_dir::DataDir,
    import::{
        activations::Activations,
        ids::Ids,
        mapping::Mapping,
        plan::plan,
        report,
        run::{Import as Run, Tally},
        source::Book,
    },
    say::say,
    servers::Database,
    system::open_store,
};

const OWNER_ONLY: u32 = 0o700;

/// Bring in what another program has kept
#[derive(Args)]
pub struct Import {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Appointments(Appointments),
    Medicines(Medicines),
    Substances(Substances),
    Interactions(Interactions),
}

/// Bring in an appointment book: clinics, doctors, patients and appointments. Stopped at any moment, it goes on where
/// it was when it is run again. Lines that are refused are listed in a report, and are no failure
#[derive(Args)]
struct Appointments {
    /// A CSV file, gzipped if its name ends in .gz.
    file: PathBuf,
    /// What its columns mean; casebook/mappings has an example that is explained line by line.
    #[arg(long)]
    mapping: PathBuf,
    /// Where the report of refused lines goes; by default into the data folder.
    #[arg(long)]
    report: Option<PathBuf>,
}

impl Import {
    pub async fn run(self, config: &Config) -> Result<()> {
        match self.what {
            What::Appointments(appointments) => appointments.run(config).await,
            What::Medicines(medicines) => medicines.run(config).await,
            What::Substances(substances) => substances.run(config).await,
            What::Interactions(interactions) => interactions.run(config).await,
        }
    }
}

impl Appointments {
    async fn run(self, config: &Config) -> Result<()> {
        let mapping = Mapping::open(&self.mapping)?;
        let book = Book::open(&self.file, &mapping)?;
        let ids = Ids::of(book.digest);
        let folder = DataDir::make(&config.common.data_dir)?.imports().join(ids.folder());
        let _alone = claim(&folder)?;
        let files = Files { report: self.report.unwrap_or_else(|| folder.join("refused.csv")), folder };
        let database = Database::reach(&config.common).await?;
        let outcome = bring_in(config, &database.url, &mapping, book, &files).await;
        database.close().await?;
        say(&files.summary(&outcome?))?;
        Ok(())
    }
}

async fn bring_in(config: &Config, url: &SecretString, mapping: &Mapping, book: Book, files: &Files) -> Result<Tally> {
    prepare(config, url).await?;
    let import = Run {
        executor: Executor::new(open_store(config, url, "casebook-import")?),
        ids: Ids::of(book.digest),
        mapping,
        activations: &Activations::open(files.activations())?,
        passwords: Passwords::start(),
    };
    let mut tally =
        import.run(plan(book.entries, mapping)).await.context("the import stopped; run it again to go on")?;
    tally.refused.extend(book.refused);
    report::write(&files.report, &tally.refused)?;
    Ok(tally)
}

/// The file's folder, as this process's alone while the file is held.
pub(super) fn claim(folder: &Path) -> Result<File> {
    let parent = folder.parent().context("the folder lies in the data folder")?;
    fs::create_dir_all(parent)?;
    if !folder.is_dir() {
        DirBuilder::new().mode(OWNER_ONLY).create(folder).with_context(|| format!("making {folder:?}"))?;
    }
    let file = File::create(folder.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!("another process is importing this very file"),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// What an import leaves for the operator.
struct Files {
    folder: PathBuf,
    report: PathBuf,
}

impl Files {
    fn activations(&self) -> PathBuf {
        self.folder.join("activations.csv")
    }

    fn summary(&self, tally: &Tally) -> String {
        let Tally { clinics, doctors, patients, appointments, took, .. } = tally;
        let by_status: Vec<String> = appointments.iter().map(|(status, count)| format!("{count} {status}")).collect();
        let rate = tally.rows() as f64 / took.as_secs_f64();
        format!(
            "The import is complete: {clinics} clinics, {doctors} doctors, {patients} patients\n\
             Appointments: {} ({})\n\
             Refused lines: {}{}\n\
             Time: {:.1} s, {rate:.0} lines/s\n\
             One-time activations of the clinics' administrators, for you alone: {}",
            tally.rows(),
            by_status.join(", "),
            tally.refused_lines(),
            self.why(tally),
            took.as_secs_f64(),
            self.activations().display(),
        )
    }

    fn why(&self, tally: &Tally) -> String {
        match tally.refused.is_empty() {
            true => String::new(),
            false => format!(" (no failure of the import; at which step and why: {})", self.report.display()),
        }
    }
}
