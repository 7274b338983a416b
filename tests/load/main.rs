//! `make bench`: how fast Casebook is, each figure beside a ceiling that is measured in the same run.
//!
//! A row of the table is a file here. Rounds are interleaved (ceiling, Casebook, ceiling, …), so that both meet
//! the same machine; what counts is their ratio.

mod append;
mod command;
mod figure;
mod front;
mod http;
mod lag;
mod measure;
mod medicines;
mod patients;
mod raw;
mod read;
mod rebuild;
mod report;
mod verify;
mod world;

use std::{path::PathBuf, time::Duration};

use anyhow::Result;
use clap::Parser;

use crate::{figure::Measured, measure::measure, world::World};

/// As in the program that people run.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures Casebook against what the machine gives without it
#[derive(Parser)]
pub struct Options {
    /// Which rows, separated by commas; all when absent
    #[arg(long, env = "ROWS", value_delimiter = ',')]
    rows: Vec<String>,
    /// How often ceiling and Casebook take turns
    #[arg(long, env = "ROUNDS", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long each turn takes
    #[arg(long, env = "SECONDS_EACH", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// A folder on a real disk, for the servers' data while this runs
    #[arg(long, env = "BENCH_DIR", default_value = "/var/tmp")]
    folder: PathBuf,
    /// Where the result is written, beside standard output
    #[arg(long)]
    result: Option<PathBuf>,
}

impl Options {
    fn wants(&self, row: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|wanted| wanted == row)
    }

    fn turn(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

/// On the log alone.
const LOG_ROWS: [&str; 4] = ["append-many", "append-hot", "append-latency", "verify"];
/// On all services together.
const SYSTEM_ROWS: [&str; 5] = ["command", "read", "lag", "medicine-search", "rebuild"];

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let rows = [LOG_ROWS.as_slice(), &SYSTEM_ROWS].concat();
    if let Some(unknown) = options.rows.iter().find(|row| !rows.contains(&row.as_str())) {
        anyhow::bail!("there is no row {unknown}; there are {}", rows.join(", "));
    }
    let mut table = Vec::new();
    let mut machine = String::new();
    if LOG_ROWS.iter().any(|row| options.wants(row)) {
        let world = World::log(&options.folder).await?;
        measure_log(&world, &options, &mut table).await?;
        machine = world.describe().await?;
        world.stop().await?;
    }
    if SYSTEM_ROWS.iter().any(|row| options.wants(row)) {
        let world = World::everything(&options.folder).await?;
        measure_system(&world, &options, &mut table).await?;
        machine = world.describe().await?;
        world.stop().await?;
    }
    report::give(&table, &machine, &options)
}

async fn measure_log(world: &World, options: &Options, table: &mut Vec<Measured>) -> Result<()> {
    if options.wants("append-many") {
        table.extend(measure(&mut append::many(world).await?, world, options).await?);
    }
    if options.wants("append-hot") {
        table.extend(measure(&mut append::hot(world).await?, world, options).await?);
    }
    if options.wants("append-latency") {
        table.extend(measure(&mut append::latency(world).await?, world, options).await?);
    }
    if options.wants("verify") {
        table.extend(measure(&mut verify::Verify::new(world).await?, world, options).await?);
    }
    Ok(())
}

async fn measure_system(world: &World, options: &Options, table: &mut Vec<Measured>) -> Result<()> {
    let desks = front::open(world).await?;
    if options.wants("command") {
        table.extend(measure(&mut command::Command::new(&desks).await?, world, options).await?);
    }
    if options.wants("read") {
        table.extend(measure(&mut read::Reading::new(world, &desks).await?, world, options).await?);
    }
    if options.wants("lag") {
        table.extend(measure(&mut lag::Lag::new(&desks).await?, world, options).await?);
    }
    if options.wants("medicine-search") {
        match medicines::lists() {
            Some(lists) => {
                let mut row = medicines::MedicineSearch::new(world, &desks, &lists).await?;
                table.extend(measure(&mut row, world, options).await?);
            }
            None => eprintln!(
                "SKIPPED medicine-search: the lists of medicines are absent; CASEBOOK_SHARED_DATA names their folder"
            ),
        }
    }
    if options.wants("rebuild") {
        table.extend(measure(&mut rebuild::Rebuild::new(world).await?, world, options).await?);
    }
    Ok(())
}
