//! An invoice, with what was paid of it since.

use std::collections::BTreeMap;

use events::invoice::InvoiceStatus;
use printing::{Document, Fact, InvoiceSheet, InvoicedLine, Mark, Movement, TaxSum, words};
use read_models::{
    Invoices,
    invoice::{CreditNoteEntry, LineEntry, PaymentEntry, RefundEntry},
};
use service_kit::Problem;

use super::{
    Desk, Printable,
    desk::{hint, mark, reason},
};
use crate::routes::billing::Invoice;

impl Printable for Invoices {
    const SAYS: &'static str = "Name, address and tax id of the issuer are those of the day on which it was issued; payments, \
         credit notes and refunds are those recorded since.";
    const PRINTED: &'static str = "invoice";

    async fn document(answer: Invoice, version: i64, desk: &Desk<'_>) -> Result<Document, Problem> {
        let people = desk.colleagues([answer.issued.user_id.map(|id| id.0)]).await?;
        let number = answer.number.clone();
        let mut sheet = desk.sheet("Invoice", number, state(&answer).into_iter().collect(), version, &people);
        issue(&mut sheet.clinic, &answer);
        let amount = |minor| words::amount(minor, &answer.currency);
        let money = |minor| words::money(minor, &answer.currency);
        let home = desk.patient.address.as_ref().map(words::address).unwrap_or_default();
        let settled = [("Paid", answer.paid), ("Credited", answer.credited), ("Refunded", answer.refunded)];
        Ok(Document::Invoice(InvoiceSheet {
            sheet,
            facts: vec![
                Fact::new("Date", words::day(answer.day)),
                Fact::new("Status", words::code(&answer.status.to_string())),
                Fact::new("Issued by", people.name(answer.issued.user_id, &answer.issued.username)),
            ],
            bill_to: [desk.patient_name()].into_iter().chain(home).collect(),
            currency: answer.currency.clone(),
            lines: answer.lines.iter().map(|line| printed(line, &answer.currency)).collect(),
            taxes: taxes(&answer),
            net: amount(answer.net),
            tax: amount(answer.tax),
            total: money(answer.total),
            movements: movements(&answer),
            settled: settled
                .into_iter()
                .filter(|(_, minor)| *minor != 0)
                .map(|(what, minor)| Fact::new(what, amount(minor)))
                .collect(),
            due: money(answer.due),
        }))
    }
}

/// Whoever issued it stands at its head, as they were then.
fn issue(clinic: &mut printing::Letterhead, answer: &Invoice) {
    clinic.name.clone_from(&answer.issuer.name);
    clinic.address = answer.issuer.address.as_ref().map(words::address).unwrap_or_default();
    clinic.contacts.retain(|contact| contact.label != TAX_ID);
    clinic.contacts.extend(answer.issuer.tax_id.clone().map(|number| Fact::new(TAX_ID, number)));
}

/// As the desk labels it.
const TAX_ID: &str = "Tax id";

fn state(answer: &Invoice) -> Option<Mark> {
    match answer.status {
        InvoiceStatus::Credited => {
            Some(mark("CREDITED", "Credited", Some("Credit notes took all of it back: nothing is due.".to_owned())))
        }
        _ if answer.credited > 0 => Some(hint("Partly credited:", Some("see the adjustments below.".to_owned()))),
        InvoiceStatus::Issued | InvoiceStatus::PartiallyPaid | InvoiceStatus::Paid => None,
    }
}

fn printed(line: &LineEntry, currency: &str) -> InvoicedLine {
    let amount = |minor| words::amount(minor, currency);
    InvoicedLine {
        description: line.description.clone().unwrap_or_else(|| "–".to_owned()),
        quantity: line.quantity.to_string(),
        unit_price: amount(line.unit_price),
        rate: words::percent(line.tax_basis_points),
        net: amount(line.net),
        tax: amount(line.tax),
        total: amount(line.total),
    }
}

/// By rate, the lowest first; none where nothing is taxed.
fn taxes(answer: &Invoice) -> Vec<TaxSum> {
    let mut sums: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    for line in answer.lines.iter().filter(|line| line.tax_basis_points > 0) {
        let sum = sums.entry(line.tax_basis_points).or_default();
        *sum = (sum.0 + line.net, sum.1 + line.tax);
    }
    let amount = |minor| words::amount(minor, &answer.currency);
    sums.into_iter()
        .map(|(rate, (net, tax))| TaxSum { rate: words::percent(rate), net: amount(net), tax: amount(tax) })
        .collect()
}

/// What became of the money, in the order in which it did. What lessens what is due is written with a minus.
fn movements(answer: &Invoice) -> Vec<Movement> {
    let amount = |minor| words::amount(minor, &answer.currency);
    let method = |what: &str, method: String| format!("{what}, {}", method_name(&method));
    let paid =
        answer.payments.iter().map(|PaymentEntry { amount: minor, method: by, day, reference, recorded, .. }| {
            let what = method("Payment", by.to_string());
            (recorded.at, Movement { day: words::day(*day), what, detail: reference.clone(), amount: amount(-minor) })
        });
    let credited = answer.credit_notes.iter().map(|note| {
        let CreditNoteEntry { number, amount: minor, reason: code, text, day, issued, .. } = note;
        let why = reason(Some(code.to_string()), text.as_deref());
        let (what, day) = (format!("Credit note {number}"), words::day(*day));
        (issued.at, Movement { day, what, detail: why, amount: amount(-minor) })
    });
    let refunded = answer.refunds.iter().map(|refund| {
        let RefundEntry { amount: minor, method: by, reason: code, text, reference, day, issued, .. } = refund;
        let why = reason(Some(code.to_string()), text.as_deref()).into_iter().chain(reference.clone());
        let (what, detail) = (method("Refund", by.to_string()), Some(why.collect::<Vec<_>>().join("; ")));
        (issued.at, Movement { day: words::day(*day), what, detail, amount: amount(*minor) })
    });
    let mut all: Vec<_> = paid.chain(credited).chain(refunded).collect();
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, movement)| movement).collect()
}

fn method_name(code: &str) -> String {
    if code == "upi" { "UPI".to_owned() } else { code.to_owned() }
}
