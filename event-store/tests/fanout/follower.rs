//! A follower that accepts nothing but the next event of each clinic.

use std::collections::HashMap;

use event_store::feed::{Checkpoint, Feed, Ingest, News};
use events::ClinicId;
use tokio::time::timeout;

use crate::world::PATIENCE;

const BATCH_EVENTS_MAX: usize = 500;

pub struct Follower {
    pub feed: Feed,
    pub places: HashMap<ClinicId, Checkpoint>,
}

impl Follower {
    pub fn new(ingest: &Ingest) -> Self {
        Self::from(ingest, HashMap::new())
    }

    pub fn from(ingest: &Ingest, places: HashMap<ClinicId, Checkpoint>) -> Self {
        Self { feed: Feed::start(ingest, |_| true, places.clone()), places }
    }

    /// The next news; its events are checked and counted.
    pub async fn next(&mut self) -> News {
        let news = timeout(PATIENCE, self.feed.next(BATCH_EVENTS_MAX)).await.expect("there is news in time");
        if let News::Events(events) = &news {
            assert!((1..=BATCH_EVENTS_MAX).contains(&events.len()));
            let mut clinics: Vec<_> = events.chunk_by(|a, b| a.clinic == b.clinic).map(|run| run[0].clinic).collect();
            let runs = clinics.len();
            clinics.sort();
            clinics.dedup();
            assert_eq!(clinics.len(), runs, "a batch is clinic by clinic");
            for event in events {
                let place = self.places.entry(event.clinic).or_insert(Checkpoint::START);
                assert!(event.follows(*place), "{} follows {}", event.position, place.position);
                assert_eq!(event.recorded.as_ref().unwrap().position, event.position);
                *place = event.checkpoint();
            }
        }
        news
    }

    /// How many events it has been given in all.
    pub fn events(&self) -> i64 {
        self.places.values().map(|place| place.position).sum()
    }

    pub async fn reach_at_least(&mut self, events: i64) {
        while self.events() < events {
            assert!(matches!(self.next().await, News::Events(_)));
        }
    }

    /// Follows until it stands there.
    pub async fn reach(&mut self, heads: &HashMap<ClinicId, Checkpoint>) {
        while self.places != *heads {
            match self.next().await {
                News::Events(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}
