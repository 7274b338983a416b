//! Waiting for a slot that is taken.

use chrono::{DateTime, Utc};
use events::{
    AppointmentEvent, AppointmentId, DoctorId, OfficeId, PatientId, Sealed,
    appointment::{AppointmentKind, AppointmentReason},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Appointment,
    book::{number, refuse_known},
    wish::{Place, Wish},
};
use crate::{
    Context, Facts, Read, Refusal,
    values::{Reason, VisitMinutes},
};

/// Puts a wish for a slot on the waiting list; it takes no time until it is confirmed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitlistAppointment {
    /// A UUIDv7; made by the server where it is left out.
    #[serde(default)]
    pub id: Option<AppointmentId>,
    pub patient_id: PatientId,
    pub doctor_id: DoctorId,
    pub office_id: OfficeId,
    /// Cut to the whole minute.
    pub start: DateTime<Utc>,
    /// The length of the doctor's slots, where it is left out.
    #[serde(default)]
    pub minutes: Option<VisitMinutes>,
    #[serde(default)]
    pub kind: AppointmentKind,
    /// In the patient's or the receptionist's words.
    #[serde(default)]
    pub reason: Option<Reason>,
}

impl WaitlistAppointment {
    pub(super) fn reads(&self, facts: &Facts) -> Vec<Read> {
        self.wish().reads(facts)
    }

    pub(super) fn decide(
        self,
        state: Option<&Appointment>,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<AppointmentEvent, Refusal> {
        refuse_known(state)?;
        let slot = self.wish().grant(facts, context)?;
        let sealed = Sealed::Open(AppointmentReason { reason: self.reason.map(Into::into) });
        Ok(AppointmentEvent::AppointmentWaitlisted { number: number(&slot), slot, kind: self.kind, sealed })
    }

    fn wish(&self) -> Wish {
        Wish {
            patient: self.patient_id,
            doctor: self.doctor_id,
            office: self.office_id,
            start: self.start,
            minutes: self.minutes.map(Into::into),
            kind: self.kind,
            place: Place::Waiting,
        }
    }
}

#[cfg(test)]
mod tests {
    use events::appointment::AppointmentStatus;
    use serde_json::json;

    use super::{
        super::sample::{booking, code, desk, given_booked, status},
        *,
    };
    use crate::testing::{body, id};

    #[test]
    fn the_waiting_list_takes_no_time() {
        let mut world = desk();
        given_booked(&mut world, 1, json!({}));
        for n in [2, 3] {
            world.appointment(id(n), body::<WaitlistAppointment>(booking(json!({"reason": "pain"})))).unwrap();
            assert_eq!(status(&world, n), AppointmentStatus::Waitlist);
        }
        assert_eq!(world.times.len(), 1);
    }

    #[test]
    fn an_id_is_used_once() {
        let mut world = desk();
        given_booked(&mut world, 1, json!({}));
        let waitlist = body::<WaitlistAppointment>(booking(json!({})));
        assert_eq!(code(world.appointment(id(1), waitlist)), "duplicate");
    }
}
