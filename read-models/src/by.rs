//! Who did something, and when.

use chrono::{DateTime, Utc};
use events::{Recorded, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who did it, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct By {
    pub at: DateTime<Utc>,
    /// `null` for the system and for an import by nobody.
    pub user_id: Option<UserId>,
    /// At the time.
    pub username: String,
}

impl By {
    pub fn of(event: &Recorded) -> Self {
        Self { at: event.occurred_at, user_id: event.actor.user, username: event.actor.name.clone() }
    }
}
