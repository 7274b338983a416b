//! Histories of a clinic, made up step by step for tests.

mod life;
mod medicine;
mod money;
mod prescription;
mod teeth;
mod visits;
mod writing;

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use events::{
    Actor, AppointmentEvent, AppointmentId, CaseStudyEvent, CaseStudyId, ClinicEvent, ClinicId, DoctorEvent, DoctorId,
    DocumentEvent, DocumentId, DomainEvent, EmergencyAccessId, LabOrderEvent, LabOrderId, LabReportEvent, LabReportId,
    Ledger, NoteEvent, NoteId, Number, OfficeId, PatientEvent, PatientId, Purpose, Recorded, Role, Sealed, StaffEvent,
    StreamId, UserId, VisitEvent, VisitId,
    appointment::{AppointmentKind, AppointmentStatus, BookingReason, Slot},
    calendar::{WeeklyHours, day_of},
    case_study::{CaseText, StudyText},
    claim::KeyedHash,
    clinic::{ClinicProfile, Office},
    codec,
    doctor::DoctorIdentity,
    document::{DocumentKind, DocumentText, Owner},
    lab_order::{LabRequest, LabTest, OrderPriority, TestKind},
    note::{ContentHash, NoteKind, NoteText},
    patient::{Demographics, PatientStatus, Standing},
    staff::{EmergencyReason, EmergencyText, Proof, StaffIdentity},
    values::Gender,
};
use uuid::Uuid;

pub use life::{Booking, Life, Person};
pub use prescription::tablets;
pub use visits::Sitting;

use crate::{Projection, Rows};

const ZONE: chrono_tz::Tz = chrono_tz::Asia::Kolkata;
/// Of every patient that [`History::registered`] makes.
const BIRTH_YEAR: i32 = 1984;

/// A clinic's record, event by event.
#[derive(Clone, Debug)]
pub struct History {
    pub clinic: ClinicId,
    /// When the next event happens; a minute passes with each.
    pub now: DateTime<Utc>,
    record: Vec<Recorded>,
    versions: HashMap<StreamId, i64>,
    charts: HashMap<PatientId, i64>,
    /// Makes ids that are the same each time.
    made: u128,
}

impl Default for History {
    fn default() -> Self {
        Self::new()
    }
}

impl History {
    pub fn new() -> Self {
        Self::of(ClinicId(Uuid::from_u128(0xC11)))
    }

    pub fn of(clinic: ClinicId) -> Self {
        let now = DateTime::from_timestamp(1_772_442_000, 0).expect("2026-03-02 09:00 UTC");
        Self { clinic, now, record: Vec::new(), versions: HashMap::new(), charts: HashMap::new(), made: 0 }
    }

    pub fn events(&self) -> impl Iterator<Item = &Recorded> {
        self.record.iter()
    }

    pub fn row<P: Projection>(&self, key: P::Key) -> Option<P::Row> {
        self.events().collect::<Rows<P>>().get(&key).cloned()
    }

    /// The same history, read without any key.
    pub fn erased(&self) -> Self {
        self.erased_where(|_| true)
    }

    /// The same history, read without the key of this patient.
    pub fn erased_of(&self, patient: PatientId) -> Self {
        self.erased_where(|recorded| recorded.patient == Some(patient))
    }

    fn erased_where(&self, is_erased: impl Fn(&Recorded) -> bool) -> Self {
        let mut erased = self.clone();
        for recorded in erased.record.iter_mut().filter(|recorded| is_erased(recorded)) {
            let stored = codec::encode(&recorded.event);
            let kind = recorded.stream.kind;
            recorded.event = codec::decode(kind, stored.event_type, stored.schema_version, &stored.payload, None)
                .expect("an event is read without its sealed part");
        }
        erased
    }

    pub fn fresh(&mut self) -> Uuid {
        self.made += 1;
        Uuid::from_u128((self.clinic.0.as_u128() << 64) | self.made)
    }

