//! Appointments: the clinic's, and those of one patient.

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use events::{
    AggregateKind, AppointmentId, DoctorId, OfficeId, PatientId,
    appointment::{AppointmentKind, AppointmentStatus, CancelledBy},
    calendar::whole_day,
};
use read_models::{AppointmentRow, Reminder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{
    AsOf, Capability, ListQuery, Path, Problem, Query,
    answer::Resource,
    etag::{ETag, IfNoneMatch},
    page::List,
};
use uuid::Uuid;

use super::{
    ById,
    history::ChartEntry,
    patients::{
        Group,
        one::{When, visible},
    },
};
use crate::{
    QueryState,
    audience::Audience,
    clinical,
    disclosure::{Disclosed, Subjects, disclose},
    past::Past,
    reader::Reader,
    scope::{Reflected, Select},
    sort::Sort,
    sql::Sql,
};

pub(super) const MODELS: &[&str] = &["appointment_1", "patient_1"];
/// A day of any zone lies within so many days, in UTC, of the day of that name in UTC.
const AROUND: Days = Days::new(1);

/// Who is to be seen by whom, where and when.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Appointment {
    pub id: AppointmentId,
    /// `APT-20260314-001`
    pub number: String,
    pub status: AppointmentStatus,
    pub version: i64,
    pub patient_id: PatientId,
    pub doctor_id: DoctorId,
    pub office_id: OfficeId,
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    /// The day of `start` in the clinic's zone.
    pub day: NaiveDate,
    pub minutes: i64,
    pub kind: AppointmentKind,
    /// Why it was booked; `null` also where the record is restricted and the asker may not see it.
    pub reason: Option<String>,
    /// The place in the queue of that office and day.
    pub token: Option<String>,
    pub overbooked: bool,
    pub cancelled_by: Option<CancelledBy>,
    pub cancellation_reason: Option<String>,
    pub booked_at: DateTime<Utc>,
    pub rescheduled_at: Option<DateTime<Utc>>,
    pub checked_in_at: Option<DateTime<Utc>>,
    pub started_at: Option<DateTime<Utc>>,
    /// When it reached its final status.
    pub ended_at: Option<DateTime<Utc>>,
    /// What came of reminding the patient, in order.
    pub reminders: Vec<Reminder>,
    /// Of the last change; told in the `ETag`.
    #[serde(skip_serializing)]
    #[schemars(skip)]
    position: i64,
}

impl From<AppointmentRow> for Appointment {
    fn from(row: AppointmentRow) -> Self {
        Self {
            id: row.id,
            number: row.number,
            status: row.status,
            version: row.version,
            patient_id: row.patient_id,
            doctor_id: row.doctor_id,
            office_id: row.office_id,
            start: row.start,
            end: row.end,
            day: row.day,
            minutes: row.minutes,
            kind: row.kind,
            reason: row.reason,
            token: row.token,
            overbooked: row.overbooked,
            cancelled_by: row.cancelled_by,
            cancellation_reason: row.cancellation_reason,
            booked_at: row.booked_at,
            rescheduled_at: row.rescheduled_at,
            checked_in_at: row.checked_in_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
            reminders: row.reminders,
            position: row.position,
        }
    }
}

/// The columns of an [`Appointment`], with the reasons veiled where the record is restricted and the asker does
/// not see restricted ones.
pub(super) fn columns(restricted: bool) -> Sql {
    const PLAIN: &str = "a.id, a.number, a.status, a.version, a.patient_id, a.doctor_id, a.office_id, a.start, a.\"end\", \
         a.day, a.minutes, a.kind, a.token, a.overbooked, a.cancelled_by, a.booked_at, a.rescheduled_at, \
         a.checked_in_at, a.started_at, a.ended_at, a.reminders, a.position";
    let reasons = match restricted {
        true => ", a.reason, a.cancellation_reason",
        false => {
            ", CASE WHEN p.confidentiality = 'restricted' THEN NULL ELSE a.reason END AS reason, \
             CASE WHEN p.confidentiality = 'restricted' THEN NULL ELSE a.cancellation_reason END AS cancellation_reason"
        }
    };
    Sql::new(PLAIN).push(reasons)
}

