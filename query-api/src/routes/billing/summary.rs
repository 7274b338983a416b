//! The clinic's money of a day, for the count in the evening. It is about no patient.

use aide::axum::{ApiRouter, routing::get_with};
use chrono::NaiveDate;
use events::calendar::day_of;
use read_models::{
    billing_day::{BillingDayRow, DayMoney},
    count::Counts,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{Capability, Problem, Query};

use crate::{
    QueryState,
    reader::Reader,
    routes::clinic::zone,
    scope::{Reflected, Select},
    sql::Sql,
};

const MODELS: &[&str] = &["billing_day_1"];

/// What was billed, paid and given back on a day, in each currency.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BillingSummary {
    /// In the clinic's zone.
    pub day: NaiveDate,
    /// One entry for each currency in which something happened; empty where nothing did.
    pub items: Vec<CurrencySummary>,
}

/// In minor units.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CurrencySummary {
    /// ISO 4217.
    pub currency: String,
    /// On invoices issued that day.
    pub billed: i64,
    /// By credit notes issued that day, for invoices of any day.
    pub credited: i64,
    /// That day, for invoices of any day.
    pub paid: i64,
    pub paid_by_method: Counts,
    /// Given back that day, for invoices of any day.
    pub refunded: i64,
    pub refunded_by_method: Counts,
    /// Of what was billed that day, what is still to be paid.
    pub due: i64,
}

impl CurrencySummary {
    fn of(currency: String, money: DayMoney) -> Self {
        Self {
            currency,
            billed: money.billed,
            credited: money.credited,
            paid: money.paid.total(),
            paid_by_method: money.paid,
            refunded: money.refunded.total(),
            refunded_by_method: money.refunded,
            due: money.due,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SummaryFilters {
    /// A day in the clinic's zone; today without it.
    day: Option<NaiveDate>,
}

/// Who sees everybody's invoices; not a patient.
async fn may_read(reader: &Reader) -> Result<(), Problem> {
    match reader.may_read(Capability::Billing).await?.is_everything() {
        true => Ok(()),
        false => Err(reader.refuse(Capability::Billing).await),
    }
}

async fn summary(reader: Reader, Query(filters): Query<SummaryFilters>) -> Result<Reflected<BillingSummary>, Problem> {
    may_read(&reader).await?;
    let day = match filters.day {
        Some(day) => day,
        None => day_of(reader.now(), zone(&reader).await?),
    };
    let sql = Sql::new("d.* FROM read.billing_day_1 d WHERE d.clinic_id = s.clinic AND d.id = ").bind(day);
    let found = reader.one::<BillingDayRow>(Select::new(MODELS, sql)).await?;
    Ok(found.map(|row| {
        let money = row.map(|row| row.by_currency).unwrap_or_default();
        let items = money.into_iter().map(|(currency, money)| CurrencySummary::of(currency, money)).collect();
        BillingSummary { day, items }
    }))
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/billing/summary",
        get_with(summary, |op| {
            op.id("getBillingSummary").tag("Invoices").summary("The clinic's money of a day").description(
                "What was billed, paid by which method, given back and credited, and what of the day's invoices is \
                 still due: for the count in the evening.",
            )
        }),
    )
}
