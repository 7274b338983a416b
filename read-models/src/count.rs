//! Counts by some code: `{"active": 12, "inactive": 3}`.

use std::{borrow::Borrow, collections::BTreeMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many of each. What stands at zero is left out, so that equal counts are equal bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Counts(BTreeMap<String, i64>);

impl Counts {
    pub fn get(&self, code: impl Borrow<str>) -> i64 {
        self.0.get(code.borrow()).copied().unwrap_or(0)
    }

    pub fn add(&mut self, code: impl ToString, delta: i64) {
        let code = code.to_string();
        let count = self.0.get(&code).copied().unwrap_or(0) + delta;
        if count == 0 {
            self.0.remove(&code);
        } else {
            self.0.insert(code, count);
        }
    }

    /// One fewer of `from`, one more of `to`.
    pub fn shift(&mut self, from: impl ToString, to: impl ToString) {
        self.add(from, -1);
        self.add(to, 1);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn total(&self) -> i64 {
        self.0.values().sum()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        self.0.iter().map(|(code, count)| (code.as_str(), *count))
    }
}
