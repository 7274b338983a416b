//! A query that waits learns how far the read models are.

use std::{
    convert::Infallible,
    sync::atomic::{AtomicI64, AtomicUsize, Ordering},
    time::Duration,
};

use event_store::position::{PositionAnnouncer, PositionWatch, Waited};
use local_servers::LocalNats;
use tokio::time::{Instant, sleep};

use crate::world::{PATIENCE, clinic};

const A_WHILE: Duration = Duration::from_millis(400);

/// A checkpoint as the database would have it, and how often it was looked at.
#[derive(Default)]
struct Checkpoint {
    position: AtomicI64,
    looks: AtomicUsize,
}

impl Checkpoint {
    async fn look(&self) -> Result<i64, Infallible> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        Ok(self.position.load(Ordering::SeqCst))
    }

    /// Waits for position 5 while it stands at 3, then moves it by way of `announcer`.
    async fn is_reached(&self, watch: &PositionWatch, announcer: &PositionAnnouncer) -> usize {
        self.position.store(3, Ordering::SeqCst);
        let waits = watch.wait_until(&["patient"], clinic(1), 5, PATIENCE, async || self.look().await);
        let moves = async {
            sleep(A_WHILE).await;
            let looks = self.looks.swap(0, Ordering::SeqCst);
            self.position.store(6, Ordering::SeqCst);
            announcer.moved(clinic(1), "patient", 6);
            looks
        };
        let (waited, looks) = tokio::join!(waits, moves);
        assert_eq!(waited, Ok(Waited::Reached));
        looks
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_nats_who_waits_looks_for_itself() {
    let checkpoint = Checkpoint::default();
    let watch = PositionWatch::start(None);
    checkpoint.is_reached(&watch, &PositionAnnouncer::start(None)).await;

    let look = async || checkpoint.look().await;
    let waited = watch.wait_until(&["patient"], clinic(1), 7, Duration::from_millis(20), look).await;
    assert_eq!(waited, Ok(Waited::TimedOut(6)));
    let waited = watch.wait_until(&["patient"], clinic(1), 6, Duration::ZERO, look).await;
    assert_eq!(waited, Ok(Waited::Reached), "what is there already needs no time");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nats_who_waits_is_told_and_looks_rarely() {
    let mut nats = LocalNats::start_temporary().await.unwrap();
    let connect = || async_nats::connect(nats.url());
    let announcer = PositionAnnouncer::start(Some(connect().await.unwrap()));
    let watch = PositionWatch::start(Some(connect().await.unwrap()));
    until(|| watch.hears_nats()).await;
    let told = Checkpoint::default().is_reached(&watch, &announcer).await;

    nats.kill().await.unwrap();
    until(|| !watch.hears_nats()).await;
    let untold = Checkpoint::default().is_reached(&watch, &announcer).await;
    assert!(told * 2 < untold, "{told} looks with NATS, {untold} without");
}

async fn until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "it comes in time");
        sleep(Duration::from_millis(5)).await;
    }
}
