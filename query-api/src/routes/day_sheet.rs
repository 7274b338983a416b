//! The day sheet of a doctor: who comes when.

use aide::axum::{ApiRouter, routing::get_with};
use chrono::NaiveDate;
use events::{
    PatientId,
    values::{BirthDate, Gender},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{Capability, Path, Problem, Query, page::Items};

use super::{
    ById,
    appointments::{Appointment, MODELS, WITH_PATIENT, columns, on_day},
};
use crate::{
    QueryState,
    audience::Audience,
    disclosure::{Disclosed, Subjects, disclose},
    reader::Reader,
    scope::{Reflected, Select},
    sql::Sql,
};

const DOCTORS: &[&str] = &["doctor_1"];

/// An appointment with the patient who comes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Expected {
    #[serde(flatten)]
    pub appointment: Appointment,
    /// `null` while the record has not been read into the directory of patients.
    pub patient: Option<ExpectedPatient>,
}

/// As much of a patient as the desk needs. Of a restricted record only id and number, for who may not see it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ExpectedPatient {
    pub id: PatientId,
    pub number: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub birth_date: Option<BirthDate>,
    pub gender: Option<Gender>,
    pub phone: Option<String>,
}

/// Appointments, each with its patient, up to the condition on the clinic.
pub(super) fn expected(restricted: bool) -> Sql {
    const SEEN: &str = "WHEN p.id IS NOT NULL THEN jsonb_build_object('id', p.id, 'number', p.number, \
         'first_name', p.first_name, 'last_name', p.last_name, 'birth_date', p.birth_date, 'gender', p.gender, \
         'phone', p.phone) END AS patient";
    let veil = match restricted {
        true => ", CASE ",
        false => {
            ", CASE WHEN p.confidentiality = 'restricted' THEN jsonb_build_object('id', p.id, 'number', p.number) "
        }
    };
    columns(restricted).push(veil).push(SEEN).push(WITH_PATIENT)
}

/// Whoever sees everybody's appointments; not a patient.
pub(super) async fn staff(reader: &Reader, capability: Capability) -> Result<Audience, Problem> {
    let audience = Audience::of(reader, capability).await?;
    match audience.only {
        Some(_) => Err(reader.refuse(capability).await),
        None => Ok(audience),
    }
}

/// The answer of a list of who is expected.
pub(super) async fn answer(
    reader: &Reader,
    capability: Capability,
    sql: Sql,
) -> Result<Disclosed<Reflected<Items<Expected>>>, Problem> {
    let found = reader.all::<Expected>(Select::new(MODELS, sql)).await?;
    let shown = Subjects::listed(found.value.iter().map(|row| row.appointment.patient_id));
    let answer = found.map(|items| Items { items, next: None });
    disclose(reader, capability, shown, answer).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DaySheetFilters {
    /// A day in the clinic's zone.
    date: NaiveDate,
}

/// 404 for a doctor who is none, so that an empty day is not taken for one.
async fn must_exist(reader: &Reader, doctor: ById) -> Result<(), Problem> {
    let sql = Sql::new("d.id FROM read.doctor_1 d WHERE d.clinic_id = s.clinic AND d.id = ").bind(doctor.id);
    reader.one::<ById>(Select::new(DOCTORS, sql)).await?.found().map(drop)
}

async fn day_sheet(
    reader: Reader,
    Path(path): Path<ById>,
    Query(filters): Query<DaySheetFilters>,
) -> Result<Disclosed<Reflected<Items<Expected>>>, Problem> {
    let audience = staff(&reader, Capability::Appointments).await?;
    must_exist(&reader, path).await?;
    let sql = expected(audience.restricted).push(" AND a.doctor_id = ").bind(path.id);
    let sql = on_day(sql, filters.date).push(" AND a.status <> 'entered-in-error' ORDER BY a.start, a.id");
    answer(&reader, Capability::Appointments, sql).await
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/doctors/{id}/day-sheet",
        get_with(day_sheet, |op| {
            op.id("getDaySheet").tag("Doctors").summary("A doctor's day").description(
                "All appointments of that day in the clinic's zone, cancelled ones included, each with its patient.",
            )
        }),
    )
}
