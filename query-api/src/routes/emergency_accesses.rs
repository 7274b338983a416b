//! Broken glass: who opened whose record, why and until when, and what still has to be reviewed.

use std::collections::HashMap;

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, Utc};
use events::{
    DomainEvent, EmergencyAccessId, PatientId, Position, StaffEvent, UserId,
    staff::{EmergencyReason, Proof, Verdict},
};
use read_models::EmergencyAccessRow;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{Capability, ListQuery, Path, Problem, Query, json::NoFilters, page::List};
use uuid::Uuid;

use super::ById;
use crate::{
    QueryState,
    audit::content,
    disclosure::{Disclosed, Subjects, disclose},
    reader::Reader,
    scope::{Reflected, Select},
    sql::Sql,
};

const MODELS: &[&str] = &["emergency_access_1", "patient_1"];

/// One breaking of the glass.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EmergencyAccess {
    pub id: EmergencyAccessId,
    pub status: EmergencyAccessStatus,
    pub user_id: UserId,
    /// At the time.
    pub username: String,
    pub patient_id: PatientId,
    pub patient_number: Option<String>,
    pub reason: EmergencyReason,
    /// Why, in words; `null` once the patient is erased.
    pub text: Option<String>,
    /// How the person proved once more who they are.
    pub proof: Proof,
    pub granted_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// By hand, before its time.
    pub ended_at: Option<DateTime<Utc>>,
    pub review_due_at: DateTime<Utc>,
    pub review: Option<Review>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Review {
    pub verdict: Verdict,
    /// `null` once the patient is erased.
    pub text: Option<String>,
    pub reviewed_at: DateTime<Utc>,
    pub reviewer_id: Option<UserId>,
    /// At the time.
    pub reviewer: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmergencyAccessStatus {
    /// The record is open.
    Open,
    /// It is over, and somebody has to review it.
    Due,
    /// The same, for more than 72 hours.
    Overdue,
    Reviewed,
}

/// How many there are that nobody has reviewed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EmergencyAccessCounts {
    pub open: i64,
    pub due: i64,
    pub overdue: i64,
}

/// The status of `e` at `now`, as SQL.
fn status(sql: Sql, now: DateTime<Utc>) -> Sql {
    sql.push("CASE WHEN e.reviewed_at IS NOT NULL THEN 'reviewed' WHEN e.ended_at IS NULL AND e.expires_at > ")
        .bind(now)
        .push(" THEN 'open' WHEN e.review_due_at > ")
        .bind(now)
        .push(" THEN 'due' ELSE 'overdue' END")
}

/// A column with the [`EmergencyAccessCounts`] of the clinic.
pub(super) fn counts(now: DateTime<Utc>) -> Sql {
    let sql = Sql::new(
        "(SELECT jsonb_build_object('open', count(*) FILTER (WHERE u.status = 'open'), \
         'due', count(*) FILTER (WHERE u.status = 'due'), 'overdue', count(*) FILTER (WHERE u.status = 'overdue')) \
         FROM (SELECT ",
    );
    status(sql, now).push(
        " AS status FROM read.emergency_access_1 e WHERE e.clinic_id = s.clinic AND e.reviewed_at IS NULL) u) \
         AS emergency_accesses",
    )
}

/// Administrators and auditors.
pub(super) fn reviews(reader: &Reader) -> bool {
    reader.grant(Capability::Audit).read.is_everything()
}

#[derive(Deserialize)]
struct Found {
    status: EmergencyAccessStatus,
    patient_number: Option<String>,
    #[serde(flatten)]
    row: EmergencyAccessRow,
}

impl Found {
    fn positions(&self) -> impl Iterator<Item = Position> {
        [Some(self.row.granted_position), self.row.reviewed_position].into_iter().flatten()
    }

    fn shown(self, words: &HashMap<Position, String>) -> EmergencyAccess {
        let row = self.row;
        let said = |position: Option<Position>| position.and_then(|position| words.get(&position).cloned());
        EmergencyAccess {
            id: row.id,
            status: self.status,
            user_id: row.user_id,
            username: row.username,
            patient_id: row.patient_id,
            patient_number: self.patient_number,
            reason: row.reason,
            text: said(Some(row.granted_position)),
            proof: row.proof,
            granted_at: row.granted_at,
            expires_at: row.expires_at,
            ended_at: row.ended_at,
            review_due_at: row.review_due_at,
            review: row.verdict.zip(row.reviewed_at).map(|(verdict, reviewed_at)| Review {
                verdict,
                text: said(row.reviewed_position),
                reviewed_at,
                reviewer_id: row.reviewer_id,
                reviewer: row.reviewer,
            }),
        }
    }
}

