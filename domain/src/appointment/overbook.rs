//! Giving a doctor's time a second time.

use chrono::{DateTime, Utc};
use events::{
    AppointmentEvent, AppointmentId, DoctorId, OfficeId, PatientId, Role,
    appointment::{AppointmentKind, AppointmentStatus, BookingReason},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Appointment,
    book::{number, refuse_known},
    lanes,
    wish::{Place, Wish},
};
use crate::{
    Context, Facts, Read, Refusal,
    values::{Reason, VisitMinutes},
};

/// Gives a doctor's time a second time, where the clinic's policy allows it. Doctors overbook their own
/// time, administrators everybody's.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverbookAppointment {
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
    /// Why the time is given twice.
    pub reason: Reason,
    /// Why the patient comes.
    #[serde(default)]
    pub visit_reason: Option<Reason>,
}

impl OverbookAppointment {
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
        let actor = context.actor;
        let own = actor.user.is_some_and(|user| DoctorId::from(user) == self.doctor_id);
        if actor.has(Role::Doctor) && !actor.has(Role::ClinicAdmin) && !own {
            return Err(Refusal::forbidden("not-own-time", "Doctors overbook their own time.").at("/doctor_id"));
        }
        let slot = self.wish().grant(facts, context)?;
        let reason = BookingReason { reason: self.visit_reason.map(Into::into), overbooking: Some(self.reason.into()) };
        Ok(AppointmentEvent::AppointmentBooked {
            number: number(&slot),
            slot,
            kind: self.kind,
            status: AppointmentStatus::Booked,
            overbooked: lanes::is_beyond(slot.lane, context.in_clinic()?.settings.overbooking),
            sealed: reason.into(),
        })
    }

    fn wish(&self) -> Wish {
        Wish {
            patient: self.patient_id,
            doctor: self.doctor_id,
            office: self.office_id,
            start: self.start,
            minutes: self.minutes.map(Into::into),
            kind: self.kind,
            place: Place::Overbooked,
        }
    }
}

#[cfg(test)]
mod tests {
    use events::{ActorKind, DomainEvent, UserId};
    use serde_json::{Value, json};

    use super::{
        super::sample::{DOCTOR, book, booking, code, desk, given_booked, state},
        *,
    };
    use crate::testing::{World, body, id};

    fn overbook(world: &mut World, n: u128, others: Value) -> Result<Vec<DomainEvent>, Refusal> {
        let mut all = booking(json!({"reason": "cannot wait", "visit_reason": "fever"}));
        all.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
        world.appointment(id(n), body::<OverbookAppointment>(all))
    }

    fn approving(policy: Value) -> World {
        let mut world = desk();
        world.given_settings(json!({"overbooking": policy}));
        world
    }

    #[test]
    fn a_policy_of_places_fills_the_lowest_lane_first() {
        let mut world = approving(json!({"policy": "capacity", "places": 2}));
        given_booked(&mut world, 1, json!({}));
        given_booked(&mut world, 2, json!({}));
        assert_eq!((state(&world, 1).slot.lane, state(&world, 2).slot.lane), (0, 1));
        assert_eq!(code(book(&mut world, 3, json!({}))), "slot-taken");
        world.appointment(id(1), body::<super::super::CancelAppointment>(json!({}))).unwrap();
        given_booked(&mut world, 3, json!({}));
        assert_eq!(state(&world, 3).slot.lane, 0);
        overbook(&mut world, 4, json!({})).unwrap();
        assert_eq!((state(&world, 4).slot.lane, state(&world, 4).overbooked), (2, true));
    }

    #[test]
    fn an_overbooking_needs_a_policy_and_a_reason() {
        assert_eq!(code(overbook(&mut desk(), 1, json!({}))), "overbooking-forbidden");
        assert!(serde_json::from_value::<OverbookAppointment>(booking(json!({}))).is_err());
        let mut world = approving(json!({"policy": "approve"}));
        overbook(&mut world, 1, json!({})).unwrap();
        assert!(!state(&world, 1).overbooked, "nothing was in the way");
        assert_eq!(code(book(&mut world, 2, json!({}))), "slot-taken");
        let events = overbook(&mut world, 2, json!({})).unwrap();
        assert_eq!((state(&world, 2).slot.lane, state(&world, 2).overbooked), (1, true));
        let DomainEvent::Appointment(AppointmentEvent::AppointmentBooked { sealed, .. }) = &events[0] else {
            panic!("a booking was recorded");
        };
        let expected = BookingReason { reason: Some("fever".into()), overbooking: Some("cannot wait".into()) };
        assert_eq!(sealed.open(), Some(&expected));
    }

    #[test]
    fn doctors_overbook_their_own_time() {
        let mut world = approving(json!({"policy": "approve"}));
        world.actor.kind = ActorKind::Person;
        world.actor.roles = vec![Role::Doctor];
        world.actor.user = Some(id::<UserId>(0xD2));
        let refusal = overbook(&mut world, 1, json!({})).unwrap_err();
        assert_eq!((refusal.class, refusal.code), (crate::Class::Forbidden, "not-own-time"));
        let mut administrator = world.clone();
        administrator.actor.roles.push(Role::ClinicAdmin);
        overbook(&mut administrator, 1, json!({})).unwrap();
        world.actor.user = Some(id::<UserId>(DOCTOR));
        overbook(&mut world, 1, json!({})).unwrap();
    }

    #[test]
    fn an_id_is_used_once() {
        let mut world = approving(json!({"policy": "approve"}));
        given_booked(&mut world, 1, json!({}));
        assert_eq!(code(overbook(&mut world, 1, json!({}))), "duplicate");
    }
}
