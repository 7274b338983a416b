//! Connections that die, and a server that is killed, under load.

use std::{collections::BTreeSet, time::Duration};

use event_store::{AppendError, Store};
use events::{ClinicId, PatientId};
use sqlx::PgPool;
use tokio::task::JoinHandle;

use crate::world::{World, clinic, new_patient, registers};

/// Patients whose registration was confirmed, and those of whom nobody knows.
#[derive(Default)]
struct Seen {
    confirmed: BTreeSet<PatientId>,
    unknown: BTreeSet<PatientId>,
}

fn callers(stores: &[Store], clinic: ClinicId, callers: usize, each: usize) -> Vec<JoinHandle<Seen>> {
    let one = |n: usize| {
        let store = stores[n % stores.len()].clone();
        tokio::spawn(async move {
            let mut seen = Seen::default();
            for _ in 0..each {
                let patient = new_patient();
                match store.append(registers(clinic, patient)).await {
                    Ok(_) => _ = seen.confirmed.insert(patient),
                    Err(AppendError::Unavailable(_)) => _ = seen.unknown.insert(patient),
                    Err(other) => panic!("{other}"),
                }
            }
            seen
        })
    };
    (0..callers).map(one).collect()
}

/// Every confirmed registration is in the log once; one that is unknown at most once.
async fn assert_once(world: &World, tasks: Vec<JoinHandle<Seen>>) {
    let mut seen = Seen::default();
    for task in tasks {
        let one = task.await.unwrap();
        seen.confirmed.extend(one.confirmed);
        seen.unknown.extend(one.unknown);
    }
    let stored: Vec<uuid::Uuid> = sqlx::query_scalar("SELECT stream_id FROM log.event WHERE stream_kind = 'patient'")
        .fetch_all(&world.superuser)
        .await
        .unwrap();
    let once: BTreeSet<_> = stored.iter().copied().map(PatientId).collect();
    assert_eq!(once.len(), stored.len(), "something happened twice");
    assert!(seen.confirmed.is_subset(&once), "something confirmed is lost");
    let all: BTreeSet<_> = seen.confirmed.union(&seen.unknown).copied().collect();
    assert!(once.is_subset(&all));
    world.assert_intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_cut_lose_and_double_nothing() {
    const CUTS: usize = 12;
    let world = World::new().await;
    let stores = [world.store(), world.store()];
    let clinic = clinic(&stores[0]).await;
    let tasks = callers(&stores, clinic, 16, 60);
    let mut cut = 0;
    while cut < CUTS && !tasks.iter().all(JoinHandle::is_finished) {
        cut += terminate_one(&world.superuser).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(cut > 0, "something was cut");
    assert_once(&world, tasks).await;
}

/// Ends a connection that is appending just now, if there is one.
async fn terminate_one(superuser: &PgPool) -> usize {
    let appending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                     WHERE state = 'active' AND query LIKE '%log.append(%' AND pid <> pg_backend_pid() LIMIT 1";
    sqlx::query(appending).fetch_all(superuser).await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_loses_and_doubles_nothing() {
    let mut world = World::durable().await;
    let stores = [world.store(), world.store()];
    let clinic = clinic(&stores[0]).await;
    let tasks = callers(&stores, clinic, 8, 40);
    let half = 160;
    while stores[0].head(clinic, events::Ledger::Record).await.unwrap().position < half {
        tokio::task::yield_now().await;
    }
    world.server.kill().await.unwrap();
    world.server.restart().await.unwrap();
    world.superuser = PgPool::connect(&world.server.superuser_url("casebook")).await.unwrap();
    assert_once(&world, tasks).await;
}
