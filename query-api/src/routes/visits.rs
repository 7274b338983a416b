//! Visits of the clinic and of one patient, and vital signs over time. Whoever opens visits at the desk sees who comes
//! to whom and when, and nothing that was found.

use aide::axum::ApiRouter;
use chrono::{DateTime, NaiveDate, Utc};
use events::{
    AggregateKind, AppointmentId, DiagnosisId, DoctorId, OfficeId, PatientId, VisitId, VitalsId,
    visit::{Measured, TriagePriority, VisitCancellation, VisitStatus, VitalFlag, VitalSign},
};
use read_models::{
    VisitRow, Visits, Vitals, VitalsRow,
    stamp::Stamp,
    visit::{Correction, DiagnosisEntry, DiagnosisVersion, FollowUpEntry, Struck, VitalsEntry},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{AsOf, Capability, Limit};

use crate::{
    QueryState,
    clinical::{self, ClinicalResource, Filters, Place, Sight},
    sql::Sql,
};

/// Somebody who came, what was measured and found, and what became of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Visit {
    pub id: VisitId,
    /// `VIS-20260314-001`
    pub number: String,
    pub status: VisitStatus,
    pub version: i64,
    pub patient_id: PatientId,
    pub office_id: OfficeId,
    /// Null while nobody has been assigned.
    pub doctor_id: Option<DoctorId>,
    /// Null for who walked in.
    pub appointment_id: Option<AppointmentId>,
    /// In the clinic's zone.
    pub day: NaiveDate,
    pub opened_at: DateTime<Utc>,
    pub arrived_at: Option<DateTime<Utc>>,
    pub triaged_at: Option<DateTime<Utc>>,
    pub started_at: Option<DateTime<Utc>>,
    /// When it was finished, cancelled or struck out.
    pub ended_at: Option<DateTime<Utc>>,
    pub priority: Option<TriagePriority>,
    pub follow_up: Option<FollowUpEntry>,
    pub cancellation: Option<VisitCancellation>,
    /// Null where the asker's role shows the desk's part of a visit alone.
    pub findings: Option<Findings>,
}

/// The clinical part of a visit.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Findings {
    pub chief_complaint: Option<String>,
    pub triage_note: Option<String>,
    /// The earliest first; null where the asker may not read vital signs.
    pub vitals: Option<Vec<VitalSet>>,
    /// By rank, those that were struck out last; null where the asker may not read diagnoses.
    pub diagnoses: Option<Vec<VisitDiagnosis>>,
    /// Each time that it was gone on with after its end, and why.
    pub reopened: Vec<Struck>,
    pub cancellation_text: Option<String>,
    pub entered_in_error: Option<Struck>,
}

/// Vital signs that were measured together.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct VitalSet {
    pub id: VitalsId,
    pub measured_at: DateTime<Utc>,
    pub signs: Vec<VitalValue>,
    pub note: Option<String>,
    pub recorded: Stamp,
    pub entered_in_error: Option<Struck>,
}

/// One value, as it was measured.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct VitalValue {
    pub sign: VitalSign,
    pub loinc: &'static str,
    pub value: f64,
    /// UCUM.
    pub unit: String,
    /// Where it is unusual in adults.
    pub flag: Option<VitalFlag>,
}

impl From<Measured> for VitalValue {
    fn from(measured: Measured) -> Self {
        let Measured { sign, value, unit, flag } = measured;
        Self { sign, loinc: sign.loinc(), value, unit, flag }
    }
}

impl From<VitalsEntry> for VitalSet {
    fn from(entry: VitalsEntry) -> Self {
        Self {
            id: entry.id,
            measured_at: entry.measured_at,
            signs: entry.signs.into_iter().map(Into::into).collect(),
            note: entry.note,
            recorded: entry.recorded,
            entered_in_error: entry.entered_in_error,
        }
    }
}

/// A diagnosis, with all that it was before.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct VisitDiagnosis {
    pub id: DiagnosisId,
    #[serde(flatten)]
    pub now: DiagnosisVersion,
    /// The earliest first.
    pub corrections: Vec<Correction>,
    pub entered_in_error: Option<Struck>,
}

impl From<DiagnosisEntry> for VisitDiagnosis {
    fn from(entry: DiagnosisEntry) -> Self {
        let DiagnosisEntry { id, now, corrections, entered_in_error } = entry;
        Self { id, now, corrections, entered_in_error }
    }
}

fn findings(row: VisitRow, sight: &Sight) -> Findings {
    let mut diagnoses: Vec<VisitDiagnosis> = row.diagnoses.into_iter().map(Into::into).collect();
    diagnoses.sort_by_key(|diagnosis| (diagnosis.entered_in_error.is_some(), diagnosis.now.rank));
    Findings {
        chief_complaint: row.chief_complaint,
        triage_note: row.triage_note,
        vitals: sight.reads(Capability::Vitals).then(|| row.vitals.into_iter().map(Into::into).collect()),
        diagnoses: sight.reads(Capability::Prescribe).then_some(diagnoses),
        reopened: row.reopened,
        cancellation_text: row.cancellation_text,
        entered_in_error: row.entered_in_error,
    }
}

