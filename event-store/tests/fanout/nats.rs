//! With NATS: whatever it does, a follower gets each clinic's events in order and none is missing.

use std::{sync::Arc, time::Duration};

use async_nats::{Client, jetstream};
use event_store::{
    CommitSink, StoredRow,
    feed::Ingest,
    publish::{MAX_AGE, MAX_BYTES, Publisher, STREAM, ensure_stream},
    wire,
};
use tokio::time::{Instant, sleep};

use crate::{
    follower::Follower,
    world::{PATIENCE, World, clinic, rows_after},
};

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How many messages the stream holds; `None` while it cannot be asked.
pub async fn stored(client: &Client) -> Option<u64> {
    let stream = jetstream::new(client.clone()).get_stream(STREAM).await.ok()?;
    Some(stream.get_info().await.ok()?.state.messages)
}

/// Waits until the stream holds so many messages.
pub async fn until_stored(client: &Client, messages: u64) {
    let deadline = Instant::now() + PATIENCE;
    while stored(client).await.is_none_or(|stored| stored < messages) {
        assert!(Instant::now() < deadline, "{messages} messages are stored in time, not {:?}", stored(client).await);
        sleep(LOOK_EVERY).await;
    }
}

/// Commits and offers one event after another until the stream has grown: publishing works (again).
pub async fn until_published(world: &World, publisher: &Publisher, client: &Client) {
    let before = stored(client).await.unwrap_or(0);
    let deadline = Instant::now() + PATIENCE;
    while stored(client).await.is_none_or(|stored| stored <= before) {
        assert!(Instant::now() < deadline, "publishing works in time");
        publisher.committed(world.commit(clinic(1), 1).await);
        sleep(LOOK_EVERY).await;
    }
}

