//! Opening a visit: for somebody who walks in, or from an appointment.

use chrono::NaiveDate;
use events::{
    AppointmentId, DoctorId, Number, OfficeId, PatientId, Series, VisitEvent, VisitId,
    appointment::AppointmentStatus,
    calendar::day_of,
    visit::{Attendance, ChiefComplaint, VisitStatus},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Visit, person, state::visit_of};
use crate::{Appointment, Clinic, Context, Facts, Read, Refusal, doctor::who_works_in, patient::Group, values::Text};

/// Opens a visit. Of an appointment it takes patient, office and doctor, and waits as `planned` until they arrive,
/// unless they have checked in already. Without one the patient walked in: then `patient_id` and `office_id` are given,
/// and the visit is `arrived`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenVisit {
    /// A UUIDv7; made by the server where it is left out.
    #[serde(default)]
    pub id: Option<VisitId>,
    /// There is one visit of an appointment, unless it was cancelled or struck out.
    #[serde(default)]
    pub appointment_id: Option<AppointmentId>,
    #[serde(default)]
    pub patient_id: Option<PatientId>,
    #[serde(default)]
    pub office_id: Option<OfficeId>,
    /// May be assigned later.
    #[serde(default)]
    pub doctor_id: Option<DoctorId>,
    /// Why the patient comes, in their words.
    #[serde(default)]
    pub chief_complaint: Option<Text<1000>>,
}

impl OpenVisit {
    pub(super) fn reads(&self, facts: &Facts) -> Vec<Read> {
        let appointment = self.appointment_id.map(|id| Read::Stream(id.into()));
        let booked = self.appointment_id.and_then(|id| facts.get::<Appointment>(id)).map(|booked| booked.slot.patient);
        let patient = booked.or(self.patient_id).map(|patient| Group::reads(patient, facts));
        let doctor = self.doctor_id.map(|doctor| Read::Stream(doctor.into()));
        patient.into_iter().flatten().chain(appointment).chain(doctor).collect()
    }

