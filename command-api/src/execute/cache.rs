//! Folded states, kept between commands. A stale one costs a retry, never a wrong decision: the append
//! checks the version that the decision rested on.

use std::{sync::Arc, time::Duration};

use domain::State;
use event_store::Expectation;
use events::{ClinicId, Position, StreamId, claim::Fact};
use moka::sync::Cache;

/// At about a kilobyte a state, 100 MB.
const MAX_STATES: u64 = 100_000;
/// How old a state of the platform may be that a clinic's decision rests on.
const PLATFORM_FOR: Duration = Duration::from_secs(5);

/// A stream as of a position.
#[derive(Clone)]
pub struct Cached {
    pub state: Option<Arc<State>>,
    /// 0: it does not exist.
    pub version: i64,
    pub read_at: Position,
}

#[derive(Clone)]
pub struct StateCache {
    states: Cache<(ClinicId, StreamId), Arc<Cached>>,
    /// The platform's, as clinics' decisions read them.
    platform: Cache<StreamId, Option<Arc<State>>>,
}

impl Default for StateCache {
    fn default() -> Self {
        let platform = Cache::builder().max_capacity(MAX_STATES).time_to_live(PLATFORM_FOR).build();
        Self { states: Cache::new(MAX_STATES), platform }
    }
}

impl StateCache {
    pub fn get(&self, clinic: ClinicId, stream: StreamId) -> Option<Arc<Cached>> {
        self.states.get(&(clinic, stream))
    }

    /// A state of the platform that was read a moment ago.
    pub fn of_platform(&self, stream: StreamId) -> Option<Option<Arc<State>>> {
        self.platform.get(&stream)
    }

    pub fn keep_of_platform(&self, stream: StreamId, state: Option<Arc<State>>) {
        self.platform.insert(stream, state);
    }

    /// Keeps a state, unless a newer one is kept already.
    pub fn put(&self, clinic: ClinicId, stream: StreamId, state: Option<Arc<State>>, version: i64, read_at: Position) {
        // What this process has changed, it knows at once.
        if clinic.is_platform() {
            self.platform.invalidate(&stream);
        }
        let newer = Arc::new(Cached { state, version, read_at });
        self.states.entry((clinic, stream)).and_upsert_with(|kept| match kept {
            Some(kept) if kept.value().read_at > read_at => kept.into_value(),
            _ => newer,
        });
    }

    /// What an append rested on has not moved up to the append's position: so the writer need not look for
    /// what happened since it was read.
    pub fn confirm(&self, clinic: ClinicId, rested_on: &[Expectation], position: Position) {
        for expectation in rested_on {
            let (Fact::Stream(stream), Some(version)) = (&expectation.fact, expectation.version) else { continue };
            let kept = self.get(clinic, *stream).filter(|kept| kept.version == version && kept.read_at < position);
            if let Some(kept) = kept {
                self.put(clinic, *stream, kept.state.clone(), version, position);
            }
        }
    }

    /// Forgets what moved.
    pub fn forget(&self, clinic: ClinicId, fact: &Fact) {
        if let Fact::Stream(stream) = fact {
            self.states.invalidate(&(clinic, *stream));
        }
    }
}
