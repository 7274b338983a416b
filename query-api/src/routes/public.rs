//! What anybody may ask: which clinics there are, and what the plans offer.

use aide::axum::{ApiRouter, routing::get_with};
use axum::extract::State;
use events::{
    Position,
    clinic::{Limits, Plan},
    plans::TRIAL_DAYS,
    values::Money,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{
    Json, ListQuery, Problem,
    json::NoFilters,
    page::{Items, List},
};
use strum::VariantArray;

use crate::{QueryState, row};

/// A clinic as the public directory shows it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(example = example_entry())]
pub struct DirectoryEntry {
    pub name: String,
    /// Names the clinic in addresses and at login.
    pub slug: String,
    pub city: Option<String>,
}

fn example_entry() -> DirectoryEntry {
    DirectoryEntry { name: "Asha Clinic".to_owned(), slug: "asha-clinic".to_owned(), city: Some("Pune".to_owned()) }
}

/// A plan: how much a clinic may have on it, and what that costs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Offer {
    pub plan: Plan,
    pub limits: Limits,
    /// `null`: by contract.
    pub price_per_month: Option<Money>,
    /// How long the plan may be used at most; `null`: for as long as it is paid.
    pub days: Option<i64>,
}

impl From<Plan> for Offer {
    fn from(plan: Plan) -> Self {
        let days = (plan == Plan::Trial).then_some(TRIAL_DAYS);
        Self { plan, limits: plan.limits(), price_per_month: plan.price_per_month(), days }
    }
}

/// The directory belongs to no clinic, so it stands at no position of one.
const NO_POSITION: Position = 0;

async fn directory(
    State(state): State<QueryState>,
    query: ListQuery<NoFilters>,
) -> Result<List<DirectoryEntry>, Problem> {
    let rows = sqlx::query("SELECT slug, name, city FROM read.directory($1, $2)")
        .bind(query.after::<String>()?)
        .bind(i32::try_from(query.fetch()).map_err(Problem::internal)?)
        .fetch_all(&state.db)
        .await?;
    let entries: Result<Vec<DirectoryEntry>, _> = rows.iter().map(row::read).collect();
    Ok(query.answer(entries.map_err(Problem::internal)?, NO_POSITION, |entry| entry.slug.clone()))
}

async fn plans() -> Json<Items<Offer>> {
    Json(Items { items: Plan::VARIANTS.iter().map(|plan| Offer::from(*plan)).collect(), next: None })
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new()
        .api_route(
            "/clinics",
            get_with(directory, |op| {
                op.id("listClinics")
                    .tag("Public")
                    .summary("The directory of clinics")
                    .description("Name, slug and city of every clinic that receives patients, by slug. Needs no token.")
            }),
        )
        .api_route(
            "/plans",
            get_with(plans, |op| {
                op.id("listPlans")
                    .tag("Public")
                    .summary("The plans")
                    .description("What a clinic may have on each plan, and what a month costs. Needs no token.")
            }),
        )
}
