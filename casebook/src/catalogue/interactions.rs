//! A table of interactions: `ingredient_a, ingredient_b, severity, text`.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;
use domain::{
    substance::{OneInteraction, SetInteractions},
    values::{Name, Text},
};
use event_store::Store;
use events::{
    ClinicId, DomainEvent, SubstanceEvent, SubstanceId, medicine::substance_key, substance::InteractionSeverity,
};

use super::{
    run::Order,
    table::{Row, Table},
};
use crate::import::report::{Refused, Stage};

/// The table that comes along with Casebook.
pub const STARTER: &str = include_str!("../../tables/interactions.csv");
pub const STARTER_SOURCE: &str = "Casebook's starter table of interactions";
pub const COLUMNS: [&str; 4] = ["ingredient_a", "ingredient_b", "severity", "text"];

pub struct Line {
    ingredients: [Name; 2],
    severity: InteractionSeverity,
    text: Text<2000>,
}

/// What each line says, by its number, and why some say nothing.
pub fn lines(table: &Table) -> (Vec<(u64, Line)>, Vec<Refused>) {
    table.read(|_, row| line(row))
}

fn line(row: Row<'_>) -> Result<Line, String> {
    let wrong = || "`severity` is none of minor, moderate, severe, contraindicated".to_owned();
    let severity = row.required("severity")?.to_lowercase().parse().map_err(|_| wrong())?;
    let ingredients = [row.required_value("ingredient_a")?, row.required_value("ingredient_b")?];
    Ok(Line { ingredients, severity, text: row.required_value("text")? })
}

/// A command for each substance, under the names that the platform knows; of two lines about one pair the graver counts.
///
/// # Errors
/// When the log cannot be read.
pub async fn orders(
    store: &Store,
    lines: Vec<(u64, Line)>,
    source: &Name,
) -> Result<(Vec<Order<SetInteractions>>, Vec<Refused>)> {
    let (mut names, mut refused) = (HashMap::new(), Vec::new());
    let mut pairs: BTreeMap<String, BTreeMap<String, (u64, u64, Line)>> = BTreeMap::new();
    for (number, line) in lines {
        let mut pair = Vec::with_capacity(2);
        for name in &line.ingredients {
            pair.push(main_name(store, &mut names, name.as_str()).await?);
        }
        pair.sort();
        match <[String; 2]>::try_from(pair) {
            Ok([first, second]) if first != second => keep(&mut pairs, first, second, number, line),
            Ok(_) | Err(_) => refused.push(Refused {
                line: number,
                stage: Stage::Read,
                code: "unreadable".to_owned(),
                reason: "both names are of one substance".to_owned(),
            }),
        }
    }
    Ok((pairs.into_iter().map(|(name, with)| order(&name, with, source)).collect::<Result<_>>()?, refused))
}

type Pairs = BTreeMap<String, BTreeMap<String, (u64, u64, Line)>>;

fn keep(pairs: &mut Pairs, first: String, second: String, number: u64, line: Line) {
    let with = pairs.entry(first).or_default();
    match with.get_mut(&second) {
        Some((kept_number, lines, kept)) => {
            *lines += 1;
            if kept.severity < line.severity {
                (*kept_number, *kept) = (number, line);
            }
        }
        None => drop(with.insert(second, (number, 1, line))),
    }
}

fn order(name: &str, with: BTreeMap<String, (u64, u64, Line)>, source: &Name) -> Result<Order<SetInteractions>> {
    let line = with.values().map(|(number, _, _)| *number).min().unwrap_or(0);
    let lines = with.values().map(|(_, lines, _)| lines).sum();
    let interactions = with.into_iter().map(|(other, (_, _, line))| {
        Ok(OneInteraction { with: other.parse()?, severity: line.severity, text: line.text })
    });
    let interactions = interactions.collect::<Result<_>>()?;
    Ok(Order {
        line,
        lines,
        stage: Stage::SetInteractions,
        target: SubstanceId::of(name).into(),
        command: SetInteractions { name: name.parse()?, interactions, source: source.clone() },
    })
}

/// The name that the platform knows a substance by.
async fn main_name(store: &Store, known: &mut HashMap<String, String>, name: &str) -> Result<String> {
    let name = substance_key(name);
    if let Some(main) = known.get(&name) {
        return Ok(main.clone());
    }
    let loaded = store.load_stream(ClinicId::PLATFORM, SubstanceId::of(&name).into(), 0).await?;
    let described = loaded.events.into_iter().rev().find_map(|recorded| match recorded.event {
        DomainEvent::Substance(SubstanceEvent::SubstanceDescribed { entry, .. }) => Some(entry),
        _ => None,
    });
    let main = described.and_then(|entry| entry.same_as).unwrap_or_else(|| name.clone());
    known.insert(name, main.clone());
    Ok(main)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_starter_table_is_whole() {
        let (lines, refused) = lines(&Table::parse(STARTER.as_bytes(), ',', COLUMNS).unwrap());
        assert_eq!((lines.len() + 1, refused.len()), (STARTER.lines().count(), 0));
    }

    #[test]
    fn a_severity_has_one_of_four_names() {
        let text = "ingredient_a,ingredient_b,severity,text\na,b,Severe,x\na,b,bad,x\na,,minor,x\n";
        let (lines, refused) = lines(&Table::parse(text.as_bytes(), ',', COLUMNS).unwrap());
        assert_eq!((lines.len(), refused.len()), (1, 2));
    }
}