    pub fn push(&mut self, stream: StreamId, event: impl Into<DomainEvent>) {
        let event = event.into();
        let version = self.versions.entry(stream).or_default();
        *version += 1;
        let patient = event.patient(stream);
        let patient_version = patient.map(|patient| {
            let chart = self.charts.entry(patient).or_default();
            *chart += 1;
            *chart
        });
        self.now += TimeDelta::minutes(1);
        let position = self.record.len() as i64 + 1;
        self.record.push(Recorded {
            clinic: self.clinic,
            ledger: Ledger::Record,
            position,
            stream,
            version: *version,
            event_id: Uuid::from_u128((self.clinic.0.as_u128() << 32) | position.cast_unsigned() as u128),
            patient,
            patient_version,
            occurred_at: self.now,
            recorded_at: self.now,
            actor: Actor::system(),
            purpose: Purpose::Treat,
            event,
            hash: [0; 32],
        });
    }

    pub fn clinic(&mut self, event: ClinicEvent) {
        self.push(self.clinic.into(), event);
    }

    pub fn staff(&mut self, user: UserId, event: StaffEvent) {
        self.push(user.into(), event);
    }

    pub fn doctor(&mut self, doctor: DoctorId, event: DoctorEvent) {
        self.push(doctor.into(), event);
    }

    pub fn patient(&mut self, patient: PatientId, event: PatientEvent) {
        self.push(patient.into(), event);
    }

    pub fn appointment(&mut self, appointment: AppointmentId, event: AppointmentEvent) {
        self.push(appointment.into(), event);
    }

    pub fn document(&mut self, document: DocumentId, event: DocumentEvent) {
        self.push(document.into(), event);
    }

    pub fn lab_order(&mut self, order: LabOrderId, event: LabOrderEvent) {
        self.push(order.into(), event);
    }

    pub fn lab_report(&mut self, report: LabReportId, event: LabReportEvent) {
        self.push(report.into(), event);
    }

    pub fn visit(&mut self, visit: VisitId, event: VisitEvent) {
        self.push(visit.into(), event);
    }
}

/// Notes.
impl History {
    pub fn note(&mut self, note: NoteId, event: NoteEvent) {
        self.push(note.into(), event);
    }

    pub fn note_started(&mut self, patient: PatientId, author: UserId, content: &str) -> NoteId {
        let note = NoteId(self.fresh());
        let sealed = Sealed::Open(NoteText { title: Some("Visit".to_owned()), content: content.to_owned() });
        let (kind, draft) = (NoteKind::Progress, KeyedHash(note.to_string()));
        self.note(note, NoteEvent::NoteStarted { patient, visit: None, kind, author, draft, sealed });
        note
    }

    pub fn note_signed(&mut self, content: &str) -> NoteId {
        let (patient, signer) = (PatientId(self.fresh()), UserId(self.fresh()));
        let note = self.note_started(patient, signer, content);
        let content_sha256 = ContentHash::of_note(note, NoteKind::Progress, Some("Visit"), content);
        self.note(note, NoteEvent::NoteSigned { patient, signer, content_sha256 });
        note
    }
}

/// Case studies.
impl History {
    pub fn case_study(&mut self, study: CaseStudyId, event: CaseStudyEvent) {
        self.push(study.into(), event);
    }

    /// Of two patients.
    pub fn case_study_drafted(&mut self, patients: [PatientId; 2]) -> CaseStudyId {
        let (study, author) = (CaseStudyId(self.fresh()), UserId(self.fresh()));
        let text = StudyText { title: "Two coughs".to_owned(), introduction: None, expert: None };
        let number = Number::Given("CS-20260302-001".to_owned());
        self.case_study(study, CaseStudyEvent::CaseStudyDrafted { number, author, sealed: Sealed::Open(text) });
        for patient in patients {
            let sealed = Sealed::Open(CaseText { text: "Coughs since Monday.".to_owned() });
            self.case_study(study, CaseStudyEvent::CaseStudyPatientAdded { patient, records: Vec::new(), sealed });
        }
        study
    }
}

/// The clinic and its people.
impl History {
    pub fn clinic_registered(&mut self) {
        let slug = format!("clinic-{}", self.clinic);
        let trial_ends_at = self.now + TimeDelta::days(30);
        let profile = self.profile("Asha Clinic");
        self.clinic(ClinicEvent::ClinicRegistered { slug, profile, trial_ends_at });
    }

