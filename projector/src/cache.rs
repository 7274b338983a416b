//! Rows that a follower has written and may need again soon.

use std::num::NonZeroUsize;

use events::ClinicId;
use lru::LruCache;
use read_models::Projection;

/// Rows remembered for one read model. The busiest rows (the counts of a clinic, of a day) are few.
const REMEMBERED_ROWS_MAX: NonZeroUsize = NonZeroUsize::new(2_048).expect("is not zero");

/// A row's place among all clinics.
pub(crate) type RowKey<P> = (ClinicId, <P as Projection>::Key);

/// What is known of rows as they stand at this process's checkpoints; `None`: there is none. It holds for
/// as long as nobody else moves the checkpoint, which the statement that writes checks.
pub(crate) struct Cache<P: Projection>(LruCache<RowKey<P>, Option<P::Row>>);

impl<P: Projection> Default for Cache<P> {
    fn default() -> Self {
        Self(LruCache::new(REMEMBERED_ROWS_MAX))
    }
}

impl<P: Projection> Cache<P> {
    pub(crate) fn get(&mut self, key: &RowKey<P>) -> Option<&Option<P::Row>> {
        self.0.get(key)
    }

    pub(crate) fn put(&mut self, key: RowKey<P>, row: Option<P::Row>) {
        self.0.put(key, row);
    }

    /// What was known of a clinic no longer holds.
    pub(crate) fn forget(&mut self, clinic: ClinicId) {
        let known: Vec<_> = self.0.iter().map(|(key, _)| key).filter(|key| key.0 == clinic).cloned().collect();
        for key in known {
            self.0.pop(&key);
        }
    }
}
