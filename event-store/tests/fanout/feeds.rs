//! Feeds without NATS: PostgreSQL alone is enough.

use std::collections::HashMap;

use event_store::feed::{Checkpoint, Feed, News};
use events::ClinicId;

use crate::{
    follower::Follower,
    world::{World, clinic},
};

/// More than a page, and more than a tail keeps.
const MANY_EVENTS: usize = 9_000;

#[tokio::test(flavor = "multi_thread")]
async fn without_nats_a_feed_gives_what_was_there_and_what_comes() {
    let world = World::new().await;
    world.commit(clinic(1), MANY_EVENTS).await;
    world.commit(clinic(2), 3).await;
    let ingest = world.ingest(None);
    let mut follower = Follower::new(&ingest);
    follower.reach(&world.heads().await).await;
    for n in 1..=5 {
        world.commit(clinic(n), 2).await;
        follower.reach(&world.heads().await).await;
    }
    // One that starts later, in the middle, meets the same events.
    let middle = Follower::from(&ingest, HashMap::new()).until(clinic(1), 100).await;
    let mut second = Follower::from(&ingest, middle);
    world.commit(clinic(6), MANY_EVENTS).await;
    second.reach(&world.heads().await).await;
    follower.reach(&world.heads().await).await;
}

impl Follower {
    /// Where it stands after it has passed that position.
    async fn until(mut self, clinic: ClinicId, position: i64) -> HashMap<ClinicId, Checkpoint> {
        while self.places.get(&clinic).is_none_or(|place| place.position < position) {
            self.next().await;
        }
        self.places
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_gives_the_clinics_that_it_takes_and_no_other() {
    let world = World::new().await;
    let ingest = world.ingest(None);
    let mut feed = Feed::start(&ingest, |clinic| clinic.0.as_u128() % 2 == 0, HashMap::new());
    for n in 1..=4 {
        world.commit(clinic(n), 1).await;
    }
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let News::Events(events) = feed.next(10).await else { panic!("events") };
        seen.extend(events.iter().map(|event| event.clinic));
    }
    seen.sort();
    assert_eq!(seen, [clinic(2), clinic(4)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clinic_whose_checkpoint_is_gone_has_diverged_and_is_followed_anew() {
    let world = World::new().await;
    let [one, two] = [clinic(1), clinic(2)];
    world.commit(one, 5).await;
    world.commit(two, 5).await;
    let early = world.heads().await;
    world.commit(one, 5).await;
    let ingest = world.ingest(None);
    let mut follower = Follower::new(&ingest);
    follower.reach(&world.heads().await).await;

    // Back to 5, and on to 12 with other events.
    world.rewind(one, early[&one]).await;
    world.commit(one, 7).await;
    assert!(matches!(follower.next().await, News::Diverged(clinic) if clinic == one));
    // What concerns nobody else goes on.
    world.commit(two, 1).await;
    assert!(matches!(follower.next().await, News::Events(events) if events.len() == 1));
    follower.places.remove(&one);
    follower.feed.restart(one, Checkpoint::START);
    follower.reach(&world.heads().await).await;

    // Back, and nothing new: noticed as well, by a feed that runs and by one that starts.
    let late = follower.places.clone();
    world.rewind(one, early[&one]).await;
    assert!(matches!(follower.next().await, News::Diverged(clinic) if clinic == one));
    assert!(matches!(Follower::from(&ingest, late).next().await, News::Diverged(clinic) if clinic == one));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_does_not_hang_together_is_reported_at_its_position() {
    let world = World::new().await;
    world.commit(clinic(1), 10).await;
    let tamper = "ALTER TABLE log.event DISABLE TRIGGER event_is_only_added;
                  UPDATE log.event SET previous_hash = sha256(previous_hash) WHERE position = 7";
    sqlx::raw_sql(tamper).execute(&world.superuser).await.unwrap();
    let ingest = world.ingest(None);
    let mut follower = Follower::new(&ingest);
    loop {
        match follower.next().await {
            News::Events(_) => {}
            News::Broken(clinic_of, position) => break assert_eq!((clinic_of, position), (clinic(1), 7)),
            News::Diverged(_) => panic!("the checkpoint is there"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_outlives_postgresql() {
    let mut world = World::new().await;
    let ingest = world.ingest(None);
    let mut follower = Follower::new(&ingest);
    world.commit(clinic(1), 3).await;
    follower.reach(&world.heads().await).await;
    world.postgres.restart().await.unwrap();
    world.commit(clinic(1), 3).await;
    follower.reach(&world.heads().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_follower_delays_nobody_and_misses_nothing() {
    let world = World::new().await;
    let ingest = world.ingest(None);
    let (mut quick, mut slow) = (Follower::new(&ingest), Follower::new(&ingest));
    world.commit(clinic(1), 1).await;
    slow.reach(&world.heads().await).await;
    // More than the process keeps: the slow one has to read the log.
    for n in 0..12 {
        world.commit(clinic(n % 3), 1_000).await;
        quick.reach(&world.heads().await).await;
    }
    slow.reach(&world.heads().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_this_program_cannot_read_comes_as_what_it_is() {
    let world = World::new().await;
    world.commit(clinic(1), 3).await;
    let of_the_future = "ALTER TABLE log.event DISABLE TRIGGER event_is_only_added;
                         UPDATE log.event SET schema_version = 30000 WHERE position = 2";
    sqlx::raw_sql(of_the_future).execute(&world.superuser).await.unwrap();
    let mut feed = Feed::start(&world.ingest(None), |_| true, HashMap::new());
    let News::Events(events) = feed.next(10).await else { panic!("events") };
    let readable: Vec<bool> = events.iter().map(|event| event.recorded.is_ok()).collect();
    assert_eq!(readable, [true, false, true]);
    assert!(events[1].recorded.as_ref().unwrap_err().to_string().contains("newer than this program"));
    // Parked: nothing more comes of the clinic, until it is put back there.
    feed.stop(clinic(1));
    world.commit(clinic(1), 1).await;
    world.commit(clinic(2), 1).await;
    let News::Events(others) = feed.next(10).await else { panic!("events") };
    assert!(others.iter().all(|event| event.clinic == clinic(2)));
    feed.restart(clinic(1), events[0].checkpoint());
    let News::Events(again) = feed.next(10).await else { panic!("events") };
    assert_eq!(again.iter().map(|event| event.position).collect::<Vec<_>>(), [2, 3, 4]);
}
