//! What concerns one thing is done one after another in this process: commands on one stream, requests
//! with one idempotency key.

use std::hash::{BuildHasher, Hash, RandomState};

use tokio::sync::{Mutex, MutexGuard};

/// Things share this many locks: few enough to keep, so many that strangers seldom meet.
const LOCKS: usize = 4_096;

pub struct Turns {
    locks: Vec<Mutex<()>>,
    hasher: RandomState,
}

impl Default for Turns {
    fn default() -> Self {
        Self { locks: (0..LOCKS).map(|_| Mutex::new(())).collect(), hasher: RandomState::new() }
    }
}

impl Turns {
    /// Waits for the thing's turn, which lasts until the guard is dropped. Waiters are served in order.
    pub async fn take(&self, thing: impl Hash) -> MutexGuard<'_, ()> {
        let lock = self.hasher.hash_one(thing) as usize % LOCKS;
        self.locks[lock].lock().await
    }
}
