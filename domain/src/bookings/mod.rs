//! Booked appointments in the way of something else: of a leave, of a closure, of an end. They are listed
//! in a refusal, cancelled, or moved to another doctor; never left behind unseen.

mod stand;
#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};
use events::{
    AppointmentEvent, AppointmentId, DoctorId, OfficeId, StreamId,
    appointment::{AppointmentReason, AppointmentStatus, CancelledBy, Slot},
    values::Span,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Appointment, Decision, Facts, Read, Refusal};

pub use stand::Stand;

/// So many appointments are cancelled or moved by one command, and no more.
const MAX_AT_ONCE: usize = 500;
/// So many are listed in a refusal; `count` says how many there are.
const MAX_LISTED: usize = 100;
/// No appointment lies beyond it.
const FAR_FUTURE: DateTime<Utc> = DateTime::from_timestamp(253_402_300_799, 0).expect("the last second of 9999");
/// An appointment lasts up to eight hours, so one that reaches into a span began on the day before at most.
const MARGIN: TimeDelta = TimeDelta::days(1);

/// What to do with booked appointments in the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BookedAppointments {
    /// The command is refused with their list.
    #[default]
    Refuse,
    /// They are cancelled by the clinic.
    Cancel,
    /// They are moved to another doctor at the same time and place; if one cannot be, the command is
    /// refused with the list of those that cannot.
    RescheduleTo(DoctorId),
}

/// What to do with booked appointments in the way where no other doctor can help.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BookedAtClosure {
    /// The command is refused with their list.
    #[default]
    Refuse,
    /// They are cancelled by the clinic.
    Cancel,
}

impl From<BookedAtClosure> for BookedAppointments {
    fn from(appointments: BookedAtClosure) -> Self {
        match appointments {
            BookedAtClosure::Refuse => Self::Refuse,
            BookedAtClosure::Cancel => Self::Cancel,
        }
    }
}

/// All time, as far as appointments go.
pub fn always() -> Span {
    Span { from: DateTime::UNIX_EPOCH, to: FAR_FUTURE }
}

/// The claims on one doctor's time.
pub fn time_of(doctor: DoctorId, span: Span) -> Read {
    Read::DoctorTime { doctor, from: span.from, to: span.to }
}

/// An appointment that is booked, and whose it is.
#[derive(Clone, Copy)]
pub struct Booking<'f> {
    id: AppointmentId,
    appointment: &'f Appointment,
}

/// What has to be known to see to the appointments that `times` holds.
pub fn reads(times: Read, appointments: BookedAppointments, facts: &Facts) -> Vec<Read> {
    let held = facts.times(&times);
    let mut reads: Vec<Read> = held.iter().take(MAX_AT_ONCE).map(|held| Read::Stream(held.holder)).collect();
    if let (BookedAppointments::RescheduleTo(other), Some(span)) = (appointments, span_of(&times)) {
        reads.extend([Read::Stream(other.into()), widened(other, span)]);
    }
    reads.push(times);
    reads
}

fn span_of(times: &Read) -> Option<Span> {
    match *times {
        Read::DoctorTime { from, to, .. } | Read::ClinicTime { from, to, .. } => Some(Span { from, to }),
        Read::Stream(_)
        | Read::Platform(_)
        | Read::Chart(_)
        | Read::WholeChart(_)
        | Read::Claim(_)
        | Read::Counter(_) => None,
    }
}

/// The other doctor's time around the span: an appointment that reaches into it goes on outside.
fn widened(doctor: DoctorId, span: Span) -> Read {
    let from = span.from.checked_sub_signed(MARGIN).unwrap_or(span.from);
    time_of(doctor, Span { from, to: span.to.checked_add_signed(MARGIN).unwrap_or(span.to) })
}

