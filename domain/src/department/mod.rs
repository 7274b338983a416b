//! A department of the clinic: a name, a head, and people. Who belongs to it is a matter of the logins, counted here.

mod people;
#[cfg(test)]
pub(crate) mod properties;
mod setup;

use std::collections::BTreeSet;

use events::{
    AggregateKind, DepartmentEvent, DepartmentId, StreamId, UserId,
    claim::{ClaimChange, ClaimKey, CounterChange, CounterKey},
};

use crate::{Aggregate, Context, Decision, Facts, Read, Refusal, usage::moved_claims, values::folded};

pub use people::{AssignHead, AssignStaff, UnassignStaff};
pub use setup::{CloseDepartment, CreateDepartment};

#[derive(Clone, Debug, PartialEq)]
pub struct Department {
    pub name: String,
    pub head: Option<UserId>,
    pub closed: bool,
}

impl Department {
    /// The name, which no other department of the clinic may have.
    pub(crate) fn held(&self) -> Vec<ClaimKey> {
        (!self.closed).then(|| name_claim(&self.name)).into_iter().collect()
    }

    fn is_open(&self) -> Result<(), Refusal> {
        match self.closed {
            false => Ok(()),
            true => Err(Refusal::conflict("department-closed", "The department is closed.")),
        }
    }
}

fn name_claim(name: &str) -> ClaimKey {
    ClaimKey::clinic("department-name", folded(name))
}

/// How many people belong to a department.
fn staff_counter(department: DepartmentId) -> CounterKey {
    CounterKey::new(format!("department/{department}/staff"))
}

/// What an event of a login does to the counts of departments.
pub(crate) fn moved(before: Option<&BTreeSet<DepartmentId>>, after: &BTreeSet<DepartmentId>) -> Vec<CounterChange> {
    let none = BTreeSet::new();
    let before = before.unwrap_or(&none);
    let changed = |department: &DepartmentId, delta| CounterChange { counter: staff_counter(*department), delta };
    let left = before.difference(after).map(|department| changed(department, -1));
    let joined = after.difference(before).map(|department| changed(department, 1));
    left.chain(joined).collect()
}

#[derive(Clone, Debug, derive_more::From)]
pub enum DepartmentCommand {
    Create(CreateDepartment),
    AssignHead(AssignHead),
    AssignStaff(AssignStaff),
    UnassignStaff(UnassignStaff),
    Close(CloseDepartment),
}

impl Aggregate for Department {
    const KIND: AggregateKind = AggregateKind::Department;
    type Event = DepartmentEvent;
    type Command = DepartmentCommand;

    fn reads(target: StreamId, _: Option<&Self>, command: &DepartmentCommand, facts: &Facts) -> Vec<Read> {
        match command {
            DepartmentCommand::Create(_) => Vec::new(),
            DepartmentCommand::AssignHead(command) => vec![Read::Stream(command.staff_id.into())],
            DepartmentCommand::AssignStaff(command) => vec![Read::Stream(command.staff_id.into())],
            DepartmentCommand::UnassignStaff(command) => vec![Read::Stream(command.staff_id.into())],
            // The append checks the bound; what is in the way is read once it has failed.
            DepartmentCommand::Close(_) => {
                facts.contended.then(|| Read::Counter(staff_counter(DepartmentId(target.id)))).into_iter().collect()
            }
        }
    }

    fn decide(
        state: Option<&Self>,
        command: DepartmentCommand,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        let known = || state.ok_or_else(|| Refusal::not_found("department"));
        match command {
            DepartmentCommand::Create(command) => command.decide(state, facts, context),
            DepartmentCommand::AssignHead(command) => command.decide(known()?, facts, context),
            DepartmentCommand::AssignStaff(command) => command.decide(known()?, facts, context),
            DepartmentCommand::UnassignStaff(command) => command.decide(known()?, facts, context),
            DepartmentCommand::Close(command) => command.decide(known()?, facts, context),
        }
    }

    fn evolve(state: Option<Self>, event: &DepartmentEvent) -> Option<Self> {
        match (state, event) {
            (None, DepartmentEvent::DepartmentCreated { name }) => {
                Some(Self { name: name.clone(), head: None, closed: false })
            }
            (Some(open), DepartmentEvent::DepartmentHeadAssigned { head, .. }) if !open.closed => {
                Some(Self { head: Some(*head), ..open })
            }
            (Some(open), DepartmentEvent::DepartmentClosed {}) if !open.closed => Some(Self { closed: true, ..open }),
            (None, DepartmentEvent::DepartmentHeadAssigned { .. } | DepartmentEvent::DepartmentClosed {})
            | (Some(_), _) => None,
        }
    }

    fn claims(before: Option<&Self>, after: &Self) -> Vec<ClaimChange> {
        moved_claims(&before.map(Self::held).unwrap_or_default(), &after.held())
    }

    fn counters(_: Option<&Self>, _: &Self) -> Vec<CounterChange> {
        Vec::new()
    }
}