async fn until_heard(ingest: &Ingest) {
    let deadline = Instant::now() + PATIENCE;
    while !ingest.hears_nats() {
        assert!(Instant::now() < deadline, "the ingest hears NATS in time");
        sleep(LOOK_EVERY).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_comes_from_the_writers_memory_without_a_look_at_the_log() {
    let mut world = World::new().await;
    let client = world.client().await;
    let publisher = Publisher::start(client.clone());
    let ingest = world.ingest(Some(world.client().await));
    let mut follower = Follower::new(&ingest);
    until_published(&world, &publisher, &client).await;
    until_heard(&ingest).await;
    follower.reach(&world.heads().await).await;
    let rows = world.commit(clinic(1), 5).await;
    let heads = world.heads().await;
    world.postgres.kill().await.unwrap();
    publisher.committed(rows);
    follower.reach(&heads).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_processes_publish_out_of_order_comes_in_order() {
    let world = World::new().await;
    let publishers = [Publisher::start(world.client().await), Publisher::start(world.client().await)];
    let ingest = world.ingest(Some(world.client().await));
    let mut followers = [Follower::new(&ingest), Follower::new(&ingest)];
    let client = world.client().await;
    for publisher in &publishers {
        until_published(&world, publisher, &client).await;
    }
    let before = stored(&client).await.expect("the stream is there");
    for round in 0..30 {
        let mut batches = Vec::new();
        for n in 0..6 {
            batches.push(world.commit(clinic(n % 3), 4).await);
        }
        batches.rotate_left(round % 6);
        for (n, batch) in batches.into_iter().rev().enumerate() {
            publishers[n % 2].committed(batch);
        }
    }
    let heads = world.heads().await;
    for follower in &mut followers {
        follower.reach(&heads).await;
    }
    until_stored(&client, before + 30 * 6 * 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_messages_even_the_last_are_no_gap_unseen() {
    let world = World::new().await;
    let publisher = Publisher::start(world.client().await);
    let ingest = world.ingest(Some(world.client().await));
    let mut follower = Follower::new(&ingest);
    until_published(&world, &publisher, &world.client().await).await;
    for n in 0..20 {
        let rows = world.commit(clinic(n % 3), 2).await;
        if n % 4 == 0 {
            publisher.committed(rows);
        }
    }
    follower.reach(&world.heads().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_does_not_follow_the_checkpoint_is_ignored() {
    let world = World::new().await;
    let client = world.client().await;
    let publisher = Publisher::start(client.clone());
    let ingest = world.ingest(Some(world.client().await));
    let mut follower = Follower::new(&ingest);
    until_published(&world, &publisher, &client).await;
    follower.reach(&world.heads().await).await;

    let mut place = follower.places[&clinic(1)];
    place.hash = event_store::GENESIS;
    for row in rows_after(clinic(1), place, 3) {
        client.publish(format!("clinic.{}.patient.Forged", clinic(1)), wire::to_bytes(&row).into()).await.unwrap();
    }
    client.publish(format!("clinic.{}.patient.Forged", clinic(1)), "no row at all".into()).await.unwrap();
    client.flush().await.unwrap();
    publisher.committed(world.commit(clinic(1), 5).await);
    follower.reach(&world.heads().await).await;
}

/// Commits to three clinics, and offers, until told to stop.
async fn load(world: Arc<World>, publisher: Publisher, mut stop: tokio::sync::oneshot::Receiver<()>) {
    let mut n = 0;
    while stop.try_recv().is_err() {
        publisher.committed(world.commit(clinic(n % 3), 7).await);
        n += 1;
    }
}

/// What follows the load while `disturb` happens to NATS in the middle of it.
async fn follow_through(disturb: impl AsyncFnOnce(&mut local_servers::LocalNats)) {
    let mut world = World::new().await;
    let client = world.client().await;
    let publisher = Publisher::start(client.clone());
    let ingest = world.ingest(Some(world.client().await));
    let mut follower = Follower::new(&ingest);
    until_published(&world, &publisher, &client).await;

    let mut nats = world.take_nats();
    let world = Arc::new(world);
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let load = tokio::spawn(load(world.clone(), publisher.clone(), stopped));
    follower.reach_at_least(1_000).await;
    disturb(&mut nats).await;
    let reached = follower.events();
    follower.reach_at_least(reached + 1_000).await;
    stop.send(()).unwrap();
    load.await.unwrap();
    follower.reach(&world.heads().await).await;
    // And NATS is of use again, for the publisher as for the follower.
    until_published(&world, &publisher, &client).await;
    until_heard(&ingest).await;
    follower.reach(&world.heads().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_wiped_under_load_costs_nothing_but_time() {
    follow_through(async |nats| {
        nats.wipe().await.unwrap();
        nats.restart().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_under_load_and_comes_back_costs_nothing_but_time() {
    follow_through(async |nats| {
        nats.kill().await.unwrap();
        nats.restart().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_may_be_absent_from_the_start_and_come_later() {
    let mut world = World::new().await;
    world.nats().kill().await.unwrap();
    let client = world.client().await;
    let publisher = Publisher::start(client.clone());
    let ingest = world.ingest(Some(world.client().await));
    let mut follower = Follower::new(&ingest);
    let rows: Arc<[StoredRow]> = world.commit(clinic(1), 1_000).await;
    for _ in 0..100 {
        publisher.committed(rows.clone());
    }
    follower.reach(&world.heads().await).await;
    world.nats().restart().await.unwrap();
    until_published(&world, &publisher, &client).await;
    follower.reach(&world.heads().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_is_made_once_and_brought_to_its_limits() {
    let nats = local_servers::LocalNats::start_temporary().await.unwrap();
    let jetstream = jetstream::new(async_nats::connect(nats.url()).await.unwrap());
    ensure_stream(&jetstream).await.unwrap();
    ensure_stream(&jetstream).await.unwrap();
    let mut config = jetstream.get_stream(STREAM).await.unwrap().cached_info().config.clone();
    assert_eq!((config.max_age, config.max_bytes), (MAX_AGE, MAX_BYTES));

    // Somebody has changed a limit of ours, and something of theirs.
    config.max_age = MAX_AGE / 2;
    config.max_messages_per_subject = 7;
    jetstream.update_stream(config).await.unwrap();
    ensure_stream(&jetstream).await.unwrap();
    let config = jetstream.get_stream(STREAM).await.unwrap().cached_info().config.clone();
    assert_eq!((config.max_age, config.max_messages_per_subject), (MAX_AGE, 7));
}
