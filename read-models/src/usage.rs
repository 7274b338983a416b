//! What of its plan a clinic uses. The quotas themselves are checked by the log's own counters; this
//! is for showing.

use events::{
    ClinicEvent, ClinicId, DoctorEvent, DomainEvent, PatientEvent, Recorded, Role, StaffEvent, patient::PatientStatus,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Projection;

/// `read.usage_2`: one row per clinic.
pub struct Usage;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UsageRow {
    pub id: ClinicId,
    /// Active or on leave.
    pub doctors: i64,
    /// Not merged.
    pub patients: i64,
    /// Not deactivated.
    pub receptionists: i64,
    /// Open.
    pub offices: i64,
    /// Not deactivated.
    pub admins: i64,
    /// Bytes of documents, from the announcement on.
    pub storage: i64,
    pub position: i64,
}

impl Projection for Usage {
    const NAME: &'static str = "usage";
    const REVISION: i32 = 2;
    const TABLE: &'static str = "read.usage_2";
    const ONE_STREAM: bool = false;
    type Key = Uuid;
    type Row = UsageRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        let counted = match &event.event {
            DomainEvent::Clinic(change) => matches!(
                change,
                ClinicEvent::ClinicRegistered { .. }
                    | ClinicEvent::OfficeAdded { .. }
                    | ClinicEvent::OfficeClosed { .. }
            ),
            DomainEvent::Staff(change) => of_staff(change).next().is_some(),
            DomainEvent::Doctor(change) => of_doctor(change) != 0,
            DomainEvent::Patient(change) => of_patient(change) != 0,
            DomainEvent::Document(change) => change.storage_taken() != 0,
            DomainEvent::Appointment(_)
            | DomainEvent::DentalChart(_)
            | DomainEvent::DentalTemplate(_)
            | DomainEvent::Charge(_)
            | DomainEvent::Invoice(_)
            | DomainEvent::Visit(_)
            | DomainEvent::Department(_)
            | DomainEvent::Prescription(_)
            | DomainEvent::Note(_)
            | DomainEvent::CaseStudy(_) => false,
            DomainEvent::Medicine(_)
            | DomainEvent::Substance(_)
            | DomainEvent::Catalogue(_)
            | DomainEvent::ShortKey(_) => false,
            DomainEvent::LabOrder(_) | DomainEvent::LabReport(_) | DomainEvent::Access(_) => false,
        };
        if counted { vec![event.clinic.0] } else { Vec::new() }
    }

    fn fold(row: Option<UsageRow>, _: &Uuid, event: &Recorded) -> Option<UsageRow> {
        let mut row = row.unwrap_or_else(|| none(event.clinic));
        match &event.event {
            DomainEvent::Clinic(ClinicEvent::OfficeAdded { .. }) => row.offices += 1,
            DomainEvent::Clinic(ClinicEvent::OfficeClosed { .. }) => row.offices -= 1,
            DomainEvent::Staff(change) => of_staff(change).for_each(|(role, delta)| row.add(role, delta)),
            DomainEvent::Doctor(change) => row.doctors += of_doctor(change),
            DomainEvent::Patient(change) => row.patients += of_patient(change),
            DomainEvent::Document(change) => row.storage += change.storage_taken(),
            DomainEvent::Clinic(_)
            | DomainEvent::Appointment(_)
            | DomainEvent::DentalChart(_)
            | DomainEvent::DentalTemplate(_)
            | DomainEvent::Charge(_)
            | DomainEvent::Invoice(_)
            | DomainEvent::Visit(_)
            | DomainEvent::Department(_)
            | DomainEvent::Prescription(_)
            | DomainEvent::Note(_)
            | DomainEvent::CaseStudy(_) => {}
            DomainEvent::Medicine(_)
            | DomainEvent::Substance(_)
            | DomainEvent::Catalogue(_)
            | DomainEvent::ShortKey(_) => {}
            DomainEvent::LabOrder(_) | DomainEvent::LabReport(_) | DomainEvent::Access(_) => {}
        }
        row.position = event.position;
        Some(row)
    }
}

fn none(clinic: ClinicId) -> UsageRow {
    UsageRow { id: clinic, doctors: 0, patients: 0, receptionists: 0, offices: 0, admins: 0, storage: 0, position: 0 }
}

/// Each counted role that is gained or lost.
fn of_staff(change: &StaffEvent) -> impl Iterator<Item = (Role, i64)> {
    let (roles, delta) = match change {
        StaffEvent::StaffInvited { roles, .. } => (roles.as_slice(), 1),
        StaffEvent::RoleGranted { role } => (std::slice::from_ref(role), 1),
        StaffEvent::RoleRevoked { role } => (std::slice::from_ref(role), -1),
        StaffEvent::StaffDeactivated { roles, .. } => (roles.as_slice(), -1),
        _ => (&[][..], 0),
    };
    let counted = |role: &&Role| matches!(role, Role::Receptionist | Role::ClinicAdmin);
    roles.iter().filter(counted).map(move |role| (*role, delta))
}

fn of_doctor(change: &DoctorEvent) -> i64 {
    match change {
        DoctorEvent::DoctorRegistered { .. } => 1,
        DoctorEvent::DoctorDeactivated { .. } => -1,
        _ => 0,
    }
}

fn of_patient(change: &PatientEvent) -> i64 {
    match change {
        PatientEvent::PatientRegistered { .. } | PatientEvent::PatientUnmergedFrom { .. } => 1,
        PatientEvent::PatientMergedInto { .. } => -1,
        PatientEvent::PatientErased { was, .. } if was.status != PatientStatus::Merged => -1,
        _ => 0,
    }
}

impl UsageRow {
    fn add(&mut self, role: Role, delta: i64) {
        match role {
            Role::Receptionist => self.receptionists += delta,
            Role::ClinicAdmin => self.admins += delta,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use events::Sealed;

    use super::*;
    use crate::sample::History;

    #[test]
    fn a_clinic_uses_what_it_has_and_has_not_given_up() {
        let mut history = History::new();
        history.clinic_registered();
        history.office_added("Andheri");
        history.invited(&[Role::ClinicAdmin, Role::Receptionist]);
        let second = history.invited(&[Role::Receptionist]);
        let roles = vec![Role::Receptionist];
        history.staff(second, StaffEvent::StaffDeactivated { patient: None, roles, sealed: Sealed::Erased });
        let doctor = history.doctor_registered(&[]);
        history.doctor(doctor, DoctorEvent::DoctorDeactivated { sealed: Sealed::Erased });
        let (source, survivor) = (history.registered("Asha"), history.registered("Asha"));
        history.merged(source, survivor);
        let row = history.row::<Usage>(history.clinic.0).unwrap();
        assert_eq!((row.admins, row.receptionists, row.offices, row.doctors, row.patients), (1, 1, 1, 0, 1));
    }

    #[test]
    fn room_is_in_use_from_the_announcement_until_nothing_comes() {
        let mut history = History::new();
        let patient = history.registered("Asha");
        history.announced(patient, 700, "Discharge summary");
        let second = history.announced(patient, 50, "A letter");
        let storage = |history: &History| history.row::<Usage>(history.clinic.0).unwrap().storage;
        assert_eq!(storage(&history), 750);
        let failure = events::document::UploadFailure::Truncated;
        history.document(second, events::DocumentEvent::DocumentUploadFailed { patient, size: 50, failure });
        assert_eq!(storage(&history), 700);
    }
}
