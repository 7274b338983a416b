//! Days on which an office, or the whole clinic, is closed.

use chrono::NaiveDate;
use events::{ClinicEvent, ClosureId, OfficeId, calendar::day_of, clinic::Closure};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Clinic, did, state::days_of};
use crate::{
    Context, Decision, Facts, Read, Refusal,
    bookings::{self, BookedAtClosure, Settle},
    values::Reason,
};

/// A closure lasts a year at most; what is closed for longer is closed for good.
const MAX_CLOSURE_DAYS: i64 = 366;
/// What a cancelled patient is told.
const WHY: &str = "The clinic is closed at that time.";

/// Declares that an office, or the whole clinic, is closed on some days.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclareClosure {
    /// Left out: all offices.
    #[serde(default)]
    pub office_id: Option<OfficeId>,
    /// First day.
    pub from: NaiveDate,
    /// Last day; left out: the first is the only one.
    #[serde(default)]
    pub to: Option<NaiveDate>,
    pub reason: Reason,
    /// What happens to appointments that are booked then: `refuse` (the command, with their list) or `cancel`.
    #[serde(default)]
    pub appointments: BookedAtClosure,
}

impl DeclareClosure {
    fn closure(&self, context: &Context<'_>) -> Closure {
        let (from, to) = (self.from, self.to.unwrap_or(self.from));
        let reason = self.reason.as_str().to_owned();
        Closure { id: context.new_id(0), office: self.office_id, from, to, reason }
    }

    fn times(&self, clinic: &Clinic) -> Read {
        let days = days_of(self.from, self.to.unwrap_or(self.from), clinic.zone());
        Read::ClinicTime { office: self.office_id, from: days.from, to: days.to }
    }

    pub(super) fn reads(&self, clinic: &Clinic, facts: &Facts) -> Vec<Read> {
        bookings::reads(self.times(clinic), self.appointments.into(), facts)
    }

    pub(super) fn decide(self, clinic: &Clinic, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        if let Some(office) = self.office_id {
            clinic.open_office(office)?;
        }
        let closure = self.closure(context);
        check_days(&closure, clinic, context)?;
        let days = days_of(closure.from, closure.to, clinic.zone());
        let booked = bookings::in_the_way(&self.times(clinic), &days, facts, context.now)?;
        let declared = did(context, ClinicEvent::ClosureDeclared { closure });
        bookings::settle(declared, &booked, &Settle::at_closure(self.appointments, WHY))
    }
}

fn check_days(closure: &Closure, clinic: &Clinic, context: &Context<'_>) -> Result<(), Refusal> {
    if closure.to < closure.from {
        return Err(Refusal::rule("days-backwards", "The last day is not before the first.").at("/to"));
    }
    if (closure.to - closure.from).num_days() >= MAX_CLOSURE_DAYS {
        let detail = format!("A closure lasts at most {MAX_CLOSURE_DAYS} days.");
        return Err(Refusal::rule("too-long", detail).at("/to"));
    }
    if closure.to < day_of(context.now, clinic.zone()) && !context.is_import() {
        return Err(Refusal::rule("in-the-past", "These days are over.").at("/to"));
    }
    Ok(())
}

/// Takes a closure back. What was cancelled for it stays cancelled.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelClosure {
    pub closure_id: ClosureId,
}

impl CancelClosure {
    pub(super) fn decide(self, clinic: &Clinic, context: &Context<'_>) -> Result<Decision, Refusal> {
        let declared = clinic.closures.iter().any(|closure| closure.id == self.closure_id);
        if !declared {
            return Err(Refusal::not_found("closure"));
        }
        Ok(did(context, ClinicEvent::ClosureCancelled { closure: self.closure_id }))
    }
}
