//! When a doctor works, and when not.

use chrono::{DateTime, TimeDelta, Utc};
use events::{
    DoctorEvent, DoctorId, LeaveId, OfficeId, Role, Sealed,
    calendar::{Clock, DEFAULT_SLOT_MINUTES, Day, WorkingHours},
    doctor::DoctorReason,
    values::Span,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Doctor, did, offices::assigned};
use crate::{
    Clinic, Context, Decision, Facts, Read, Refusal,
    bookings::{self, BookedAppointments, Settle, Stand},
    hours,
    values::{DayOrInstant, Reason, VisitMinutes, Whole},
};

/// A leave lasts two years at most.
const MAX_LEAVE: TimeDelta = TimeDelta::days(731);
/// What a patient is told whose appointment is cancelled or moved.
const WHY: &str = "The doctor is away at that time.";

/// A block of working hours on one day of the week.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkingBlock {
    pub office_id: OfficeId,
    pub weekday: Day,
    pub from: Clock,
    /// `23:59` is the end of the day.
    pub to: Clock,
    /// 15 if left out.
    #[serde(default)]
    pub slot_minutes: Option<VisitMinutes>,
    /// Minutes kept free after each appointment.
    #[serde(default)]
    pub buffer_minutes: Option<Whole<0, 240>>,
}

impl From<WorkingBlock> for WorkingHours {
    fn from(block: WorkingBlock) -> Self {
        Self {
            office_id: block.office_id,
            weekday: block.weekday,
            from: block.from,
            to: block.to,
            slot_minutes: block.slot_minutes.map_or(DEFAULT_SLOT_MINUTES, Into::into),
            buffer_minutes: block.buffer_minutes.map_or(0, Into::into),
        }
    }
}

/// That an administrator asks, or the doctor: nurses and receptionists read schedules.
fn own_or_administrator(context: &Context<'_>) -> Result<(), Refusal> {
    let actor = context.actor;
    let own = actor.user.is_some_and(|user| user.0 == context.target.id);
    if own || actor.has(Role::ClinicAdmin) || actor.kind != events::ActorKind::Person {
        Ok(())
    } else {
        Err(Refusal::forbidden("not-your-own", "Doctors see to their own hours and leave, administrators to all."))
    }
}

/// Sets when the doctor works, replacing all hours; without any the doctor has the hours of each office.
/// What is booked stays.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetWorkingHours {
    pub hours: Vec<WorkingBlock>,
}

impl SetWorkingHours {
    pub(super) fn decide(self, doctor: &Doctor, context: &Context<'_>) -> Result<Decision, Refusal> {
        own_or_administrator(context)?;
        hours::check(self.hours.iter().map(|block| (block.weekday, block.from, block.to)))?;
        let clinic = context.in_clinic()?;
        for block in &self.hours {
            clinic.open_office(block.office_id).map_err(|refusal| refusal.at("/hours"))?;
            assigned(doctor, block.office_id).map_err(|refusal| refusal.at("/hours"))?;
        }
        let hours: Vec<WorkingHours> = self.hours.into_iter().map(Into::into).collect();
        if hours.iter().any(|block| (block.to.0 - block.from.0).num_minutes() < block.slot_minutes) {
            let detail = "A block of hours is at least as long as one slot.";
            return Err(Refusal::rule("slot-longer-than-hours", detail).at("/hours"));
        }
        if hours == doctor.hours {
            return Ok(Decision::already_so());
        }
        Ok(did(context, DoctorEvent::WorkingHoursSet { hours }))
    }
}

/// Declares that the doctor is away.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclareLeave {
    /// First day, or the instant at which the leave begins.
    pub from: DayOrInstant,
    /// Last day, or the instant at which the doctor is back.
    pub to: DayOrInstant,
    #[serde(default)]
    pub reason: Option<Reason>,
    /// What happens to appointments that are booked then: `refuse` (the command, with their list),
    /// `cancel`, or `{"reschedule_to": doctor}`, at the same time with another doctor.
    #[serde(default)]
    pub appointments: BookedAppointments,
}

impl DeclareLeave {
    fn span(&self, clinic: &Clinic) -> Span {
        Span { from: self.from.begin(clinic.zone()), to: self.to.end(clinic.zone()) }
    }

    pub(super) fn reads(&self, doctor: DoctorId, clinic: &Clinic, facts: &Facts) -> Vec<Read> {
        let span = self.span(clinic);
        // Refused without a look.
        if span.from >= span.to {
            return Vec::new();
        }
        bookings::reads(bookings::time_of(doctor, span), self.appointments, facts)
    }

