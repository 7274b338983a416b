//! Invoices: what was issued, and what became of the money.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use events::{
    AggregateKind, ChargeId, InvoiceId, PatientId,
    invoice::{InvoiceIssuer, InvoiceStatus},
};
use read_models::{
    By,
    charge::Charges,
    invoice::{CreditNoteEntry, InvoiceRow, Invoices, LineEntry, PaymentEntry, RefundEntry},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{AsOf, Capability, Problem};
use uuid::Uuid;

use crate::{
    clinical::{ClinicalResource, Filters, Place, Sight},
    past::Past,
    reader::Reader,
    scope::Select,
    sql::Sql,
};

/// What was issued never changes; what is due follows from what was added since. All amounts are in minor units of
/// `currency`; `total` = `net` + `tax`, `due` = `total` - `credited` - `paid` + `refunded`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Invoice {
    pub id: InvoiceId,
    /// `INV-2026-00001`: without gaps in a clinic and year.
    pub number: String,
    pub patient_id: PatientId,
    pub status: InvoiceStatus,
    /// On which it was issued, in the clinic's zone.
    pub day: NaiveDate,
    /// The clinic, as its profile said then.
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
}

impl From<InvoiceRow> for Invoice {
    fn from(row: InvoiceRow) -> Self {
        Self {
            id: row.id,
            number: row.number,
            patient_id: row.patient_id,
            status: row.status,
            day: row.day,
            issuer: row.issuer,
            currency: row.currency,
            lines: row.lines,
            net: row.net,
            tax: row.tax,
            total: row.total,
            paid: row.paid,
            credited: row.credited,
            refunded: row.refunded,
            due: row.due,
            payments: row.payments,
            credit_notes: row.credit_notes,
            refunds: row.refunds,
            issued_at: row.issued_at,
            issued: row.issued,
            version: row.version,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InvoiceFilters {
    /// Also those that were issued under another id of the same person.
    patient: Option<PatientId>,
    status: Option<InvoiceStatus>,
    /// `INV-2026-00001`
    number: Option<String>,
    /// Issued on that day, in the clinic's zone.
    day: Option<NaiveDate>,
    /// Issued on that day or later.
    from: Option<NaiveDate>,
    /// Issued before that day.
    to: Option<NaiveDate>,
    /// What the record said then; of one patient alone.
    as_of: Option<AsOf>,
}

impl Filters<InvoiceRow> for InvoiceFilters {
    fn patient(&self) -> Option<PatientId> {
        self.patient
    }

    fn as_of(&self) -> Option<AsOf> {
        self.as_of
    }

    fn select(&self, sql: Sql) -> Sql {
        sql.bind_some(" AND a.status = ", self.status.map(|status| status.to_string()))
            .bind_some(" AND a.number = ", self.number.clone())
            .bind_some(" AND a.day = ", self.day)
            .bind_some(" AND a.day >= ", self.from)
            .bind_some(" AND a.day < ", self.to)
    }

    fn takes(&self, row: &InvoiceRow) -> bool {
        self.status.is_none_or(|status| row.status == status)
            && self.number.as_ref().is_none_or(|number| row.number == *number)
            && self.day.is_none_or(|day| row.day == day)
            && self.from.is_none_or(|from| row.day >= from)
            && self.to.is_none_or(|to| row.day < to)
    }
}

impl ClinicalResource for Invoices {
    const KIND: AggregateKind = AggregateKind::Invoice;
    const CAPABILITY: Capability = Capability::Billing;
    const COLLECTION: &'static str = "invoices";
    const SINGULAR: &'static str = "Invoice";
    const PLURAL: &'static str = "Invoices";
    const MODELS: &'static [&'static str] = &["invoice_1", "patient_1"];
    const AT: &'static str = "issued_at";

    type Answer = Invoice;
    type Filters = InvoiceFilters;

    fn place(row: &InvoiceRow) -> Place {
        Place { id: row.id.0, patient: row.patient_id, at: row.issued_at, version: row.version, position: row.position }
    }

    fn answer(row: InvoiceRow, _: &Sight) -> Invoice {
        row.into()
    }

    /// What each line is for stays with its charge, which never changes.
    async fn complete(reader: &Reader, past: Option<&Past>, rows: &mut [InvoiceRow]) -> Result<(), Problem> {
        let wanted = rows.iter().flat_map(|row| &row.lines).map(|line| line.charge_id).collect();
        let descriptions = match past {
            Some(past) => then(past, &wanted),
            None => today(reader, wanted).await?,
        };
        for line in rows.iter_mut().flat_map(|row| &mut row.lines) {
            line.description = descriptions.get(&line.charge_id).cloned().flatten();
        }
        Ok(())
    }
}

type Descriptions = HashMap<ChargeId, Option<String>>;

fn then(past: &Past, wanted: &HashSet<ChargeId>) -> Descriptions {
    let rows = past.rows::<Charges>().into_sorted().into_iter().map(|(_, row)| row);
    rows.filter(|row| wanted.contains(&row.id)).map(|row| (row.id, row.description)).collect()
}

#[derive(Deserialize)]
struct Described {
    id: ChargeId,
    description: Option<String>,
}

async fn today(reader: &Reader, wanted: HashSet<ChargeId>) -> Result<Descriptions, Problem> {
    let ids: Vec<Uuid> = wanted.into_iter().map(|id| id.0).collect();
    let sql = Sql::new("c.id, c.description FROM read.charge_1 c WHERE c.clinic_id = s.clinic AND c.id = ANY(")
        .bind(ids)
        .push(")");
    let found = reader.all::<Described>(Select::new(&["charge_1"], sql)).await?.value;
    Ok(found.into_iter().map(|found| (found.id, found.description)).collect())
}
