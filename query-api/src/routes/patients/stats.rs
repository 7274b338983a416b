//! Counts of a clinic's patients.

use aide::axum::{ApiRouter, routing::get_with};
use read_models::{PatientStatsRow, count::Counts};
use schemars::JsonSchema;
use serde::Serialize;
use service_kit::{Capability, Problem, Query, json::NoFilters};

use crate::{
    QueryState,
    reader::Reader,
    scope::{Reflected, Select},
    sql::Sql,
};

/// How many patients there are, by what can be counted without knowing them.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct PatientStatistics {
    /// All who are not merged.
    pub total: i64,
    /// Of all ever registered.
    pub by_status: Counts,
    /// Of those who are not merged.
    pub by_gender: Counts,
    /// `1980` for 1980 to 1989, or `unknown`.
    pub by_birth_decade: Counts,
    /// `2026-03`, in the clinic's zone.
    pub registrations_by_month: Counts,
}

impl From<PatientStatsRow> for PatientStatistics {
    fn from(row: PatientStatsRow) -> Self {
        Self {
            total: row.by_gender.total(),
            by_status: row.by_status,
            by_gender: row.by_gender,
            by_birth_decade: row.by_birth_decade,
            registrations_by_month: row.registrations_by_month,
        }
    }
}

async fn stats(reader: Reader, _: Query<NoFilters>) -> Result<Reflected<PatientStatistics>, Problem> {
    if !reader.may_read(Capability::Statistics).await?.is_everything() {
        return Err(reader.refuse(Capability::Statistics).await);
    }
    let sql = Sql::new("p.* FROM read.patient_stats_1 p WHERE p.clinic_id = s.clinic AND p.id = s.clinic");
    let row = reader.one::<PatientStatsRow>(Select::new(&["patient_stats_1"], sql)).await?;
    Ok(row.map(|row| row.map(PatientStatistics::from).unwrap_or_default()))
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/patients/stats",
        get_with(stats, |op| {
            op.id("getPatientStatistics")
                .tag("Patients")
                .summary("Counts of patients")
                .description("By status, gender, decade of birth and month of registration. They outlive an erasure.")
        }),
    )
}
