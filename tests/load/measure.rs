//! Taking turns.

use std::time::Duration;

use anyhow::Result;

use crate::{
    Options,
    figure::{Figure, Measured, What},
    report,
    world::World,
};

/// A row of the table. Ceiling and Casebook answer with one value per figure, in the same order.
pub trait Row {
    fn figures(&self) -> Vec<Figure>;
    fn what(&self) -> What;

    async fn ceiling(&mut self, world: &World, turn: Duration) -> Result<Vec<f64>>;
    async fn casebook(&mut self, world: &World, turn: Duration) -> Result<Vec<f64>>;
}

const WARM_UP: Duration = Duration::from_secs(1);

/// Measures a row, after a turn of each that does not count.
pub async fn measure<R: Row>(row: &mut R, world: &World, options: &Options) -> Result<Vec<Measured>> {
    row.ceiling(world, WARM_UP).await?;
    row.casebook(world, WARM_UP).await?;
    let figures = row.figures().into_iter();
    let mut measured: Vec<_> =
        figures.map(|figure| Measured { figure, what: row.what(), rounds: Vec::new() }).collect();
    for _ in 0..options.rounds {
        world.checkpoint().await?;
        let ceiling = row.ceiling(world, options.turn()).await?;
        world.checkpoint().await?;
        let casebook = row.casebook(world, options.turn()).await?;
        for ((figure, ceiling), casebook) in measured.iter_mut().zip(ceiling).zip(casebook) {
            figure.rounds.push((ceiling, casebook));
            report::round(figure)?;
        }
    }
    Ok(measured)
}