    pub fn profile(&self, name: &str) -> ClinicProfile {
        ClinicProfile {
            name: name.to_owned(),
            email: "desk@asha.example".to_owned(),
            phone: None,
            website: None,
            address: None,
            registration_number: None,
            tax_id: None,
            logo: None,
            time_zone: ZONE,
        }
    }

    pub fn office_added(&mut self, name: &str) -> OfficeId {
        let id = OfficeId(self.fresh());
        let hours = WeeklyHours::default();
        let office = Office { id, name: name.to_owned(), address: None, phone: None, hours };
        self.clinic(ClinicEvent::OfficeAdded { office });
        id
    }

    pub fn invited(&mut self, roles: &[Role]) -> UserId {
        let user = UserId(self.fresh());
        let identity = StaffIdentity { username: format!("user-{user}"), name: "Meera Iyer".to_owned(), email: None };
        let username_hash = KeyedHash(user.to_string());
        let (roles, sealed) = (roles.to_vec(), Sealed::Open(identity));
        self.staff(user, StaffEvent::StaffInvited { roles, patient: None, username_hash, email_hash: None, sealed });
        user
    }

    /// Four hours from now.
    pub fn emergency_granted(&mut self, user: UserId, patient: PatientId, text: &str) -> EmergencyAccessId {
        let access = EmergencyAccessId(self.fresh());
        self.staff(
            user,
            StaffEvent::EmergencyAccessGranted {
                access,
                patient,
                reason: EmergencyReason::UrgentTreatment,
                proof: Proof::Password,
                expires: self.now + TimeDelta::hours(4),
                review_due: self.now + TimeDelta::hours(72),
                sealed: Sealed::Open(EmergencyText { text: text.to_owned() }),
            },
        );
        access
    }

    pub fn doctor_registered(&mut self, offices: &[OfficeId]) -> DoctorId {
        let doctor = DoctorId(self.fresh());
        let identity = DoctorIdentity {
            name: "Dr. Vikram Shah".to_owned(),
            licence_number: "MH-1234".to_owned(),
            specialisation: Some("general".to_owned()),
            qualification: None,
        };
        self.doctor(
            doctor,
            DoctorEvent::DoctorRegistered {
                licence_hash: KeyedHash(doctor.to_string()),
                licence_expires: None,
                years_of_experience: Some(9),
                offices: offices.to_vec(),
                sealed: Sealed::Open(identity),
            },
        );
        doctor
    }
}

/// Patients.
impl History {
    pub fn demographics(&self, first_name: &str) -> Demographics {
        Demographics {
            first_name: first_name.to_owned(),
            last_name: Some("Rao".to_owned()),
            birth_date: format!("{BIRTH_YEAR}-03-12").parse().ok(),
            phone: Some("+919820012345".to_owned()),
            ..Demographics::default()
        }
    }

    pub fn registered(&mut self, first_name: &str) -> PatientId {
        let patient = PatientId(self.fresh());
        let number = Number::Given(format!("PT-2026-{:05}", self.made));
        let sealed = Sealed::Open(self.demographics(first_name));
        let (gender, birth_year) = (Gender::Female, Some(BIRTH_YEAR));
        self.patient(patient, PatientEvent::PatientRegistered { number, gender, birth_year, sealed });
        patient
    }

    pub fn birth_year_corrected(&mut self, patient: PatientId, from: Option<i32>, to: Option<i32>) {
        let was = Standing { status: PatientStatus::Active, gender: Gender::Female, birth_year: from };
        let sealed = Sealed::Open(self.demographics("Asha"));
        let corrected = PatientEvent::DemographicsUpdated { gender: was.gender, birth_year: to, was, sealed };
        self.patient(patient, corrected);
    }

    pub fn merged(&mut self, source: PatientId, survivor: PatientId) {
        let was = registered_standing();
        self.patient(survivor, PatientEvent::PatientMerged { source, sealed: Sealed::Erased });
        self.patient(source, PatientEvent::PatientMergedInto { survivor, was, sealed: Sealed::Erased });
    }

