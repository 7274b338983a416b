//! One line in the process log when something goes away, one when it is back.

use std::{
    fmt::Display,
    sync::atomic::{AtomicU64, Ordering},
};

/// Whether a line works, as its users have found: 0 unproven, odd while it works, even while it does not.
pub(crate) struct Outage {
    count: AtomicU64,
    what: &'static str,
}

/// A time in which the line worked. A failure of something that was begun in an earlier one is no news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Era(u64);

impl Outage {
    /// `what` as the log calls it: "publishing".
    pub(crate) fn new(what: &'static str) -> Self {
        Self { count: AtomicU64::new(0), what }
    }

    /// The era that lasts; `None` while the line does not work, and before the first proof.
    pub(crate) fn era(&self) -> Option<Era> {
        let count = self.count.load(Ordering::Acquire);
        (count % 2 == 1).then_some(Era(count))
    }

    /// The line works.
    pub(crate) fn works(&self) -> Era {
        let count = self.count.load(Ordering::Acquire);
        if count % 2 == 1 || !self.moves(count) {
            return Era(self.count.load(Ordering::Acquire));
        }
        if count > 0 {
            tracing::info!("{} works again", self.what);
        }
        Era(count + 1)
    }

    /// What was begun in this era has failed.
    pub(crate) fn ends(&self, era: Era, reason: &dyn Display) {
        if self.moves(era.0) {
            tracing::warn!(%reason, "{} is interrupted", self.what);
        }
    }

    /// The line was tried and does not work.
    pub(crate) fn lasts(&self, reason: &dyn Display) {
        match self.era() {
            Some(era) => self.ends(era, reason),
            None if self.count.compare_exchange(0, 2, Ordering::AcqRel, Ordering::Acquire).is_ok() => {
                tracing::warn!(%reason, "{} does not work yet", self.what);
            }
            None => {}
        }
    }

    fn moves(&self, from: u64) -> bool {
        self.count.compare_exchange(from, from + 1, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_failure_does_not_end_the_next_era() {
        let outage = Outage::new("the line");
        let first = outage.works();
        outage.ends(first, &"broken");
        assert_eq!(outage.era(), None);
        let second = outage.works();
        outage.ends(first, &"an acknowledgement that never came");
        assert_eq!(outage.era(), Some(second));
    }

    #[test]
    fn a_line_that_never_worked_begins_its_first_era_when_it_does() {
        let outage = Outage::new("the line");
        outage.lasts(&"nobody there");
        assert_eq!(outage.era(), None);
        let era = outage.works();
        assert_eq!(outage.works(), era);
        outage.lasts(&"gone");
        assert_eq!(outage.era(), None);
    }
}
