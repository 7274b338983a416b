//! The queue of an office: who waits, and who is with the doctor.

use aide::axum::{ApiRouter, routing::get_with};
use chrono::NaiveDate;
use events::{DoctorId, OfficeId, calendar::day_of};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{Capability, Problem, Query, page::Items};

use super::{
    appointments::on_day,
    clinic::zone,
    day_sheet::{Expected, answer, expected, staff},
};
use crate::{QueryState, disclosure::Disclosed, reader::Reader, scope::Reflected};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct QueueFilters {
    office: OfficeId,
    doctor: Option<DoctorId>,
    /// A day in the clinic's zone; today without it.
    day: Option<NaiveDate>,
}

async fn queue(
    reader: Reader,
    Query(filters): Query<QueueFilters>,
) -> Result<Disclosed<Reflected<Items<Expected>>>, Problem> {
    let audience = staff(&reader, Capability::CheckIn).await?;
    let day = match filters.day {
        Some(day) => day,
        None => day_of(reader.now(), zone(&reader).await?),
    };
    let sql = expected(audience.restricted)
        .push(" AND a.office_id = ")
        .bind(filters.office.0)
        .bind_some(" AND a.doctor_id = ", filters.doctor.map(|doctor| doctor.0));
    let sql = on_day(sql, day)
        .push(" AND a.status IN ('arrived', 'checked-in') ORDER BY length(a.token), a.token, a.start, a.id");
    answer(&reader, Capability::CheckIn, sql).await
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/queue",
        get_with(queue, |op| {
            op.id("getQueue")
                .tag("Appointments")
                .summary("The queue of an office")
                .description("Who has arrived and who is with the doctor, in the order of their tokens.")
        }),
    )
}