/// Whether the asker sees the desk's part alone.
fn is_at_the_desk(sight: &Sight) -> bool {
    !sight.reach.is_everything() && sight.reach.covers(Limit::Open)
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VisitFilters {
    doctor: Option<DoctorId>,
    office: Option<OfficeId>,
    status: Option<VisitStatus>,
    /// A day in the clinic's zone.
    day: Option<NaiveDate>,
    /// Also those that were recorded under another id of the same person.
    patient: Option<PatientId>,
    /// What the record said then; of one patient alone.
    as_of: Option<AsOf>,
}

impl Filters<VisitRow> for VisitFilters {
    fn patient(&self) -> Option<PatientId> {
        self.patient
    }

    fn as_of(&self) -> Option<AsOf> {
        self.as_of
    }

    fn select(&self, sql: Sql) -> Sql {
        sql.bind_some(" AND a.doctor_id = ", self.doctor.map(|doctor| doctor.0))
            .bind_some(" AND a.office_id = ", self.office.map(|office| office.0))
            .bind_some(" AND a.status = ", self.status.map(|status| status.to_string()))
            .bind_some(" AND a.day = ", self.day)
    }

    fn takes(&self, row: &VisitRow) -> bool {
        self.doctor.is_none_or(|doctor| row.doctor_id == Some(doctor))
            && self.office.is_none_or(|office| row.office_id == office)
            && self.status.is_none_or(|status| row.status == status)
            && self.day.is_none_or(|day| row.day == day)
    }
}

impl ClinicalResource for Visits {
    const KIND: AggregateKind = AggregateKind::Visit;
    const CAPABILITY: Capability = Capability::Visits;
    const LIMITS: &'static [Limit] = &[Limit::Open];
    const COLLECTION: &'static str = "visits";
    const SINGULAR: &'static str = "Visit";
    const PLURAL: &'static str = "Visits";
    const MODELS: &'static [&'static str] = &["visit_1", "patient_1"];
    const AT: &'static str = "opened_at";
    type Answer = Visit;
    type Filters = VisitFilters;

    fn place(row: &VisitRow) -> Place {
        let VisitRow { patient_id: patient, opened_at: at, version, position, .. } = *row;
        Place { id: row.id.0, patient, at, version, position }
    }

    fn answer(row: VisitRow, sight: &Sight) -> Visit {
        let desk = is_at_the_desk(sight);
        let follow_up = row.follow_up.clone().map(|planned| match desk {
            true => FollowUpEntry { instructions: None, ..planned },
            false => planned,
        });
        Visit {
            id: row.id,
            number: row.number.clone(),
            status: row.status,
            version: row.version,
            patient_id: row.patient_id,
            office_id: row.office_id,
            doctor_id: row.doctor_id,
            appointment_id: row.appointment_id,
            day: row.day,
            opened_at: row.opened_at,
            arrived_at: row.arrived_at,
            triaged_at: row.triaged_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
            priority: row.priority,
            follow_up,
            cancellation: row.cancellation,
            findings: (!desk).then(|| findings(row, sight)),
        }
    }
}

/// Vital signs of a patient that were measured together, in whichever visit.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PatientVitals {
    pub visit_id: VisitId,
    pub patient_id: PatientId,
    #[serde(flatten)]
    pub set: VitalSet,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VitalsFilters {
    /// Sets in which it was measured.
    sign: Option<VitalSign>,
    /// Measured then or later.
    from: Option<DateTime<Utc>>,
    /// Measured before.
    to: Option<DateTime<Utc>>,
    /// Whether sets that were struck out are listed too.
    #[serde(default)]
    struck_out: bool,
    /// What the record said then.
    as_of: Option<AsOf>,
}

impl Filters<VitalsRow> for VitalsFilters {
    fn patient(&self) -> Option<PatientId> {
        None
    }

    fn as_of(&self) -> Option<AsOf> {
        self.as_of
    }

    fn select(&self, sql: Sql) -> Sql {
        let sign = self.sign.map(|sign| serde_json::json!([{ "sign": sign }]));
        let sql = sql
            .bind_some(" AND a.signs @> ", sign)
            .bind_some(" AND a.measured_at >= ", self.from)
            .bind_some(" AND a.measured_at < ", self.to);
        if self.struck_out { sql } else { sql.push(" AND a.entered_in_error IS NULL") }
    }

    fn takes(&self, row: &VitalsRow) -> bool {
        self.sign.is_none_or(|sign| row.signs.iter().any(|measured| measured.sign == sign))
            && self.from.is_none_or(|from| row.measured_at >= from)
            && self.to.is_none_or(|to| row.measured_at < to)
            && (self.struck_out || row.entered_in_error.is_none())
    }
}

impl ClinicalResource for Vitals {
    const KIND: AggregateKind = AggregateKind::Visit;
    const CAPABILITY: Capability = Capability::Vitals;
    const COLLECTION: &'static str = "vitals";
    const SINGULAR: &'static str = "Vitals";
    const PLURAL: &'static str = "Vitals";
    const MODELS: &'static [&'static str] = &["vitals_1", "patient_1"];
    const AT: &'static str = "measured_at";
    type Answer = PatientVitals;
    type Filters = VitalsFilters;

    fn place(row: &VitalsRow) -> Place {
        let VitalsRow { patient_id: patient, measured_at: at, position, .. } = *row;
        Place { id: row.id.0, patient, at, version: position, position }
    }

    fn answer(row: VitalsRow, _: &Sight) -> PatientVitals {
        let VitalsRow { id, patient_id, visit_id, measured_at, signs, note, recorded, entered_in_error, .. } = row;
        let signs = signs.into_iter().map(Into::into).collect();
        let set = VitalSet { id, measured_at, signs, note, recorded, entered_in_error };
        PatientVitals { visit_id, patient_id, set }
    }
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    clinical::routes::<Visits>().merge(clinical::routes_of_patient::<Vitals>())
}
