//! What patients are to pay for: on no invoice yet, on one, or taken back.

use chrono::{DateTime, Utc};
use events::{
    ChargeEvent, ChargeId, DentalProcedureId, DomainEvent, InvoiceId, PatientId, PrescriptionId, Recorded, VisitId,
    charge::{ChargeCancellationReason, ChargeStatus},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Projection, by::By};

/// `read.charge_1`: one row per charge. Amounts in minor units.
pub struct Charges;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChargeRow {
    pub id: ChargeId,
    pub patient_id: PatientId,
    pub status: ChargeStatus,
    /// Empty once the patient is erased.
    pub description: Option<String>,
    pub currency: String,
    pub unit_price: i64,
    pub quantity: i64,
    pub tax_basis_points: i64,
    pub net: i64,
    pub tax: i64,
    pub total: i64,
    pub procedure_id: Option<DentalProcedureId>,
    pub visit_id: Option<VisitId>,
    pub prescription_id: Option<PrescriptionId>,
    pub invoice_id: Option<InvoiceId>,
    pub captured_at: DateTime<Utc>,
    pub captured: By,
    pub cancelled: Option<By>,
    pub cancellation_reason: Option<ChargeCancellationReason>,
    pub cancellation_text: Option<String>,
    pub version: i64,
    pub position: i64,
}

impl Projection for Charges {
    const NAME: &'static str = "charge";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.charge_1";
    const ONE_STREAM: bool = true;
    type Key = Uuid;
    type Row = ChargeRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match event.event {
            DomainEvent::Charge(_) => vec![event.stream.id],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<ChargeRow>, _: &Uuid, event: &Recorded) -> Option<ChargeRow> {
        let DomainEvent::Charge(change) = &event.event else { return row };
        let mut row = row.or_else(|| captured(change, event))?;
        match change {
            ChargeEvent::ChargeCaptured { .. } => {}
            ChargeEvent::ChargeCancelled { reason, sealed, .. } => {
                row.status = ChargeStatus::Cancelled;
                row.cancelled = Some(By::of(event));
                row.cancellation_reason = Some(*reason);
                row.cancellation_text = sealed.open().and_then(|said| said.text.clone());
            }
            ChargeEvent::ChargeInvoiced { invoice, .. } => {
                row.status = ChargeStatus::Invoiced;
                row.invoice_id = Some(*invoice);
            }
        }
        row.version = event.version;
        row.position = event.position;
        Some(row)
    }
}

fn captured(change: &ChargeEvent, event: &Recorded) -> Option<ChargeRow> {
    let ChargeEvent::ChargeCaptured { patient, amount, procedure, visit, prescription, sealed } = change else {
        return None;
    };
    Some(ChargeRow {
        id: ChargeId(event.stream.id),
        patient_id: *patient,
        status: ChargeStatus::Captured,
        description: sealed.open().map(|said| said.description.clone()),
        currency: amount.unit_price.currency.clone(),
        unit_price: amount.unit_price.minor,
        quantity: amount.quantity,
        tax_basis_points: amount.tax_basis_points,
        net: amount.net,
        tax: amount.tax,
        total: amount.total,
        procedure_id: *procedure,
        visit_id: *visit,
        prescription_id: *prescription,
        invoice_id: None,
        captured_at: event.occurred_at,
        captured: By::of(event),
        cancelled: None,
        cancellation_reason: None,
        cancellation_text: None,
        version: event.version,
        position: event.position,
    })
}
