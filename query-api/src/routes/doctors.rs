//! The doctors of a clinic.

use std::collections::HashMap;

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, NaiveDate, Utc};
use events::{
    AggregateKind, DoctorId, OfficeId,
    calendar::WorkingHours,
    values::{Address, Money},
};
use read_models::{DoctorRow, Doctors, doctor::Leave};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use service_kit::{
    Capability, ListQuery, Path, Problem, Query, Reach,
    answer::Resource,
    etag::{ETag, IfNoneMatch},
    json::NoFilters,
    page::List,
};
use strum::IntoStaticStr;
use uuid::Uuid;

use super::ById;
use crate::{
    QueryState,
    reader::Reader,
    scope::{Reflected, Select},
    sql::Sql,
    versions::{self, Versioned},
};

const MODELS: &[&str] = &["doctor_1", "clinic_1"];

/// How a doctor stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DoctorStatus {
    Active,
    OnLeave,
    /// Works here no longer.
    Inactive,
}

impl DoctorStatus {
    pub fn of(row: &DoctorRow, now: DateTime<Utc>) -> Self {
        let away = row.leaves.iter().any(|leave| leave.span.from <= now && now < leave.span.to);
        match (row.active, away) {
            (false, _) => Self::Inactive,
            (true, true) => Self::OnLeave,
            (true, false) => Self::Active,
        }
    }
}

/// A doctor, with the offices where the doctor works.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Doctor {
    pub id: DoctorId,
    pub name: Option<String>,
    pub status: DoctorStatus,
    pub licence_number: Option<String>,
    /// The last day on which the licence is good.
    pub licence_expires: Option<NaiveDate>,
    pub specialisation: Option<String>,
    pub qualification: Option<String>,
    pub years_of_experience: Option<i32>,
    pub offices: Vec<DoctorOffice>,
    /// Empty: the hours of each office. Only for who may see hours and leave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<Vec<WorkingHours>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaves: Option<Vec<Leave>>,
    pub fee: Option<Money>,
    pub registered_at: DateTime<Utc>,
    pub version: i64,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DoctorOffice {
    pub id: OfficeId,
    pub name: Option<String>,
    pub address: Option<Address>,
    pub is_primary: bool,
}

/// An office as a doctor's answer names it.
#[derive(Clone, Debug, Deserialize)]
struct NamedOffice {
    name: String,
    address: Option<Address>,
}

#[derive(Deserialize)]
struct DoctorAndOffices {
    doctor: DoctorRow,
    offices: HashMap<OfficeId, NamedOffice>,
    /// The position of the last change of the offices.
    offices_position: i64,
}

/// The doctors and, for each, the offices that are named.
fn select() -> Sql {
    Sql::new(
        "to_jsonb(d) AS doctor, coalesce(o.offices, '{}') AS offices, coalesce(o.position, 0) AS offices_position \
         FROM read.doctor_1 d LEFT JOIN LATERAL ( \
         SELECT jsonb_object_agg(office ->> 'id', jsonb_build_object('name', office -> 'name', 'address', office -> 'address')) \
         AS offices, max(c.position) AS position \
         FROM read.clinic_1 c CROSS JOIN LATERAL jsonb_array_elements(c.offices) office \
         WHERE c.clinic_id = s.clinic AND d.offices ? (office ->> 'id')) o ON true \
         WHERE d.clinic_id = s.clinic",
    )
}

