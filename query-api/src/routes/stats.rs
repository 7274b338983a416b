//! Counts of appointments over a span of days.

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{Days, NaiveDate};
use events::{DoctorId, calendar::day_of};
use read_models::{AppointmentDayRow, appointment_day::no_show_rate, count::Counts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{Capability, Limit, Problem, Query};

use super::clinic::zone;
use crate::{
    QueryState,
    reader::Reader,
    scope::{Reflected, Select},
    sql::Sql,
};

/// Without `from`: so many days up to `to`.
const DAYS_DEFAULT: u64 = 30;
const DAYS_MAX: i64 = 366;

/// How many appointments there were, and what became of them.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AppointmentStatistics {
    /// Both days included.
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub total: i64,
    pub by_status: Counts,
    /// Of all but those entered in error; not told of one doctor alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_kind: Option<Counts>,
    /// No-shows among those that were kept or missed; `null` where there are none.
    pub no_show_rate: Option<f64>,
    pub days: Vec<DayCount>,
}

/// What one day had, by status.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DayCount {
    pub day: NaiveDate,
    pub total: i64,
    pub by_status: Counts,
}

/// Whose numbers an asker may see.
pub(super) enum Numbers {
    OfAll,
    /// A doctor's own.
    Of(DoctorId),
}

impl Numbers {
    pub(super) async fn of(reader: &Reader) -> Result<Self, Problem> {
        let reach = reader.may_read(Capability::Statistics).await?;
        match (reach.is_everything(), reach.covers(Limit::Own)) {
            (true, _) => Ok(Self::OfAll),
            (false, true) => Ok(Self::Of(DoctorId(reader.scope().user().0))),
            (false, false) => Err(reader.refuse(Capability::Statistics).await),
        }
    }

    /// 403, recorded, for another doctor's.
    async fn narrowed(self, reader: &Reader, asked: Option<DoctorId>) -> Result<Option<DoctorId>, Problem> {
        match (self, asked) {
            (Self::Of(own), Some(other)) if own != other => Err(reader.refuse(Capability::Statistics).await),
            (Self::Of(own), _) => Ok(Some(own)),
            (Self::OfAll, asked) => Ok(asked),
        }
    }
}

/// The counts of each day that has any, in order; both days included.
pub(super) async fn days(
    reader: &Reader,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Reflected<Vec<AppointmentDayRow>>, Problem> {
    let sql = Sql::new("d.* FROM read.appointment_day_1 d WHERE d.clinic_id = s.clinic AND d.id BETWEEN ");
    let sql = sql.bind(from).push(" AND ").bind(to).push(" ORDER BY d.id");
    reader.all(Select::new(&["appointment_day_1"], sql)).await
}

/// What a day had: of one doctor, or of all.
pub(super) fn count(row: &AppointmentDayRow, doctor: Option<DoctorId>) -> DayCount {
    let by_status = match doctor {
        Some(doctor) => row.by_doctor.get(&doctor).cloned().unwrap_or_default(),
        None => row.by_status.clone(),
    };
    DayCount { day: row.id, total: by_status.total(), by_status }
}

pub(super) fn sum<'c>(counts: impl Iterator<Item = &'c Counts>) -> Counts {
    let mut sum = Counts::default();
    counts.flat_map(Counts::iter).collect::<Vec<_>>().into_iter().for_each(|(code, count)| sum.add(code, count));
    sum
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StatisticsFilters {
    /// The first day, in the clinic's zone; 30 days before `to` without it.
    from: Option<NaiveDate>,
    /// The last day; today without it.
    to: Option<NaiveDate>,
    doctor: Option<DoctorId>,
}

impl StatisticsFilters {
    fn span(&self, today: NaiveDate) -> Result<(NaiveDate, NaiveDate), Problem> {
        let to = self.to.unwrap_or(today);
        let from = self.from.unwrap_or_else(|| to.checked_sub_days(Days::new(DAYS_DEFAULT)).unwrap_or(to));
        match (to - from).num_days() {
            0..DAYS_MAX => Ok((from, to)),
            _ => Err(Problem::parameter("from", "Expected a day not after `to`, and at most a year before it.")),
        }
    }
}

fn statistics(
    rows: &[AppointmentDayRow],
    doctor: Option<DoctorId>,
    from: NaiveDate,
    to: NaiveDate,
) -> AppointmentStatistics {
    let days: Vec<DayCount> = rows.iter().map(|row| count(row, doctor)).filter(|day| day.total > 0).collect();
    let by_status = sum(days.iter().map(|day| &day.by_status));
    let by_kind = doctor.is_none().then(|| sum(rows.iter().map(|row| &row.by_kind)));
    let (total, no_show_rate) = (by_status.total(), no_show_rate(&by_status));
    AppointmentStatistics { from, to, total, by_status, by_kind, no_show_rate, days }
}

async fn stats(
    reader: Reader,
    Query(filters): Query<StatisticsFilters>,
) -> Result<Reflected<AppointmentStatistics>, Problem> {
    let doctor = Numbers::of(&reader).await?.narrowed(&reader, filters.doctor).await?;
    let (from, to) = filters.span(day_of(reader.now(), zone(&reader).await?))?;
    Ok(days(&reader, from, to).await?.map(|rows| statistics(&rows, doctor, from, to)))
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/stats",
        get_with(stats, |op| {
            op.id("getStatistics")
                .tag("Clinic")
                .summary("Counts of appointments")
                .description("By status, kind and day, over at most a year. A doctor sees their own.")
        }),
    )
}