    pub(super) fn decide(self, doctor: &Doctor, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        own_or_administrator(context)?;
        let (clinic, id) = (context.in_clinic()?, DoctorId(context.target.id));
        let span = self.span(clinic);
        check_leave(&span, doctor, context)?;
        let booked = bookings::in_the_way(&bookings::time_of(id, span), &span, facts, context.now)?;
        let sealed = self.reason.map_or(Sealed::Erased, |reason| DoctorReason { reason: reason.into() }.into());
        let declared = did(context, DoctorEvent::LeaveDeclared { leave: context.new_id(0), span, sealed });
        bookings::settle(declared, &booked, &settling(self.appointments, id, span, clinic, facts)?)
    }
}

/// What becomes of a doctor's appointments.
pub(super) fn settling<'f>(
    appointments: BookedAppointments,
    absent: DoctorId,
    span: Span,
    clinic: &'f Clinic,
    facts: &'f Facts,
) -> Result<Settle<'f>, Refusal> {
    Ok(match appointments {
        BookedAppointments::Refuse => Settle::Refuse,
        BookedAppointments::Cancel => Settle::Cancel { why: WHY },
        BookedAppointments::RescheduleTo(other) => {
            Settle::Move { to: Stand::of(other, absent, span, clinic, facts)?, why: WHY }
        }
    })
}

fn check_leave(span: &Span, doctor: &Doctor, context: &Context<'_>) -> Result<(), Refusal> {
    if span.from >= span.to {
        return Err(Refusal::rule("leave-backwards", "A leave begins before it ends.").at("/to"));
    }
    if span.to - span.from > MAX_LEAVE {
        let detail = format!("A leave lasts at most {} days.", MAX_LEAVE.num_days());
        return Err(Refusal::rule("too-long", detail).at("/to"));
    }
    if is_over(span.to, context) {
        return Err(Refusal::rule("in-the-past", "This leave would be over already.").at("/to"));
    }
    if let Some(leave) = doctor.leave_overlapping(span) {
        let detail = "The doctor is on leave then already.";
        return Err(Refusal::rule("leave-overlap", detail).at("/from").with("leave_id", leave.to_string()));
    }
    Ok(())
}

fn is_over(end: DateTime<Utc>, context: &Context<'_>) -> bool {
    end <= context.now && !context.is_import()
}

/// Takes a leave back. What was cancelled or moved for it stays so.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelLeave {
    pub leave_id: LeaveId,
}

impl CancelLeave {
    pub(super) fn decide(self, doctor: &Doctor, context: &Context<'_>) -> Result<Decision, Refusal> {
        own_or_administrator(context)?;
        let leave = self.leave_id;
        if doctor.leaves.iter().all(|(id, _)| *id != leave) {
            return Err(Refusal::not_found("leave"));
        }
        Ok(did(context, DoctorEvent::LeaveCancelled { leave }))
    }
}

#[cfg(test)]
mod tests {
    use events::UserId;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{World, at, body, id};

    fn start() -> (World, DoctorId) {
        let mut world = World::registered();
        let doctor = world.given_doctor(3);
        (world, doctor)
    }

    fn set_hours(world: &mut World, doctor: DoctorId, hours: Value) -> Result<Vec<events::DomainEvent>, Refusal> {
        world.when::<Doctor>(doctor, body::<SetWorkingHours>(json!({"hours": hours})))
    }

    fn leave(world: &mut World, doctor: DoctorId, leave: Value) -> Result<Vec<events::DomainEvent>, Refusal> {
        world.when::<Doctor>(doctor, body::<DeclareLeave>(leave))
    }

    fn block(office: OfficeId, from: &str, to: &str) -> Value {
        json!({"office_id": office, "weekday": "mon", "from": from, "to": to})
    }

    #[test]
    fn a_doctor_without_hours_has_those_of_the_office() {
        let (mut world, doctor) = start();
        let office = world.office();
        let clinic = world.state::<Clinic>(world.clinic).unwrap();
        assert_eq!(world.state::<Doctor>(doctor).unwrap().hours_in(clinic).len(), 6);
        set_hours(&mut world, doctor, json!([block(office, "10:00", "12:00")])).unwrap();
        let clinic = world.state::<Clinic>(world.clinic).unwrap();
        let state = world.state::<Doctor>(doctor).unwrap();
        let over = |from: &str, to: &str| state.hours_over(clinic, office, &Span { from: at(from), to: at(to) });
        assert!(over("2026-03-02T04:30:00Z", "2026-03-02T06:30:00Z").is_some());
        assert!(over("2026-03-02T04:29:00Z", "2026-03-02T05:00:00Z").is_none());
        assert!(over("2026-03-03T04:30:00Z", "2026-03-03T05:00:00Z").is_none());
    }

