//! A clinic's life: any sequence of numbers is a sequence of things that may happen in it, in an order in
//! which they may, each event saying truly what was before.

use chrono::TimeDelta;
use events::{
    AllergyId, AppointmentEvent, AppointmentId, ClinicEvent, ClinicId, ClosureId, ConsentId, DoctorEvent, DoctorId,
    DocumentEvent, DocumentId, LabOrderEvent, LabOrderId, LabReportEvent, LabReportId, LabResultId, LeaveId, Number,
    OfficeId, PatientEvent, PatientId, Role, Sealed, StaffEvent, UserId,
    appointment::{
        AppointmentKind, AppointmentReason, AppointmentStatus, BookingReason, CancelledBy, ReminderChannel, Slot,
    },
    clinic::{ClinicLogo, Closure, Settings},
    doctor::DoctorReason,
    document::{DocumentKind, DocumentRemark, DocumentStatus, UploadFailure},
    lab_order::LabReason,
    lab_report::{LabResult, ReferenceRange, ResultFlag, ResultValue},
    patient::{
        Allergy, Confidentiality, ConsentScope, ConsentText, Criticality, Death, FamilyRelationship, PatientStatus,
        Reason, Standing,
    },
    staff::{LockReason, StaffReason, Verdict},
    values::{Gender, Money, Span},
};
use strum::VariantArray;
use uuid::Uuid;

use super::{History, Sitting, money::Till, teeth::Mouths};

/// Some that a text format has to escape, or that a search has to fold.
pub(super) const NAMES: [&str; 7] = ["Asha", "José \\ \"Q\"", "Tab\there", "Línea\nnueva", "O'Neil, {a}", "नेहा", "\\N"];

/// What happens to a clinic, step by step.
#[derive(Clone, Debug)]
pub struct Life {
    pub history: History,
    pub patients: Vec<Person>,
    pub appointments: Vec<Booking>,
    documents: Vec<Paper>,
    pub(super) mouths: Mouths,
    pub(super) till: Till,
    lab_orders: Vec<(LabOrderId, PatientId, LabReportId)>,
    pub(super) visits: Vec<Sitting>,
    staff: Vec<(UserId, Vec<Role>, bool)>,
    doctors: Vec<(DoctorId, bool)>,
    offices: Vec<(OfficeId, bool)>,
}

#[derive(Clone, Debug)]
pub struct Person {
    pub id: PatientId,
    /// Before the merge, where it is merged.
    pub standing: Standing,
    pub merged_into: Option<PatientId>,
}

#[derive(Clone, Debug)]
pub struct Booking {
    pub id: AppointmentId,
    pub slot: Slot,
    pub status: AppointmentStatus,
    pub kind: AppointmentKind,
}

/// A document.
#[derive(Clone, Debug)]
struct Paper {
    id: DocumentId,
    patient: PatientId,
    size: i64,
    status: DocumentStatus,
}

/// Takes decisions out of a number.
pub(super) struct Chance(u32);

impl Chance {
    pub(super) fn of(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        (self.0 >> 8) as usize % n.max(1)
    }

    pub(super) fn name(&mut self) -> &'static str {
        self.pick(&NAMES)
    }

    pub(super) fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.of(items.len())].clone()
    }
}

