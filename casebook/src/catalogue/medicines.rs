//! A line of a list of medicines, as the command that brings it into the catalogue.

use std::collections::HashMap;

use domain::{
    medicine::{ImportMedicine, MedicineDraft},
    values::{Price, Text, Whole},
};
use events::medicine::Coding;
use rust_decimal::{Decimal, prelude::ToPrimitive};

use super::{
    mapping::{CodeColumn, Mapping, PriceColumn, WordsColumn},
    table::{Row, Table},
};
use crate::import::report::Refused;

/// A line, and what tells it apart in every edition of the list.
#[derive(Debug)]
pub struct Line {
    pub key: String,
    pub command: ImportMedicine,
}

/// What each line says, by its number, and why some say nothing.
pub fn lines(table: &Table, mapping: &Mapping) -> (Vec<(u64, Line)>, Vec<Refused>) {
    let mut seen = HashMap::new();
    table.read(|number, row| {
        let line = line(mapping, row)?;
        match seen.insert(line.key.clone(), number) {
            Some(earlier) => {
                seen.insert(line.key, earlier);
                Err(format!("the key is that of line {earlier}"))
            }
            None => Ok(line),
        }
    })
}

fn line(mapping: &Mapping, row: Row<'_>) -> Result<Line, String> {
    let columns = &mapping.medicine;
    let parts: Vec<&str> = columns.composition.iter().filter_map(|column| row.cell(column)).collect();
    let composition = (!parts.is_empty()).then(|| parts.join(" + ").parse::<Text<2000>>()).transpose();
    let form = columns.form.as_deref().and_then(|column| mapping.form(row.cell(column)?));
    let named = |column: &Option<String>| column.as_deref().map_or(Ok(None), |column| row.value(column));
    let medicine = MedicineDraft {
        generic_name: named(&columns.generic_name)?,
        composition: composition.map_err(|invalid| format!("composition: {invalid}"))?,
        form: form.map(|form| form.form.clone()),
        route: form.and_then(|form| form.route.clone()),
        unit: form.and_then(|form| form.unit.clone()),
        strength: columns.strength.as_deref().map_or(Ok(None), |column| row.value(column))?,
        manufacturer: named(&columns.manufacturer)?,
        pack: named(&columns.pack)?,
        price: columns.price.as_ref().map_or(Ok(None), |price| amount(price, row))?,
        codes: columns.code.as_ref().map(|code| coded(code, row)).transpose()?.into_iter().collect(),
        ..MedicineDraft::named(row.required_value(&columns.name)?)
    };
    let discontinued = columns.discontinued.as_ref().map_or(Ok(false), |words| known(words, row))?;
    Ok(Line { key: row.required(&columns.key)?.to_owned(), command: ImportMedicine { medicine, discontinued } })
}

fn amount(price: &PriceColumn, row: Row<'_>) -> Result<Option<Price>, String> {
    let Some(text) = row.cell(&price.column) else { return Ok(None) };
    let wrong = || format!("`{}` is no price with at most {} digits after the point", price.column, price.digits);
    let minor =
        text.parse::<Decimal>().ok().and_then(|amount| amount.checked_mul(Decimal::from(10_u64.pow(price.digits))));
    let minor = minor.filter(|minor| minor.fract().is_zero()).and_then(|minor| minor.to_i64()).ok_or_else(wrong)?;
    let minor = Whole::try_from(minor).map_err(|_| wrong())?;
    Ok(Some(Price { minor, currency: price.currency.clone() }))
}

fn coded(code: &CodeColumn, row: Row<'_>) -> Result<Coding, String> {
    Ok(Coding { system: code.system.clone(), code: row.required(&code.column)?.to_owned() })
}

fn known(words: &WordsColumn, row: Row<'_>) -> Result<bool, String> {
    let meaning = words.words.get(row.required(&words.column)?).copied();
    meaning.ok_or_else(|| format!("the mapping does not know this word in `{}`", words.column))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRANDS: &str = include_str!("../../mappings/indian-brands.toml");
    const RXNORM: &str = include_str!("../../mappings/rxnorm-medicines.toml");
    const HEADER: &str = "id,name,price(₹),Is_discontinued,manufacturer_name,type,pack_size_label,short_composition1,short_composition2\n";
    const ROW: &str = "1,Augmentin 625 Duo Tablet,223.42,FALSE,Glaxo Ltd,allopathy,strip of 10 tablets,Amoxycillin  (500mg) ,  Clavulanic Acid (125mg)\n";

    fn read(mapping: &str, text: &str) -> (Vec<(u64, Line)>, Vec<Refused>) {
        let mapping = Mapping::parse(mapping).unwrap();
        lines(&Table::parse(text.as_bytes(), mapping.delimiter, mapping.columns()).unwrap(), &mapping)
    }

    #[test]
    fn a_brand_is_read_as_it_is_written() {
        let (taken, refused) = read(BRANDS, &format!("{HEADER}{ROW}"));
        assert!(refused.is_empty());
        let (line, Line { key, command: ImportMedicine { medicine, discontinued } }) = &taken[0];
        assert_eq!((*line, key.as_str(), *discontinued), (2, "1", false));
        assert_eq!(medicine.composition.as_ref().unwrap().as_str(), "Amoxycillin  (500mg) + Clavulanic Acid (125mg)");
        assert_eq!(medicine.price.as_ref().unwrap().minor.get(), 22_342);
        assert_eq!(
            (medicine.form.as_ref().unwrap().as_str(), medicine.unit.as_ref().unwrap().as_str()),
            ("tablet", "{tablet}")
        );
        assert_eq!(medicine.pack.as_ref().unwrap().as_str(), "strip of 10 tablets");
    }

    #[test]
    fn a_name_of_rxnorm_is_its_own_composition() {
        let text = "system,code,display,prescription_count\nx,313782,Acetaminophen 325 MG Oral Tablet,316\n";
        let (taken, _) = read(RXNORM, text);
        let medicine = &taken[0].1.command.medicine;
        assert_eq!(medicine.composition.as_ref().unwrap().as_str(), medicine.name.as_str());
        assert_eq!((medicine.codes[0].code.as_str(), medicine.route.as_ref().unwrap().as_str()), ("313782", "oral"));
    }

    #[test]
    fn what_cannot_be_understood_is_refused_with_its_reason() {
        for (from, to, reason) in [
            ("223.42", "much", "`price(₹)` is no price with at most 2 digits after the point"),
            ("223.42", "1.005", "`price(₹)` is no price with at most 2 digits after the point"),
            ("223.42", "-1", "`price(₹)` is no price with at most 2 digits after the point"),
            ("FALSE", "perhaps", "the mapping does not know this word in `Is_discontinued`"),
            ("Augmentin 625 Duo Tablet", "", "`name` is empty"),
            ("1,Aug", ",Aug", "`id` is empty"),
        ] {
            let (taken, refused) = read(BRANDS, &format!("{HEADER}{}", ROW.replacen(from, to, 1)));
            assert!(taken.is_empty(), "{to}");
            assert_eq!(refused[0].reason, reason);
        }
        let (taken, refused) = read(BRANDS, &format!("{HEADER}{ROW}{ROW}{ROW}"));
        assert_eq!((taken.len(), refused[1].reason.as_str()), (1, "the key is that of line 2"));
    }
}
