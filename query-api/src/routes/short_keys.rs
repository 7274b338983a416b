//! Short keys, and what they expand to.

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, Utc};
use events::{AggregateKind, DoctorId, Role, ShortKeyId, prescription::PrescriptionItem};
use read_models::{ShortKeyRow, ShortKeys};
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
    sort::Sort,
    sql::Sql,
    versions::{self, Versioned},
};

const MODELS: &[&str] = &["short_key_1"];

/// An abbreviation for lines of a prescription.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ShortKey {
    pub id: ShortKeyId,
    /// `FEVER`
    pub code: String,
    /// Whose it is; `null`: the clinic's.
    pub doctor_id: Option<DoctorId>,
    pub title: Option<String>,
    /// In the order in which they are prescribed.
    pub items: Vec<PrescriptionItem>,
    pub retired: bool,
    /// How often it was expanded.
    pub uses: i64,
    pub last_used_at: Option<DateTime<Utc>>,
    pub version: i64,
}

impl From<ShortKeyRow> for ShortKey {
    fn from(row: ShortKeyRow) -> Self {
        Self {
            id: row.id,
            code: row.code,
            doctor_id: row.doctor_id,
            title: row.title,
            items: row.items,
            retired: row.retired,
            uses: row.uses,
            last_used_at: row.last_used_at,
            version: row.version,
        }
    }
}

/// Whose short keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Owner {
    Clinic,
    /// The asker's own.
    Own,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ShortKeyFilters {
    owner: Option<Owner>,
    doctor: Option<DoctorId>,
    /// `true`: those that were retired.
    #[serde(default)]
    retired: bool,
}

/// Where a page ended.
#[derive(Serialize, Deserialize)]
struct Last(String, ShortKeyId);

async fn list(reader: Reader, query: ListQuery<ShortKeyFilters>) -> Result<List<ShortKey>, Problem> {
    reader.may_read(Capability::ShortKeys).await?;
    let filters = &query.filters;
    let own = (filters.owner == Some(Owner::Own)).then(|| reader.scope().user().0);
    let sql = Sql::new("k.* FROM read.short_key_1 k WHERE k.clinic_id = s.clinic AND k.retired = ")
        .bind(filters.retired)
        .bind_some(" AND k.doctor_id = ", own)
        .bind_some(" AND k.doctor_id = ", filters.doctor.map(|doctor| doctor.0));
    let sql = if filters.owner == Some(Owner::Clinic) { sql.push(" AND k.doctor_id IS NULL") } else { sql };
    let after = query.after::<Last>()?.map(|Last(code, id)| (code, id.0));
    let sql = Sort::ascending("(k.code, k.id)", "k.code, k.id").page(sql, after, query.fetch());
    let Reflected { value: rows, position } = reader.all::<ShortKeyRow>(Select::new(MODELS, sql)).await?;
    let keys = rows.into_iter().map(ShortKey::from).collect();
    Ok(query.answer(keys, position, |key| Last(key.code.clone(), key.id)))
}

async fn find(reader: &Reader, id: Uuid) -> Result<Reflected<ShortKeyRow>, Problem> {
    reader.may_read(Capability::ShortKeys).await?;
    let sql = Sql::new("k.* FROM read.short_key_1 k WHERE k.clinic_id = s.clinic AND k.id = ").bind(id);
    reader.one::<ShortKeyRow>(Select::new(MODELS, sql)).await?.found()
}

async fn one(
    reader: Reader,
    Path(path): Path<ById>,
    _: Query<NoFilters>,
    known: IfNoneMatch,
) -> Result<Resource<ShortKey>, Problem> {
    let found = find(&reader, path.id).await?;
    let tag = ETag::of_resource(found.value.version, found.value.position);
    Ok(Resource::new(found.value.into(), tag, found.position).unless(&known))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Typed {
    /// Capitals do not matter.
    #[schemars(length(min = 1, max = 40))]
    code: String,
}

/// What somebody means who types a code: their own short key, or else the clinic's.
async fn expand(reader: Reader, Query(Typed { code }): Query<Typed>) -> Result<Reflected<ShortKey>, Problem> {
    reader.may_read(Capability::ShortKeys).await?;
    let own = reader.scope().has(Role::Doctor).then(|| reader.scope().user().0);
    let sql = Sql::new("k.* FROM read.short_key_1 k WHERE k.clinic_id = s.clinic AND NOT k.retired AND k.code = ")
        .bind(code.trim().to_uppercase())
        .push(" AND (k.doctor_id IS NULL OR k.doctor_id = ")
        .bind(own)
        .push(") ORDER BY k.doctor_id IS NULL LIMIT 1");
    let found = reader.one::<ShortKeyRow>(Select::new(MODELS, sql)).await?.found()?;
    Ok(found.map(ShortKey::from))
}

impl Versioned for ShortKeys {
    const KIND: AggregateKind = AggregateKind::ShortKey;
    const COLLECTION: &'static str = "short-keys";
    const SINGULAR: &'static str = "ShortKey";
    const TAG: &'static str = "Short keys";

    async fn find(reader: &Reader, id: Uuid) -> Result<(), Problem> {
        find(reader, id).await.map(drop)
    }
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new()
        .api_route(
            "/short-keys",
            get_with(list, |op| {
                op.id("listShortKeys")
                    .tag("Short keys")
                    .summary("Short keys")
                    .description("The clinic's and the doctors', by their codes. `owner=own` lists the asker's.")
            }),
        )
        .api_route(
            "/short-keys/expand",
            get_with(expand, |op| {
                op.id("expandShortKey").tag("Short keys").summary("What a code stands for").description(
                    "A doctor's own short key of that code, or else the clinic's, with its lines in their order. \
                     Whoever puts them into a prescription says so with `POST …/short-keys/{id}/use`, so that it is \
                     counted.",
                )
            }),
        )
        .api_route(
            "/short-keys/{id}",
            get_with(one, |op| {
                op.id("getShortKey")
                    .tag("Short keys")
                    .summary("One short key")
                    .description("Whose it is, what it stands for, and how often it was used.")
            }),
        )
        .merge(versions::routes::<ShortKeys>())
}