impl Life {
    pub fn new(clinic: ClinicId) -> Self {
        let mut history = History::of(clinic);
        history.clinic_registered();
        let offices = vec![(history.office_added("Main"), true)];
        let (patients, appointments, staff, doctors) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mouths, till) = (Mouths::default(), Till::default());
        let (documents, lab_orders, visits) = (Vec::new(), Vec::new(), Vec::new());
        Self { history, patients, appointments, documents, visits, mouths, till, lab_orders, staff, doctors, offices }
    }

    /// One thing happens; sometimes one that needs something that is not there yet does not.
    pub fn step(&mut self, choice: u32) {
        let mut chance = Chance(choice);
        if chance.of(6) == 0 {
            return self.writing(&mut chance);
        }
        match chance.of(31) {
            0 => self.clinic_changes(&mut chance),
            1 | 2 => self.staff_changes(&mut chance),
            3 | 4 => self.doctor_changes(&mut chance),
            5..=7 => self.patient_comes(&mut chance),
            8 | 9 => self.patient_changes(&mut chance),
            10 => self.patients_merge(&mut chance),
            11 | 12 => self.books(&mut chance),
            13 | 14 => self.paper_comes(&mut chance),
            15 | 16 => self.teeth_change(&mut chance),
            17 | 18 => self.money_moves(&mut chance),
            19 => self.tests_ordered(&mut chance),
            20 => self.tests_reported(&mut chance),
            21 => self.visit_opens(&mut chance),
            22..=24 => self.visit_changes(&mut chance),
            25 | 26 => self.prescription_changes(&mut chance),
            _ => self.appointment_changes(&mut chance),
        }
    }

    fn clinic_changes(&mut self, chance: &mut Chance) {
        match chance.of(10) {
            0 => {
                let office = self.history.office_added(chance.pick(&NAMES));
                self.offices.push((office, true));
            }
            1 => {
                let index = chance.of(self.offices.len());
                if std::mem::take(&mut self.offices[index].1) {
                    self.history.clinic(ClinicEvent::OfficeClosed { office: self.offices[index].0 });
                }
            }
            2 => {
                let mut profile = self.history.profile(chance.pick(&NAMES));
                profile.time_zone = chance.pick(&[chrono_tz::Asia::Kolkata, chrono_tz::America::New_York]);
                self.history.clinic(ClinicEvent::ClinicProfileUpdated { profile });
            }
            3 => {
                let (id, reason) = (ClosureId(self.history.fresh()), chance.pick(&NAMES).to_owned());
                let day = self.history.now.date_naive();
                let closure = Closure { id, office: None, from: day, to: day, reason };
                self.history.clinic(ClinicEvent::ClosureDeclared { closure });
            }
            4 => {
                let settings = Settings { confirm_bookings: chance.of(2) == 0, ..Settings::default() };
                self.history.clinic(ClinicEvent::SettingsChanged { settings });
            }
            5 => self.history.clinic(ClinicEvent::ClinicResumed {}),
            6 => {
                let (media_type, sha256) = ("image/png".to_owned(), chance.pick(&NAMES).to_owned());
                let logo = ClinicLogo { media_type, sha256, data: "AAAA".to_owned() };
                self.history.clinic(ClinicEvent::ClinicLogoSet { logo });
            }
            7 => self.history.clinic(ClinicEvent::ClinicLogoRemoved {}),
            _ => self.medicine_changes(chance),
        }
    }

    fn staff_changes(&mut self, chance: &mut Chance) {
        let roles = [Role::ClinicAdmin, Role::Receptionist, Role::Nurse];
        let index = chance.of(self.staff.len());
        let patient = None;
        if self.staff.is_empty() || chance.of(3) == 0 {
            let roles = vec![chance.pick(&roles)];
            self.staff.push((self.history.invited(&roles), roles, true));
        } else if let (user, held, true) = &mut self.staff[index] {
            let role = chance.pick(&roles);
            let event = match chance.of(6) {
                5 => return self.glass_broken(index, chance),
                0 => StaffEvent::StaffActivated { patient },
                1 if !held.contains(&role) => {
                    held.push(role);
                    StaffEvent::RoleGranted { role }
                }
                2 if held.contains(&role) => {
                    held.retain(|kept| *kept != role);
                    StaffEvent::RoleRevoked { role }
                }
                3 => StaffEvent::StaffLocked { patient, reason: LockReason::Administrator, until: None },
                4 => {
                    self.staff[index].2 = false;
                    let (user, roles, _) = self.staff[index].clone();
                    let sealed = Sealed::Open(StaffReason { reason: chance.pick(&NAMES).to_owned() });
                    return self.history.staff(user, StaffEvent::StaffDeactivated { patient, roles, sealed });
                }
                _ => StaffEvent::StaffUnlocked { patient },
            };
            self.history.staff(*user, event);
        }
    }

    /// An emergency access of a login to the record of some patient, ended by hand or not, reviewed or not.
    fn glass_broken(&mut self, index: usize, chance: &mut Chance) {
        if self.patients.is_empty() {
            return;
        }
        let (user, patient) = (self.staff[index].0, self.patients[chance.of(self.patients.len())].id);
        let access = self.history.emergency_granted(user, patient, chance.pick(&NAMES));
        if chance.of(2) == 0 {
            self.history.staff(user, StaffEvent::EmergencyAccessEnded { access, patient });
        }
        if chance.of(2) == 0 {
            let (verdict, sealed) = (Verdict::Justified, Sealed::Erased);
            self.history.staff(user, StaffEvent::EmergencyAccessReviewed { access, patient, verdict, sealed });
        }
    }

    fn doctor_changes(&mut self, chance: &mut Chance) {
        let index = chance.of(self.doctors.len());
        if self.doctors.is_empty() || chance.of(3) == 0 {
            let office = chance.pick(&self.offices).0;
            self.doctors.push((self.history.doctor_registered(&[office]), true));
        } else if let (doctor, true) = self.doctors[index] {
            let sealed = Sealed::Open(DoctorReason { reason: chance.pick(&NAMES).to_owned() });
            let event = match chance.of(5) {
                0 => DoctorEvent::OfficeAssigned { office: chance.pick(&self.offices).0 },
                1 => DoctorEvent::PrimaryOfficeSet { office: chance.pick(&self.offices).0 },
                2 => {
                    let span = Span { from: self.history.now, to: self.history.now + TimeDelta::days(3) };
                    DoctorEvent::LeaveDeclared { leave: LeaveId(self.history.fresh()), span, sealed }
                }
                3 => DoctorEvent::FeeSet { fee: Money { minor: 50_000, currency: "INR".to_owned() } },
                _ => {
                    self.doctors[index].1 = false;
                    DoctorEvent::DoctorDeactivated { sealed }
                }
            };
            self.history.doctor(doctor, event);
        }
    }

    fn patient_comes(&mut self, chance: &mut Chance) {
        let id = PatientId(self.history.fresh());
        let number = Number::Given(format!("PT-2026-{:05}", self.patients.len() + 1));
        let standing = Standing { status: PatientStatus::Active, ..self.person(chance) };
        let sealed = Sealed::Open(self.history.demographics(chance.pick(&NAMES)));
        let Standing { gender, birth_year, .. } = standing;
        self.history.patient(id, PatientEvent::PatientRegistered { number, gender, birth_year, sealed });
        self.patients.push(Person { id, standing, merged_into: None });
    }

    fn person(&self, chance: &mut Chance) -> Standing {
        let gender = chance.pick(&[Gender::Female, Gender::Male, Gender::Other, Gender::Unknown]);
        let birth_year = chance.pick(&[None, Some(1931), Some(1984), Some(1989), Some(2020)]);
        Standing { status: PatientStatus::Active, gender, birth_year }
    }

    fn patient_changes(&mut self, chance: &mut Chance) {
        if self.patients.is_empty() {
            return;
        }
        let index = chance.of(self.patients.len());
        let relative = chance.pick(&self.patients).id;
        let text = chance.pick(&NAMES).to_owned();
        let why = Sealed::Open(Reason { reason: Some(text.clone()) });
        let corrected = self.person(chance);
        let fresh = self.history.fresh();
        let person = &mut self.patients[index];
        let was = person.shown();
        let event = match chance.of(11) {
            0 => {
                let Standing { gender, birth_year, .. } = corrected;
                person.standing = Standing { gender, birth_year, ..person.standing };
                let sealed = Sealed::Open(self.history.demographics(&text));
                PatientEvent::DemographicsUpdated { gender, birth_year, was, sealed }
            }
            1 if person.standing.status == PatientStatus::Active => {
                person.standing.status = PatientStatus::Inactive;
                PatientEvent::PatientDeactivated { was: was.status, sealed: why }
            }
            2 if person.standing.status == PatientStatus::Inactive => {
                person.standing.status = PatientStatus::Active;
                PatientEvent::PatientReactivated { was: was.status }
            }
            3 if person.standing.status != PatientStatus::Deceased => {
                person.standing.status = PatientStatus::Deceased;
                let sealed = Sealed::Open(Death { died_on: None, cause: Some(text) });
                PatientEvent::DeathRecorded { was: was.status, sealed }
            }
            4 => {
                let criticality = Some(Criticality::High);
                let allergy =
                    Allergy { substance: text, code: None, class: None, category: None, criticality, reaction: None };
                PatientEvent::AllergyRecorded { allergy: AllergyId(fresh), sealed: Sealed::Open(allergy) }
            }
            5 => PatientEvent::NoKnownAllergiesAsserted {},
            6 => PatientEvent::ConsentGiven {
                consent: ConsentId(fresh),
                scope: ConsentScope::Research,
                sealed: Sealed::Open(ConsentText { text: Some(text) }),
            },
            7 => {
                let sealed = Sealed::Open(FamilyRelationship { relationship: Some(text) });
                PatientEvent::FamilyLinked { relative, sealed }
            }
            8 => PatientEvent::RecordRestricted { confidentiality: Confidentiality::Restricted, sealed: why },
            // An allergy that is not there.
            9 => PatientEvent::AllergyRefuted { allergy: AllergyId(Uuid::nil()), sealed: why },
            _ => PatientEvent::AllergyVerified { allergy: AllergyId(Uuid::nil()) },
        };
        self.history.patient(self.patients[index].id, event);
    }

    fn patients_merge(&mut self, chance: &mut Chance) {
        let index = chance.of(self.patients.len());
        let Some(source) = self.patients.get(index).cloned() else { return };
        let sealed = Sealed::Open(Reason { reason: Some(chance.pick(&NAMES).to_owned()) });
        if let Some(survivor) = source.merged_into {
            let (back, again) =
                (PatientEvent::PatientUnmerged { source: source.id, sealed: sealed.clone() }, source.standing);
            self.history.patient(survivor, back);
            self.history.patient(source.id, PatientEvent::PatientUnmergedFrom { survivor, again, sealed });
            self.patients[index].merged_into = None;
            return;
        }
        let survivor = chance.pick(&self.patients);
        if survivor.id == source.id || survivor.merged_into.is_some() {
            return;
        }
        let merged = PatientEvent::PatientMerged { source: source.id, sealed: sealed.clone() };
        self.history.patient(survivor.id, merged);
        let (survivor, was) = (survivor.id, source.standing);
        self.history.patient(source.id, PatientEvent::PatientMergedInto { survivor, was, sealed });
        self.patients[index].merged_into = Some(survivor);
    }

    /// Tests for some patient, sometimes put on hold, and a report that is begun.
    fn tests_ordered(&mut self, chance: &mut Chance) {
        let Some(patient) = self.patients.get(chance.of(self.patients.len())).map(|person| person.id) else { return };
        let order = self.history.lab_ordered(patient);
        if chance.of(3) == 0 {
            let sealed = Sealed::Open(LabReason { reason: Some(chance.pick(&NAMES).to_owned()) });
            self.history.lab_order(order, LabOrderEvent::LabOrderHeld { patient, sealed });
            self.history.lab_order(order, LabOrderEvent::LabOrderReleased { patient });
        }
        let report = LabReportId(self.history.fresh());
        let number = Number::Given(format!("LR-{}", self.lab_orders.len() + 1));
        let doctor = DoctorId(Uuid::from_u128(1));
        self.history.lab_report(report, LabReportEvent::LabReportRegistered { number, order, patient, doctor });
        self.lab_orders.push((order, patient, report));
    }

    /// A result of one of the reports, sometimes in the place of another.
    fn tests_reported(&mut self, chance: &mut Chance) {
        let Some((_, patient, report)) = self.lab_orders.get(chance.of(self.lab_orders.len())).copied() else { return };
        let [result, later] = [self.history.fresh(), self.history.fresh()].map(LabResultId);
        let found = LabResult {
            code: "2345-7".to_owned(),
            text: chance.pick(&NAMES).to_owned(),
            value: ResultValue::Quantity {
                value: chance.of(500) as f64 / 10.0,
                unit: "mg/dL".to_owned(),
                comparator: None,
            },
            range: Some(ReferenceRange {
                low: Some(70.5),
                text: Some(chance.pick(&NAMES).to_owned()),
                ..Default::default()
            }),
            flag: Some(chance.pick(ResultFlag::VARIANTS)),
            note: None,
        };
        let recorded = |result, replaces, critical| LabReportEvent::LabResultRecorded {
            patient,
            result,
            replaces,
            by: None,
            critical,
            sealed: Sealed::Open(found.clone()),
        };
        self.history.lab_report(report, recorded(result, None, chance.of(2) == 0));
        if chance.of(2) == 0 {
            self.history.lab_report(report, recorded(later, Some(result), false));
        }
    }

    fn books(&mut self, chance: &mut Chance) {
        let (Some(patient), Some((doctor, _))) = (self.patients.first(), self.doctors.first()) else { return };
        let slot = Slot { patient: patient.id, doctor: *doctor, ..self.history.slot(0) };
        let slot = self.another(slot, chance);
        let (id, kind) = (AppointmentId(self.history.fresh()), chance.pick(AppointmentKind::VARIANTS));
        let number = Number::Given(format!("APT-{}", self.appointments.len() + 1));
        let text = Some(chance.pick(&NAMES).to_owned());
        let (event, status) = if chance.of(4) == 0 {
            let sealed = Sealed::Open(AppointmentReason { reason: text });
            let waitlisted = AppointmentEvent::AppointmentWaitlisted { number, slot, kind, sealed };
            (waitlisted, AppointmentStatus::Waitlist)
        } else {
            let status = chance.pick(&[AppointmentStatus::Booked, AppointmentStatus::Pending]);
            let sealed = Sealed::Open(BookingReason { reason: text, overbooking: None });
            let overbooked = false;
            (AppointmentEvent::AppointmentBooked { number, slot, kind, status, overbooked, sealed }, status)
        };
        self.history.appointment(id, event);
        self.appointments.push(Booking { id, slot, status, kind });
    }

    /// Another patient, day and hour, and sometimes another doctor.
    fn another(&self, slot: Slot, chance: &mut Chance) -> Slot {
        let (days, halves) = (chance.of(4) as i64, chance.of(10) as i64);
        let start = slot.start + TimeDelta::days(days) + TimeDelta::minutes(30 * halves);
        let patient = self.patients.get(chance.of(self.patients.len())).map_or(slot.patient, |person| person.id);
        let doctor = self.doctors.get(chance.of(self.doctors.len())).map_or(slot.doctor, |doctor| doctor.0);
        Slot { patient, doctor, start, day: start.date_naive(), ..slot }
    }

    fn appointment_changes(&mut self, chance: &mut Chance) {
        use AppointmentStatus as Is;
        let index = chance.of(self.appointments.len());
        let Some(booking) = self.appointments.get(index).cloned() else { return };
        let Booking { id, slot, status: was, kind } = booking;
        let sealed = Sealed::Open(AppointmentReason { reason: Some(chance.pick(&NAMES).to_owned()) });
        let token = Number::Given(index.to_string());
        let moved = Slot { patient: slot.patient, ..self.another(slot, chance) };
        let (event, slot, status) = match (chance.of(4), was) {
            (0, Is::Pending | Is::Waitlist) => (AppointmentEvent::AppointmentConfirmed { slot, was }, slot, Is::Booked),
            (1, Is::Booked) => (AppointmentEvent::PatientCheckedIn { slot, was, token }, slot, Is::Arrived),
            (1, Is::Arrived) => (AppointmentEvent::AppointmentStarted { slot }, slot, Is::CheckedIn),
            (1, Is::CheckedIn) => (AppointmentEvent::AppointmentFulfilled { slot }, slot, Is::Fulfilled),
            (2, Is::Booked | Is::Arrived) => {
                (AppointmentEvent::AppointmentMarkedNoShow { slot, was }, slot, Is::NoShow)
            }
            (2, Is::Fulfilled) => {
                let wrong = AppointmentEvent::AppointmentEnteredInError { slot, was, kind, sealed };
                (wrong, slot, Is::EnteredInError)
            }
            (3, was) if !was.is_final() => {
                let by = chance.pick(&[CancelledBy::Clinic, CancelledBy::Patient]);
                (AppointmentEvent::AppointmentCancelled { slot, was, by, sealed }, slot, Is::Cancelled)
            }
            (2, Is::Pending | Is::Cancelled) => {
                let (channel, for_start, hours_before) = (ReminderChannel::Email, slot.start, 24);
                (AppointmentEvent::ReminderSent { slot, was, channel, for_start, hours_before }, slot, was)
            }
            (0, Is::Booked) => {
                let (from, to, status) = (slot, moved, was);
                (AppointmentEvent::AppointmentRescheduled { from, to, was, status, kind, sealed }, moved, was)
            }
            _ => return,
        };
        self.history.appointment(id, event);
        self.appointments[index] = Booking { slot, status, ..self.appointments[index].clone() };
    }
}

