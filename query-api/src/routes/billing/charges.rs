//! What patients are to pay for. Those that are on no invoice yet: `status=captured`.

use chrono::{DateTime, Utc};
use events::{
    AggregateKind, ChargeId, DentalProcedureId, InvoiceId, PatientId, PrescriptionId, VisitId,
    charge::{ChargeCancellationReason, ChargeStatus},
    values::Money,
};
use read_models::{
    By,
    charge::{ChargeRow, Charges},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{AsOf, Capability};

use crate::{
    clinical::{ClinicalResource, Filters, Place, Sight},
    sql::Sql,
};

/// Something done or given that a patient pays for. All amounts are in minor units of one currency.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Charge {
    pub id: ChargeId,
    pub patient_id: PatientId,
    pub status: ChargeStatus,
    pub description: Option<String>,
    /// Of one, before tax.
    pub unit_price: Money,
    pub quantity: i64,
    /// Hundredths of a percent.
    pub tax_basis_points: i64,
    /// The price times the quantity.
    pub net: Money,
    /// Rounded to the minor unit on this line, half away from zero.
    pub tax: Money,
    pub total: Money,
    /// The dental procedure that it is for.
    pub procedure_id: Option<DentalProcedureId>,
    /// The visit that it is for.
    pub visit_id: Option<VisitId>,
    /// The prescription whose medicines it is for.
    pub prescription_id: Option<PrescriptionId>,
    /// The invoice that it is on.
    pub invoice_id: Option<InvoiceId>,
    pub captured_at: DateTime<Utc>,
    pub captured: By,
    pub cancelled: Option<By>,
    pub cancellation_reason: Option<ChargeCancellationReason>,
    pub cancellation_text: Option<String>,
    pub version: i64,
}

impl From<ChargeRow> for Charge {
    fn from(row: ChargeRow) -> Self {
        let money = |minor| Money { minor, currency: row.currency.clone() };
        Self {
            id: row.id,
            patient_id: row.patient_id,
            status: row.status,
            unit_price: money(row.unit_price),
            quantity: row.quantity,
            tax_basis_points: row.tax_basis_points,
            net: money(row.net),
            tax: money(row.tax),
            total: money(row.total),
            description: row.description,
            procedure_id: row.procedure_id,
            visit_id: row.visit_id,
            prescription_id: row.prescription_id,
            invoice_id: row.invoice_id,
            captured_at: row.captured_at,
            captured: row.captured,
            cancelled: row.cancelled,
            cancellation_reason: row.cancellation_reason,
            cancellation_text: row.cancellation_text,
            version: row.version,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChargeFilters {
    /// Also those that were captured under another id of the same person.
    patient: Option<PatientId>,
    /// `captured`: on no invoice yet.
    status: Option<ChargeStatus>,
    /// Those that are on it.
    invoice: Option<InvoiceId>,
    /// What the record said then; of one patient alone.
    as_of: Option<AsOf>,
}

impl Filters<ChargeRow> for ChargeFilters {
    fn patient(&self) -> Option<PatientId> {
        self.patient
    }

    fn as_of(&self) -> Option<AsOf> {
        self.as_of
    }

    fn select(&self, sql: Sql) -> Sql {
        sql.bind_some(" AND a.status = ", self.status.map(|status| status.to_string()))
            .bind_some(" AND a.invoice_id = ", self.invoice.map(|invoice| invoice.0))
    }

    fn takes(&self, row: &ChargeRow) -> bool {
        self.status.is_none_or(|status| row.status == status)
            && self.invoice.is_none_or(|invoice| row.invoice_id == Some(invoice))
    }
}

impl ClinicalResource for Charges {
    const KIND: AggregateKind = AggregateKind::Charge;
    const CAPABILITY: Capability = Capability::Billing;
    const COLLECTION: &'static str = "charges";
    const SINGULAR: &'static str = "Charge";
    const PLURAL: &'static str = "Charges";
    const MODELS: &'static [&'static str] = &["charge_1", "patient_1"];
    const AT: &'static str = "captured_at";

    type Answer = Charge;
    type Filters = ChargeFilters;

    fn place(row: &ChargeRow) -> Place {
        Place {
            id: row.id.0,
            patient: row.patient_id,
            at: row.captured_at,
            version: row.version,
            position: row.position,
        }
    }

    fn answer(row: ChargeRow, _: &Sight) -> Charge {
        row.into()
    }
}
