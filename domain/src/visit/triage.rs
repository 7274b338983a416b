//! Before the doctor: why the patient comes, how soon they have to be seen, and by whom.

use events::{
    DoctorId, VisitEvent,
    visit::{Attendance, ChiefComplaint, TriageNote, TriagePriority, VisitStatus},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{PRESENT, Visit, WAITING};
use crate::{Context, Facts, Read, Refusal, doctor::who_works_in, values::Text};

/// Says why the patient comes, in their words. A later one replaces it; the earlier stays on record.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordChiefComplaint {
    pub chief_complaint: Text<1000>,
}

/// Says how soon the patient has to be seen. Said again, it replaces what was said before.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteTriage {
    pub priority: TriagePriority,
    #[serde(default)]
    pub note: Option<Text<2000>>,
}

/// Gives the visit to a doctor who works in its office; also from one to another, as long as it is not over.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignVisitDoctor {
    pub doctor_id: DoctorId,
}

impl RecordChiefComplaint {
    pub(super) fn decide(self, visit: &Visit) -> Result<VisitEvent, Refusal> {
        let [arrived, triaged, seen] = PRESENT;
        visit.must_take(&[VisitStatus::Planned, arrived, triaged, seen], "complaint")?;
        let sealed = ChiefComplaint { complaint: Some(self.chief_complaint.into()) }.into();
        Ok(VisitEvent::ChiefComplaintRecorded { attendance: visit.attendance, sealed })
    }
}

impl CompleteTriage {
    pub(super) fn decide(self, visit: &Visit) -> Result<VisitEvent, Refusal> {
        visit.must_be(&WAITING, "triaged")?;
        Ok(VisitEvent::TriageCompleted {
            attendance: visit.attendance,
            was: visit.status,
            priority: self.priority,
            sealed: TriageNote { note: self.note.map(Into::into) }.into(),
        })
    }
}

impl AssignVisitDoctor {
    pub(super) fn reads(&self) -> Vec<Read> {
        vec![Read::Stream(self.doctor_id.into())]
    }

    /// `None`: it is that doctor's already.
    pub(super) fn decide(
        self,
        visit: &Visit,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Option<VisitEvent>, Refusal> {
        visit.must_be(&PRESENT, "assigned")?;
        let from = visit.attendance.doctor;
        if from == Some(self.doctor_id) {
            return Ok(None);
        }
        context.in_clinic()?.open_office(visit.attendance.office)?;
        who_works_in(self.doctor_id, visit.attendance.office, facts).map_err(|refusal| refusal.at("/doctor_id"))?;
        let attendance = Attendance { doctor: Some(self.doctor_id), ..visit.attendance };
        Ok(Some(VisitEvent::VisitDoctorAssigned { attendance, from }))
    }
}

#[cfg(test)]
mod tests {
    use events::{DoctorEvent, Sealed};
    use serde_json::json;

    use super::{
        super::sample::{
            DOCTOR, OTHER_DOCTOR, PATIENT, attendance, clinic, code, doctor, given, last, office, open, status,
        },
        *,
    };
    use crate::testing::{World, body, id};

    fn triage(world: &mut World, n: u128, priority: &str) -> Result<Vec<events::DomainEvent>, Refusal> {
        world.visit(id(n), body::<CompleteTriage>(json!({"priority": priority, "note": "walks"})))
    }

    fn assign(world: &mut World, n: u128, to: u128) -> Result<Vec<events::DomainEvent>, Refusal> {
        world.visit(id(n), body::<AssignVisitDoctor>(json!({"doctor_id": doctor(to)})))
    }

    #[test]
    fn a_triage_may_be_said_again_until_the_doctor_comes() {
        let mut world = clinic();
        given(&mut world, 1, PATIENT, VisitStatus::Arrived);
        triage(&mut world, 1, "non-urgent").unwrap();
        triage(&mut world, 1, "resuscitation").unwrap();
        assert_eq!(status(&world, 1), VisitStatus::Triaged);
        for over in [VisitStatus::InProgress, VisitStatus::Finished, VisitStatus::Cancelled] {
            let mut world = clinic();
            given(&mut world, 1, PATIENT, over);
            assert_eq!(code(triage(&mut world, 1, "urgent")), "wrong-status");
        }
    }

    #[test]
    fn a_visit_goes_from_doctor_to_doctor() {
        let mut world = clinic();
        open(&mut world, 1, json!({})).unwrap();
        assign(&mut world, 1, DOCTOR).unwrap();
        assert!(assign(&mut world, 1, DOCTOR).unwrap().is_empty(), "already so");
        assign(&mut world, 1, OTHER_DOCTOR).unwrap();
        assert_eq!(attendance(&world, 1).doctor, Some(doctor(OTHER_DOCTOR)));
        let VisitEvent::VisitDoctorAssigned { from, .. } = last(&world) else { panic!("it was assigned") };
        assert_eq!(*from, Some(doctor(DOCTOR)));
        assert_eq!(assign(&mut world, 1, 0xBAD).unwrap_err().class, crate::Class::NotFound);
        world.given(doctor(DOCTOR), DoctorEvent::DoctorDeactivated { sealed: Sealed::Erased });
        assert_eq!(code(assign(&mut world, 1, DOCTOR)), "doctor-inactive");
    }

    #[test]
    fn a_doctor_is_where_the_visit_is() {
        let mut world = clinic();
        world.given_office(office(9));
        open(&mut world, 1, json!({"office_id": office(9)})).unwrap();
        assert_eq!(code(assign(&mut world, 1, DOCTOR)), "doctor-not-in-office");
        world.given(doctor(DOCTOR), DoctorEvent::OfficeAssigned { office: office(9) });
        assign(&mut world, 1, DOCTOR).unwrap();
    }

    #[test]
    fn a_complaint_is_told_until_the_end() {
        let say =
            |world: &mut World| world.visit(id(1), body::<RecordChiefComplaint>(json!({"chief_complaint": "a cough"})));
        for (far, told) in
            [(VisitStatus::Arrived, true), (VisitStatus::InProgress, true), (VisitStatus::Finished, false)]
        {
            let mut world = clinic();
            given(&mut world, 1, PATIENT, far);
            assert_eq!(say(&mut world).is_ok(), told, "{far}");
        }
    }
}
