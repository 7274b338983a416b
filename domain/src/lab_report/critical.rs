//! Results on which a life may hang: a doctor is told of them, and a doctor takes note.

use events::{
    DoctorId, LabReportEvent, LabResultId, Role,
    lab_report::{LabReportStatus, NoticeChannel},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Critical, LabReport, note, standing, wrong_status};
use crate::{Context, Doctor, Facts, Refusal, values::Reason};

/// Says that a doctor was told of a critical result. It may take several tries.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotifyCritical {
    pub result_id: LabResultId,
    pub channel: NoticeChannel,
    /// Who was told: the ordering doctor, where it is left out.
    #[serde(default)]
    pub doctor_id: Option<DoctorId>,
    /// What was said; that it was read back.
    #[serde(default)]
    pub text: Option<Reason>,
}

/// A doctor takes note of a critical result.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeCritical {
    pub result_id: LabResultId,
}

impl NotifyCritical {
    pub(super) fn decide(self, state: &LabReport, facts: &Facts) -> Result<LabReportEvent, Refusal> {
        critical(state, self.result_id)?;
        if let Some(doctor) = self.doctor_id {
            let doctor = facts.get::<Doctor>(doctor);
            doctor.ok_or_else(|| Refusal::not_found("doctor").at("/doctor_id"))?;
        }
        Ok(LabReportEvent::CriticalResultNotified {
            patient: state.patient,
            result: self.result_id,
            doctor: self.doctor_id.unwrap_or(state.doctor),
            channel: self.channel,
            sealed: note(self.text),
        })
    }
}

impl AcknowledgeCritical {
    /// `None`: a doctor has taken note already.
    pub(super) fn decide(self, state: &LabReport, context: &Context<'_>) -> Result<Option<LabReportEvent>, Refusal> {
        let doctor = context.actor.user.filter(|_| context.actor.has(Role::Doctor));
        let doctor: DoctorId = doctor
            .map(Into::into)
            .ok_or_else(|| Refusal::forbidden("not-a-doctor", "A doctor takes note of a critical result; tell one."))?;
        let news = critical(state, self.result_id)?;
        let taken =
            LabReportEvent::CriticalResultAcknowledged { patient: state.patient, result: self.result_id, doctor };
        Ok((news != Critical::Acknowledged).then_some(taken))
    }
}

/// How far the news of a result has come.
fn critical(state: &LabReport, result: LabResultId) -> Result<Critical, Refusal> {
    if state.status == LabReportStatus::EnteredInError {
        return Err(wrong_status(state, "told to anybody"));
    }
    standing(state, result)?
        .critical
        .ok_or_else(|| Refusal::conflict("not-critical", "The result is not critical.").at("/result_id"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::sample::{code, given_recorded, given_registered_in, glucose, report, report_id},
        *,
    };
    use crate::{
        lab_order::sample::{DOCTOR, TECHNICIAN, bench},
        lab_report::RecordResult,
        testing::{World, body, id},
    };

    fn notify(world: &mut World, result: LabResultId) -> Result<Vec<events::DomainEvent>, Refusal> {
        let content = json!({"result_id": result, "channel": "phone", "text": "read back"});
        world.lab_report(report_id(1), body::<NotifyCritical>(content))
    }

    fn acknowledge(world: &mut World, result: LabResultId) -> Result<Vec<events::DomainEvent>, Refusal> {
        world.lab_report(report_id(1), AcknowledgeCritical { result_id: result })
    }

    fn news(world: &World, result: LabResultId) -> Option<Critical> {
        report(world, 1).results[&result].critical
    }

    #[test]
    fn a_doctor_is_told_and_a_doctor_takes_note() {
        let mut world = bench();
        given_registered_in(&mut world, 1);
        let result = given_recorded(&mut world, 1, 500.0);
        assert_eq!(news(&world, result), Some(Critical::Open));
        assert_eq!(code(acknowledge(&mut world, result)), "not-a-doctor");
        notify(&mut world, result).unwrap();
        notify(&mut world, result).unwrap();
        assert_eq!(news(&world, result), Some(Critical::Notified));
        world.acts(id(DOCTOR), &[Role::Doctor]);
        assert_eq!(acknowledge(&mut world, result).unwrap().len(), 1);
        assert_eq!(acknowledge(&mut world, result).unwrap(), [], "already so");
        world.acts(id(TECHNICIAN), &[Role::LabTechnician]);
        notify(&mut world, result).unwrap();
        assert_eq!(news(&world, result), Some(Critical::Acknowledged), "told again, it stays acknowledged");
    }

    #[test]
    fn what_is_not_critical_needs_no_word() {
        let mut world = bench();
        given_registered_in(&mut world, 1);
        let result = given_recorded(&mut world, 1, 90.0);
        assert_eq!(code(notify(&mut world, result)), "not-critical");
        let slip = given_recorded(&mut world, 1, 900.0);
        let again = body::<RecordResult>(json!({"result": glucose(90.0), "replaces": slip}));
        world.lab_report(report_id(1), again).unwrap();
        assert_eq!(code(notify(&mut world, slip)), "result-replaced");
    }

    #[test]
    fn whoever_is_told_works_here() {
        let mut world = bench();
        given_registered_in(&mut world, 1);
        let result = given_recorded(&mut world, 1, 500.0);
        let told = |doctor: u128| {
            let doctor = id::<DoctorId>(doctor);
            body::<NotifyCritical>(json!({"result_id": result, "channel": "in-person", "doctor_id": doctor}))
        };
        let refusal = world.lab_report(report_id(1), told(0xBAD)).unwrap_err();
        assert_eq!((refusal.class, refusal.pointer), (crate::Class::NotFound, Some("/doctor_id")));
        let other = world.given_doctor(0xD2);
        let _events = world.lab_report(report_id(1), told(0xD2)).unwrap();
        let Some((_, events::DomainEvent::LabReport(LabReportEvent::CriticalResultNotified { doctor, .. }))) =
            world.log.last()
        else {
            panic!("a doctor was told");
        };
        assert_eq!(*doctor, other);
    }
}
