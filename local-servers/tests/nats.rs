//! The private nats-server, as its users meet it.

use async_nats::jetstream::{self, stream};
use local_servers::{LocalNats, NatsOptions};

async fn jetstream(server: &LocalNats) -> jetstream::Context {
    jetstream::new(async_nats::connect(server.url()).await.unwrap())
}

async fn publish(server: &LocalNats) {
    let context = jetstream(server).await;
    let config = stream::Config { name: "facts".to_owned(), subjects: vec!["fact.>".to_owned()], ..Default::default() };
    context.get_or_create_stream(config).await.unwrap();
    context.publish("fact.one", "kept".into()).await.unwrap().await.unwrap();
}

async fn stored(server: &LocalNats) -> Option<u64> {
    let stream = jetstream(server).await.get_stream("facts").await.ok()?;
    Some(stream.cached_info().state.messages)
}

#[tokio::test]
async fn a_stream_outlives_a_restart_and_a_stop_and_keeps_its_url() {
    let folder = tempfile::tempdir().unwrap();
    let options = NatsOptions::new(folder.path().join("nats"));
    let mut server = LocalNats::start(options.clone()).await.unwrap();
    let url = server.url();
    publish(&server).await;
    server.restart().await.unwrap();
    assert_eq!(server.url(), url);
    assert_eq!(stored(&server).await, Some(1));
    server.stop().await.unwrap();
    let server = LocalNats::start(options).await.unwrap();
    assert_eq!(stored(&server).await, Some(1));
}

#[tokio::test]
async fn it_starts_again_after_kill_9_on_the_same_port() {
    let mut server = LocalNats::start_temporary().await.unwrap();
    let url = server.url();
    publish(&server).await;
    server.kill().await.unwrap();
    assert!(async_nats::connect(&url).await.is_err());
    server.restart().await.unwrap();
    assert_eq!(server.url(), url);
    assert_eq!(stored(&server).await, Some(1));
}

#[tokio::test]
async fn a_wiped_store_is_empty() {
    let mut server = LocalNats::start_temporary().await.unwrap();
    publish(&server).await;
    server.wipe().await.unwrap();
    server.restart().await.unwrap();
    assert_eq!(stored(&server).await, None);
}

#[tokio::test]
async fn two_servers_run_side_by_side() {
    let (one, two) = tokio::try_join!(LocalNats::start_temporary(), LocalNats::start_temporary()).unwrap();
    publish(&one).await;
    assert_eq!(stored(&one).await, Some(1));
    assert_eq!(stored(&two).await, None);
}

#[tokio::test]
async fn a_server_with_a_password_lets_nobody_in_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let password = Some("s3cret".to_owned());
    let options = NatsOptions { password, ..NatsOptions::new(folder.path().join("nats")) };
    let mut server = LocalNats::start(options).await.unwrap();
    server.restart().await.unwrap();
    let (credentials, address) = server.url().split_once('@').map(|(c, a)| (c.to_owned(), a.to_owned())).unwrap();
    assert_eq!(credentials, "nats://casebook:s3cret");
    assert!(async_nats::connect(&address).await.is_err());
    let known = async_nats::ConnectOptions::with_user_and_password("casebook".to_owned(), "s3cret".to_owned());
    known.connect(&address).await.unwrap();
}

#[tokio::test]
async fn a_store_is_served_by_one_server_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let options = NatsOptions::new(folder.path().join("nats"));
    let first = LocalNats::start(options.clone()).await.unwrap();
    let second = tokio::spawn(LocalNats::start(options));
    let third = LocalNats::start_temporary().await.unwrap();
    assert!(!second.is_finished() && stored(&third).await.is_none());
    first.stop().await.unwrap();
    second.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error_that_says_so() {
    let one = LocalNats::start_temporary().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let port = one.url().rsplit_once(':').unwrap().1.parse().unwrap();
    let taken = LocalNats::start(NatsOptions { port, ..NatsOptions::new(folder.path().join("nats")) }).await;
    let error = taken.err().unwrap().to_string();
    assert!(error.contains("address already in use"), "{error}");
}
