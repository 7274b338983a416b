//! The doctors of a clinic: who they are, where and when they work.

use chrono::{DateTime, NaiveDate, Utc};
use events::{
    DoctorEvent, DoctorId, DomainEvent, LeaveId, OfficeId, Recorded,
    calendar::WorkingHours,
    values::{Money, Span},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Projection;

/// `read.doctor_1`: one row per doctor.
pub struct Doctors;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DoctorRow {
    pub id: DoctorId,
    pub name: Option<String>,
    pub licence_number: Option<String>,
    pub licence_expires: Option<NaiveDate>,
    pub specialisation: Option<String>,
    pub qualification: Option<String>,
    pub years_of_experience: Option<i32>,
    /// The first is the primary one.
    pub offices: Vec<OfficeId>,
    /// Empty: the doctor has the hours of each office.
    pub hours: Vec<WorkingHours>,
    /// Declared and not cancelled.
    pub leaves: Vec<Leave>,
    pub fee: Option<Money>,
    pub active: bool,
    pub registered_at: DateTime<Utc>,
    pub version: i64,
    pub position: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Leave {
    pub id: LeaveId,
    #[serde(flatten)]
    pub span: Span,
    pub reason: Option<String>,
}

impl Projection for Doctors {
    const NAME: &'static str = "doctor";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.doctor_1";
    const ONE_STREAM: bool = true;
    type Key = Uuid;
    type Row = DoctorRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match event.event {
            DomainEvent::Doctor(_) => vec![event.stream.id],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<DoctorRow>, _: &Uuid, event: &Recorded) -> Option<DoctorRow> {
        let DomainEvent::Doctor(change) = &event.event else { return row };
        let mut row = match (row, change) {
            (None, DoctorEvent::DoctorRegistered { .. }) => empty(event),
            (row, _) => row?,
        };
        row.take(change);
        row.version = event.version;
        row.position = event.position;
        Some(row)
    }
}

fn empty(event: &Recorded) -> DoctorRow {
    DoctorRow {
        id: DoctorId(event.stream.id),
        name: None,
        licence_number: None,
        licence_expires: None,
        specialisation: None,
        qualification: None,
        years_of_experience: None,
        offices: Vec::new(),
        hours: Vec::new(),
        leaves: Vec::new(),
        fee: None,
        active: true,
        registered_at: event.occurred_at,
        version: event.version,
        position: event.position,
    }
}

impl DoctorRow {
    fn take(&mut self, change: &DoctorEvent) {
        match change {
            DoctorEvent::DoctorRegistered { licence_expires, years_of_experience, offices, sealed, .. } => {
                let identity = sealed.open();
                self.name = identity.map(|identity| identity.name.clone());
                self.licence_number = identity.map(|identity| identity.licence_number.clone());
                self.specialisation = identity.and_then(|identity| identity.specialisation.clone());
                self.qualification = identity.and_then(|identity| identity.qualification.clone());
                self.licence_expires = *licence_expires;
                self.years_of_experience = *years_of_experience;
                self.offices.clone_from(offices);
            }
            DoctorEvent::OfficeAssigned { office } if !self.offices.contains(office) => self.offices.push(*office),
            DoctorEvent::OfficeAssigned { .. } => {}
            DoctorEvent::OfficeUnassigned { office } => self.offices.retain(|kept| kept != office),
            DoctorEvent::PrimaryOfficeSet { office } => {
                self.offices.retain(|kept| kept != office);
                self.offices.insert(0, *office);
            }
            DoctorEvent::WorkingHoursSet { hours } => self.hours.clone_from(hours),
            DoctorEvent::LeaveDeclared { leave, span, sealed } => {
                let reason = sealed.open().map(|why| why.reason.clone());
                self.leaves.push(Leave { id: *leave, span: *span, reason });
            }
            DoctorEvent::LeaveCancelled { leave } => self.leaves.retain(|kept| kept.id != *leave),
            DoctorEvent::FeeSet { fee } => self.fee = Some(fee.clone()),
            DoctorEvent::LicenceRecorded { expires, sealed, .. } => {
                self.licence_number = sealed.open().map(|licence| licence.number.clone());
                self.licence_expires = *expires;
            }
            DoctorEvent::DoctorDeactivated { .. } => self.active = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::History;

    #[test]
    fn the_primary_office_comes_first() {
        let mut history = History::new();
        let (first, second) = (OfficeId(Uuid::from_u128(1)), OfficeId(Uuid::from_u128(2)));
        let doctor = history.doctor_registered(&[first]);
        history.doctor(doctor, DoctorEvent::OfficeAssigned { office: second });
        history.doctor(doctor, DoctorEvent::PrimaryOfficeSet { office: second });
        assert_eq!(history.row::<Doctors>(doctor.0).unwrap().offices, [second, first]);
        history.doctor(doctor, DoctorEvent::OfficeUnassigned { office: second });
        assert_eq!(history.row::<Doctors>(doctor.0).unwrap().offices, [first]);
    }

    #[test]
    fn a_deactivated_doctor_stays_named() {
        let mut history = History::new();
        let doctor = history.doctor_registered(&[]);
        history.doctor(doctor, DoctorEvent::DoctorDeactivated { sealed: events::Sealed::Erased });
        let row = history.row::<Doctors>(doctor.0).unwrap();
        assert_eq!((row.active, row.name.is_some()), (false, true));
    }
}
