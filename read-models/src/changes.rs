//! What an event changed: the rows that it touches, folded before and after it and compared member by member.
//!
//! Made of the folds alone, so whatever a read model shows is told, of every aggregate that there will be.

use std::collections::HashMap;

use events::{Position, Recorded};
use serde_json::{Map, Value};

use crate::{Projection, Rows, Visitor, each};

/// Members of every row that change with it, or say nothing that others do not.
const UNTOLD: &[&str] = &["id", "version", "position", "name_text", "search_text"];

/// One member of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The read model: `patient`.
    pub model: &'static str,
    pub field: String,
    /// Null: there was nothing.
    pub before: Value,
    /// Null: there is nothing.
    pub after: Value,
}

/// Folds whole streams of one clinic's record, in the order of their positions, and tells for each of the wanted
/// events what it changed in the rows that are one stream's.
pub fn changes(events: &[Recorded], wanted: impl Fn(Position) -> bool) -> HashMap<Position, Vec<Change>> {
    let mut compare = Compare { events, wanted: &wanted, found: HashMap::new() };
    each(&mut compare);
    compare.found
}

struct Compare<'a> {
    events: &'a [Recorded],
    wanted: &'a dyn Fn(Position) -> bool,
    found: HashMap<Position, Vec<Change>>,
}

impl Visitor for Compare<'_> {
    type Output = ();

    fn visit<P: Projection>(&mut self) {
        if !P::ONE_STREAM {
            return;
        }
        let mut rows = Rows::<P>::default();
        for event in self.events {
            if !(self.wanted)(event.position) {
                rows.apply(event);
                continue;
            }
            let keys = P::keys(event);
            let before: Vec<_> = keys.iter().map(|key| members(rows.get(key))).collect();
            rows.apply(event);
            let found = self.found.entry(event.position).or_default();
            for (key, before) in keys.iter().zip(before) {
                found.extend(differences(P::NAME, before, members(rows.get(key))));
            }
        }
    }
}

fn members<R: serde::Serialize>(row: Option<&R>) -> Map<String, Value> {
    match row.map(serde_json::to_value) {
        Some(Ok(Value::Object(members))) => members,
        _ => Map::new(),
    }
}

fn differences(model: &'static str, mut before: Map<String, Value>, after: Map<String, Value>) -> Vec<Change> {
    let mut changes = Vec::new();
    for (field, after) in after {
        let before = before.remove(&field).unwrap_or_default();
        changes.extend(change(model, field, before, after));
    }
    // What is left was in a row that is gone.
    changes.extend(before.into_iter().filter_map(|(field, before)| change(model, field, before, Value::Null)));
    changes
}

fn change(model: &'static str, field: String, before: Value, after: Value) -> Option<Change> {
    let same = before == after || is_nothing(&before) && is_nothing(&after);
    (!same && !UNTOLD.contains(&field.as_str())).then_some(Change { model, field, before, after })
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use events::appointment::Slot;
    use serde_json::json;

    use super::*;
    use crate::sample::History;

    #[test]
    fn a_move_changes_when_it_is_and_nothing_else() {
        let mut history = History::new();
        let (appointment, slot) = history.booked(1);
        let moved = Slot { start: slot.start + TimeDelta::hours(1), ..slot };
        history.rescheduled(appointment, slot, moved);
        let events: Vec<Recorded> = history.events().cloned().collect();
        let last = events.last().unwrap();
        let found = changes(&events, |position| position == last.position);
        let fields: Vec<&str> = found[&last.position].iter().map(|change| change.field.as_str()).collect();
        assert_eq!(fields, ["start", "end", "rescheduled_at"]);
        let start = &found[&last.position][0];
        assert_eq!((&start.before, &start.after), (&json!(slot.start), &json!(moved.start)));
        assert_eq!(found.len(), 1, "only what was asked for");
    }

    #[test]
    fn a_first_event_changes_nothing_into_something() {
        let mut history = History::new();
        history.booked(1);
        let events: Vec<Recorded> = history.events().cloned().collect();
        let booked = events.last().unwrap();
        let found = changes(&events, |_| true);
        let number = found[&booked.position].iter().find(|change| change.field == "number").unwrap();
        assert_eq!((&number.before, number.model), (&Value::Null, "appointment"));
        assert!(found[&booked.position].iter().all(|change| change.field != "cancelled_by"), "null is no change");
    }
}
