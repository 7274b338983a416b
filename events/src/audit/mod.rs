//! What each event is called in an audit trail: its category, whether something was created, read, changed or
//! done, how it came out, and a sentence that a person can read.
//!
//! [`TABLE`] has a line for every event that there is; a test holds that. Readers of the log only ever look up
//! what the row itself says (its type, and marks in its clear part), so that a trail can be filtered where it
//! lies, and an event of a patient who was erased is told like any other.

mod sentence;
mod table;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

pub use sentence::{Told, subject};
pub use table::TABLE;

/// Which part of an auditor's interest an event belongs to.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Category {
    /// A patient's record, or what belongs to it, was written.
    ClinicalWrite,
    Read,
    Search,
    Print,
    Export,
    Download,
    /// Logins, logouts, passwords.
    Login,
    /// Who may do what.
    Privilege,
    /// How the clinic is set up.
    Configuration,
    /// Something was refused, or somebody was locked out.
    Security,
    BreakGlass,
    /// Somebody outside the clinic was told.
    Disclosure,
    /// The program's own work; not shown to patients.
    System,
}

/// FHIR AuditEvent.action.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
pub enum Action {
    #[serde(rename = "C")]
    #[strum(serialize = "C")]
    Create,
    #[serde(rename = "R")]
    #[strum(serialize = "R")]
    Read,
    #[serde(rename = "U")]
    #[strum(serialize = "U")]
    Update,
    #[serde(rename = "D")]
    #[strum(serialize = "D")]
    Delete,
    #[serde(rename = "E")]
    #[strum(serialize = "E")]
    Execute,
}

/// How it came out (FHIR AuditEvent.outcome).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i16)]
pub enum Outcome {
    Success = 0,
    /// May be tried again: a wrong password.
    MinorFailure = 4,
    /// Was refused.
    SeriousFailure = 8,
    /// Will be refused from now on.
    MajorFailure = 12,
}

/// What the clear part of an event must say, byte for byte, for a line of the table to be its own. Inside a JSON
/// string every quotation mark is escaped, so nothing that anybody typed looks like one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Any,
    With(&'static str),
    Without(&'static str),
}

impl Mark {
    /// The bytes, and whether they must be there.
    pub fn parts(self) -> Option<(&'static str, bool)> {
        match self {
            Self::Any => None,
            Self::With(mark) => Some((mark, true)),
            Self::Without(mark) => Some((mark, false)),
        }
    }

    fn fits(self, payload: &[u8]) -> bool {
        self.parts().is_none_or(|(mark, there)| contains(payload, mark) == there)
    }
}

fn contains(payload: &[u8], mark: &str) -> bool {
    payload.windows(mark.len()).any(|window| window == mark.as_bytes())
}

/// A line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Meaning {
    /// The stored name of the event.
    pub event: &'static str,
    pub mark: Mark,
    pub category: Category,
    pub action: Action,
    pub outcome: Outcome,
    /// The code of the problem, where it failed; a member of the event in braces.
    pub problem: Option<&'static str>,
    /// What follows on who it was; see [`Told`].
    pub says: &'static str,
}

impl Meaning {
    pub(in crate::audit) const fn new(
        event: &'static str,
        category: Category,
        action: Action,
        says: &'static str,
    ) -> Self {
        Self { event, mark: Mark::Any, category, action, outcome: Outcome::Success, problem: None, says }
    }

    pub(in crate::audit) const fn with(mut self, mark: &'static str) -> Self {
        self.mark = Mark::With(mark);
        self
    }

    pub(in crate::audit) const fn without(mut self, mark: &'static str) -> Self {
        self.mark = Mark::Without(mark);
        self
    }

    pub(in crate::audit) const fn failed(mut self, outcome: Outcome, problem: &'static str) -> Self {
        self.outcome = outcome;
        self.problem = Some(problem);
        self
    }
}

/// Of an event that only a newer program knows.
pub const UNKNOWN: Meaning =
    Meaning::new("", Category::System, Action::Execute, "did what this program does not know ({event})");

/// What an event is called, by its stored name and its clear part.
pub fn meaning(event_type: &str, payload: &[u8]) -> &'static Meaning {
    let of_event = TABLE.iter().filter(|line| line.event == event_type);
    of_event.into_iter().find(|line| line.mark.fits(payload)).unwrap_or(&UNKNOWN)
}
