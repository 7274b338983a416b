//! What has happened before a test begins.

use chrono::TimeDelta;
use events::{
    Actor, AggregateKind, ClinicEvent, DoctorEvent, DoctorId, OfficeId, PatientId, Role, Sealed, StaffEvent, UserId,
    clinic::{ClinicProfile, Office},
    staff::StaffIdentity,
};
use serde_json::json;
use uuid::Uuid;

use super::{World, body, id};
use crate::{
    Clinic,
    clinic::RegisterClinic,
    patient::{MergePatient, RegisterPatient},
};

impl World {
    /// A clinic in its trial, with one office open from Monday to Saturday, 09:00 to 18:00.
    pub fn with_clinic(time_zone: chrono_tz::Tz) -> Self {
        let mut world = Self::empty();
        let profile = ClinicProfile {
            name: "Asha Clinic".into(),
            email: "office@asha.example".into(),
            phone: None,
            website: None,
            address: None,
            registration_number: None,
            tax_id: None,
            logo: None,
            time_zone,
        };
        let trial_ends_at = world.now + TimeDelta::days(30);
        world.given(world.clinic, ClinicEvent::ClinicRegistered { slug: "asha".into(), profile, trial_ends_at });
        world.given_office(Self::OFFICE);
        world
    }

    /// The first office.
    pub const OFFICE: OfficeId = OfficeId(Uuid::from_u128(0x0FF1CE));

    pub fn given_office(&mut self, id: OfficeId) {
        let office = Office { id, name: "Main".into(), address: None, phone: None, hours: Default::default() };
        self.given(self.clinic, ClinicEvent::OfficeAdded { office });
    }

    /// A clinic that registered itself; its administrator acts.
    pub fn registered() -> Self {
        let mut world = Self::empty();
        let register = body::<RegisterClinic>(json!({
            "name": "Asha Clinic", "slug": "asha", "email": "office@asha.example", "registration_number": "MH-1/2",
            "admin": {"username": "admin", "name": "Asha Rao", "email": "admin@asha.example"}
        }));
        world.when::<Clinic>(world.clinic, register).expect("a clinic registers itself");
        world.acts(world.admin(), &[Role::ClinicAdmin]);
        world
    }

    /// The first administrator of a clinic that registered itself.
    pub fn admin(&self) -> UserId {
        let first = self.log.iter().find(|(stream, _)| stream.kind == AggregateKind::Staff);
        UserId(first.expect("a clinic that registered itself").0.id)
    }

    /// The first office of a clinic that registered itself.
    pub fn office(&self) -> OfficeId {
        self.state::<Clinic>(self.clinic).expect("a clinic").offices[0].id
    }

    /// Who gives the next commands.
    pub fn acts(&mut self, user: UserId, roles: &[Role]) {
        let (user, roles) = (Some(user), roles.to_vec());
        self.actor = Actor { user, roles, ..Actor::anonymous() };
    }

    /// An active member of the staff.
    pub fn given_staff(&mut self, n: u128, roles: &[Role]) -> UserId {
        let (pseudonyms, username) = (&self.pseudonyms, format!("user{n}"));
        let invited = StaffEvent::StaffInvited {
            roles: roles.to_vec(),
            patient: None,
            username_hash: crate::staff::username_hash(pseudonyms, &username),
            email_hash: None,
            sealed: StaffIdentity { username, name: "Somebody".into(), email: None }.into(),
        };
        self.given(id::<UserId>(n), invited);
        self.given(id::<UserId>(n), StaffEvent::StaffActivated { patient: None });
        id(n)
    }

    /// A doctor with an active login, who works in the first office.
    pub fn given_doctor(&mut self, n: u128) -> DoctorId {
        self.given_staff(n, &[Role::Doctor]);
        let registered = DoctorEvent::DoctorRegistered {
            licence_hash: self.pseudonyms.of("licence", &n.to_string()),
            licence_expires: None,
            years_of_experience: None,
            offices: vec![self.office()],
            sealed: Sealed::Erased,
        };
        self.given(id::<DoctorId>(n), registered);
        id(n)
    }

    pub fn given_patient(&mut self, n: u128) -> PatientId {
        let register = body::<RegisterPatient>(json!({"first_name": "Asha"}));
        self.patient(id(n), register).expect("a patient is registered");
        id(n)
    }

    pub fn given_merge(&mut self, double: PatientId, survivor: PatientId) {
        self.patient(double, MergePatient { survivor_id: survivor, reason: None }).expect("patients are merged");
    }

    pub fn given_settings(&mut self, settings: serde_json::Value) {
        self.given(self.clinic, ClinicEvent::SettingsChanged { settings: body(settings) });
    }

    pub fn given_hours(&mut self, doctor: DoctorId, hours: serde_json::Value) {
        self.given(doctor, DoctorEvent::WorkingHoursSet { hours: body(hours) });
    }
}
