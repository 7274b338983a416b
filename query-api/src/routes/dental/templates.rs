//! The clinic's templates of dental treatment. They say nothing of any patient.

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, Utc};
use events::{
    AggregateKind, DentalTemplateId,
    dental_template::{FindingPattern, ProposedProcedure},
};
use read_models::{DentalTemplates, dental_template::DentalTemplateRow};
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

use crate::{
    QueryState,
    reader::Reader,
    routes::ById,
    scope::{Reflected, Select},
    sql::Sql,
    versions::{self, Versioned},
};

const MODELS: &[&str] = &["dental_template_1"];

/// What is usually done about a finding.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DentalTemplate {
    pub id: DentalTemplateId,
    pub name: String,
    pub pattern: FindingPattern,
    pub procedures: Vec<ProposedProcedure>,
    pub defined_at: DateTime<Utc>,
    /// It proposes nothing since.
    pub retired_at: Option<DateTime<Utc>>,
    pub version: i64,
}

impl From<DentalTemplateRow> for DentalTemplate {
    fn from(row: DentalTemplateRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            pattern: row.pattern,
            procedures: row.procedures,
            defined_at: row.defined_at,
            retired_at: row.retired_at,
            version: row.version,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DentalTemplateFilters {
    /// `true`: only those that are retired, `false`: only those in use.
    retired: Option<bool>,
}

/// Who charts, or reads charts, of the staff.
async fn may_read(reader: &Reader) -> Result<(), Problem> {
    match reader.may_read(Capability::DentalChart).await?.is_everything() {
        true => Ok(()),
        false => Err(reader.refuse(Capability::DentalChart).await),
    }
}

fn all() -> Sql {
    Sql::new("t.* FROM read.dental_template_1 t WHERE t.clinic_id = s.clinic")
}

/// What proposes something now.
pub(super) async fn in_use(reader: &Reader) -> Result<Reflected<Vec<DentalTemplateRow>>, Problem> {
    reader.all::<DentalTemplateRow>(Select::new(MODELS, all().push(" AND t.retired_at IS NULL"))).await
}

async fn list(reader: Reader, query: ListQuery<DentalTemplateFilters>) -> Result<List<DentalTemplate>, Problem> {
    may_read(&reader).await?;
    let sql = all()
        .bind_some(" AND (t.retired_at IS NOT NULL) = ", query.filters.retired)
        .bind_some(" AND t.id > ", query.after::<Uuid>()?)
        .push(" ORDER BY t.id LIMIT ")
        .bind(query.fetch());
    let Reflected { value: rows, position } = reader.all::<DentalTemplateRow>(Select::new(MODELS, sql)).await?;
    let templates = rows.into_iter().map(DentalTemplate::from).collect();
    Ok(query.answer(templates, position, |template| template.id))
}

async fn find(reader: &Reader, id: Uuid) -> Result<Reflected<DentalTemplateRow>, Problem> {
    may_read(reader).await?;
    let select = Select::new(MODELS, all().push(" AND t.id = ").bind(id));
    reader.one::<DentalTemplateRow>(select).await?.found()
}

async fn one(
    reader: Reader,
    Path(path): Path<ById>,
    _: Query<NoFilters>,
    known: IfNoneMatch,
) -> Result<Resource<DentalTemplate>, Problem> {
    let Reflected { value: row, position } = find(&reader, path.id).await?;
    let tag = ETag::of_resource(row.version, row.position);
    Ok(Resource::new(DentalTemplate::from(row), tag, position).unless(&known))
}

impl Versioned for DentalTemplates {
    const KIND: AggregateKind = AggregateKind::DentalTemplate;
    const COLLECTION: &'static str = "dental-templates";
    const SINGULAR: &'static str = "DentalTemplate";
    const TAG: &'static str = "Dental templates";

    async fn find(reader: &Reader, id: Uuid) -> Result<(), Problem> {
        find(reader, id).await.map(drop)
    }
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new()
        .api_route(
            "/dental-templates",
            get_with(list, |op| {
                op.id("listDentalTemplates")
                    .tag("Dental templates")
                    .summary("The clinic's templates of dental treatment")
                    .description("In the order in which they were defined; retired ones too.")
            }),
        )
        .api_route(
            "/dental-templates/{id}",
            get_with(one, |op| {
                op.id("getDentalTemplate")
                    .tag("Dental templates")
                    .summary("One template")
                    .description("What it fits, and what it proposes.")
            }),
        )
        .merge(versions::routes::<DentalTemplates>())
}
