//! An invoice on paper.

use serde::Serialize;

use crate::sheet::{Fact, Sheet};

/// Amounts are written already, in the currency that `currency` names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InvoiceSheet {
    pub sheet: Sheet,
    pub facts: Vec<Fact>,
    /// Who pays: name and address.
    pub bill_to: Vec<String>,
    pub currency: String,
    pub lines: Vec<InvoicedLine>,
    /// By rate, where something is taxed.
    pub taxes: Vec<TaxSum>,
    pub net: String,
    pub tax: String,
    pub total: String,
    /// Payments, credit notes and refunds, the earliest first.
    pub movements: Vec<Movement>,
    /// What of the total is paid, credited and refunded.
    pub settled: Vec<Fact>,
    pub due: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InvoicedLine {
    pub description: String,
    pub quantity: String,
    pub unit_price: String,
    pub rate: String,
    pub net: String,
    pub tax: String,
    pub total: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaxSum {
    pub rate: String,
    pub net: String,
    pub tax: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Movement {
    pub day: String,
    /// `Payment, UPI`
    pub what: String,
    /// A number, a reference, a reason.
    pub detail: Option<String>,
    pub amount: String,
}
