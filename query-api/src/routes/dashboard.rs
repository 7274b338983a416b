//! The clinic at a glance.

use std::collections::BTreeMap;

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, Days, NaiveDate, Utc};
use events::{DoctorId, calendar::day_of, clinic::Limits};
use read_models::{AppointmentDayRow, ClinicRow, UsageRow, appointment_day::no_show_rate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{Problem, Query, json::NoFilters};

use super::{
    clinic::Usage,
    emergency_accesses::{self, EmergencyAccessCounts},
    stats::{DayCount, Numbers, count, sum},
};
use crate::{
    QueryState,
    reader::Reader,
    scope::{Reflected, Select},
};

const MODELS: &[&str] = &["clinic_1", "usage_2", "appointment_day_1", "emergency_access_1"];
const DAYS_AHEAD: u64 = 7;
/// Over how many days the no-show rate is taken.
const DAYS_BACK: u64 = 30;

/// Today, the days to come, and how the clinic does.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Dashboard {
    pub today: DayCount,
    /// One entry for each of the next seven days.
    pub next_seven_days: Vec<DayCount>,
    /// Of the last thirty days, today included; `null` where no appointment was kept or missed.
    pub no_show_rate: Option<f64>,
    /// Usage against limits; not told to a doctor, who sees their own numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanUsage>,
    /// Told to who reviews them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emergency_accesses: Option<EmergencyAccessCounts>,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct PlanUsage {
    pub usage: Usage,
    /// `null` inside is unlimited.
    pub limits: Limits,
}

#[derive(Deserialize)]
struct Glance {
    clinic: ClinicRow,
    usage: Option<UsageRow>,
    days: Vec<AppointmentDayRow>,
    emergency_accesses: EmergencyAccessCounts,
}

/// Everything in one statement; two days more than needed, since the day is cut in the clinic's zone.
fn select(now: DateTime<Utc>) -> Select {
    let today = now.date_naive();
    let sql = emergency_accesses::counts(now).push(
        ", to_jsonb(c) AS clinic, to_jsonb(u) AS usage, coalesce((SELECT jsonb_agg(to_jsonb(d) ORDER BY d.id) \
         FROM read.appointment_day_1 d WHERE d.clinic_id = s.clinic AND d.id BETWEEN ",
    )
    .bind(today - Days::new(DAYS_BACK + 1))
    .push(" AND ")
    .bind(today + Days::new(DAYS_AHEAD + 1))
    .push(
        "), '[]') AS days FROM read.clinic_1 c LEFT JOIN read.usage_2 u ON u.clinic_id = s.clinic AND u.id = s.clinic \
         WHERE c.clinic_id = s.clinic AND c.id = s.clinic",
    );
    Select::new(MODELS, sql)
}

impl Dashboard {
    fn of(glance: Glance, doctor: Option<DoctorId>, reviews: bool, today: NaiveDate) -> Self {
        let days: BTreeMap<NaiveDate, DayCount> = glance.days.iter().map(|row| (row.id, count(row, doctor))).collect();
        let on = |day: NaiveDate| {
            let none = || DayCount { day, total: 0, by_status: Default::default() };
            days.get(&day).cloned().unwrap_or_else(none)
        };
        let back = days.range(today - Days::new(DAYS_BACK - 1)..=today);
        let limits = glance.clinic.limits.unwrap_or_else(|| glance.clinic.plan.limits());
        let usage = glance.usage.as_ref().map(Usage::from).unwrap_or_default();
        Self {
            today: on(today),
            next_seven_days: (1..=DAYS_AHEAD).map(|ahead| on(today + Days::new(ahead))).collect(),
            no_show_rate: no_show_rate(&sum(back.map(|(_, day)| &day.by_status))),
            plan: doctor.is_none().then_some(PlanUsage { usage, limits }),
            emergency_accesses: reviews.then_some(glance.emergency_accesses),
        }
    }
}

async fn dashboard(reader: Reader, _: Query<NoFilters>) -> Result<Reflected<Dashboard>, Problem> {
    let doctor = match Numbers::of(&reader).await? {
        Numbers::OfAll => None,
        Numbers::Of(doctor) => Some(doctor),
    };
    let now = reader.now();
    let reviews = emergency_accesses::reviews(&reader);
    let glance = reader.one::<Glance>(select(now)).await?.found()?;
    let today = day_of(now, glance.value.clinic.time_zone);
    Ok(glance.map(|glance| Dashboard::of(glance, doctor, reviews, today)))
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/dashboard",
        get_with(dashboard, |op| {
            op.id("getDashboard").tag("Clinic").summary("The clinic at a glance").description(
                "Today, the next seven days, the no-show rate of the last thirty, and usage against limits. A doctor \
                 sees their own numbers; administrators and auditors see how often broken glass waits for a review.",
            )
        }),
    )
}
