//! Booking a slot.

use chrono::{DateTime, Utc};
use events::{
    AppointmentEvent, AppointmentId, DoctorId, Number, OfficeId, PatientId, Series,
    appointment::{AppointmentKind, AppointmentStatus, BookingReason, Slot},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Appointment,
    wish::{Place, Wish},
};
use crate::{
    Context, Facts, Read, Refusal,
    values::{Reason, VisitMinutes},
};

/// Books a slot. Where bookings wait for a confirmation it is `pending`, unless the patient is there
/// already (a walk-in, an emergency); else it is `booked`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BookAppointment {
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

impl BookAppointment {
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
        let reason = BookingReason { reason: self.reason.map(Into::into), overbooking: None };
        let confirm = context.in_clinic()?.settings.confirm_bookings && !is_there(self.kind);
        let status = if confirm { AppointmentStatus::Pending } else { AppointmentStatus::Booked };
        Ok(AppointmentEvent::AppointmentBooked {
            number: number(&slot),
            slot,
            kind: self.kind,
            status,
            overbooked: false,
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
            place: Place::Booked,
        }
    }
}

pub(super) fn refuse_known(state: Option<&Appointment>) -> Result<(), Refusal> {
    match state {
        None => Ok(()),
        Some(_) => Err(Refusal::conflict("duplicate", "There is an appointment with this id already.").at("/id")),
    }
}

/// Whether the patient stands at the desk.
fn is_there(kind: AppointmentKind) -> bool {
    match kind {
        AppointmentKind::WalkIn | AppointmentKind::Emergency => true,
        AppointmentKind::Routine | AppointmentKind::CheckUp | AppointmentKind::FollowUp => false,
    }
}

/// By the day of the first start.
pub(super) fn number(slot: &Slot) -> Number {
    Number::Next(Series::Appointment { day: slot.day })
}

#[cfg(test)]
mod tests {
    use events::DomainEvent;
    use serde_json::json;

    use super::{
        super::sample::{DOCTOR, TEN, book, booking, code, desk, given_booked, status},
        *,
    };
    use crate::testing::{World, at, id};

    #[test]
    fn a_booking_has_a_number_a_day_and_an_end() {
        let mut world = desk();
        let events = book(&mut world, 1, json!({"reason": "cough"})).unwrap();
        assert_eq!(events.len(), 1);
        let (_, DomainEvent::Appointment(AppointmentEvent::AppointmentBooked { number, slot, .. })) =
            world.log.last().unwrap()
        else {
            panic!("a booking was recorded");
        };
        assert_eq!(number.as_str(), "APT-20260302-001");
        assert_eq!((slot.minutes, slot.lane, slot.end()), (15, 0, at("2026-03-02T04:45:00Z")));
        assert_eq!(status(&world, 1), AppointmentStatus::Booked);
    }

    #[test]
    fn a_number_is_of_the_day_in_the_clinics_zone() {
        let mut world = desk();
        let hours = json!([{"office_id": World::OFFICE, "weekday": "tue", "from": "00:00", "to": "09:00"}]);
        world.given_hours(id(DOCTOR), hours);
        book(&mut world, 1, json!({"start": "2026-03-02T19:00:00Z"})).unwrap();
        let (_, DomainEvent::Appointment(AppointmentEvent::AppointmentBooked { number, .. })) =
            world.log.last().unwrap()
        else {
            panic!("a booking was recorded");
        };
        assert_eq!(number.as_str(), "APT-20260303-001");
    }

    #[test]
    fn where_bookings_are_confirmed_they_wait_unless_the_patient_is_there() {
        for (kind, expected) in [
            ("routine", AppointmentStatus::Pending),
            ("check-up", AppointmentStatus::Pending),
            ("follow-up", AppointmentStatus::Pending),
            ("walk-in", AppointmentStatus::Booked),
            ("emergency", AppointmentStatus::Booked),
        ] {
            let mut world = desk();
            world.given_settings(json!({"confirm_bookings": true}));
            given_booked(&mut world, 1, json!({"kind": kind}));
            assert_eq!(status(&world, 1), expected);
            assert_eq!(world.times.len(), 1, "a pending booking holds its time");
        }
    }

    #[test]
    fn five_minutes_to_eight_hours() {
        for (minutes, allowed) in [(4, false), (5, true), (480, true), (481, false)] {
            let parsed = serde_json::from_value::<BookAppointment>(booking(json!({"minutes": minutes})));
            assert_eq!(parsed.is_ok(), allowed, "{minutes}");
        }
    }

    #[test]
    fn a_taken_slot_names_what_is_free() {
        let mut world = desk();
        given_booked(&mut world, 1, json!({}));
        given_booked(&mut world, 2, json!({"start": "2026-03-02T04:45:00Z"}));
        let refusal = book(&mut world, 3, json!({"start": "2026-03-02T04:40:00Z"})).unwrap_err();
        assert_eq!((refusal.class, refusal.code), (crate::Class::Conflict, "slot-taken"));
        let (member, free) = &refusal.extra[0];
        assert_eq!(*member, "alternatives");
        let starts: Vec<_> = free.as_array().unwrap().iter().map(|slot| slot["start"].as_str().unwrap()).collect();
        assert_eq!(starts.len(), 5);
        assert!(starts.contains(&"2026-03-02T04:15:00Z") && starts.contains(&"2026-03-02T05:00:00Z"));
        assert!(!starts.contains(&TEN) && !starts.contains(&"2026-03-02T04:45:00Z"));
        assert!(starts.is_sorted());
        for start in starts {
            book(&mut world.clone(), 3, json!({"start": start})).unwrap();
        }
    }

    #[test]
    fn a_full_day_offers_the_next() {
        let mut world = desk();
        let hours = json!([
            {"office_id": World::OFFICE, "weekday": "mon", "from": "10:00", "to": "10:30", "slot_minutes": 30},
            {"office_id": World::OFFICE, "weekday": "wed", "from": "10:00", "to": "10:30", "slot_minutes": 30}
        ]);
        world.given_hours(id(DOCTOR), hours);
        given_booked(&mut world, 1, json!({}));
        let refusal = book(&mut world, 2, json!({})).unwrap_err();
        let expected = json!([{"start": "2026-03-04T04:30:00Z", "end": "2026-03-04T05:00:00Z",
            "office_id": World::OFFICE}]);
        assert_eq!(refusal.extra, [("alternatives", expected)]);
    }

    #[test]
    fn a_doctor_is_in_one_office_at_a_time() {
        let mut world = desk();
        let other = id::<OfficeId>(9);
        world.given_office(other);
        world.given(id::<DoctorId>(DOCTOR), events::DoctorEvent::OfficeAssigned { office: other });
        given_booked(&mut world, 1, json!({}));
        assert_eq!(code(book(&mut world, 2, json!({"office_id": other}))), "slot-taken");
        let colleague = world.given_doctor(0xD2);
        given_booked(&mut world, 2, json!({"doctor_id": colleague}));
    }

    #[test]
    fn an_id_is_used_once() {
        let mut world = desk();
        given_booked(&mut world, 1, json!({}));
        assert_eq!(code(book(&mut world, 1, json!({}))), "duplicate");
    }
}
