//! What the columns of a list of medicines mean: a TOML file that the operator writes.
//!
//! `casebook/mappings/` has two that are explained line by line.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, ensure};
use domain::values::{Currency, Name, Text, folded};
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Where the list comes from. A list of the same source brings the entries of the earlier one up to date.
    pub source: Name,
    #[serde(default = "comma")]
    pub delimiter: char,
    pub medicine: MedicineColumns,
    /// What the words of `medicine.form` mean; the first that are found there count.
    #[serde(default)]
    pub forms: Vec<FormWords>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MedicineColumns {
    /// Tells the medicines of the list apart, in every edition of it.
    pub key: String,
    pub name: String,
    pub generic_name: Option<String>,
    /// Columns with parts of the composition: `Amoxycillin (500mg)`, or RxNorm's name of the medicine.
    #[serde(default)]
    pub composition: Vec<String>,
    /// A column in whose words [`Mapping::forms`] are looked for.
    pub form: Option<String>,
    pub strength: Option<String>,
    pub manufacturer: Option<String>,
    pub pack: Option<String>,
    pub price: Option<PriceColumn>,
    pub code: Option<CodeColumn>,
    /// Lines that say so are kept as retired.
    pub discontinued: Option<WordsColumn>,
}

/// A decimal number.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceColumn {
    pub column: String,
    pub currency: Currency,
    /// How many digits the currency has after the point.
    #[serde(default = "two")]
    pub digits: u32,
}

/// A code in one coding system.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeColumn {
    pub column: String,
    /// The system's URI.
    pub system: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordsColumn {
    pub column: String,
    pub words: BTreeMap<String, bool>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormWords {
    /// As they follow one another; capitals do not matter.
    pub words: String,
    pub form: Name,
    pub route: Option<Name>,
    /// UCUM.
    pub unit: Option<Text<40>>,
}

fn comma() -> char {
    ','
}

fn two() -> u32 {
    2
}

impl Mapping {
    /// # Errors
    /// When the file cannot be read, is no TOML, or says something that cannot be meant.
    pub fn open(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("reading the mapping {path:?}"))?;
        Self::parse(&text).with_context(|| format!("in the mapping {path:?}"))
    }

    pub fn parse(text: &str) -> Result<Self> {
        let mapping: Self = toml::from_str(text)?;
        ensure!(mapping.delimiter.is_ascii(), "`delimiter` is one ASCII character");
        Ok(mapping)
    }

    /// The columns that the file must have.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let medicine = &self.medicine;
        let texts =
            [&medicine.generic_name, &medicine.form, &medicine.strength, &medicine.manufacturer, &medicine.pack];
        let price = medicine.price.as_ref().map(|price| &price.column);
        let code = medicine.code.as_ref().map(|code| &code.column);
        let discontinued = medicine.discontinued.as_ref().map(|words| &words.column);
        let needed = [&medicine.key, &medicine.name].into_iter().chain(&medicine.composition);
        needed.chain(texts.into_iter().flatten()).chain(price).chain(code).chain(discontinued).map(String::as_str)
    }

    /// What the words say of the form.
    pub fn form(&self, text: &str) -> Option<&FormWords> {
        let text = format!(" {} ", folded(text));
        self.forms.iter().find(|form| text.contains(&format!(" {} ", folded(&form.words))))
    }
}