/// The appointments among `times` that are not over, not with the doctor yet, and lie in the span. A
/// buffer may reach into it.
pub fn in_the_way<'f>(
    times: &Read,
    span: &Span,
    facts: &'f Facts,
    now: DateTime<Utc>,
) -> Result<Vec<Booking<'f>>, Refusal> {
    let held = facts.times(times);
    if held.len() > MAX_AT_ONCE {
        let listed = held.iter().map(|held| json!({ "id": held.holder.id, "start": held.time.from }));
        return Err(booked(held.len(), listed));
    }
    let booking = |holder: StreamId| {
        Some(Booking { id: AppointmentId(holder.id), appointment: facts.get::<Appointment>(holder)? })
    };
    let concerned = |booking: &Booking<'_>| {
        let slot = &booking.appointment.slot;
        let visit = Span { from: slot.start, to: slot.end() };
        booking.appointment.status != AppointmentStatus::CheckedIn && slot.end() > now && visit.overlaps(span)
    };
    Ok(held.iter().filter_map(|held| booking(held.holder)).filter(concerned).collect())
}

/// What becomes of the appointments in the way; `why` is told to the patients.
pub enum Settle<'f> {
    Refuse,
    Cancel { why: &'static str },
    Move { to: Stand<'f>, why: &'static str },
}

impl Settle<'_> {
    pub fn at_closure(appointments: BookedAtClosure, why: &'static str) -> Self {
        match appointments {
            BookedAtClosure::Refuse => Self::Refuse,
            BookedAtClosure::Cancel => Self::Cancel { why },
        }
    }
}

/// Refuses, cancels or moves the appointments.
pub fn settle(decision: Decision, bookings: &[Booking<'_>], how: &Settle<'_>) -> Result<Decision, Refusal> {
    match how {
        _ if bookings.is_empty() => Ok(decision),
        Settle::Refuse => Err(booked(bookings.len(), bookings.iter().map(Booking::listed))),
        Settle::Cancel { why } => {
            Ok(bookings.iter().fold(decision, |decision, booking| decision.and(booking.id, booking.cancelled(why))))
        }
        Settle::Move { to, why } => moved(decision, bookings, to, why),
    }
}

/// The refusal over appointments in the way.
fn booked(count: usize, listed: impl Iterator<Item = Value>) -> Refusal {
    let detail = if count > MAX_AT_ONCE {
        format!("{count} booked appointments lie in this time; one command sees to {MAX_AT_ONCE} of them.")
    } else {
        format!("{count} booked appointments lie in this time.")
    };
    listing(Refusal::conflict("appointments-booked", detail), count, listed)
}

fn listing(refusal: Refusal, count: usize, listed: impl Iterator<Item = Value>) -> Refusal {
    refusal.with("count", count).with("appointments", listed.take(MAX_LISTED).collect::<Vec<_>>())
}

fn moved(
    mut decision: Decision,
    bookings: &[Booking<'_>],
    stand: &Stand<'_>,
    why: &'static str,
) -> Result<Decision, Refusal> {
    let (mut taken, mut stuck) = (Vec::new(), Vec::new());
    for booking in bookings {
        match stand.slot_for(booking.appointment, &taken) {
            Some(slot) => {
                taken.push(slot.span());
                decision = decision.and(booking.id, booking.rescheduled(slot, why));
            }
            None => stuck.push(booking.listed()),
        }
    }
    if stuck.is_empty() {
        return Ok(decision);
    }
    let detail = format!("The other doctor cannot take {} of the appointments.", stuck.len());
    Err(listing(Refusal::conflict("cannot-reschedule", detail), stuck.len(), stuck.into_iter()))
}

impl Booking<'_> {
    pub fn office(&self) -> OfficeId {
        self.appointment.slot.office
    }

    fn listed(&self) -> Value {
        let Slot { doctor, office, start, minutes, .. } = self.appointment.slot;
        json!({ "id": self.id, "doctor_id": doctor, "office_id": office, "start": start, "minutes": minutes })
    }

    fn cancelled(&self, why: &'static str) -> AppointmentEvent {
        AppointmentEvent::AppointmentCancelled {
            slot: self.appointment.slot,
            was: self.appointment.status,
            by: CancelledBy::Clinic,
            sealed: AppointmentReason { reason: Some(why.to_owned()) }.into(),
        }
    }

    fn rescheduled(&self, to: Slot, why: &'static str) -> AppointmentEvent {
        AppointmentEvent::AppointmentRescheduled {
            from: self.appointment.slot,
            to,
            was: self.appointment.status,
            status: self.appointment.status,
            kind: self.appointment.kind,
            sealed: AppointmentReason { reason: Some(why.to_owned()) }.into(),
        }
    }
}
