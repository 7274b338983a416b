//! What the writers could not publish, one of the processes does.

use std::collections::HashMap;

use async_nats::{Client, Subscriber};
use event_store::{
    CommitSink, DbRole,
    publish::Publisher,
    relay::{Relay, Standing},
};
use futures::StreamExt;
use tokio::time::timeout;

use crate::{
    nats::{stored, until_published, until_stored},
    world::{PATIENCE, World, clinic},
};

impl World {
    async fn relay(&self) -> Relay {
        Relay::start(DbRole::Relay.pool(self.options.clone(), 2), self.client().await)
    }

    async fn marks(&self) -> HashMap<uuid::Uuid, i64> {
        let marks = sqlx::query_as("SELECT clinic, position FROM log.relay_mark").fetch_all(&self.superuser);
        marks.await.unwrap().into_iter().collect()
    }
}

async fn until_leading(relay: &Relay) {
    let mut standing = relay.standing();
    let leads = standing.wait_for(|standing| *standing == Standing::Leading);
    timeout(PATIENCE, leads).await.expect("it leads in time").expect("it runs");
}

/// Every message on its way, also those that the stream knows already.
async fn wire(client: &Client) -> Subscriber {
    let wire = client.subscribe(">").await.unwrap();
    client.flush().await.unwrap();
    wire
}

/// How many events have passed so far: those before a mark on the same connection.
async fn passed(client: &Client, wire: &mut Subscriber) -> usize {
    client.publish("mark", "".into()).await.unwrap();
    let mut passed = 0;
    loop {
        let message = timeout(PATIENCE, wire.next()).await.expect("the mark comes in time").unwrap();
        match message.subject.as_str() {
            "mark" => return passed,
            subject => passed += usize::from(subject.starts_with("clinic.")),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_takes_over_when_the_one_that_relays_dies() {
    let world = World::new().await;
    let client = world.client().await;
    let first = world.relay().await;
    until_leading(&first).await;
    let second = world.relay().await;
    world.commit(clinic(1), 2_500).await;
    until_stored(&client, 2_500).await;
    assert_eq!(*second.standing().borrow(), Standing::Waiting);

    drop(first);
    until_leading(&second).await;
    world.commit(clinic(1), 5).await;
    world.commit(clinic(2), 5).await;
    until_stored(&client, 2_510).await;
    assert_eq!(stored(&client).await, Some(2_510), "what was sent twice is one message");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_whose_connection_is_lost_stands_again() {
    let world = World::new().await;
    let relay = world.relay().await;
    until_leading(&relay).await;
    let mut standing = relay.standing();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'";
    sqlx::query(end).execute(&world.superuser).await.unwrap();
    let waits = standing.wait_for(|standing| *standing == Standing::Waiting);
    timeout(PATIENCE, waits).await.expect("it notices in time").unwrap();
    until_leading(&relay).await;
    world.commit(clinic(1), 3).await;
    until_stored(&world.client().await, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_writers_have_published_is_not_published_again() {
    let world = World::new().await;
    let client = world.client().await;
    let publisher = Publisher::start(world.client().await);
    until_published(&world, &publisher, &client).await;
    let relay = world.relay().await;
    until_leading(&relay).await;
    // Once it has published something, it hears the writers as well.
    let before = stored(&client).await.unwrap();
    world.commit(clinic(2), 1).await;
    until_stored(&client, before + 1).await;
    let mut watched = wire(&client).await;
    let before = stored(&client).await.unwrap();
    for _ in 0..20 {
        publisher.committed(world.commit(clinic(1), 10).await);
    }
    until_stored(&client, before + 200).await;
    // One that nobody offers: the look that publishes it came after the writers' had their time.
    world.commit(clinic(2), 1).await;
    until_stored(&client, before + 201).await;
    assert_eq!(passed(&client, &mut watched).await, 201);

    // It stops: it knows where it was, and its successor does too.
    relay.stop().await;
    let marks = world.marks().await;
    for (clinic, head) in world.heads().await {
        assert_eq!(marks.get(&clinic.0), Some(&head.position));
    }
    let relay = world.relay().await;
    until_leading(&relay).await;
    world.commit(clinic(2), 1).await;
    until_stored(&client, before + 202).await;
    assert_eq!(passed(&client, &mut watched).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_outlives_a_wiped_nats() {
    let mut world = World::new().await;
    let client = world.client().await;
    let relay = world.relay().await;
    until_leading(&relay).await;
    world.commit(clinic(1), 3).await;
    until_stored(&client, 3).await;
    world.nats().wipe().await.unwrap();
    world.commit(clinic(1), 4).await;
    world.nats().restart().await.unwrap();
    // The stream is there again, with what was committed since.
    until_stored(&client, 4).await;
}
