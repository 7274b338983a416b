//! The departments of a clinic.

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, Utc};
use events::{AggregateKind, DepartmentId, Position, UserId};
use read_models::Departments;
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

const MODELS: &[&str] = &["department_1", "staff_1"];

/// A department of the clinic.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Department {
    pub id: DepartmentId,
    pub name: String,
    pub head: Option<DepartmentMember>,
    /// Who belongs to it, by name.
    pub staff: Vec<DepartmentMember>,
    pub created_at: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
    pub version: i64,
    /// Of the last change; told in the `ETag`.
    #[serde(skip_serializing)]
    #[schemars(skip)]
    position: Position,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DepartmentMember {
    pub id: UserId,
    pub name: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DepartmentFilters {
    /// Whether those that were closed are listed too.
    #[serde(default)]
    closed: bool,
}

fn departments() -> Sql {
    Sql::new(
        "d.id, d.name, d.created_at, d.closed_at, d.version, d.position, \
         (SELECT jsonb_build_object('id', u.id, 'name', u.name) FROM read.staff_1 u \
         WHERE u.clinic_id = s.clinic AND u.id = d.head_id) AS head, \
         (SELECT coalesce(jsonb_agg(jsonb_build_object('id', u.id, 'name', u.name) ORDER BY u.name, u.id), '[]') \
         FROM read.staff_1 u WHERE u.clinic_id = s.clinic AND d.staff_ids ? u.id::text) AS staff \
         FROM read.department_1 d WHERE d.clinic_id = s.clinic",
    )
}

async fn list(reader: Reader, query: ListQuery<DepartmentFilters>) -> Result<List<Department>, Problem> {
    reader.may_read(Capability::ClinicProfile).await?;
    let sql = if query.filters.closed { departments() } else { departments().push(" AND d.closed_at IS NULL") };
    let sql = match query.after::<(String, Uuid)>()? {
        Some((name, id)) => sql.push(" AND (d.name, d.id) > (").bind(name).push(", ").bind(id).push(")"),
        None => sql,
    };
    let sql = sql.push(" ORDER BY d.name, d.id LIMIT ").bind(query.fetch());
    let Reflected { value: rows, position } = reader.all::<Department>(Select::new(MODELS, sql)).await?;
    Ok(query.answer(rows, position, |department| (department.name.clone(), department.id.0)))
}

async fn find(reader: &Reader, id: Uuid) -> Result<Reflected<Department>, Problem> {
    reader.may_read(Capability::ClinicProfile).await?;
    let sql = departments().push(" AND d.id = ").bind(id);
    reader.one::<Department>(Select::new(MODELS, sql)).await?.found()
}

async fn one(
    reader: Reader,
    Path(path): Path<ById>,
    _: Query<NoFilters>,
    known: IfNoneMatch,
) -> Result<Resource<Department>, Problem> {
    let read = find(&reader, path.id).await?;
    let tag = ETag::of_resource(read.value.version, read.value.position);
    Ok(Resource::new(read.value, tag, read.position).unless(&known))
}

impl Versioned for Departments {
    const KIND: AggregateKind = AggregateKind::Department;
    const COLLECTION: &'static str = "departments";
    const SINGULAR: &'static str = "Department";
    const TAG: &'static str = "Departments";

    async fn find(reader: &Reader, id: Uuid) -> Result<(), Problem> {
        find(reader, id).await.map(drop)
    }
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new()
        .api_route(
            "/departments",
            get_with(list, |op| {
                op.id("listDepartments").tag("Departments").summary("The clinic's departments").description(
                    "By name, with who leads them and who belongs to them; open ones, unless asked for all.",
                )
            }),
        )
        .api_route(
            "/departments/{id}",
            get_with(one, |op| {
                op.id("getDepartment")
                    .tag("Departments")
                    .summary("One department")
                    .description("With who leads it and who belongs to it.")
            }),
        )
        .merge(versions::routes::<Departments>())
}
