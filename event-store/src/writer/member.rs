//! One command of a group, and who waits for its answer.

use events::{Number, Series};
use tokio::sync::oneshot;

use super::memory::LedgerId;
use crate::append::{Append, AppendError, Appended};

pub(super) type Answer = Result<Appended, AppendError>;

pub(super) struct Member {
    pub(super) append: Append,
    /// Of the numbers that its events ask for.
    pub(super) series: Vec<Series>,
    /// Lost a race inside the database: it takes no further part in its group.
    pub(super) lost: Option<AppendError>,
    caller: oneshot::Sender<Answer>,
}

impl Member {
    pub(super) fn new(mut append: Append, caller: oneshot::Sender<Answer>) -> Self {
        let series = append.events.iter_mut().filter_map(|new| match new.event.number_mut()? {
            Number::Next(series) => Some(series.clone()),
            Number::Given(_) => None,
        });
        Self { series: series.collect(), append, lost: None, caller }
    }

    pub(super) fn answer(self, answer: Answer) {
        // Whoever asked may have gone: what was appended stays.
        let _ = self.caller.send(answer);
    }
}

impl Append {
    pub(super) fn place(&self) -> LedgerId {
        LedgerId { clinic: self.clinic, ledger: self.ledger }
    }
}
