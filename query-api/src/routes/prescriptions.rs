//! Prescriptions: the clinic's, and those of one patient.

use aide::axum::ApiRouter;
use chrono::{DateTime, NaiveDate, Utc};
use events::{
    AggregateKind, DoctorId, PatientId, PrescriptionId, VisitId,
    prescription::{Alert, PrescriptionStatus, StatusReason},
};
use read_models::{AlertOverride, Dispensing, PrescriptionLine, PrescriptionRow, Prescriptions};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{AsOf, Capability};

use crate::{
    QueryState,
    clinical::{self, ClinicalResource, Filters, Place, Sight},
    sql::Sql,
};

/// What a doctor prescribes for a patient.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Prescription {
    pub id: PrescriptionId,
    /// `RX-20260314-001`; `null` until it is issued.
    pub number: Option<String>,
    pub status: PrescriptionStatus,
    /// Why it was paused, stopped or withdrawn: a code, and words.
    pub status_reason: Option<StatusReason>,
    pub status_text: Option<String>,
    pub version: i64,
    pub patient_id: PatientId,
    /// Who issued it, or is to.
    pub doctor_id: Option<DoctorId>,
    pub visit_id: Option<VisitId>,
    /// The prescription that ended, or is to end, with this one's issue.
    pub replaces: Option<PrescriptionId>,
    pub replaced_by: Option<PrescriptionId>,
    pub items: Vec<PrescriptionItem>,
    /// What the prescriber was warned of when it was issued.
    pub alerts: Vec<Alert>,
    pub overrides: Vec<AlertOverride>,
    pub dispensed: Vec<Dispensing>,
    pub refills_authorised: i64,
    pub refills_used: i64,
    /// The last day on which anything is handed out.
    pub valid_until: Option<NaiveDate>,
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was put on paper.
    pub prints: Vec<DateTime<Utc>>,
    pub drafted_at: DateTime<Utc>,
    pub issued_at: Option<DateTime<Utc>>,
    /// When it reached its final status.
    pub ended_at: Option<DateTime<Utc>>,
}

/// A line of a prescription, and what is left of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PrescriptionItem {
    #[serde(flatten)]
    pub(crate) line: PrescriptionLine,
    /// What may still be handed out, the refills in use included, in the unit of the quantity.
    #[serde(with = "rust_decimal::serde::float")]
    #[schemars(with = "f64")]
    left: Decimal,
}

impl PrescriptionItem {
    fn of(line: PrescriptionLine, refills_used: i64) -> Self {
        let left = line.supply.quantity.value * Decimal::from(1 + refills_used) - line.dispensed;
        Self { line, left }
    }
}

impl From<PrescriptionRow> for Prescription {
    fn from(row: PrescriptionRow) -> Self {
        let refills_used = row.refills_used;
        Self {
            id: row.id,
            number: row.number,
            status: row.status,
            status_reason: row.status_reason,
            status_text: row.status_text,
            version: row.version,
            patient_id: row.patient_id,
            doctor_id: row.doctor_id,
            visit_id: row.visit_id,
            replaces: row.replaces,
            replaced_by: row.replaced_by,
            items: row.items.into_iter().map(|line| PrescriptionItem::of(line, refills_used)).collect(),
            alerts: row.alerts,
            overrides: row.overrides,
            dispensed: row.dispensed,
            refills_authorised: row.refills_authorised,
            refills_used,
            valid_until: row.valid_until,
            expires_at: row.expires_at,
            prints: row.prints,
            drafted_at: row.drafted_at,
            issued_at: row.issued_at,
            ended_at: row.ended_at,
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrescriptionFilters {
    /// Under any id of the same person.
    patient: Option<PatientId>,
    /// Who issued it, or is to.
    doctor: Option<DoctorId>,
    status: Option<PrescriptionStatus>,
    visit: Option<VisitId>,
    /// What the record said then; with `patient` only.
    as_of: Option<AsOf>,
}

impl Filters<PrescriptionRow> for PrescriptionFilters {
    fn patient(&self) -> Option<PatientId> {
        self.patient
    }

    fn as_of(&self) -> Option<AsOf> {
        self.as_of
    }

    fn select(&self, sql: Sql) -> Sql {
        sql.bind_some(" AND a.doctor_id = ", self.doctor.map(|doctor| doctor.0))
            .bind_some(" AND a.status = ", self.status.map(<&str>::from))
            .bind_some(" AND a.visit_id = ", self.visit.map(|visit| visit.0))
    }

    fn takes(&self, row: &PrescriptionRow) -> bool {
        self.doctor.is_none_or(|doctor| row.doctor_id == Some(doctor))
            && self.status.is_none_or(|status| row.status == status)
            && self.visit.is_none_or(|visit| row.visit_id == Some(visit))
    }
}

impl ClinicalResource for Prescriptions {
    const KIND: AggregateKind = AggregateKind::Prescription;
    const CAPABILITY: Capability = Capability::Prescribe;
    const COLLECTION: &'static str = "prescriptions";
    const SINGULAR: &'static str = "Prescription";
    const PLURAL: &'static str = "Prescriptions";
    const MODELS: &'static [&'static str] = &["prescription_1", "patient_1"];
    const AT: &'static str = "drafted_at";

    type Answer = Prescription;
    type Filters = PrescriptionFilters;

    fn place(row: &PrescriptionRow) -> Place {
        let PrescriptionRow { patient_id: patient, drafted_at: at, version, position, .. } = *row;
        Place { id: row.id.0, patient, at, version, position }
    }

    fn answer(row: PrescriptionRow, _: &Sight) -> Prescription {
        row.into()
    }

    /// A draft is no prescription yet: patients see what was issued.
    fn shows(row: &PrescriptionRow, sight: &Sight) -> bool {
        sight.own.is_none() || row.issued_at.is_some()
    }

    fn narrow(sql: Sql, sight: &Sight) -> Sql {
        match sight.own {
            Some(_) => sql.push(" AND a.issued_at IS NOT NULL"),
            None => sql,
        }
    }
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    clinical::routes::<Prescriptions>()
}
