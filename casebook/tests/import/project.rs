//! What the read models say of the log.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use event_store::feed::{Ingest, Source};
use projector::{History, Projector};
use sqlx::Row;
use tokio_util::sync::CancellationToken;

use crate::{
    log::{Counts, name_and_slug},
    world::World,
};

const CONNECTIONS: u32 = 8;
const LOOK_EVERY: Duration = Duration::from_millis(200);
const WITHIN: Duration = Duration::from_secs(900);

/// Projects all of the log, and counts each clinic from the read models, by name.
pub async fn projected(world: &World) -> BTreeMap<String, Counts> {
    let (pool, opener) = (projector::pool(world.options(), CONNECTIONS), Arc::new(world.store()));
    let ingest = Ingest::start(Source::new(pool.clone(), opener.clone()), None);
    let stop = CancellationToken::new();
    let running = tokio::spawn(Projector::new(History::new(pool.clone(), opener), ingest, None).run(stop.clone()));
    let deadline = Instant::now() + WITHIN;
    while let Some(behind) = projector::status(&pool).await.unwrap().into_iter().find(|one| one.behind > 0) {
        assert!(behind.parked.is_empty(), "{behind:?}");
        assert!(Instant::now() < deadline, "the read models do not get on: {behind:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    stop.cancel();
    running.await.unwrap();
    counts(world).await
}

async fn counts(world: &World) -> BTreeMap<String, Counts> {
    let (superuser, store) = (world.superuser().await, world.store());
    let rows = sqlx::query(
        "SELECT clinic_id, count(*) AS booked, count(*) FILTER (WHERE status = 'fulfilled') AS fulfilled,
                count(*) FILTER (WHERE status = 'noshow') AS no_shows,
                (SELECT count(*) FROM read.patient_1 p WHERE p.clinic_id = a.clinic_id) AS patients
         FROM read.appointment_1 a GROUP BY clinic_id",
    );
    let mut counts = BTreeMap::new();
    for row in rows.fetch_all(&superuser).await.unwrap() {
        let count = |name| usize::try_from(row.get::<i64, _>(name)).unwrap();
        let (name, _) = name_and_slug(&store, row.get::<uuid::Uuid, _>("clinic_id").into()).await;
        let (patients, booked) = (count("patients"), count("booked"));
        counts.insert(name, Counts { patients, booked, fulfilled: count("fulfilled"), no_shows: count("no_shows") });
    }
    counts
}