impl Life {
    fn paper_comes(&mut self, chance: &mut Chance) {
        use DocumentStatus as Is;
        let index = chance.of(self.documents.len());
        if self.documents.is_empty() || chance.of(3) == 0 {
            let Some(patient) = self.patients.get(chance.of(self.patients.len())).map(|person| person.id) else {
                return;
            };
            let size = 1 + chance.of(10_000) as i64;
            let id = self.history.announced(patient, size, chance.pick(&NAMES));
            return self.documents.push(Paper { id, patient, size, status: Is::Registered });
        }
        let Paper { id, patient, size, status: was } = self.documents[index];
        let sealed = Sealed::Open(DocumentRemark { remark: Some(chance.pick(&NAMES).to_owned()) });
        let (kind, upload) = (chance.pick(DocumentKind::VARIANTS), self.history.fresh());
        let (event, status) = match (chance.of(4), was) {
            (0, Is::Registered) => {
                let failure = chance.pick(UploadFailure::VARIANTS);
                (DocumentEvent::DocumentUploadFailed { patient, size, failure }, Is::Failed)
            }
            (_, Is::Registered) => (DocumentEvent::DocumentUploaded { patient, kind, size, upload }, Is::Current),
            (0, Is::Current) => (DocumentEvent::DocumentReviewed { patient, sealed }, was),
            (1, Is::Current) => (DocumentEvent::DocumentReleased { patient }, was),
            (2, Is::Current) => (DocumentEvent::DocumentEnteredInError { patient, was, sealed }, Is::EnteredInError),
            (_, Is::Current) => {
                (DocumentEvent::DocumentSuperseded { patient, by: DocumentId(upload), sealed }, Is::Superseded)
            }
            (_, Is::EnteredInError) => (DocumentEvent::DocumentContentErased { patient, size }, Is::Erased),
            _ => return,
        };
        self.history.document(id, event);
        self.documents[index].status = status;
    }
}

impl Person {
    /// As events say it: merged, where it is merged.
    pub fn shown(&self) -> Standing {
        let status = if self.merged_into.is_some() { PatientStatus::Merged } else { self.standing.status };
        Standing { status, ..self.standing }
    }
}
