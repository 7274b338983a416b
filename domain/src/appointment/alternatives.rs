//! What is free instead of a slot that is taken.

use chrono::{DateTime, NaiveDate, Utc};
use events::{
    OfficeId,
    appointment::Slot,
    calendar::{WorkingHours, free_slots},
    values::Span,
};
use serde_json::{Value, json};

use super::lanes::Lanes;
use crate::{Clinic, Doctor};

/// The day of the slot, and so many after it less one.
pub(super) const DAYS_SEARCHED: u8 = 7;
const MAX_ALTERNATIVES: usize = 5;

/// Free times of the same doctor and length, the nearest ones, in the order of time.
pub(super) fn near(slot: &Slot, doctor: &Doctor, clinic: &Clinic, lanes: &Lanes<'_>, now: DateTime<Utc>) -> Vec<Value> {
    let days = slot.day.iter_days().take(DAYS_SEARCHED.into());
    let mut free: Vec<(Span, OfficeId)> = days.flat_map(|day| free_on(day, slot, doctor, clinic, lanes, now)).collect();
    free.sort_by_key(|(span, _)| (span.from - slot.start).abs());
    free.truncate(MAX_ALTERNATIVES);
    free.sort_by_key(|(span, _)| span.from);
    free.into_iter().map(|(span, office)| json!({"start": span.from, "end": span.to, "office_id": office})).collect()
}

fn free_on(
    day: NaiveDate,
    slot: &Slot,
    doctor: &Doctor,
    clinic: &Clinic,
    lanes: &Lanes<'_>,
    now: DateTime<Utc>,
) -> Vec<(Span, OfficeId)> {
    let hours = doctor.hours_in(clinic).into_iter().filter(|hours| doctor.works_in(hours.office_id));
    let found = hours.flat_map(|hours| {
        let free = hours.on(day, clinic.zone()).map(|block| free_in(&hours, block, slot.minutes, lanes, now));
        free.into_iter().flatten().map(move |span| (span, hours.office_id))
    });
    let open = |(span, office): &(Span, OfficeId)| {
        doctor.leave_overlapping(span).is_none() && clinic.closure_over(*office, span).is_none()
    };
    found.filter(open).collect()
}

/// The times of a block that are free in any of the open lanes.
fn free_in(hours: &WorkingHours, block: Span, minutes: i64, lanes: &Lanes<'_>, now: DateTime<Utc>) -> Vec<Span> {
    let wanted = WorkingHours { slot_minutes: minutes, ..*hours };
    let in_lane = |lane| free_slots(&wanted, block, &lanes.held_in(lane).collect::<Vec<_>>(), now);
    let mut free: Vec<Span> = (0..lanes.open()).flat_map(in_lane).collect();
    free.sort_by_key(|span| span.from);
    free.dedup();
    free
}