/// What was written about accesses, by the position at which it was recorded. It is opened now and kept nowhere, so
/// an erasure reaches it.
async fn words(reader: &Reader, found: &[Found]) -> Result<HashMap<Position, String>, Problem> {
    let positions: Vec<Position> = found.iter().flat_map(Found::positions).collect();
    let sql = Sql::new("e.* FROM log.event e WHERE e.clinic = s.clinic AND e.ledger = 1 AND e.position = ANY(");
    let rows = reader.stored(Select::from_record(sql.bind(positions).push(")"))).await?;
    let read = content::read(reader, &rows).await?.into_iter().filter_map(|read| read.event);
    Ok(read.filter_map(|recorded| Some((recorded.position, text(recorded.event)?))).collect())
}

fn text(event: DomainEvent) -> Option<String> {
    match event {
        DomainEvent::Staff(
            StaffEvent::EmergencyAccessGranted { sealed, .. } | StaffEvent::EmergencyAccessReviewed { sealed, .. },
        ) => sealed.into_open().map(|said| said.text),
        _ => None,
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EmergencyAccessFilters {
    status: Option<EmergencyAccessStatus>,
}

/// `own`: of this login alone.
fn select(own: Option<UserId>, now: DateTime<Utc>) -> Sql {
    status(Sql::new("e.* FROM (SELECT e.*, p.number AS patient_number, "), now)
        .push(
            " AS status FROM read.emergency_access_1 e LEFT JOIN read.patient_1 p ON p.clinic_id = s.clinic \
             AND p.id = e.patient_id WHERE e.clinic_id = s.clinic",
        )
        .bind_some(" AND e.user_id = ", own.map(|own| own.0))
        .push(") e WHERE true")
}

/// Whose accesses the asker sees: everybody's, or their own; 403, recorded, for who neither reviews nor treats.
async fn whose(reader: &Reader) -> Result<Option<UserId>, Problem> {
    match (reviews(reader), reader.may_break_glass()) {
        (true, _) => Ok(None),
        (false, true) => Ok(Some(reader.scope().user())),
        (false, false) => Err(reader.refuse(Capability::BreakGlass).await),
    }
}

async fn list(
    reader: Reader,
    query: ListQuery<EmergencyAccessFilters>,
) -> Result<Disclosed<List<EmergencyAccess>>, Problem> {
    let wanted = query.filters.status.and_then(|status| serde_json::to_value(status).ok());
    let sql = select(whose(&reader).await?, reader.now())
        .bind_some(" AND e.status = ", wanted.as_ref().and_then(|status| status.as_str()))
        .bind_some(" AND e.id < ", query.after::<Uuid>()?)
        .push(" ORDER BY e.id DESC LIMIT ")
        .bind(query.fetch());
    let Reflected { value: found, position } = reader.all::<Found>(Select::new(MODELS, sql)).await?;
    let words = words(&reader, &found).await?;
    let accesses = found.into_iter().map(|found| found.shown(&words)).collect();
    let page = query.answer(accesses, position, |access: &EmergencyAccess| access.id);
    let shown = Subjects::listed(page.items().iter().map(|access| access.patient_id));
    disclose(&reader, Capability::BreakGlass, shown, page).await
}

async fn one(
    reader: Reader,
    Path(path): Path<ById>,
    _: Query<NoFilters>,
) -> Result<Disclosed<Reflected<EmergencyAccess>>, Problem> {
    let sql = select(whose(&reader).await?, reader.now()).push(" AND e.id = ").bind(path.id);
    let Reflected { value: found, position } = reader.one::<Found>(Select::new(MODELS, sql)).await?.found()?;
    let words = words(&reader, std::slice::from_ref(&found)).await?;
    let access = found.shown(&words);
    let shown = Subjects::person(access.patient_id, []);
    disclose(&reader, Capability::BreakGlass, shown, Reflected { value: access, position }).await
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new()
        .api_route(
            "/emergency-accesses",
            get_with(list, |op| {
                op.id("listEmergencyAccesses").tag("Staff").summary("Broken glass").description(
                    "The latest first: who opened whose record, why and until when, and what became of its review. \
                     Administrators and auditors see all, doctors and nurses their own.",
                )
            }),
        )
        .api_route(
            "/emergency-accesses/{id}",
            get_with(one, |op| {
                op.id("getEmergencyAccess")
                    .tag("Staff")
                    .summary("One breaking of the glass")
                    .description("Who, whose record, why and until when, and what became of its review.")
            }),
        )
}