    #[test]
    fn hours_lie_in_offices_of_the_doctor_and_nowhere_overlap() {
        let (mut world, doctor) = start();
        let (office, north) = (world.office(), id(2));
        let foreign = set_hours(&mut world, doctor, json!([block(north, "09:00", "10:00")])).unwrap_err();
        assert_eq!(foreign.class, crate::Class::NotFound);
        world.given_office(north);
        let elsewhere = set_hours(&mut world, doctor, json!([block(north, "09:00", "10:00")])).unwrap_err();
        assert_eq!(elsewhere.code, "office-not-assigned");
        world.given(doctor, DoctorEvent::OfficeAssigned { office: north });
        let both = json!([block(office, "09:00", "12:00"), block(north, "11:59", "13:00")]);
        assert_eq!(set_hours(&mut world, doctor, both).unwrap_err().code, "hours-overlap");
        let backwards = json!([block(office, "12:00", "09:00")]);
        assert_eq!(set_hours(&mut world, doctor, backwards).unwrap_err().code, "hours-backwards");
        let mut short = block(office, "09:00", "09:30");
        short["slot_minutes"] = 45.into();
        assert_eq!(set_hours(&mut world, doctor, json!([short])).unwrap_err().code, "slot-longer-than-hours");
        let fits = json!([block(office, "09:00", "12:00"), block(north, "12:00", "13:00")]);
        set_hours(&mut world, doctor, fits.clone()).unwrap();
        assert!(set_hours(&mut world, doctor, fits).unwrap().is_empty(), "already so");
    }

    #[test]
    fn a_slot_has_five_to_480_minutes() {
        for minutes in [4, 481] {
            let mut sent = block(id(1), "09:00", "18:00");
            sent["slot_minutes"] = minutes.into();
            assert!(serde_json::from_value::<SetWorkingHours>(json!({"hours": [sent]})).is_err());
        }
    }

    #[test]
    fn doctors_see_to_their_own_schedule() {
        let (mut world, doctor) = start();
        let days = json!({"from": "2026-03-04", "to": "2026-03-05"});
        let other = world.given_doctor(4);
        world.acts(UserId(other.0), &[Role::Doctor]);
        assert_eq!(leave(&mut world, doctor, days.clone()).unwrap_err().code, "not-your-own");
        assert_eq!(set_hours(&mut world, doctor, json!([])).unwrap_err().code, "not-your-own");
        world.acts(UserId(doctor.0), &[Role::Doctor]);
        leave(&mut world, doctor, days).unwrap();
    }

    #[test]
    fn a_leave_of_days_covers_them_whole() {
        let (mut world, doctor) = start();
        leave(&mut world, doctor, json!({"from": "2026-03-04", "to": "2026-03-05", "reason": "a wedding"})).unwrap();
        let state = world.state::<Doctor>(doctor).unwrap();
        let during = |from: &str, to: &str| state.leave_overlapping(&Span { from: at(from), to: at(to) });
        let leave_id = during("2026-03-05T18:00:00Z", "2026-03-05T18:30:00Z").unwrap();
        assert!(during("2026-03-05T18:30:00Z", "2026-03-05T19:00:00Z").is_none());
        world.when::<Doctor>(doctor, CancelLeave { leave_id }).unwrap();
        assert!(world.state::<Doctor>(doctor).unwrap().leaves.is_empty());
        assert_eq!(world.when::<Doctor>(doctor, CancelLeave { leave_id }).unwrap_err().class, crate::Class::NotFound);
    }

    #[test]
    fn a_leave_runs_forward_ends_and_is_declared_once() {
        let (mut world, doctor) = start();
        for (sent, code) in [
            (json!({"from": "2026-03-05", "to": "2026-03-04"}), "leave-backwards"),
            (json!({"from": "2026-03-05", "to": "2028-03-06"}), "too-long"),
            (json!({"from": "2026-02-05", "to": "2026-03-02T03:00:00Z"}), "in-the-past"),
        ] {
            assert_eq!(leave(&mut world, doctor, sent).unwrap_err().code, code);
        }
        leave(&mut world, doctor, json!({"from": "2026-03-04", "to": "2026-03-05"})).unwrap();
        let twice = leave(&mut world, doctor, json!({"from": "2026-03-05T09:00:00Z", "to": "2026-03-07"})).unwrap_err();
        assert_eq!(twice.code, "leave-overlap");
    }
}
