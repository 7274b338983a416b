use std::io;

use axum::routing::get;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
};

use super::*;

const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn tasks_are_told_to_stop_and_waited_for() {
    let lifecycle = Lifecycle::new();
    let stop = lifecycle.stopping();
    lifecycle.spawn("follower", async move {
        stop.cancelled().await;
        Ok::<_, io::Error>(())
    });
    lifecycle.stop();
    assert_eq!(lifecycle.run_within(SOON).await, Ok(()));
}

#[tokio::test]
async fn a_task_that_fails_panics_or_ends_stops_the_process() {
    for kind in ["error", "panic", "end"] {
        let lifecycle = Lifecycle::new();
        let stop = lifecycle.stopping();
        lifecycle.spawn("other", async move {
            stop.cancelled().await;
            Ok::<_, io::Error>(())
        });
        lifecycle.spawn("relay", async move {
            match kind {
                "error" => Err(io::Error::other("gone")),
                "panic" => panic!("in a task"),
                _ => Ok(()),
            }
        });
        assert_eq!(lifecycle.run_within(SOON).await, Err(LifecycleError::TaskFailed("relay")), "{kind}");
    }
}

#[tokio::test]
async fn a_task_that_does_not_end_is_given_up() {
    let lifecycle = Lifecycle::new();
    lifecycle.spawn("stuck", std::future::pending::<io::Result<()>>());
    lifecycle.stop();
    let limit = Duration::from_millis(20);
    assert_eq!(lifecycle.run_within(limit).await, Err(LifecycleError::TasksLeft(1, limit)));
}

#[tokio::test]
async fn a_request_that_is_open_when_the_process_stops_is_answered() {
    let (lifecycle, entered, go_on) = (Lifecycle::new(), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (inside, resume) = (entered.clone(), go_on.clone());
    let slow = async move || {
        inside.notify_one();
        resume.notified().await;
        "answered"
    };
    lifecycle.serve("http", listener, Router::new().route("/", get(slow)));
    let client = tokio::spawn(async move {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    });
    entered.notified().await;
    lifecycle.stop();
    let ending = tokio::spawn(lifecycle.run_within(SOON));
    go_on.notify_one();
    assert!(client.await.unwrap().ends_with("answered"));
    assert_eq!(ending.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn sigterm_ends_the_process_in_order() {
    // From here on the signal no longer kills the process, also before `run` watches it.
    let _watched = signal(SignalKind::terminate()).unwrap();
    let lifecycle = Lifecycle::new();
    let stop = lifecycle.stopping();
    let mut running = tokio::spawn(lifecycle.run());
    let ended = tokio::time::timeout(SOON, async {
        loop {
            nix::sys::signal::raise(nix::sys::signal::Signal::SIGTERM).unwrap();
            tokio::select! {
                outcome = &mut running => return outcome.unwrap(),
                () = tokio::task::yield_now() => {}
            }
        }
    });
    assert_eq!(ended.await.unwrap(), Ok(()));
    assert!(stop.is_cancelled());
}
