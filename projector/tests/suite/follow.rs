use std::time::Duration;

use event_store::position::{PositionWatch, Waited};
use local_servers::LocalNats;

use crate::world::{PATIENCE, World, clinic, go_on, life, lives, rows_of};

#[tokio::test(flavor = "multi_thread")]
async fn followed_rebuilt_and_folded_rows_are_the_same_bytes() {
    let world = World::new().await;
    let lives = lives(5, 150, 1);
    for life in &lives[..3] {
        world.append(life.history.events()).await;
    }
    let running = world.start();
    for life in &lives[3..] {
        world.append(life.history.events()).await;
    }
    world.caught_up().await;
    let followed = world.assert_true().await;
    let rows: Vec<i64> = followed.iter().map(|(_, one)| one.served.rows).collect();
    let expected: Vec<Vec<usize>> = lives.iter().map(rows_of).collect();
    let expected: Vec<i64> =
        (0..expected[0].len()).flat_map(|model| expected.iter().map(move |life| life[model] as i64)).collect();
    assert_eq!(rows, expected);
    running.stop().await;
    world.rebuild_everything().await;
    assert_eq!(world.assert_true().await, followed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projector_killed_anywhere_goes_on_as_if_it_had_not_been() {
    let world = World::new().await;
    let lives = lives(4, 120, 2);
    let mut running = world.start();
    for (n, life) in lives.iter().enumerate() {
        let events: Vec<_> = life.history.events().collect();
        for (m, part) in events.chunks(20).enumerate() {
            world.append(part.iter().copied()).await;
            // At another moment each time.
            tokio::time::sleep(Duration::from_millis(((n * 7 + m * 13) % 40) as u64)).await;
            running.kill().await;
            running = world.start();
        }
    }
    world.caught_up().await;
    world.assert_true().await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_comes_back_is_followed_on() {
    let mut world = World::new().await;
    let mut life = life(clinic(1), 80, 3);
    world.append(life.history.events()).await;
    let running = world.start();
    world.caught_up().await;
    world.crash_database().await;
    go_on(&mut life, 80, 4);
    let events: Vec<_> = life.history.events().cloned().collect();
    world.append(&events).await;
    world.caught_up().await;
    world.assert_true().await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_queries_are_told_and_nats_may_go_away() {
    let world = World::new().await;
    let mut nats = LocalNats::start_temporary().await.unwrap();
    let client = async_nats::ConnectOptions::new().retry_on_initial_connect().connect(nats.url()).await.unwrap();
    let mut life = life(clinic(1), 40, 5);
    let watch = PositionWatch::start(Some(client.clone()));
    world.until("announcements are heard", async || watch.hears_nats()).await;
    let running = world.start_with(Some(client));
    world.append(life.history.events()).await;
    let (clinic, last) = (life.history.clinic, life.history.events().count() as i64);
    let waited = watch.wait_until(&["patient_1"], clinic, last, PATIENCE, async || world.position(clinic).await);
    assert_eq!(waited.await.unwrap(), Waited::Reached);

    nats.kill().await.unwrap();
    go_on(&mut life, 40, 6);
    world.append(life.history.events()).await;
    world.caught_up().await;
    world.assert_true().await;
    running.stop().await;
}