impl Doctor {
    fn of(found: DoctorAndOffices, with_hours: bool, now: DateTime<Utc>) -> Self {
        let DoctorAndOffices { doctor: row, mut offices, .. } = found;
        let mut named = |(index, id): (usize, &OfficeId)| {
            let office = offices.remove(id);
            let (name, address) = office.map_or((None, None), |office| (Some(office.name), office.address));
            DoctorOffice { id: *id, name, address, is_primary: index == 0 }
        };
        Self {
            status: DoctorStatus::of(&row, now),
            offices: row.offices.iter().enumerate().map(&mut named).collect(),
            id: row.id,
            name: row.name,
            licence_number: row.licence_number,
            licence_expires: row.licence_expires,
            specialisation: row.specialisation,
            qualification: row.qualification,
            years_of_experience: row.years_of_experience,
            hours: with_hours.then_some(row.hours),
            leaves: with_hours.then_some(row.leaves),
            fee: row.fee,
            registered_at: row.registered_at,
            version: row.version,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DoctorFilters {
    /// Who works in this office.
    office: Option<OfficeId>,
    specialisation: Option<String>,
    status: Option<DoctorStatus>,
}

/// Whoever books, or knows the clinic from inside, may know its doctors.
async fn may_read(reader: &Reader) -> Result<(), Problem> {
    match reader.grant(Capability::ClinicProfile).allows_read() {
        true => Ok(()),
        false => reader.may_read(Capability::Appointments).await.map(drop),
    }
}

fn sees_hours(reader: &Reader) -> bool {
    reader.grant(Capability::DoctorHours).read == Reach::Everything
}

fn filtered(filters: &DoctorFilters, now: DateTime<Utc>) -> Sql {
    let sql = select()
        .bind_some(" AND d.offices ? ", filters.office.map(|office| office.to_string()))
        .bind_some(" AND lower(d.specialisation) = lower(", filters.specialisation.as_deref());
    let sql = if filters.specialisation.is_some() { sql.push(")") } else { sql };
    match filters.status {
        Some(status) => sql
            .push(
                " AND CASE WHEN NOT d.active THEN 'inactive' WHEN EXISTS (\
                 SELECT FROM jsonb_to_recordset(d.leaves) l(\"from\" timestamptz, \"to\" timestamptz) WHERE ",
            )
            .bind(now)
            .push(" >= l.\"from\" AND ")
            .bind(now)
            .push(" < l.\"to\") THEN 'on_leave' ELSE 'active' END = ")
            .bind(<&str>::from(status)),
        None => sql,
    }
}

async fn list(reader: Reader, query: ListQuery<DoctorFilters>) -> Result<List<Doctor>, Problem> {
    may_read(&reader).await?;
    let now = reader.now();
    let sql = filtered(&query.filters, now).bind_some(" AND d.id > ", query.after::<Uuid>()?);
    let sql = sql.push(" ORDER BY d.id LIMIT ").bind(query.fetch());
    let Reflected { value: found, position } = reader.all::<DoctorAndOffices>(Select::new(MODELS, sql)).await?;
    let with_hours = sees_hours(&reader);
    let doctors = found.into_iter().map(|found| Doctor::of(found, with_hours, now)).collect();
    Ok(query.answer(doctors, position, |doctor| doctor.id))
}

async fn one(
    reader: Reader,
    Path(path): Path<ById>,
    _: Query<NoFilters>,
    known: IfNoneMatch,
) -> Result<Resource<Doctor>, Problem> {
    may_read(&reader).await?;
    let sql = select().push(" AND d.id = ").bind(path.id);
    let read = reader.one::<DoctorAndOffices>(Select::new(MODELS, sql)).await?.found()?;
    let now = reader.now();
    let shown = read.value.doctor.position.max(read.value.offices_position);
    let tag = ETag::of_resource(read.value.doctor.version, shown);
    // Once a leave has begun, what is shown changes by the clock, without an event.
    let timed = read.value.doctor.leaves.iter().any(|leave| leave.span.from <= now);
    let answer = Resource::new(Doctor::of(read.value, sees_hours(&reader), now), tag, read.position);
    Ok(if timed { answer } else { answer.unless(&known) })
}

impl Versioned for Doctors {
    const KIND: AggregateKind = AggregateKind::Doctor;
    const COLLECTION: &'static str = "doctors";
    const SINGULAR: &'static str = "Doctor";
    const TAG: &'static str = "Doctors";

    async fn find(reader: &Reader, id: Uuid) -> Result<(), Problem> {
        // Leave and hours are told.
        if !sees_hours(reader) {
            return Err(reader.refuse(Capability::DoctorHours).await);
        }
        let sql = Sql::new("1 FROM read.doctor_1 d WHERE d.clinic_id = s.clinic AND d.id = ").bind(id);
        reader.one::<IgnoredAny>(Select::new(&["doctor_1"], sql)).await?.found().map(drop)
    }
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new()
        .api_route(
            "/doctors",
            get_with(list, |op| {
                op.id("listDoctors").tag("Doctors").summary("The clinic's doctors").description(
                    "In the order in which they were registered. `status` is how a doctor stands at the moment of \
                     the answer; a doctor on leave is `on_leave`.",
                )
            }),
        )
        .api_route(
            "/doctors/{id}",
            get_with(one, |op| {
                op.id("getDoctor")
                    .tag("Doctors")
                    .summary("One doctor")
                    .description("Hours and leave are shown to who may see them. The first office is the primary one.")
            }),
        )
        .merge(versions::routes::<Doctors>())
}