/// Appointments with their patients, up to the condition on the clinic.
pub(super) const WITH_PATIENT: &str = " FROM read.appointment_1 a \
     LEFT JOIN read.patient_1 p ON p.clinic_id = s.clinic AND p.id = a.patient_id WHERE a.clinic_id = s.clinic";

/// All that the asker may see of them; who sees restricted records needs no look at the patient.
fn seen(restricted: bool) -> Sql {
    columns(restricted).push(match restricted {
        true => " FROM read.appointment_1 a WHERE a.clinic_id = s.clinic",
        false => WITH_PATIENT,
    })
}

/// A day, and the span of time in which the index finds it.
pub(super) fn on_day(sql: Sql, day: NaiveDate) -> Sql {
    let span = whole_day(day, Tz::UTC);
    sql.push(" AND a.day = ")
        .bind(day)
        .push(" AND a.start >= ")
        .bind(span.from - AROUND)
        .push(" AND a.start < ")
        .bind(span.to + AROUND)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AppointmentFilters {
    doctor: Option<DoctorId>,
    /// Also those that were booked under another id of the same person.
    patient: Option<PatientId>,
    office: Option<OfficeId>,
    status: Option<AppointmentStatus>,
    /// A day in the clinic's zone.
    day: Option<NaiveDate>,
    /// Starts then or later.
    from: Option<DateTime<Utc>>,
    /// Starts before.
    to: Option<DateTime<Utc>>,
    #[serde(default)]
    sort: AppointmentSort,
    /// What the record said then; of one patient alone.
    as_of: Option<AsOf>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
enum AppointmentSort {
    #[default]
    #[serde(rename = "start")]
    Start,
    #[serde(rename = "-start")]
    StartDescending,
}

impl AppointmentSort {
    fn sort(self) -> Sort {
        let key = "(a.start, a.id)";
        match self {
            Self::Start => Sort::ascending(key, "a.start, a.id"),
            Self::StartDescending => Sort::descending(key, "a.start DESC, a.id DESC"),
        }
    }
}

/// Where a page ended.
#[derive(Serialize, Deserialize)]
struct Last(DateTime<Utc>, AppointmentId);

impl AppointmentFilters {
    /// The same condition as [`AppointmentFilters::select`], for a row in memory.
    fn takes(&self, row: &Appointment) -> bool {
        self.doctor.is_none_or(|doctor| row.doctor_id == doctor)
            && self.office.is_none_or(|office| row.office_id == office)
            && self.status.is_none_or(|status| row.status == status)
            && self.day.is_none_or(|day| row.day == day)
            && self.from.is_none_or(|from| row.start >= from)
            && self.to.is_none_or(|to| row.start < to)
    }

    /// `patients`: the ids under which the one patient's appointments lie; `None`: everybody's.
    fn select(&self, restricted: bool, patients: Option<Vec<Uuid>>) -> Sql {
        let sql = of_patients(seen(restricted), patients)
            .bind_some(" AND a.doctor_id = ", self.doctor.map(|doctor| doctor.0))
            .bind_some(" AND a.office_id = ", self.office.map(|office| office.0))
            .bind_some(" AND a.status = ", self.status.map(|status| status.to_string()))
            .bind_some(" AND a.start >= ", self.from)
            .bind_some(" AND a.start < ", self.to);
        match self.day {
            Some(day) => on_day(sql, day),
            None => sql,
        }
    }
}

fn of_patients(sql: Sql, patients: Option<Vec<Uuid>>) -> Sql {
    match patients {
        Some(patients) => sql.push(" AND a.patient_id = ANY(").bind(patients).push(")"),
        None => sql,
    }
}

/// Whose appointments a request is about, as far as the asker may see them.
async fn patients(reader: &Reader, audience: Audience, asked: Option<PatientId>) -> Result<Option<Vec<Uuid>>, Problem> {
    let Some(patient) = audience.narrowed(reader, Capability::Appointments, asked).await? else { return Ok(None) };
    let group = Group::read(reader, patient).await?.value;
    group.as_ref().map_or(Ok(()), Group::not_erased)?;
    Group::not_erased_since(reader, patient).await?;
    let ids = group.map_or_else(|| vec![patient], |group| group.ids());
    Ok(Some(ids.into_iter().map(|id| id.0).collect()))
}

async fn page(
    reader: &Reader,
    query: ListQuery<AppointmentFilters>,
    sql: Sql,
    person: Option<Subjects>,
) -> Result<Disclosed<List<Appointment>>, Problem> {
    let after = query.after::<Last>()?.map(|Last(start, id)| (start, id.0));
    let sql = query.filters.sort.sort().page(sql, after, query.fetch());
    let Reflected { value: rows, position } = reader.all::<Appointment>(Select::new(MODELS, sql)).await?;
    let page = query.answer(rows, position, |row| Last(row.start, row.id));
    let listed = || Subjects::listed(page.items().iter().map(|row| row.patient_id));
    let shown = person.unwrap_or_else(listed);
    disclose(reader, Capability::Appointments, shown, page).await
}

async fn list(reader: Reader, query: ListQuery<AppointmentFilters>) -> Result<Disclosed<List<Appointment>>, Problem> {
    let audience = Audience::of(&reader, Capability::Appointments).await?;
    let asked = audience.narrowed(&reader, Capability::Appointments, query.filters.patient).await?;
    if let Some(as_of) = query.filters.as_of {
        let no_patient = || {
            Problem::parameter(
                "as_of",
                "A list of the past names one patient: add `patient`, or ask a `replay` of the whole clinic.",
            )
        };
        return earlier(&reader, asked.ok_or_else(no_patient)?, query, as_of).await;
    }
    let patients = patients(&reader, audience, asked).await?;
    let group = |ids: &Vec<Uuid>| ids.iter().copied().map(PatientId).collect::<Vec<_>>();
    let person = asked.zip(patients.as_ref().map(group)).map(|(asked, group)| Subjects::person(asked, group));
    let sql = query.filters.select(audience.restricted, patients);
    page(&reader, query, sql, person).await
}

async fn of_patient(
    reader: Reader,
    Path(path): Path<ById>,
    query: ListQuery<AppointmentFilters>,
) -> Result<Disclosed<List<Appointment>>, Problem> {
    if query.filters.patient.is_some() {
        return Err(Problem::parameter("patient", "The path names the patient."));
    }
    if let Some(as_of) = query.filters.as_of {
        return earlier(&reader, PatientId(path.id), query, as_of).await;
    }
    let patient = PatientId(path.id);
    let group = visible(&reader, Capability::Appointments, patient).await?.value.ids();
    let ids = group.iter().map(|id| id.0).collect();
    // Whoever may see the record may see why.
    let sql = query.filters.select(true, Some(ids));
    page(&reader, query, sql, Some(Subjects::person(patient, group))).await
}

/// A patient's appointments as they were, filtered and cut into pages as those of today are.
async fn earlier(
    reader: &Reader,
    patient: PatientId,
    query: ListQuery<AppointmentFilters>,
    as_of: AsOf,
) -> Result<Disclosed<List<Appointment>>, Problem> {
    let past = look_back(reader, patient, as_of).await?;
    let after = query.after::<Last>()?.map(|Last(start, id)| (start, id));
    let rows = past.appointments().into_sorted().into_iter().map(|(_, row)| Appointment::from(row));
    let mut rows: Vec<Appointment> = rows.filter(|row| query.filters.takes(row)).collect();
    rows.sort_by_key(|row| (row.start, row.id));
    match query.filters.sort {
        AppointmentSort::Start => rows.retain(|row| after.is_none_or(|after| (row.start, row.id) > after)),
        AppointmentSort::StartDescending => {
            rows.reverse();
            rows.retain(|row| after.is_none_or(|after| (row.start, row.id) < after));
        }
    }
    let page = query.answer(rows, past.moment.position, |row| Last(row.start, row.id));
    disclose(reader, Capability::Appointments, Subjects::person(patient, past.group()), page).await
}

/// The charts of a patient whose present record the asker may see.
async fn look_back(reader: &Reader, patient: PatientId, as_of: AsOf) -> Result<Past, Problem> {
    let group = visible(reader, Capability::Appointments, patient).await?.value;
    Past::look_back(reader, patient, &group.ids(), as_of).await
}

#[derive(Deserialize)]
struct OfWhom {
    #[serde(flatten)]
    row: Appointment,
    /// Of the patient.
    erased: bool,
}

/// One that the asker may see; 410 for that of somebody who is erased.
async fn find(reader: &Reader, id: Uuid) -> Result<Reflected<Appointment>, Problem> {
    let audience = Audience::of(reader, Capability::Appointments).await?;
    let own = patients(reader, audience, None).await?;
    let select = |restricted: bool| {
        let sql = columns(restricted).push(", coalesce(p.status = 'erased', false) AS erased").push(WITH_PATIENT);
        Select::new(MODELS, of_patients(sql, own.clone()).push(" AND a.id = ").bind(id))
    };
    let mut read = reader.one::<OfWhom>(select(audience.restricted)).await?.found()?;
    if !audience.restricted && reader.emergency(&[read.value.row.patient_id]).is_some() {
        read = reader.one::<OfWhom>(select(true)).await?.found()?;
    }
    if read.value.erased {
        return Err(Problem::erased());
    }
    Group::not_erased_since(reader, read.value.row.patient_id).await?;
    Ok(read.map(|read| read.row))
}

async fn one(
    reader: Reader,
    Path(path): Path<ById>,
    Query(when): Query<When>,
    known: IfNoneMatch,
) -> Result<Disclosed<Resource<Appointment>>, Problem> {
    let Reflected { value: row, position } = find(&reader, path.id).await?;
    let (row, position) = match when.as_of {
        None => (row, position),
        Some(as_of) => {
            let past = look_back(&reader, row.patient_id, as_of).await?;
            let row = past.appointments().get(&path.id).cloned().ok_or_else(Problem::not_found)?;
            (Appointment::from(row), past.moment.position)
        }
    };
    let (tag, patient) = (ETag::of_resource(row.version, row.position), row.patient_id);
    let answer = Resource::new(row, tag, position).unless(&known);
    disclose(&reader, Capability::Appointments, Subjects::person(patient, []), answer).await
}

async fn history(
    reader: Reader,
    Path(path): Path<ById>,
    query: ListQuery<When>,
) -> Result<Disclosed<List<ChartEntry>>, Problem> {
    let patient = find(&reader, path.id).await?.value.patient_id;
    let group = visible(&reader, Capability::Appointments, patient).await?.value.ids();
    let page = clinical::versions(&reader, AggregateKind::Appointment, path.id, &group, query).await?;
    disclose(&reader, Capability::Appointments, Subjects::person(patient, []), page).await
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new()
        .api_route(
            "/appointments",
            get_with(list, |op| {
                op.id("listAppointments").tag("Appointments").summary("Appointments").description(
                    "By their start. `patient` finds those of the whole group of a merged patient; a portal login \
                     sees its own patient's.",
                )
            }),
        )
        .api_route(
            "/appointments/{id}",
            get_with(one, |op| {
                op.id("getAppointment")
                    .tag("Appointments")
                    .summary("One appointment")
                    .description("Its slot, its status and when it reached it.")
            }),
        )
        .api_route(
            "/appointments/{id}/history",
            get_with(history, |op| {
                op.id("listAppointmentHistory").tag("Appointments").summary("What happened to it").description(
                    "Each version, the latest first: who booked, moved, received or cancelled it, when, by which \
                     command, why. Its slot then is what `as_of` answers.",
                )
            }),
        )
        .api_route(
            "/patients/{id}/appointments",
            get_with(of_patient, |op| {
                op.id("listPatientAppointments")
                    .tag("Patients")
                    .summary("A patient's appointments")
                    .description("Also those that were booked under another id of the same person.")
            }),
        )
}
