//! `make bench`: how fast Casebook is, each figure beside a ceiling that is measured in the same run.
//!
//! A row of the table is a file here. Rounds are interleaved (ceiling, Casebook, ceiling, …), so that both meet
//! the same machine; what counts is their ratio.

mod append;
mod figure;
mod measure;
mod patients;
mod raw;
mod report;
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

const ROWS: [&str; 3] = ["append-many", "append-hot", "append-latency"];

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    if let Some(unknown) = options.rows.iter().find(|row| !ROWS.contains(&row.as_str())) {
        anyhow::bail!("there is no row {unknown}; there are {}", ROWS.join(", "));
    }
    let world = World::start(&options.folder).await?;
    let mut table: Vec<Measured> = Vec::new();
    if options.wants("append-many") {
        table.extend(measure(&mut append::many(&world).await?, &world, &options).await?);
    }
    if options.wants("append-hot") {
        table.extend(measure(&mut append::hot(&world).await?, &world, &options).await?);
    }
    if options.wants("append-latency") {
        table.extend(measure(&mut append::latency(&world).await?, &world, &options).await?);
    }
    report::give(&table, &world.describe().await?, &options)?;
    world.stop().await
}
