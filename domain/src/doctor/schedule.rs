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