    pub fn unmerged(&mut self, source: PatientId, survivor: PatientId) {
        let again = registered_standing();
        self.patient(survivor, PatientEvent::PatientUnmerged { source, sealed: Sealed::Erased });
        self.patient(source, PatientEvent::PatientUnmergedFrom { survivor, again, sealed: Sealed::Erased });
    }
}

fn registered_standing() -> Standing {
    Standing { status: PatientStatus::Active, gender: Gender::Female, birth_year: Some(BIRTH_YEAR) }
}

/// Appointments.
impl History {
    /// Half an hour on 2 March 2026, the `n`-th of the day.
    pub fn slot(&mut self, n: i64) -> Slot {
        let start = DateTime::from_timestamp(1_772_424_000, 0).expect("a fixed time") + TimeDelta::minutes(30 * n);
        Slot {
            patient: PatientId(self.fresh()),
            doctor: DoctorId(Uuid::from_u128(1)),
            office: OfficeId(Uuid::from_u128(2)),
            start,
            day: day_of(start, ZONE),
            minutes: 30,
            buffer_minutes: 0,
            lane: 0,
        }
    }

    pub fn booked(&mut self, n: i64) -> (AppointmentId, Slot) {
        let slot = self.slot(n);
        let appointment = AppointmentId(self.fresh());
        self.appointment(
            appointment,
            AppointmentEvent::AppointmentBooked {
                number: Number::Given(format!("APT-20260302-{n:03}")),
                slot,
                kind: AppointmentKind::Routine,
                status: AppointmentStatus::Booked,
                overbooked: false,
                sealed: Sealed::Open(BookingReason { reason: Some("cough".to_owned()), overbooking: None }),
            },
        );
        (appointment, slot)
    }

    pub fn rescheduled(&mut self, appointment: AppointmentId, from: Slot, to: Slot) {
        let (was, status) = (AppointmentStatus::Booked, AppointmentStatus::Booked);
        let (kind, sealed) = (AppointmentKind::Routine, Sealed::Erased);
        self.appointment(appointment, AppointmentEvent::AppointmentRescheduled { from, to, was, status, kind, sealed });
    }

    pub fn fulfilled(&mut self, appointment: AppointmentId, slot: Slot) {
        let token = Number::Given("1".to_owned());
        self.appointment(
            appointment,
            AppointmentEvent::PatientCheckedIn { slot, was: AppointmentStatus::Booked, token },
        );
        self.appointment(appointment, AppointmentEvent::AppointmentStarted { slot });
        self.appointment(appointment, AppointmentEvent::AppointmentFulfilled { slot });
    }
}

/// Documents.
impl History {
    /// Announced, not yet uploaded.
    pub fn announced(&mut self, patient: PatientId, size: i64, title: &str) -> DocumentId {
        let document = DocumentId(self.fresh());
        let text = DocumentText { title: title.to_owned(), description: None, sha256: "ab".repeat(32) };
        let registered = DocumentEvent::DocumentRegistered {
            patient,
            kind: DocumentKind::Clinical,
            owner: Owner::Document,
            media_type: "application/pdf".to_owned(),
            size,
            content_hash: KeyedHash(document.to_string()),
            by: None,
            upload_until: self.now + TimeDelta::hours(1),
            sealed: Sealed::Open(text),
        };
        self.document(document, registered);
        document
    }
}

/// The laboratory.
impl History {
    /// A blood test.
    pub fn lab_ordered(&mut self, patient: PatientId) -> LabOrderId {
        let order = LabOrderId(self.fresh());
        let tests = vec![LabTest { code: "2345-7".to_owned(), text: "Glucose".to_owned(), kind: TestKind::Blood }];
        let request = LabRequest { tests, reason: Some("polyuria".to_owned()) };
        self.lab_order(
            order,
            LabOrderEvent::LabTestsOrdered {
                number: Number::Given(format!("LAB-20260302-{:03}", self.made)),
                patient,
                doctor: DoctorId(Uuid::from_u128(1)),
                visit: None,
                priority: OrderPriority::Routine,
                kinds: vec![TestKind::Blood],
                sealed: Sealed::Open(request),
            },
        );
        order
    }
}
