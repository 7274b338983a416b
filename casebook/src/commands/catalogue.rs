//! `casebook import medicines`, `substances` and `interactions`: into the platform's catalogue.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use command_api::execute::Executor;
use domain::{Medicine, Substance, values::Name};
use event_store::row::Hash;
use events::{CatalogueId, ClinicId, MedicineId, catalogue::CatalogueList};

use super::{import::claim, setup::prepare};
use crate::{
    Config,
    catalogue::{
        interactions,
        mapping::Mapping,
        medicines,
        run::{Import, Order, Tally},
        substances,
        table::Table,
    },
    data_dir::DataDir,
    import::{
        ids::Ids,
        report::{self, Refused, Stage},
    },
    say::say,
    servers::Database,
    system::open_store,
};

/// Bring in a list of medicines, for every clinic. Imported again, or stopped and started again, it changes what has
/// changed. Where no table of substances was imported yet, the one that comes along is. Lines that are refused are
/// listed in a report, and are no failure
#[derive(Args)]
pub struct Medicines {
    /// A CSV file, gzipped if its name ends in .gz.
    file: PathBuf,
    /// What its columns mean; casebook/mappings has examples that are explained line by line.
    #[arg(long)]
    mapping: PathBuf,
    /// Where the report of refused lines goes; by default into the data folder.
    #[arg(long)]
    report: Option<PathBuf>,
}

/// Bring in a table of substances: their names, and the allergy classes that they belong to
#[derive(Args)]
pub struct Substances {
    #[command(flatten)]
    table: TableFile,
}

/// Bring in a table of interactions between substances. Names are looked up in the table of substances, so that comes
/// first
#[derive(Args)]
pub struct Interactions {
    #[command(flatten)]
    table: TableFile,
}

#[derive(Args)]
struct TableFile {
    /// A CSV file with the columns of the one that comes along (casebook/tables), which is taken where none is named.
    #[arg(requires = "source")]
    file: Option<PathBuf>,
    /// Where the table comes from. A later table of the same source brings this one up to date.
    #[arg(long)]
    source: Option<Name>,
    /// Where the report of refused lines goes; by default into the data folder.
    #[arg(long)]
    report: Option<PathBuf>,
}

impl TableFile {
    fn open(&self, columns: [&str; 4], (starter, source): (&str, &str)) -> Result<(Table, Name)> {
        match (&self.file, &self.source) {
            (Some(file), Some(source)) => Ok((Table::open(file, ',', columns)?, source.clone())),
            _ => Ok((Table::parse(starter.as_bytes(), ',', columns)?, source.parse()?)),
        }
    }
}

impl Medicines {
    pub async fn run(self, config: &Config) -> Result<()> {
        let mapping = Mapping::open(&self.mapping)?;
        let table = Table::open(&self.file, mapping.delimiter, mapping.columns())?;
        let (lines, refused) = medicines::lines(&table, &mapping);
        let orders = lines.into_iter().map(|(line, medicine)| Order {
            line,
            lines: 1,
            stage: Stage::AddMedicine,
            target: MedicineId::imported(mapping.source.as_str(), &medicine.key).into(),
            command: medicine.command,
        });
        let orders: Vec<_> = orders.collect();
        let list = List { list: CatalogueList::Medicines, source: &mapping.source, digest: table.digest, refused };
        list.import(config, self.report, async |import| {
            starter_substances(import).await?;
            import.give::<Medicine>(orders).await
        })
        .await
    }
}

impl Substances {
    pub async fn run(self, config: &Config) -> Result<()> {
        let starter = (substances::STARTER, substances::STARTER_SOURCE);
        let (table, source) = self.table.open(substances::COLUMNS, starter)?;
        let (orders, refused) = substances::orders(&table, &source);
        let list = List { list: CatalogueList::Substances, source: &source, digest: table.digest, refused };
        list.import(config, self.table.report, async |import| import.give::<Substance>(orders).await).await
    }
}

impl Interactions {
    pub async fn run(self, config: &Config) -> Result<()> {
        let starter = (interactions::STARTER, interactions::STARTER_SOURCE);
        let (table, source) = self.table.open(interactions::COLUMNS, starter)?;
        let (lines, refused) = interactions::lines(&table);
        let list = List { list: CatalogueList::Interactions, source: &source, digest: table.digest, refused };
        list.import(config, self.table.report, async |import| {
            starter_substances(import).await?;
            let (orders, refused) = interactions::orders(import.executor.store(), lines, &source).await?;
            let mut tally = import.give::<Substance>(orders).await?;
            tally.refused.extend(refused);
            Ok(tally)
        })
        .await
    }
}

/// Names are looked up, so something must be known of them.
async fn starter_substances(import: &Import) -> Result<()> {
    let known = CatalogueId::of(CatalogueList::Substances).into();
    if import.executor.store().load_stream(ClinicId::PLATFORM, known, 0).await?.version > 0 {
        return Ok(());
    }
    let (table, source) =
        (Table::parse(substances::STARTER.as_bytes(), ',', substances::COLUMNS)?, substances::STARTER_SOURCE);
    let (orders, _) = substances::orders(&table, &source.parse()?);
    let tally = import.give::<Substance>(orders).await?;
    import.done(CatalogueList::Substances, source, table.digest, &tally).await?;
    say(&format!("Substances: {} from {source}", tally.taken))?;
    Ok(())
}

/// A list that is to be imported.
struct List<'a> {
    list: CatalogueList,
    source: &'a Name,
    digest: Hash,
    /// What could not be read.
    refused: Vec<Refused>,
}

impl List<'_> {
    async fn import<F>(self, config: &Config, report: Option<PathBuf>, give: F) -> Result<()>
    where
        F: AsyncFnOnce(&Import) -> Result<Tally>,
    {
        let folder = DataDir::make(&config.common.data_dir)?.imports().join(Ids::of(self.digest).folder());
        let _alone = claim(&folder)?;
        let report = report.unwrap_or_else(|| folder.join("refused.csv"));
        let database = Database::reach(&config.common).await?;
        let tally = async {
            prepare(config, &database.url).await?;
            let import = Import::new(Executor::new(open_store(config, &database.url, "casebook-import")?));
            let mut tally = give(&import).await.context("the import stopped; run it again to go on")?;
            tally.refused.extend(self.refused);
            report::write(&report, &tally.refused)?;
            import.done(self.list, self.source.as_str(), self.digest, &tally).await?;
            Ok::<_, anyhow::Error>(tally)
        };
        let tally = tally.await;
        database.close().await?;
        let Tally { taken, refused, took } = tally?;
        let why = match refused.is_empty() {
            true => String::new(),
            false => format!(" (why: {})", report.display()),
        };
        say(&format!(
            "The import is complete: {taken} lines of {} from {}\nRefused lines: {}{why}\nTime: {:.1} s",
            self.list,
            self.source,
            refused.len(),
            took.as_secs_f64(),
        ))?;
        Ok(())
    }
}
