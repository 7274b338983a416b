//! A CSV file with a header, each line by its number.

use std::{collections::HashMap, path::Path};

use anyhow::{Context, Result, ensure};
use csv::{Position, StringRecord};
use event_store::row::{Hash, sha256};

use crate::import::{
    report::{Refused, Stage},
    source::{BYTE_ORDER_MARK, Lines, read, text},
};

pub struct Table {
    /// SHA-256 of the text.
    pub digest: Hash,
    places: HashMap<String, usize>,
    rows: Vec<(u64, Result<StringRecord, String>)>,
}

/// A line, by the names of its columns.
#[derive(Clone, Copy)]
pub struct Row<'t> {
    places: &'t HashMap<String, usize>,
    record: &'t StringRecord,
}

impl Table {
    /// Reads a CSV file, gzipped if its name ends in `.gz`.
    ///
    /// # Errors
    /// When the file cannot be read, or lacks one of the columns.
    pub fn open<'c>(path: &Path, delimiter: char, columns: impl IntoIterator<Item = &'c str>) -> Result<Self> {
        let bytes = read(path).with_context(|| format!("reading {path:?}"))?;
        Self::parse(&bytes, delimiter, columns).with_context(|| format!("in {path:?}"))
    }

    pub fn parse<'c>(bytes: &[u8], delimiter: char, columns: impl IntoIterator<Item = &'c str>) -> Result<Self> {
        let unmarked = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        let mut lines = Lines::new(unmarked);
        let mut csv = csv::ReaderBuilder::new().flexible(true).delimiter(delimiter as u8).from_reader(unmarked);
        let header = text(csv.byte_headers()?.clone()).map_err(anyhow::Error::msg).context("line 1")?;
        let names: Vec<&str> = header.iter().map(str::trim).collect();
        for column in columns {
            let found = names.iter().filter(|name| **name == column).count();
            ensure!(found == 1, "the file has {found} columns `{column}`");
        }
        let mut rows = Vec::new();
        for record in csv.byte_records() {
            let record = record?;
            let line = lines.of(record.position().map_or(0, Position::byte));
            let wrong = || format!("the line has {} fields and the header {}", record.len(), names.len());
            let whole = (record.len() == names.len()).then_some(()).ok_or_else(wrong);
            rows.push((line, whole.and_then(|()| text(record.clone()))));
        }
        let places = names.iter().enumerate().map(|(place, name)| ((*name).to_owned(), place)).collect();
        Ok(Self { digest: sha256(bytes), places, rows })
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What each line says, by its number; and those that say nothing, with the reason.
    pub fn read<T>(&self, mut line: impl FnMut(u64, Row<'_>) -> Result<T, String>) -> (Vec<(u64, T)>, Vec<Refused>) {
        let (mut taken, mut refused) = (Vec::new(), Vec::new());
        for (number, record) in &self.rows {
            let read = match record {
                Ok(record) => line(*number, Row { places: &self.places, record }),
                Err(reason) => Err(reason.clone()),
            };
            match read {
                Ok(read) => taken.push((*number, read)),
                Err(reason) => {
                    let code = "unreadable".to_owned();
                    refused.push(Refused { line: *number, stage: Stage::Read, code, reason });
                }
            }
        }
        (taken, refused)
    }
}

impl<'t> Row<'t> {
    /// `None` where the field is empty, or there is no such column.
    pub fn cell(&self, column: &str) -> Option<&'t str> {
        let text = self.places.get(column).and_then(|place| self.record.get(*place)).map(str::trim);
        text.filter(|text| !text.is_empty())
    }

    pub fn required(&self, column: &str) -> Result<&'t str, String> {
        self.cell(column).ok_or_else(|| format!("`{column}` is empty"))
    }

    pub fn value<T>(&self, column: &str) -> Result<Option<T>, String>
    where
        T: std::str::FromStr<Err = domain::values::Invalid>,
    {
        self.cell(column).map(|text| text.parse().map_err(|invalid| format!("`{column}`: {invalid}"))).transpose()
    }

    pub fn required_value<T>(&self, column: &str) -> Result<T, String>
    where
        T: std::str::FromStr<Err = domain::values::Invalid>,
    {
        self.required(column)?;
        self.value(column)?.ok_or_else(|| format!("`{column}` is empty"))
    }

    /// The texts of a field that holds several, separated by `;`.
    pub fn values<T>(&self, column: &str) -> Result<Vec<T>, String>
    where
        T: std::str::FromStr<Err = domain::values::Invalid>,
    {
        let texts = self.cell(column).into_iter().flat_map(|text| text.split(';')).map(str::trim);
        let texts = texts.filter(|text| !text.is_empty());
        texts.map(|text| text.parse().map_err(|invalid| format!("`{column}`: {invalid}"))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_and_those_that_say_nothing_are_refused() {
        let text = "\u{feff}a,b\r\n1,x; y\r\n\r\n2\r\n3,\r\n";
        let table = Table::parse(text.as_bytes(), ',', ["a", "b"]).unwrap();
        let read =
            |_: u64, row: Row<'_>| Ok((row.required("a")?.to_owned(), row.values::<domain::values::Name>("b")?.len()));
        let (taken, refused) = table.read(read);
        assert_eq!(taken, [(2, ("1".to_owned(), 2)), (5, ("3".to_owned(), 0))]);
        assert_eq!((refused[0].line, refused[0].reason.as_str()), (4, "the line has 1 fields and the header 2"));
    }

    #[test]
    fn a_file_without_a_column_is_no_such_table() {
        let error = Table::parse(b"a,a,b\n", ',', ["a"]).err().unwrap();
        assert_eq!(error.to_string(), "the file has 2 columns `a`");
        assert!(Table::parse(b"a,b\n", ',', ["c"]).is_err());
    }
}
