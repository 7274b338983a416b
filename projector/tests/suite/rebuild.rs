use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use projector::{Progress, RebuildError, compare, rebuild, status};
use sqlx::Row;

use crate::world::{World, clinic, go_on, life, lives};

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_under_load_fails_no_query_and_shows_no_half_built_table() {
    let world = Arc::new(World::new().await);
    let mut lives = lives(4, 200, 13);
    for life in &lives {
        world.append(life.history.events()).await;
    }
    let running = world.start();
    world.caught_up().await;

    let (done, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI64::new(0)));
    let readers: Vec<_> =
        (0..4).map(|n| tokio::spawn(read_on(world.clone(), n, done.clone(), asked.clone()))).collect();
    let appender = tokio::spawn({
        let world = world.clone();
        async move {
            for round in 0..15 {
                for (n, life) in lives.iter_mut().enumerate() {
                    go_on(life, 10, round * 31 + n as u32);
                    world.append(life.history.events()).await;
                }
            }
        }
    });
    for name in ["patient", "appointment_day", "patient", "appointment"] {
        rebuild(&world.log(), name, None, &mut |_| ()).await.unwrap();
    }
    appender.await.unwrap();
    world.caught_up().await;
    done.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }
    assert!(asked.load(Ordering::Relaxed) > 100, "the readers read while it was rebuilt");
    world.assert_true().await;
    running.stop().await;
}

/// A clinic's patients never become fewer, nor its checkpoint lower, whatever is rebuilt.
async fn read_on(world: Arc<World>, n: u128, done: Arc<AtomicBool>, asked: Arc<AtomicI64>) {
    let mut seen = (0, 0);
    while !done.load(Ordering::Relaxed) {
        let row = sqlx::query(
            "SELECT q.* FROM set_config('casebook.clinic', $1::text, true) s(clinic) CROSS JOIN LATERAL (
                 SELECT (SELECT count(*) FROM read.patient_1 WHERE clinic_id = s.clinic::uuid) AS patients,
                        (SELECT position FROM read.checkpoint WHERE projection = 'patient_1'
                         AND clinic_id = s.clinic::uuid) AS position OFFSET 0) q",
        )
        .bind(clinic(n).to_string())
        .fetch_one(&world.reader)
        .await
        .unwrap();
        let now: (i64, i64) = (row.get("patients"), row.get("position"));
        assert!(now.0 >= seen.0 && now.1 >= seen.1 && now.0 > 0, "{now:?} after {seen:?}");
        seen = now;
        asked.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_clinic_is_rebuilt_in_place_while_it_is_followed() {
    let world = World::new().await;
    let mut life = life(clinic(1), 200, 14);
    world.append(life.history.events()).await;
    let running = world.start();
    world.caught_up().await;
    // Somebody has written to the table by hand.
    let spoilt = sqlx::query("UPDATE read.patient_1 SET first_name = 'Nobody' WHERE clinic_id = $1");
    assert!(spoilt.bind(clinic(1).0).execute(&world.projector).await.unwrap().rows_affected() > 0);
    let found = compare(&world.log(), "patient", Some(clinic(1))).await.unwrap();
    assert!(found.iter().all(|one| !one.is_same()), "the comparison sees it");

    let mut last = Progress::default();
    rebuild(&world.log(), "patient", Some(clinic(1)), &mut |progress| last = progress).await.unwrap();
    assert_eq!(last.events, last.total);
    go_on(&mut life, 60, 15);
    world.append(life.history.events()).await;
    world.caught_up().await;
    world.assert_true().await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_forgets_an_erased_patient_and_the_follower_does_not_remember() {
    let world = World::new().await;
    let mut life = life(clinic(1), 0, 16);
    let patient = life.history.registered("Asha");
    world.append(life.history.events()).await;
    let running = world.start();
    world.caught_up().await;
    world.destroy_key(patient).await;
    rebuild(&world.log(), "patient", Some(clinic(1)), &mut |_| ()).await.unwrap();
    let others = life.history.events().count();
    life.history.registered("Ravi");
    world.append(life.history.events().skip(others)).await;
    world.caught_up().await;
    let names = sqlx::query_scalar::<_, Option<String>>("SELECT first_name FROM read.patient_1 ORDER BY number");
    assert_eq!(names.fetch_all(&world.projector).await.unwrap(), [None, Some("Ravi".to_owned())]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_broken_off_is_seen_and_can_be_started_again() {
    let world = World::new().await;
    for life in lives(8, 200, 17) {
        world.append(life.history.events()).await;
    }
    let log = world.log();
    // A writer that does not end keeps the rebuilt table from its place.
    let mut writer = world.projector.begin().await.unwrap();
    sqlx::query("LOCK TABLE read.patient_1 IN ROW EXCLUSIVE MODE").execute(&mut *writer).await.unwrap();
    let broken_off = tokio::spawn({
        let log = log.clone();
        async move { rebuild(&log, "patient", None, &mut |_| ()).await }
    });
    world.until("the rebuild runs", async || patient_rebuild_runs(&world).await).await;
    let busy = rebuild(&log, "patient", Some(clinic(1)), &mut |_| ()).await;
    assert!(matches!(busy, Err(RebuildError::Busy(_))), "{busy:?}");
    broken_off.abort();
    assert!(broken_off.await.unwrap_err().is_cancelled());
    world.until("its end is seen", async || !patient_rebuild_runs(&world).await).await;
    let left: usize = status(&world.projector).await.unwrap().iter().map(|one| one.rebuilding.len()).sum();
    assert_eq!(left, 1, "people see what was broken off");
    writer.rollback().await.unwrap();

    rebuild(&log, "patient", None, &mut |_| ()).await.unwrap();
    assert!(status(&world.projector).await.unwrap().iter().all(|one| one.rebuilding.is_empty()));
    world.assert_true().await;
}

async fn patient_rebuild_runs(world: &World) -> bool {
    let status = status(&world.projector).await.unwrap();
    status.iter().any(|one| one.rebuilding.iter().any(|one| one.runs))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_read_model_is_no_read_model() {
    let world = World::new().await;
    let nothing = rebuild(&world.log(), "nothing", None, &mut |_| ()).await;
    assert!(matches!(nothing, Err(RebuildError::NoSuchProjection(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_went_back_is_followed_from_where_it_is() {
    let world = World::new().await;
    let mut life = life(clinic(1), 100, 18);
    world.append(life.history.events()).await;
    let running = world.start();
    world.caught_up().await;
    // Restored to an earlier moment, and gone on differently.
    let kept = life.history.events().count() / 2;
    world.restore_to(clinic(1), kept as i64).await;
    go_on(&mut life, 30, 99);
    let events: Vec<_> = life.history.events().skip(kept).cloned().collect();
    world.append(&events).await;
    world
        .until("it is followed", async || {
            compare(&world.log(), "patient", None)
                .await
                .unwrap()
                .iter()
                .all(|one| one.is_same() && one.position == (kept + events.len()) as i64)
        })
        .await;
    tokio::time::timeout(Duration::from_secs(60), world.caught_up()).await.unwrap();
    world.assert_true().await;
    running.stop().await;
}
