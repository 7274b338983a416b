//! When a doctor is free: hours, minus leave, closures and taken time.

use std::collections::BTreeMap;

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use events::{
    OfficeId,
    calendar::{WorkingHours, free_slots, whole_day},
    clinic::Overbooking,
    values::Span,
};
use read_models::{ClinicRow, DoctorRow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{Capability, Path, Problem, Query, page::Items};

use super::ById;
use crate::{
    QueryState,
    reader::Reader,
    scope::{Reflected, Select},
    sql::Sql,
};

const MODELS: &[&str] = &["doctor_1", "clinic_1", "appointment_1"];
/// How far ahead one may book.
const AHEAD_MAX: Days = Days::new(366);
/// The days around a date, in UTC, in which an appointment may lie that touches the date in any zone.
const AROUND: Days = Days::new(2);

/// A span of time in which the doctor can be booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "FreeSlot", example = example())]
pub struct FreeSlot {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    pub office_id: OfficeId,
}

fn example() -> serde_json::Value {
    serde_json::json!({
        "start": "2026-03-14T03:30:00Z", "end": "2026-03-14T03:45:00Z",
        "office_id": "019511b4-7d05-7000-8000-000000000001"
    })
}

/// The time that an appointment takes, its buffer included.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Taken {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    lane: i16,
}

/// All that decides when a doctor is free.
#[derive(Deserialize)]
struct Day {
    doctor: DoctorRow,
    clinic: ClinicRow,
    taken: Vec<Taken>,
}

impl Day {
    /// Free slots in the order of their start. `now`: none has begun.
    fn free(&self, date: NaiveDate, office: Option<OfficeId>, now: DateTime<Utc>) -> Vec<FreeSlot> {
        let zone = self.clinic.time_zone;
        let hours = self.hours().into_iter().filter(|hours| office.is_none_or(|office| hours.office_id == office));
        let hours = hours.filter(|hours| self.doctor.active && !self.is_closed(hours.office_id, date));
        let mut slots = BTreeMap::new();
        for hours in hours {
            for slot in self.free_in(&hours, date, zone, now) {
                slots.insert((slot.start, slot.office_id), slot);
            }
        }
        slots.into_values().collect()
    }

    /// A slot is free where one of the lanes is.
    fn free_in(&self, hours: &WorkingHours, date: NaiveDate, zone: Tz, now: DateTime<Utc>) -> Vec<FreeSlot> {
        let Some(block) = hours.on(date, zone) else { return Vec::new() };
        let free = (0..self.lanes()).flat_map(|lane| free_slots(hours, block, &self.busy(lane), now));
        free.map(|span| FreeSlot { start: span.from, end: span.to, office_id: hours.office_id }).collect()
    }

    /// The doctor's own hours, or else those of the doctor's offices; in open offices.
    fn hours(&self) -> Vec<WorkingHours> {
        let open = |id: &OfficeId| self.clinic.offices.iter().find(|entry| entry.open && entry.office.id == *id);
        if !self.doctor.hours.is_empty() {
            return self.doctor.hours.iter().filter(|hours| open(&hours.office_id).is_some()).copied().collect();
        }
        let offices = self.doctor.offices.iter().filter_map(open);
        offices.flat_map(|entry| WorkingHours::of_office(entry.office.id, &entry.office.hours)).collect()
    }

    fn is_closed(&self, office: OfficeId, date: NaiveDate) -> bool {
        self.clinic.closures.iter().any(|closure| {
            closure.office.is_none_or(|closed| closed == office) && (closure.from..=closure.to).contains(&date)
        })
    }

    /// How many may be booked at once without an overbooking.
    fn lanes(&self) -> i16 {
        match self.clinic.settings.overbooking {
            Overbooking::Forbid | Overbooking::Approve => 1,
            Overbooking::Capacity { places } => places,
        }
    }

    fn busy(&self, lane: i16) -> Vec<Span> {
        let taken = self.taken.iter().filter(|taken| taken.lane == lane);
        let taken = taken.map(|taken| Span { from: taken.from, to: taken.to });
        taken.chain(self.doctor.leaves.iter().map(|leave| leave.span)).collect()
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SlotFilters {
    /// A day in the clinic's zone.
    date: NaiveDate,
    office: Option<OfficeId>,
}

fn select(doctor: uuid::Uuid, date: NaiveDate) -> Select {
    let around = whole_day(date, Tz::UTC);
    let sql = Sql::new(
        "to_jsonb(d) AS doctor, to_jsonb(c) AS clinic, coalesce((SELECT jsonb_agg(jsonb_build_object('from', a.start, \
         'to', a.\"end\" + make_interval(mins => a.buffer_minutes::integer), 'lane', a.lane)) FROM read.appointment_1 a \
         WHERE a.clinic_id = s.clinic AND a.doctor_id = d.id \
         AND a.status IN ('pending', 'booked', 'arrived', 'checked-in') AND a.start >= ",
    )
    .bind(around.from - AROUND)
    .push(" AND a.start < ")
    .bind(around.to + AROUND)
    .push(
        "), '[]') AS taken FROM read.doctor_1 d JOIN read.clinic_1 c ON c.clinic_id = s.clinic AND c.id = s.clinic \
         WHERE d.clinic_id = s.clinic AND d.id = ",
    )
    .bind(doctor);
    Select::new(MODELS, sql)
}

async fn slots(
    reader: Reader,
    Path(path): Path<ById>,
    Query(filters): Query<SlotFilters>,
) -> Result<Reflected<Items<FreeSlot>>, Problem> {
    reader.may_read(Capability::Appointments).await?;
    let now = reader.now();
    let day = reader.one::<Day>(select(path.id, filters.date)).await?.found()?;
    let too_late = filters.date > now.date_naive() + AHEAD_MAX;
    let free = |day: Day| if too_late { Vec::new() } else { day.free(filters.date, filters.office, now) };
    Ok(day.map(|day| Items { items: free(day), next: None }))
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/doctors/{id}/slots",
        get_with(slots, |op| {
            op.id("listFreeSlots").tag("Doctors").summary("When a doctor can be booked").description(
                "The free slots of one day in the clinic's zone: the doctor's hours (or the office's) minus leave, \
                     closures and booked time. Nothing that has begun, nothing more than a year ahead.",
            )
        }),
    )
}
