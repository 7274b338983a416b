//! Who did something, and when.

use chrono::{DateTime, Utc};
use events::{Recorded, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stamp {
    pub at: DateTime<Utc>,
    /// `null`: the program itself.
    pub by: Option<UserId>,
    /// The user name at the time.
    pub name: String,
}

impl Stamp {
    pub fn of(event: &Recorded) -> Self {
        Self { at: event.occurred_at, by: event.actor.user, name: event.actor.name.clone() }
    }
}