    pub(super) fn decide(
        self,
        state: Option<&Visit>,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<VisitEvent, Refusal> {
        if state.is_some() {
            return Err(Refusal::conflict("duplicate", "There is a visit with this id already.").at("/id"));
        }
        let clinic = context.in_clinic()?;
        let (attendance, status) = match self.appointment_id {
            Some(appointment) => self.of_appointment(appointment, clinic, facts, context)?,
            None => (self.walk_in(clinic, facts, context)?, VisitStatus::Arrived),
        };
        Ok(VisitEvent::VisitOpened {
            number: Number::Next(Series::Visit { zone: clinic.zone() }),
            attendance,
            status,
            sealed: ChiefComplaint { complaint: self.chief_complaint.map(Into::into) }.into(),
        })
    }

    fn walk_in(&self, clinic: &Clinic, facts: &Facts, context: &Context<'_>) -> Result<Attendance, Refusal> {
        let patient = self.patient_id.ok_or_else(|| missing("/patient_id"))?;
        let office = self.office_id.ok_or_else(|| missing("/office_id"))?;
        person::may_come(patient, facts).map_err(|refusal| refusal.at("/patient_id"))?;
        clinic.open_office(office).map_err(|refusal| refusal.at("/office_id"))?;
        if let Some(doctor) = self.doctor_id {
            who_works_in(doctor, office, facts).map_err(|refusal| refusal.at("/doctor_id"))?;
        }
        let day = day_of(context.occurred_at, clinic.zone());
        Ok(Attendance { patient, office, doctor: self.doctor_id, appointment: None, day })
    }

    fn of_appointment(
        &self,
        appointment: AppointmentId,
        clinic: &Clinic,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<(Attendance, VisitStatus), Refusal> {
        self.says_nothing_twice()?;
        let booked = facts.get::<Appointment>(appointment);
        let booked = booked.ok_or_else(|| Refusal::not_found("appointment").at("/appointment_id"))?;
        let status = status_from(booked)?;
        if let Some(other) = facts.holder(&visit_of(appointment)) {
            let refusal = Refusal::conflict("visit-exists", "There is a visit of this appointment already.");
            return Err(refusal.at("/appointment_id").with("visit_id", other.id.to_string()));
        }
        person::may_come(booked.slot.patient, facts).map_err(|refusal| refusal.at("/appointment_id"))?;
        let day = match status {
            VisitStatus::Planned => booked.slot.day,
            _ => day_of(context.occurred_at, clinic.zone()),
        };
        Ok((attendance_of(appointment, booked, day), status))
    }

    fn says_nothing_twice(&self) -> Result<(), Refusal> {
        let said = [
            (self.patient_id.is_some(), "/patient_id"),
            (self.office_id.is_some(), "/office_id"),
            (self.doctor_id.is_some(), "/doctor_id"),
        ];
        match said.into_iter().find(|(is_said, _)| *is_said) {
            None => Ok(()),
            Some((_, pointer)) => {
                let detail = "The appointment says who comes to whom and where; leave it out.";
                Err(Refusal::rule("from-appointment", detail).at(pointer))
            }
        }
    }
}

/// Whom the appointment brings to whom and where.
pub(super) fn attendance_of(id: AppointmentId, booked: &Appointment, day: NaiveDate) -> Attendance {
    let slot = &booked.slot;
    Attendance { patient: slot.patient, office: slot.office, doctor: Some(slot.doctor), appointment: Some(id), day }
}

/// How far the visit of an appointment is when it is opened.
fn status_from(booked: &Appointment) -> Result<VisitStatus, Refusal> {
    match booked.status {
        AppointmentStatus::Booked => Ok(VisitStatus::Planned),
        AppointmentStatus::Arrived | AppointmentStatus::CheckedIn | AppointmentStatus::Fulfilled => {
            Ok(VisitStatus::Arrived)
        }
        AppointmentStatus::Pending
        | AppointmentStatus::Waitlist
        | AppointmentStatus::Cancelled
        | AppointmentStatus::NoShow
        | AppointmentStatus::EnteredInError => {
            let detail = format!("An appointment that is {} has no visit.", booked.status);
            let refusal = Refusal::conflict("wrong-status", detail).with("status", booked.status.to_string());
            Err(refusal.at("/appointment_id"))
        }
    }
}

fn missing(pointer: &'static str) -> Refusal {
    let detail = "Give the appointment, or else patient and office of who walked in.";
    Refusal::rule("required", detail).at(pointer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::sample::{
            DOCTOR, PATIENT, attendance, clinic, code, doctor, given, last, office, open, status, walk_in,
        },
        *,
    };
    use crate::{
        Class,
        appointment::{BookAppointment, CancelAppointment, CheckIn, CompleteAppointment, StartAppointment},
        patient::{DeactivatePatient, RecordDeath},
        testing::{World, at, body, id},
        visit::{CancelVisit, EnterVisitInError},
    };

    fn book(world: &mut World, n: u128, start: &str) {
        let booking = json!({
            "patient_id": id::<PatientId>(PATIENT), "doctor_id": doctor(DOCTOR), "office_id": World::OFFICE,
            "start": start
        });
        world.appointment(id(n), body::<BookAppointment>(booking)).unwrap();
    }

    fn from_appointment(world: &mut World, visit: u128, n: u128) -> Result<Vec<events::DomainEvent>, Refusal> {
        let opens = json!({"appointment_id": id::<AppointmentId>(n)});
        world.visit(id(visit), body::<OpenVisit>(opens))
    }

    #[test]
    fn who_walks_in_has_arrived() {
        let mut world = clinic();
        open(&mut world, 1, json!({"chief_complaint": "a cough"})).unwrap();
        assert_eq!(status(&world, 1), VisitStatus::Arrived);
        let VisitEvent::VisitOpened { number, .. } = last(&world) else { panic!("a visit was opened") };
        assert_eq!(number.as_str(), "VIS-20260302-001");
        let expected = Attendance {
            patient: id(PATIENT),
            office: World::OFFICE,
            doctor: None,
            appointment: None,
            day: "2026-03-02".parse().unwrap(),
        };
        assert_eq!(attendance(&world, 1), expected);
        assert_eq!(code(open(&mut world, 1, json!({}))), "duplicate");
    }

    #[test]
    fn days_and_numbers_are_cut_in_the_clinics_zone() {
        let mut world = clinic();
        open(&mut world, 1, json!({})).unwrap();
        world.now = at("2026-03-02T18:45:00Z");
        open(&mut world, 2, json!({})).unwrap();
        let VisitEvent::VisitOpened { number, attendance, .. } = last(&world) else { panic!("a visit was opened") };
        assert_eq!((number.as_str(), attendance.day.to_string().as_str()), ("VIS-20260303-001", "2026-03-03"));
    }

    #[test]
    fn whoever_and_whatever_is_named_exists_and_fits() {
        let nobody = uuid::Uuid::from_u128(0xBAD);
        for field in ["patient_id", "doctor_id", "office_id"] {
            let refusal = open(&mut clinic(), 1, json!({ field: nobody })).unwrap_err();
            assert_eq!(refusal.class, Class::NotFound);
            assert_eq!(refusal.pointer.unwrap().strip_prefix('/'), Some(field));
        }
        for field in ["patient_id", "office_id"] {
            let mut opens = walk_in(json!({}));
            opens.as_object_mut().unwrap().remove(field);
            let refusal = clinic().visit(id(1), body::<OpenVisit>(opens)).unwrap_err();
            assert_eq!((refusal.code, refusal.pointer.unwrap().strip_prefix('/')), ("required", Some(field)));
        }
        let mut world = clinic();
        world.given_office(office(9));
        let elsewhere = json!({"doctor_id": doctor(DOCTOR), "office_id": office(9)});
        assert_eq!(code(open(&mut world, 1, elsewhere)), "doctor-not-in-office");
        open(&mut world, 1, json!({"doctor_id": doctor(DOCTOR)})).unwrap();
        assert_eq!(attendance(&world, 1).doctor, Some(doctor(DOCTOR)));
    }

    #[test]
    fn who_does_not_come_any_more_has_no_visit() {
        let mut world = clinic();
        world.patient(id(PATIENT), DeactivatePatient { reason: None }).unwrap();
        assert_eq!(code(open(&mut world, 1, json!({}))), "patient-inactive");
        let mut world = clinic();
        let double = world.given_patient(0xA9);
        world.given_merge(double, id(PATIENT));
        world.patient(id(PATIENT), body::<RecordDeath>(json!({}))).unwrap();
        assert_eq!(code(open(&mut world, 1, json!({"patient_id": double}))), "patient-deceased");
    }

    #[test]
    fn an_appointment_says_who_comes_to_whom_and_where() {
        let mut world = clinic();
        book(&mut world, 1, "2026-03-03T04:30:00Z");
        from_appointment(&mut world, 1, 1).unwrap();
        assert_eq!(status(&world, 1), VisitStatus::Planned);
        let planned = attendance(&world, 1);
        assert_eq!((planned.patient, planned.doctor), (id(PATIENT), Some(doctor(DOCTOR))));
        assert_eq!((planned.appointment, planned.day.to_string().as_str()), (Some(id(1)), "2026-03-03"));
        for field in ["patient_id", "doctor_id", "office_id"] {
            let opens = json!({"appointment_id": id::<AppointmentId>(1), field: uuid::Uuid::from_u128(PATIENT)});
            let refusal = world.visit(id(2), body::<OpenVisit>(opens)).unwrap_err();
            assert_eq!((refusal.code, refusal.pointer.unwrap().strip_prefix('/')), ("from-appointment", Some(field)));
        }
        assert_eq!(from_appointment(&mut world, 2, 9).unwrap_err().class, Class::NotFound);
    }

    #[test]
    fn who_has_checked_in_has_arrived() {
        let mut world = clinic();
        book(&mut world, 1, "2026-03-02T04:30:00Z");
        world.appointment(id(1), CheckIn {}).unwrap();
        let steps: [crate::AppointmentCommand; 2] = [StartAppointment {}.into(), CompleteAppointment {}.into()];
        for (n, step) in (1..).zip(steps) {
            let mut now = world.clone();
            from_appointment(&mut now, n, 1).unwrap();
            assert_eq!(status(&now, n), VisitStatus::Arrived);
            world.appointment(id(1), step).unwrap();
        }
    }

    #[test]
    fn an_appointment_has_one_visit_that_counts() {
        let mut world = clinic();
        book(&mut world, 1, "2026-03-03T04:30:00Z");
        from_appointment(&mut world, 1, 1).unwrap();
        let refusal = from_appointment(&mut world, 2, 1).unwrap_err();
        assert_eq!((refusal.class, refusal.code), (Class::Conflict, "visit-exists"));
        assert_eq!(refusal.extra, [("visit_id", id::<VisitId>(1).to_string().into())]);
        world.visit(id(1), body::<CancelVisit>(json!({"reason": "opened_by_mistake"}))).unwrap();
        from_appointment(&mut world, 2, 1).unwrap();
        world.visit(id(2), body::<EnterVisitInError>(json!({"reason": "a slip"}))).unwrap();
        from_appointment(&mut world, 3, 1).unwrap();
    }

    #[test]
    fn what_is_over_brings_nobody() {
        let mut world = clinic();
        book(&mut world, 1, "2026-03-03T04:30:00Z");
        world.appointment(id(1), body::<CancelAppointment>(json!({}))).unwrap();
        assert_eq!(code(from_appointment(&mut world, 1, 1)), "wrong-status");
    }

    #[test]
    fn several_may_wait() {
        let mut world = clinic();
        for n in 1..4 {
            given(&mut world, n, PATIENT, VisitStatus::Triaged);
        }
    }
}
