use crate::world::{World, go_on, lives};

#[tokio::test(flavor = "multi_thread")]
async fn two_projectors_count_each_event_once_and_one_takes_over() {
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
