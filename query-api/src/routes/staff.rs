//! The logins of a clinic's staff. Portal accounts of patients are not among them.

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, Utc};
use events::{AggregateKind, Role, UserId, staff::LockReason};
use read_models::{Staff, StaffRow, staff::StaffStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{
    Capability, ListQuery, Path, Problem, Query,
    answer::Resource,
    etag::{ETag, IfNoneMatch},
    json::NoFilters,
    page::List,
};
use uuid::Uuid;

use super::ById;
use crate::{
    QueryState,
    reader::Reader,
    scope::{Reflected, Select},
    sql::Sql,
    versions::{self, Versioned},
};

const MODELS: &[&str] = &["staff_1"];

/// A login of the clinic.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StaffMember {
    pub id: UserId,
    pub username: Option<String>,
    pub name: Option<String>,
    pub email: Option<String>,
    pub roles: Vec<Role>,
    pub status: StaffStatus,
    /// `null` for a lock that only an administrator ends.
    pub locked_until: Option<DateTime<Utc>>,
    pub lock_reason: Option<LockReason>,
    pub invited_at: DateTime<Utc>,
    pub activated_at: Option<DateTime<Utc>>,
    pub deactivated_at: Option<DateTime<Utc>>,
    /// Whether a login needs a code beside the password.
    pub totp: bool,
    pub version: i64,
}

impl StaffMember {
    /// No event ends a lock for a time: the clock does.
    fn of(row: StaffRow, now: DateTime<Utc>) -> Self {
        let locked = row.status == StaffStatus::Locked;
        let over = locked && row.locked_until.is_some_and(|until| until <= now);
        Self {
            id: row.id,
            username: row.username,
            name: row.name,
            email: row.email,
            roles: row.roles,
            status: if over { StaffStatus::Active } else { row.status },
            locked_until: row.locked_until.filter(|_| !over),
            lock_reason: row.lock_reason.filter(|_| !over),
            invited_at: row.invited_at,
            activated_at: row.activated_at,
            deactivated_at: row.deactivated_at,
            totp: row.totp,
            version: row.version,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StaffFilters {
    role: Option<Role>,
    status: Option<StaffStatus>,
}

fn select(filters: &StaffFilters, after: Option<Uuid>, fetch: i64, now: DateTime<Utc>) -> Select {
    let sql = Sql::new("u.* FROM read.staff_1 u WHERE u.clinic_id = s.clinic AND u.patient IS NULL")
        .bind_some(" AND u.roles ? ", filters.role.map(|role| role.to_string()));
    let sql = match filters.status {
        Some(status) => sql
            .push(" AND (CASE WHEN u.status = 'locked' AND u.locked_until <= ")
            .bind(now)
            .push(" THEN 'active' ELSE u.status END) = ")
            .bind(status.to_string()),
        None => sql,
    };
    let sql = sql.bind_some(" AND u.id > ", after).push(" ORDER BY u.id LIMIT ").bind(fetch);
    Select::new(MODELS, sql)
}

async fn list(reader: Reader, query: ListQuery<StaffFilters>) -> Result<List<StaffMember>, Problem> {
    reader.may_read(Capability::Staff).await?;
    let now = reader.now();
    let select = select(&query.filters, query.after()?, query.fetch(), now);
    let Reflected { value: rows, position } = reader.all::<StaffRow>(select).await?;
    let members = rows.into_iter().map(|row| StaffMember::of(row, now)).collect();
    Ok(query.answer(members, position, |member| member.id))
}

async fn find(reader: &Reader, id: Uuid) -> Result<Reflected<StaffRow>, Problem> {
    reader.may_read(Capability::Staff).await?;
    let sql = Sql::new("u.* FROM read.staff_1 u WHERE u.clinic_id = s.clinic AND u.patient IS NULL AND u.id = ");
    reader.one::<StaffRow>(Select::new(MODELS, sql.bind(id))).await?.found()
}

async fn one(
    reader: Reader,
    Path(path): Path<ById>,
    _: Query<NoFilters>,
    known: IfNoneMatch,
) -> Result<Resource<StaffMember>, Problem> {
    let read = find(&reader, path.id).await?;
    let tag = ETag::of_resource(read.value.version, read.value.position);
    let timed = read.value.locked_until.is_some();
    let answer = Resource::new(StaffMember::of(read.value, reader.now()), tag, read.position);
    // A lock that ends by the clock changes what is shown without an event.
    Ok(if timed { answer } else { answer.unless(&known) })
}

impl Versioned for Staff {
    const KIND: AggregateKind = AggregateKind::Staff;
    const COLLECTION: &'static str = "staff";
    const SINGULAR: &'static str = "StaffMember";
    const TAG: &'static str = "Staff";

    async fn find(reader: &Reader, id: Uuid) -> Result<(), Problem> {
        find(reader, id).await.map(drop)
    }
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new()
        .api_route(
            "/staff",
            get_with(list, |op| {
                op.id("listStaff")
                    .tag("Staff")
                    .summary("The clinic's logins")
                    .description("In the order in which they were invited. Patients' portal accounts are not shown.")
            }),
        )
        .api_route(
            "/staff/{id}",
            get_with(one, |op| {
                op.id("getStaffMember").tag("Staff").summary("One login").description("Roles, status and dates.")
            }),
        )
        .merge(versions::routes::<Staff>())
}
