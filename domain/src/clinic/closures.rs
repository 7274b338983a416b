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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{World, body, id};

    fn declare(world: &mut World, closure: Value) -> Result<Vec<events::DomainEvent>, Refusal> {
        world.when::<Clinic>(world.clinic, body::<DeclareClosure>(closure))
    }

    #[test]
    fn a_closure_covers_its_days_and_can_be_taken_back() {
        let mut world = World::registered();
        declare(&mut world, json!({"from": "2026-03-04", "to": "2026-03-05", "reason": "Holi"})).unwrap();
        let clinic = world.state::<Clinic>(world.clinic).unwrap();
        let visit = |start: &str, end: &str| events::values::Span {
            from: crate::testing::at(start),
            to: crate::testing::at(end),
        };
        let office = world.office();
        assert!(clinic.closure_over(office, &visit("2026-03-04T03:30:00Z", "2026-03-04T04:00:00Z")).is_some());
        assert!(clinic.closure_over(office, &visit("2026-03-05T18:00:00Z", "2026-03-05T18:30:00Z")).is_some());
        assert!(clinic.closure_over(office, &visit("2026-03-05T18:30:00Z", "2026-03-05T19:00:00Z")).is_none());
        let closure_id = clinic.closures[0].id;
        world.when::<Clinic>(world.clinic, CancelClosure { closure_id }).unwrap();
        assert!(world.state::<Clinic>(world.clinic).unwrap().closures.is_empty());
        let again = world.when::<Clinic>(world.clinic, CancelClosure { closure_id }).unwrap_err();
        assert_eq!(again.class, crate::Class::NotFound);
    }

    #[test]
    fn a_closure_of_one_office_leaves_the_others_open() {
        let mut world = World::registered();
        let office = world.office();
        declare(&mut world, json!({"office_id": office, "from": "2026-03-04", "reason": "Paint"})).unwrap();
        let clinic = world.state::<Clinic>(world.clinic).unwrap();
        let days = days_of(clinic.closures[0].from, clinic.closures[0].to, clinic.zone());
        assert!(clinic.closure_over(office, &days).is_some());
        assert!(clinic.closure_over(id(9), &days).is_none());
    }

    #[test]
    fn days_run_forward_are_few_and_not_over() {
        let mut world = World::registered();
        for (closure, code) in [
            (json!({"from": "2026-03-05", "to": "2026-03-04", "reason": "x"}), "days-backwards"),
            (json!({"from": "2026-03-05", "to": "2027-03-06", "reason": "x"}), "too-long"),
            (json!({"from": "2026-02-20", "to": "2026-03-01", "reason": "x"}), "in-the-past"),
            (json!({"office_id": id::<OfficeId>(9), "from": "2026-03-05", "reason": "x"}), "not-found"),
        ] {
            assert_eq!(declare(&mut world, closure).unwrap_err().code, code);
        }
        declare(&mut world, json!({"from": "2026-02-20", "to": "2026-03-02", "reason": "still going on"})).unwrap();
    }
}
