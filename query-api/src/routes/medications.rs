//! What a patient takes now: the items of the prescriptions that hold, whose courses are not over.

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, Utc};
use events::{
    DoctorId, PatientId, PrescriptionId, PrescriptionItemId,
    medicine::MedicineEntry,
    prescription::{PrescriptionStatus, Regimen},
};
use read_models::{PrescriptionRow, Prescriptions};
use schemars::JsonSchema;
use serde::Serialize;
use service_kit::{Capability, Path, Problem, Query, page::Items};

use super::{ById, patients::one::When};
use crate::{
    QueryState,
    clinical::{OfPerson, of_person},
    disclosure::{Disclosed, Subjects, disclose},
    reader::Reader,
    scope::Reflected,
};

/// Something that the patient takes, or is to take again after a pause.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Medication {
    pub item_id: PrescriptionItemId,
    /// The record that it lies in, of those of the person.
    pub patient_id: PatientId,
    pub prescription_id: PrescriptionId,
    /// The prescription's.
    pub number: Option<String>,
    /// `on-hold`: not to be taken for the time being.
    pub status: PrescriptionStatus,
    pub doctor_id: Option<DoctorId>,
    /// Which medicine, and how it is taken.
    pub regimen: Option<Regimen>,
    /// What the catalogue said of the medicine when it was issued.
    pub entry: Option<MedicineEntry>,
    pub issued_at: Option<DateTime<Utc>>,
    /// When the course is over; `null`: it goes on until it is stopped.
    pub until: Option<DateTime<Utc>>,
}

async fn medications(
    reader: Reader,
    Path(path): Path<ById>,
    Query(when): Query<When>,
) -> Result<Disclosed<Reflected<Items<Medication>>>, Problem> {
    let patient = PatientId(path.id);
    let holds = " AND a.status IN ('active', 'on-hold')";
    let of_person = of_person::<Prescriptions>(&reader, patient, when.as_of, holds, |row| row.status.is_current());
    let OfPerson { rows, position, group, now } = of_person.await?;
    let mut items: Vec<Medication> = rows.into_iter().flat_map(|row| taken(row, now)).collect();
    items.sort_by_key(|item| std::cmp::Reverse((item.issued_at, item.item_id)));
    let answer = Reflected { value: Items { items, next: None }, position };
    disclose(&reader, Capability::Prescribe, Subjects::person(patient, group), answer).await
}

/// The items of a prescription whose courses go on.
fn taken(row: PrescriptionRow, now: DateTime<Utc>) -> impl Iterator<Item = Medication> {
    let PrescriptionRow { id: prescription_id, patient_id, number, status, doctor_id, issued_at, .. } = row;
    row.items.into_iter().filter_map(move |line| {
        let until = line.regimen.as_ref().zip(line.since).and_then(|(regimen, since)| regimen.ends(since));
        until.is_none_or(|until| now < until).then(|| Medication {
            item_id: line.id,
            patient_id,
            prescription_id,
            number: number.clone(),
            status,
            doctor_id,
            regimen: line.regimen,
            entry: line.entry,
            issued_at,
            until,
        })
    })
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/patients/{id}/medications",
        get_with(medications, |op| {
            op.id("listPatientMedications").tag("Patients").summary("What a patient takes now").description(
                "The items of all prescriptions of the person that are active or on hold, as far as their courses are not \
                 over; the latest first. `as_of` answers what the record said then.",
            )
        }),
    )
}
