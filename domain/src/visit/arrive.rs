//! The patient of a planned visit comes. Who has not been checked in yet is checked in with it: for the receptionist
//! it is one act.

use events::{
    VisitEvent,
    calendar::day_of,
    visit::{Attendance, VisitStatus},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Visit, open::attendance_of};
use crate::{Appointment, Context, Decision, Facts, Refusal};

/// The patient of a planned visit has come. Office and doctor are then as the appointment says, which is checked in
/// (with a token) if it is booked still.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArriveVisit {}

impl ArriveVisit {
    pub(super) fn decide(self, visit: &Visit, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        visit.must_be(&[VisitStatus::Planned], "begun by an arrival")?;
        let day = day_of(context.occurred_at, context.in_clinic()?.zone());
        let booked = visit.appointment(facts);
        let attendance = match visit.attendance.appointment.zip(booked) {
            Some((id, booked)) => attendance_of(id, booked, day),
            None => Attendance { day, ..visit.attendance },
        };
        let follows = booked.and_then(Appointment::when_visit_arrives);
        Ok(visit.with_appointment(VisitEvent::VisitArrived { attendance }, follows, context))
    }
}

#[cfg(test)]
mod tests {
    use events::{AppointmentId, DomainEvent, PatientId, appointment::AppointmentStatus};
    use serde_json::{Value, json};

    use super::{
        super::{
            FinishVisit, OpenVisit, StartConsultation,
            sample::{DOCTOR, OTHER_DOCTOR, PATIENT, acts, attendance, clinic, code, doctor, status},
        },
        *,
    };
    use crate::{
        appointment::{BookAppointment, CancelAppointment, CheckIn, RescheduleAppointment},
        testing::{World, at, body, id},
    };

    /// A visit that was planned for half past ten.
    fn planned() -> World {
        let mut world = clinic();
        let booking = json!({
            "patient_id": id::<PatientId>(PATIENT), "doctor_id": doctor(DOCTOR), "office_id": World::OFFICE,
            "start": "2026-03-02T05:00:00Z"
        });
        world.appointment(id(1), body::<BookAppointment>(booking)).unwrap();
        world.visit(id(1), body::<OpenVisit>(json!({"appointment_id": id::<AppointmentId>(1)}))).unwrap();
        world
    }

    fn appointment(world: &World) -> AppointmentStatus {
        world.state::<Appointment>(id::<AppointmentId>(1)).unwrap().status
    }

    fn names(events: &[DomainEvent]) -> Vec<&'static str> {
        events.iter().map(DomainEvent::event_type).collect()
    }

    #[test]
    fn the_appointment_goes_along_with_its_visit() {
        let mut world = planned();
        assert_eq!(code(world.visit(id(1), StartConsultation {})), "wrong-status");
        let arrived = world.visit(id(1), ArriveVisit {}).unwrap();
        assert_eq!(names(&arrived), ["VisitArrived", "PatientCheckedIn"]);
        let started = world.visit(id(1), StartConsultation {}).unwrap();
        assert_eq!(names(&started), ["ConsultationStarted", "AppointmentStarted"]);
        let finished = world.visit(id(1), FinishVisit {}).unwrap();
        assert_eq!(names(&finished), ["VisitFinished", "AppointmentFulfilled"]);
        assert_eq!((status(&world, 1), appointment(&world)), (VisitStatus::Finished, AppointmentStatus::Fulfilled));
        assert!(world.times.is_empty(), "the doctor's time is free again");
    }

    #[test]
    fn an_appointment_that_has_gone_ahead_stays_where_it_is() {
        let mut world = planned();
        world.appointment(id(1), CheckIn {}).unwrap();
        assert_eq!(names(&world.visit(id(1), ArriveVisit {}).unwrap()), ["VisitArrived"]);
        assert_eq!(appointment(&world), AppointmentStatus::Arrived);
        let mut world = planned();
        world.appointment(id(1), body::<CancelAppointment>(json!({}))).unwrap();
        for command in [ArriveVisit {}.into(), StartConsultation {}.into(), FinishVisit {}.into()] {
            let command: crate::VisitCommand = command;
            assert_eq!(world.visit(id(1), command).unwrap().len(), 1);
        }
        assert_eq!(appointment(&world), AppointmentStatus::Cancelled);
    }

    #[test]
    fn who_arrives_is_seen_as_the_appointment_says_by_now() {
        let mut world = planned();
        let later: Value = json!({"start": "2026-03-03T05:00:00Z", "doctor_id": doctor(OTHER_DOCTOR)});
        world.appointment(id(1), body::<RescheduleAppointment>(later)).unwrap();
        world.now = at("2026-03-03T04:50:00Z");
        world.visit(id(1), ArriveVisit {}).unwrap();
        let arrived = attendance(&world, 1);
        assert_eq!((arrived.doctor, arrived.day.to_string().as_str()), (Some(doctor(OTHER_DOCTOR)), "2026-03-03"));
        assert_eq!(code(world.visit(id(1), ArriveVisit {})), "wrong-status");
    }

    #[test]
    fn whoever_starts_it_is_its_doctor() {
        let mut world = planned();
        world.visit(id(1), ArriveVisit {}).unwrap();
        acts(&mut world, OTHER_DOCTOR);
        world.visit(id(1), StartConsultation {}).unwrap();
        assert_eq!(attendance(&world, 1).doctor, Some(doctor(OTHER_DOCTOR)));
    }
}
