//! A command that the rules refuse. A refusal is not a failure: it has a stable code, a sentence for a
//! person, and what helps to do better; it never names anything of another clinic.

use events::claim::ClaimKey;
use serde_json::Value;

/// How the HTTP API classes a refusal (`api.md`, Errors).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// 404: the thing, or one it names, does not exist in this clinic.
    NotFound,
    /// 403: quota, suspended clinic, role.
    Forbidden,
    /// 409: somebody else was first (`slot-taken`, `duplicate`).
    Conflict,
    /// 422: a rule of the domain.
    Rule,
    /// 410: erased.
    Gone,
    /// 423: legal hold.
    Held,
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Refusal {
    pub class: Class,
    /// Stable, in kebab case: `slot-taken`.
    pub code: &'static str,
    /// What was wrong and what to do, for a person. No personal data.
    pub detail: String,
    /// The field that is to blame, as a JSON pointer into the command's body.
    pub pointer: Option<&'static str>,
    /// Further members of the problem document: `limit`, `used`, `alternatives`, `appointments`.
    pub extra: Vec<(&'static str, Value)>,
}

impl Refusal {
    fn new(class: Class, code: &'static str, detail: impl Into<String>) -> Self {
        Self { class, code, detail: detail.into(), pointer: None, extra: Vec::new() }
    }

    pub fn not_found(what: &str) -> Self {
        Self::new(Class::NotFound, "not-found", format!("There is no such {what} in this clinic."))
    }

    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(Class::Forbidden, code, detail)
    }

    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(Class::Conflict, code, detail)
    }

    pub fn rule(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(Class::Rule, code, detail)
    }

    /// What was known of a person, or of a whole clinic, is erased.
    pub fn gone() -> Self {
        Self::new(Class::Gone, "erased", "The record has been erased. What was said of the person is gone for good.")
    }

    pub fn held(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(Class::Held, code, detail)
    }

    /// Past a limit of the plan.
    pub fn quota(what: &str, limit: i64, used: i64) -> Self {
        Self::forbidden("quota-exceeded", format!("The plan allows {limit} {what}; {used} are in use."))
            .with("limit", limit)
            .with("used", used)
    }

    /// A value that must be unique, and is somebody else's.
    pub fn taken(claim: &ClaimKey) -> Self {
        let what = claim.kind.replace('-', " ");
        Self::conflict("duplicate", format!("This {what} is taken.")).with("taken", claim.kind)
    }

    #[must_use]
    pub fn at(mut self, pointer: &'static str) -> Self {
        self.pointer = Some(pointer);
        self
    }

    #[must_use]
    pub fn with(mut self, member: &'static str, value: impl Into<Value>) -> Self {
        self.extra.push((member, value.into()));
        self
    }
}
