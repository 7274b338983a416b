//! Who asked to be forgotten and what became of it; how long what is kept, and what holds it.

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use events::{
    PatientId, Position, UserId,
    patient::ErasureCause,
    retention::{Retention, RetentionBasis},
};
use read_models::{ErasureRow, ErasureState, RetentionRow, retention::HoldEntry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{Capability, ListQuery, Problem, Query, json::NoFilters, page::List};

use crate::{
    QueryState,
    disclosure::{Disclosed, Subjects, disclose},
    reader::Reader,
    scope::{Reflected, Select},
    sql::Sql,
};

/// A request to be forgotten, and what became of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Erasure {
    pub patient_id: PatientId,
    pub patient_number: Option<String>,
    pub state: ErasureState,
    /// `null` where another record of the same person was named in the request.
    pub requested_at: Option<DateTime<Utc>>,
    pub requested_by: Option<UserId>,
    /// By the patient, in the portal.
    pub by_patient: bool,
    /// In somebody's words; gone with the rest once erased.
    pub reason: Option<String>,
    /// When it was refused or carried out, and by whom.
    pub decided_at: Option<DateTime<Utc>>,
    pub decided_by: Option<UserId>,
    /// Of a refusal.
    pub basis: Option<RetentionBasis>,
    /// The record is kept until then at least.
    pub until: Option<DateTime<Utc>>,
    pub cause: Option<ErasureCause>,
    /// All of it in a sentence.
    pub explanation: String,
    /// Of the patient's record.
    pub version: i64,
    /// Of the last change.
    pub position: Position,
}

#[derive(Deserialize)]
struct Found {
    #[serde(flatten)]
    row: ErasureRow,
    patient_number: Option<String>,
    time_zone: Option<Tz>,
}

impl From<Found> for Erasure {
    fn from(Found { row, patient_number, time_zone }: Found) -> Self {
        Self {
            explanation: explanation(&row, time_zone.unwrap_or(Tz::UTC)),
            patient_id: row.id,
            patient_number,
            state: row.state,
            requested_at: row.requested_at,
            requested_by: row.requested_by,
            by_patient: row.by_patient,
            reason: row.reason,
            decided_at: row.decided_at,
            decided_by: row.decided_by,
            basis: row.basis,
            until: row.until,
            cause: row.cause,
            version: row.version,
            position: row.position,
        }
    }
}

fn explanation(row: &ErasureRow, zone: Tz) -> String {
    match (row.state, row.basis.zip(row.until), row.cause) {
        (ErasureState::Refused, Some((basis, until)), _) => {
            let day = until.with_timezone(&zone).format("%-d %B %Y");
            match basis {
                RetentionBasis::ClinicalRecord => format!(
                    "Refused: a clinical record has to be kept for some years after the last contact, here until {day}."
                ),
                RetentionBasis::MinorsRecord => format!(
                    "Refused: the record of a minor has to be kept for some years past full age, here until {day}."
                ),
            }
        }
        (ErasureState::Refused, ..) => "Refused: the record has to be kept.".into(),
        (ErasureState::Requested, ..) => "Waits for a second person to approve it.".into(),
        (ErasureState::Erased, _, Some(ErasureCause::Listed)) => {
            "Erased again, after a backup from before the erasure was put back.".into()
        }
        (ErasureState::Erased, ..) => "Erased: what was said of the person can no longer be read by anybody.".into(),
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ErasureFilters {
    state: Option<ErasureState>,
}

const MODELS: &[&str] = &["erasure_1", "patient_1", "clinic_1"];

fn select(query: &ListQuery<ErasureFilters>) -> Result<Select, Problem> {
    let sql = Sql::new(
        "e.*, p.number AS patient_number, c.time_zone FROM read.erasure_1 e \
         LEFT JOIN read.patient_1 p ON p.clinic_id = s.clinic AND p.id = e.id \
         LEFT JOIN read.clinic_1 c ON c.clinic_id = s.clinic AND c.id = s.clinic WHERE e.clinic_id = s.clinic",
    )
    .bind_some(" AND e.state = ", query.filters.state.map(|state| state.to_string()))
    .bind_some(" AND e.position < ", query.after::<Position>()?)
    .push(" ORDER BY e.position DESC LIMIT ")
    .bind(query.fetch());
    Ok(Select::new(MODELS, sql))
}

async fn erasures(reader: Reader, query: ListQuery<ErasureFilters>) -> Result<Disclosed<List<Erasure>>, Problem> {
    may_read_all(&reader, Capability::Erasure).await?;
    let Reflected { value: rows, position } = reader.all::<Found>(select(&query)?).await?;
    let page = query.answer(rows.into_iter().map(Erasure::from).collect(), position, |one| one.position);
    let shown = Subjects::listed(page.items().iter().map(|one| one.patient_id));
    disclose(&reader, Capability::Erasure, shown, page).await
}

/// A patient asks for their own erasure, and reads nothing here.
async fn may_read_all(reader: &Reader, capability: Capability) -> Result<(), Problem> {
    match reader.may_read(capability).await?.is_everything() {
        true => Ok(()),
        false => Err(reader.refuse(capability).await),
    }
}

/// How long the clinic's records are kept, and what holds them.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ClinicRetention {
    /// In years.
    pub periods: Retention,
    /// Legal holds that were not lifted: what they cover is not erased.
    pub legal_holds: Vec<HoldEntry>,
    pub closed_at: Option<DateTime<Utc>>,
    /// When the keys of the closed clinic are destroyed.
    pub retention_until: Option<DateTime<Utc>>,
    pub shredded_at: Option<DateTime<Utc>>,
}

impl From<RetentionRow> for ClinicRetention {
    fn from(row: RetentionRow) -> Self {
        Self {
            periods: row.periods,
            legal_holds: row.holds,
            closed_at: row.closed_at,
            retention_until: row.retention_until,
            shredded_at: row.shredded_at,
        }
    }
}

async fn retention(reader: Reader, _: Query<NoFilters>) -> Result<Disclosed<Reflected<ClinicRetention>>, Problem> {
    may_read_all(&reader, Capability::LegalHold).await?;
    let sql = Sql::new("r.* FROM read.retention_1 r WHERE r.clinic_id = s.clinic AND r.id = s.clinic");
    let row = reader.one::<RetentionRow>(Select::new(&["retention_1"], sql)).await?.found()?;
    let held = Subjects::listed(row.value.holds.iter().filter_map(|hold| hold.patient_id));
    disclose(&reader, Capability::LegalHold, held, row.map(ClinicRetention::from)).await
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new()
        .api_route(
            "/erasures",
            get_with(erasures, |op| {
                op.id("listErasures").tag("Patients").summary("Who asked to be forgotten").description(
                    "Requests for erasure, the latest first: those that wait for a second person, those that were \
                     refused with basis and date, and those that were carried out.",
                )
            }),
        )
        .api_route(
            "/retention",
            get_with(retention, |op| {
                op.id("getRetention").tag("Clinic").summary("How long what is kept").description(
                    "The clinic's retention periods, its legal holds, and, once it is closed, when its keys are \
                     destroyed.",
                )
            }),
        )
}
