//! The grants of a clinic's auditors: what each may see for a while beyond the role.

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, Utc};
use events::{AuditorGrantId, UserId, clinic::AuditScope};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{Capability, Problem, Query, json::NoFilters, page::Items};

use crate::{
    QueryState,
    reader::Live,
    scope::{Reflected, Select},
    sql::Sql,
};

/// A grant that was not revoked.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AuditorGrant {
    pub id: AuditorGrantId,
    #[serde(rename(deserialize = "auditor"))]
    pub auditor_id: UserId,
    pub scope: Vec<AuditScope>,
    /// Of what was recorded from here on.
    pub from: DateTime<Utc>,
    /// And before.
    pub to: DateTime<Utc>,
    /// Over from then on.
    pub expires: DateTime<Utc>,
    pub granted_at: DateTime<Utc>,
    /// Whose user name it was at the time.
    pub granted_by: String,
}

async fn list(Live(reader): Live, _: Query<NoFilters>) -> Result<Reflected<Items<AuditorGrant>>, Problem> {
    reader.may_read(Capability::Staff).await?;
    let sql = Sql::new("g.* FROM log.auditor_grants(s.clinic) g ORDER BY g.id DESC");
    let grants = reader.all::<AuditorGrant>(Select::from_log(sql)).await?;
    Ok(grants.map(|items| Items { items, next: None }))
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/auditor-grants",
        get_with(list, |op| {
            op.id("listAuditorGrants").tag("Staff").summary("Auditors' grants").description(
                "The latest first: what each auditor may see for a while beyond the role, and of which period. Revoked \
                 ones are not among them, expired ones are.",
            )
        }),
    )
}
