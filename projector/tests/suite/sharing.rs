use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::world::{World, go_on, lives};

#[tokio::test(flavor = "multi_thread")]
async fn two_projectors_share_the_clinics_and_one_takes_over() {
    let world = World::new().await;
    let mut lives = lives(6, 80, 12);
    let (one, other) = (world.start(), world.start());
    for life in &lives {
        world.append(life.history.events()).await;
    }
    world.caught_up().await;
    world.assert_true().await;
    world.until("both hold shards", async || world.holders().await == 2).await;

    one.kill().await;
    for (n, life) in lives.iter_mut().enumerate() {
        go_on(life, 40, n as u32);
        world.append(life.history.events()).await;
    }
    world.caught_up().await;
    world.assert_true().await;
    world.until("one holds all", async || world.holders().await == 1).await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_projectors_of_the_same_clinics_count_each_event_once() {
    let world = Arc::new(World::new().await);
    let running = [world.start_alone(), world.start_alone()];
    let done = Arc::new(AtomicBool::new(false));
    let watcher = tokio::spawn(watch(world.clone(), done.clone()));
    for life in &lives(6, 150, 21) {
        world.append(life.history.events()).await;
    }
    world.caught_up().await;
    done.store(true, Ordering::Relaxed);
    assert!(watcher.await.unwrap() > 10, "looked while they followed");
    world.assert_true().await;
    for one in running {
        one.stop().await;
    }
}

/// Nobody puts a checkpoint back to where somebody else has been already.
async fn watch(world: Arc<World>, done: Arc<AtomicBool>) -> usize {
    let (mut seen, mut looks) = (HashMap::new(), 0);
    while !done.load(Ordering::Relaxed) {
        for (clinic, projection, position) in world.checkpoints().await {
            let before = seen.insert((clinic, projection.clone()), position).unwrap_or(0);
            assert!(position >= before, "{projection} went back from {before} to {position}");
        }
        looks += 1;
    }
    looks
}
