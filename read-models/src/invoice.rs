//! Invoices, and what became of their money.

use chrono::{DateTime, NaiveDate, Utc};
use events::{
    ChargeId, CreditNoteId, DomainEvent, InvoiceEvent, InvoiceId, PatientId, PaymentId, Recorded, RefundId,
    invoice::{AdjustmentReason, Balance, InvoiceIssuer, InvoiceLine, InvoiceStatus, PaymentMethod},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Projection, by::By};

/// `read.invoice_1`: one row per invoice. Amounts in minor units of its currency.
pub struct Invoices;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InvoiceRow {
    pub id: InvoiceId,
    pub number: String,
    pub patient_id: PatientId,
    pub status: InvoiceStatus,
    /// On which it was issued, in the clinic's zone.
    pub day: NaiveDate,
    pub issuer: InvoiceIssuer,
    pub currency: String,
    pub lines: Vec<LineEntry>,
    pub net: i64,
    pub tax: i64,
    pub total: i64,
    pub paid: i64,
    pub credited: i64,
    pub refunded: i64,
    pub due: i64,
    pub payments: Vec<PaymentEntry>,
    pub credit_notes: Vec<CreditNoteEntry>,
    pub refunds: Vec<RefundEntry>,
    pub issued_at: DateTime<Utc>,
    pub issued: By,
    pub version: i64,
    pub position: i64,
}

/// A charge as it stands on an invoice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LineEntry {
    pub charge_id: ChargeId,
    pub unit_price: i64,
    pub quantity: i64,
    /// Hundredths of a percent.
    pub tax_basis_points: i64,
    pub net: i64,
    pub tax: i64,
    pub total: i64,
    /// What it is for. No row holds it: it stays with the charge, and a query takes it from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentEntry {
    pub id: PaymentId,
    pub amount: i64,
    pub method: PaymentMethod,
    /// In the clinic's zone.
    pub day: NaiveDate,
    /// `null` also once the patient is erased.
    pub reference: Option<String>,
    pub recorded: By,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CreditNoteEntry {
    pub id: CreditNoteId,
    /// `CN-2026-00001`
    pub number: String,
    pub amount: i64,
    pub reason: AdjustmentReason,
    pub text: Option<String>,
    /// In the clinic's zone.
    pub day: NaiveDate,
    pub issued: By,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RefundEntry {
    pub id: RefundId,
    pub amount: i64,
    pub method: PaymentMethod,
    pub reason: AdjustmentReason,
    pub text: Option<String>,
    pub reference: Option<String>,
    /// In the clinic's zone.
    pub day: NaiveDate,
    pub issued: By,
}

impl From<&InvoiceLine> for LineEntry {
    fn from(line: &InvoiceLine) -> Self {
        let amount = &line.amount;
        Self {
            charge_id: line.charge,
            unit_price: amount.unit_price.minor,
            quantity: amount.quantity,
            tax_basis_points: amount.tax_basis_points,
            net: amount.net,
            tax: amount.tax,
            total: amount.total,
            description: None,
        }
    }
}

impl Projection for Invoices {
    const NAME: &'static str = "invoice";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.invoice_1";
    const ONE_STREAM: bool = true;
    type Key = Uuid;
    type Row = InvoiceRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match event.event {
            DomainEvent::Invoice(_) => vec![event.stream.id],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<InvoiceRow>, _: &Uuid, event: &Recorded) -> Option<InvoiceRow> {
        let DomainEvent::Invoice(change) = &event.event else { return row };
        let mut row = match row {
            None => issued(change, event)?,
            Some(row) => row.take(change, event),
        };
        row.version = event.version;
        row.position = event.position;
        Some(row)
    }
}

fn issued(change: &InvoiceEvent, event: &Recorded) -> Option<InvoiceRow> {
    let InvoiceEvent::InvoiceIssued { patient, number, day, issuer, currency, lines, net, tax, total } = change else {
        return None;
    };
    let balance = Balance::default().after(change);
    Some(InvoiceRow {
        id: InvoiceId(event.stream.id),
        number: number.as_str().to_owned(),
        patient_id: *patient,
        status: balance.status(),
        day: *day,
        issuer: issuer.clone(),
        currency: currency.clone(),
        lines: lines.iter().map(LineEntry::from).collect(),
        net: *net,
        tax: *tax,
        total: *total,
        paid: 0,
        credited: 0,
        refunded: 0,
        due: balance.due(),
        payments: Vec::new(),
        credit_notes: Vec::new(),
        refunds: Vec::new(),
        issued_at: event.occurred_at,
        issued: By::of(event),
        version: event.version,
        position: event.position,
    })
}

impl InvoiceRow {
    fn balance(&self) -> Balance {
        Balance { total: self.total, paid: self.paid, credited: self.credited, refunded: self.refunded }
    }

    /// A second issue of the same invoice cannot follow: it says nothing.
    fn take(mut self, change: &InvoiceEvent, event: &Recorded) -> Self {
        if matches!(change, InvoiceEvent::InvoiceIssued { .. }) {
            return self;
        }
        let balance = self.balance().after(change);
        (self.paid, self.credited, self.refunded) = (balance.paid, balance.credited, balance.refunded);
        (self.due, self.status) = (balance.due(), balance.status());
        self.add(change, By::of(event));
        self
    }

    fn add(&mut self, change: &InvoiceEvent, by: By) {
        match change {
            InvoiceEvent::InvoiceIssued { .. } => {}
            InvoiceEvent::PaymentRecorded { payment, amount, method, day, sealed, .. } => {
                self.payments.push(PaymentEntry {
                    id: *payment,
                    amount: amount.minor,
                    method: *method,
                    day: *day,
                    reference: sealed.open().and_then(|said| said.reference.clone()),
                    recorded: by,
                });
            }
            InvoiceEvent::CreditNoteIssued { credit_note, number, amount, reason, day, sealed, .. } => {
                self.credit_notes.push(CreditNoteEntry {
                    id: *credit_note,
                    number: number.as_str().to_owned(),
                    amount: amount.minor,
                    reason: *reason,
                    text: sealed.open().and_then(|said| said.text.clone()),
                    day: *day,
                    issued: by,
                });
            }
            InvoiceEvent::RefundIssued { refund, amount, method, reason, day, sealed, .. } => {
                self.refunds.push(RefundEntry {
                    id: *refund,
                    amount: amount.minor,
                    method: *method,
                    reason: *reason,
                    text: sealed.open().and_then(|said| said.text.clone()),
                    reference: sealed.open().and_then(|said| said.reference.clone()),
                    day: *day,
                    issued: by,
                });
            }
        }
    }
}
