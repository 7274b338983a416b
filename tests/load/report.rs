//! What was measured, for people.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Write as _},
};

use anyhow::{Context, Result};
use chrono::Utc;

use crate::{
    Options,
    figure::{Measured, Spread},
};

/// One line as soon as a round is over.
pub fn round(measured: &Measured) -> io::Result<()> {
    let Some((ceiling, casebook)) = measured.rounds.last() else { return Ok(()) };
    let (figure, number) = (&measured.figure, measured.rounds.len());
    let unit = figure.unit;
    let (shown_ceiling, shown_casebook) = (shown(*ceiling), shown(*casebook));
    let ratio = casebook / ceiling;
    writeln!(
        io::stdout(),
        "{:<16} round {number}: ceiling {shown_ceiling}, Casebook {shown_casebook} {unit}: {ratio:.2} ×",
        figure.name
    )
}

/// The table, on standard output and into the file that was asked for.
pub fn give(table: &[Measured], machine: &str, options: &Options) -> Result<()> {
    let text = written(table, machine, options);
    writeln!(io::stdout(), "\n{text}")?;
    if let Some(path) = &options.result {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, &text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

fn written(table: &[Measured], machine: &str, options: &Options) -> String {
    let mut text = format!(
        "# Measured\n\nBy `make bench` on {}: {machine}. {} rounds of {} s, ceiling and Casebook in turns; least, \
         **median** and most of the rounds. The ratio is that of each pair. Absolute figures are those of this \
         machine at this hour; the ratio is what counts.\n\n| row | unit | ceiling | Casebook | ratio | goal | |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
        Utc::now().format("%Y-%m-%d"),
        options.rounds,
        options.seconds
    );
    for measured in table {
        let figure = &measured.figure;
        let verdict = if measured.is_met() { "met" } else { "**missed**" };
        let ratio = measured.ratio();
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {:.2} **{:.2}** {:.2} | {} | {verdict} |",
            figure.name,
            figure.unit,
            spread(measured.ceiling()),
            spread(measured.casebook()),
            ratio.least,
            ratio.median,
            ratio.most,
            figure.goal,
        );
    }
    text.push_str("\n## What is measured\n\n");
    for measured in table {
        let (name, what) = (measured.figure.name, &measured.what);
        let _ = writeln!(text, "- `{name}`: {} Ceiling: {}", what.casebook, what.ceiling);
    }
    text
}

fn spread(spread: Spread) -> String {
    format!("{} **{}** {}", shown(spread.least), shown(spread.median), shown(spread.most))
}

/// Three digits that count, or all before the point.
fn shown(value: f64) -> String {
    match value {
        _ if value >= 100.0 => format!("{value:.0}"),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
