//! Prices.

use events::values::Money;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Invalid, Whole, checked_text};

checked_text! {
    /// A currency: ISO 4217, in capitals.
    Currency, check_currency, { "type": "string", "pattern": "^[A-Za-z]{3}$", "examples": ["INR"] }
}

fn check_currency(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    if text.len() == 3 && text.bytes().all(|b| b.is_ascii_alphabetic()) {
        Ok(text.to_ascii_uppercase())
    } else {
        Err(Invalid::because("a currency has three letters (ISO 4217): INR"))
    }
}

/// What something costs: an amount that is not negative, in minor units (paise, cents).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// In minor units: `50000` are 500 rupees.
    pub minor: Whole<0, 1_000_000_000_000>,
    pub currency: Currency,
}

/// A sum that changes hands: more than nothing, in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sum {
    /// In minor units: `50000` are 500 rupees.
    pub minor: Whole<1, 1_000_000_000_000_000>,
    pub currency: Currency,
}

impl From<Sum> for Money {
    fn from(sum: Sum) -> Self {
        Self { minor: sum.minor.get(), currency: sum.currency.into() }
    }
}

impl From<Price> for Money {
    fn from(price: Price) -> Self {
        Self { minor: price.minor.get(), currency: price.currency.into() }
    }
}
