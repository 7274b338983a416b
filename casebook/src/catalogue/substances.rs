//! A table of substances: their names, the allergy classes that they belong to, their codes in RxNorm.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    substance::DescribeSubstance,
    values::{Name, Text},
};
use events::{
    SubstanceId,
    medicine::{Coding, substance_key},
};

use super::{
    run::Order,
    table::{Row, Table},
};
use crate::import::report::{Refused, Stage};

/// The table that comes along with Casebook.
pub const STARTER: &str = include_str!("../../tables/substances.csv");
pub const STARTER_SOURCE: &str = "Casebook's starter table of substances";
pub const COLUMNS: [&str; 4] = ["name", "same_as", "classes", "rxnorm"];
const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";

struct Line {
    name: Name,
    same_as: Option<Name>,
    classes: Vec<Name>,
    rxnorm: Option<Text<64>>,
}

/// A command for each line; and why some have none.
pub fn orders(table: &Table, source: &Name) -> (Vec<Order<DescribeSubstance>>, Vec<Refused>) {
    let mut seen = BTreeSet::new();
    let (lines, mut refused) = table.read(|_, row| {
        let line = line(row)?;
        match seen.insert(substance_key(line.name.as_str())) {
            true => Ok(line),
            false => Err("the name stands in an earlier line".to_owned()),
        }
    });
    let (mains, others): (Vec<_>, Vec<_>) = lines.into_iter().partition(|(_, line)| line.same_as.is_none());
    let mut also: BTreeMap<String, Vec<Name>> =
        mains.iter().map(|(_, line)| (substance_key(line.name.as_str()), Vec::new())).collect();
    let mut orders = Vec::with_capacity(mains.len() + others.len());
    for (number, line) in others {
        let main = line.same_as.as_ref().map(|name| substance_key(name.as_str())).unwrap_or_default();
        match also.get_mut(&main) {
            Some(also) => {
                also.push(line.name.clone());
                orders.push(order(number, line, Vec::new(), source));
            }
            None => refused.push(Refused {
                line: number,
                stage: Stage::Read,
                code: "unreadable".to_owned(),
                reason: "`same_as` is the name of no line that stands for itself".to_owned(),
            }),
        }
    }
    let mains = mains.into_iter().map(|(number, line)| {
        let also = also.remove(&substance_key(line.name.as_str())).unwrap_or_default();
        order(number, line, also, source)
    });
    orders.extend(mains);
    (orders, refused)
}

fn line(row: Row<'_>) -> Result<Line, String> {
    Ok(Line {
        name: row.required_value("name")?,
        same_as: row.value("same_as")?,
        classes: row.values("classes")?,
        rxnorm: row.value("rxnorm")?,
    })
}

fn order(number: u64, line: Line, also: Vec<Name>, source: &Name) -> Order<DescribeSubstance> {
    let Line { name, same_as, classes, rxnorm } = line;
    let codes = rxnorm.map(|code| Coding { system: RXNORM.to_owned(), code: code.into() }).into_iter().collect();
    Order {
        line: number,
        lines: 1,
        stage: Stage::DescribeSubstance,
        target: SubstanceId::of(name.as_str()).into(),
        command: DescribeSubstance { name, same_as, also, classes, codes, source: source.clone() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Order<DescribeSubstance>>, Vec<Refused>) {
        orders(&Table::parse(text.as_bytes(), ',', COLUMNS).unwrap(), &"a table".parse().unwrap())
    }

    #[test]
    fn a_substance_knows_its_other_names() {
        let (orders, refused) = read("name,same_as,classes,rxnorm\nb,A,,\na,,x;y,7\nc,a,,\n");
        assert!(refused.is_empty());
        let main = &orders.last().unwrap().command;
        assert_eq!(main.also.iter().map(Name::as_str).collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!((main.classes.len(), main.codes[0].code.as_str()), (2, "7"));
    }

    #[test]
    fn a_name_stands_once_and_leads_to_one_that_stands_for_itself() {
        let (orders, refused) = read("name,same_as,classes,rxnorm\na,,,\nA,,,\nb,c,,\nd,b,,\n");
        assert_eq!(orders.len(), 1);
        assert_eq!(refused.iter().map(|refused| refused.line).collect::<Vec<_>>(), [3, 4, 5]);
    }

    #[test]
    fn the_starter_table_is_whole() {
        let (orders, refused) = read(STARTER);
        assert_eq!((orders.len() + 1, refused.len()), (STARTER.lines().count(), 0));
        let of = |name: &str| orders.iter().find(|order| order.command.name.as_str() == name).unwrap();
        assert_eq!(of("amoxycillin").command.same_as.as_ref().unwrap().as_str(), "amoxicillin");
        assert!(of("acetaminophen").command.also.iter().any(|name| name.as_str() == "paracetamol"));
    }
}
