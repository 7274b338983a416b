//! A whole clinic as it was.

use chrono::{DateTime, TimeDelta, Utc};
use event_store::replays::{AskedReplay, ReplayAnswer, Until};
use events::{
    ClinicId, PatientEvent, UserId,
    patient::{ErasureCause, PatientStatus, Standing},
    values::Gender,
};
use futures::{StreamExt, future::join_all};
use projector::{Built, Replaying, build_replay, replaying};
use rand::{Rng, SeedableRng, rngs::StdRng};
use read_models::{Projection, Visitor, each};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::world::{World, clinic, go_on, life, lives};

const SEED: u64 = 17;
/// What a rebuild reads of the log, and what of each is one clinic's up to a position.
const COPIED: [(&str, &str); 4] = [
    ("log.event", "ledger = 1 AND position <= "),
    ("log.head", "ledger = 1 AND position > 0 * "),
    ("log.clinic_key", "0 < "),
    ("log.patient_key", "0 < "),
];

impl World {
    async fn ask(&self, clinic: ClinicId, until: Until) -> (Uuid, AskedReplay) {
        let id = Uuid::now_v7();
        match self.store().ask_replay(clinic, id, None, until).await.unwrap() {
            ReplayAnswer::Asked(asked) => (id, asked),
            other => panic!("{until:?} is {other:?}"),
        }
    }

    async fn state(&self, clinic: ClinicId, id: Uuid) -> String {
        let state = sqlx::query_scalar("SELECT state FROM read.replay WHERE clinic_id = $1 AND id = $2");
        let state: Option<String> = state.bind(clinic.0).bind(id).fetch_optional(&self.superuser).await.unwrap();
        state.unwrap_or_default()
    }

    async fn becomes(&self, clinic: ClinicId, id: Uuid, state: &str) {
        self.until(state, async || self.state(clinic, id).await == state).await;
    }

    /// The schema of a replay, whether it is there or not.
    async fn place(&self, clinic: ClinicId, id: Uuid) -> String {
        let place = sqlx::query_scalar("SELECT read.replay_place($1, $2)").bind(clinic.0).bind(id);
        place.fetch_one(&self.superuser).await.unwrap()
    }

    async fn schemas(&self) -> i64 {
        let schemas = sqlx::query_scalar("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'replay%'");
        schemas.fetch_one(&self.superuser).await.unwrap()
    }

    /// Every row of every read model of a clinic, and of its checkpoints, as PostgreSQL shows them.
    async fn rows(&self, schema: &str, clinic: ClinicId) -> Vec<(String, Vec<String>)> {
        let mut all = Vec::new();
        for table in each(&mut Tables).into_iter().chain(["checkpoint"]) {
            let epoch = if table == "checkpoint" { "(t.projection, t.position, t.hash)" } else { "t" };
            let rows = format!("SELECT {epoch}::text FROM {schema}.{table} t WHERE clinic_id = $1 ORDER BY 1");
            let rows = sqlx::query_scalar(AssertSqlSafe(rows)).bind(clinic.0).fetch_all(&self.superuser).await.unwrap();
            all.push((table.to_owned(), rows));
        }
        all
    }

    /// Takes over another world's log of one clinic as it was at a position.
    async fn copy_log(&self, from: &World, clinic: ClinicId, upto: i64) {
        let mut here = self.superuser.acquire().await.unwrap();
        let mut there = from.superuser.acquire().await.unwrap();
        for (table, which) in COPIED {
            let out = format!(
                "COPY (SELECT * FROM {table} WHERE clinic = '{clinic}' AND {which}{upto}) TO STDOUT (FORMAT binary)"
            );
            let mut rows = there.copy_out_raw(&out).await.unwrap();
            let mut copy = here.copy_in_raw(&format!("COPY {table} FROM STDIN (FORMAT binary)")).await.unwrap();
            while let Some(bytes) = rows.next().await {
                copy.send(bytes.unwrap()).await.unwrap();
            }
            copy.finish().await.unwrap();
        }
        self.restore_to(clinic, upto).await;
    }
}

struct Tables;

impl Visitor for Tables {
    type Output = &'static str;

    fn visit<P: Projection>(&mut self) -> &'static str {
        P::TABLE.strip_prefix("read.").unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_what_a_rebuild_of_a_log_that_ends_there_makes() {
    let world = World::new().await;
    let mut random = StdRng::seed_from_u64(SEED);
    let mut lives = lives(3, 150, 21);
    for life in &lives {
        world.append(life.history.events()).await;
    }
    let between = Utc::now();
    for life in &mut lives {
        go_on(life, 100, 22);
        world.append(life.history.events()).await;
    }
    let running = world.start();
    let clinic = clinic(1);
    let head = lives[1].history.events().count() as i64;
    let ends = [Until::Position(random.random_range(1..head)), Until::Instant(between), Until::Position(head)];
    for until in ends {
        let (id, asked) = world.ask(clinic, until).await;
        world.becomes(clinic, id, "ready").await;
        let copy = World::new().await;
        copy.copy_log(&world, clinic, asked.position).await;
        copy.rebuild_everything().await;
        let (expected, place) = (copy.rows("read", clinic).await, world.place(clinic, id).await);
        assert!(expected.iter().map(|(_, rows)| rows.len()).sum::<usize>() > 8, "the seed {SEED} makes a clinic");
        assert_eq!(world.rows(&place, clinic).await, expected, "{until:?}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instant_is_the_last_position_recorded_by_then() {
    let world = World::new().await;
    let life = life(clinic(1), 50, 11);
    world.append(life.history.events()).await;
    let events = world.store().read_clinic(clinic(1), 0, 100).await.unwrap();
    let at = async |clinic: ClinicId, instant: DateTime<Utc>| -> i64 {
        let position = sqlx::query_scalar("SELECT log.position_at($1, $2)").bind(clinic.0).bind(instant);
        position.fetch_one(&world.superuser).await.unwrap()
    };
    for event in &events {
        // Several may have been recorded within one microsecond.
        let last = events.iter().rposition(|other| other.recorded_at == event.recorded_at).unwrap() as i64 + 1;
        let first = events.iter().position(|other| other.recorded_at == event.recorded_at).unwrap() as i64;
        assert_eq!(at(clinic(1), event.recorded_at).await, last);
        assert_eq!(at(clinic(1), event.recorded_at - TimeDelta::microseconds(1)).await, first);
    }
    assert_eq!(at(clinic(1), Utc::now() + TimeDelta::days(1)).await, events.len() as i64);
    assert_eq!(at(clinic(9), Utc::now()).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_replayed_is_refused() {
    let world = World::new().await;
    let life = life(clinic(1), 20, 5);
    world.append(life.history.events()).await;
    let (store, head) = (world.store(), life.history.events().count() as i64);
    let ask = async |id: Uuid, until: Until| store.ask_replay(clinic(1), id, None, until).await.unwrap();
    let fresh = Uuid::now_v7;
    assert_eq!(ask(fresh(), Until::Position(head + 1)).await, ReplayAnswer::Beyond);
    assert_eq!(ask(fresh(), Until::Position(0)).await, ReplayAnswer::Before);
    assert_eq!(ask(fresh(), Until::Instant(Utc::now() - TimeDelta::days(1))).await, ReplayAnswer::Before);
    let (id, first) = world.ask(clinic(1), Until::Position(2)).await;
    assert_eq!(ask(id, Until::Position(2)).await, ReplayAnswer::Known(first.clone()));
    assert_eq!(ask(id, Until::Position(3)).await, ReplayAnswer::Taken);
    let another = store.ask_replay(clinic(1), id, Some(UserId(fresh())), Until::Position(2)).await.unwrap();
    assert_eq!(another, ReplayAnswer::Taken);
    assert_eq!(first.instant, store.read_clinic(clinic(1), 1, 1).await.unwrap()[0].recorded_at);

    let many = join_all((0..8).map(|_| ask(fresh(), Until::Position(1)))).await;
    assert_eq!(many.iter().filter(|answer| **answer == ReplayAnswer::Full).count(), 6, "{many:?}");
    assert!(store.end_replay(clinic(1), id).await.unwrap());
    assert!(matches!(ask(fresh(), Until::Position(1)).await, ReplayAnswer::Asked(_)), "there is room again");
    assert!(!store.end_replay(clinic(2), id).await.unwrap(), "another clinic's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_built_once_by_however_many_and_again_after_a_kill() {
    let world = World::new().await;
    let life = life(clinic(1), 200, 6);
    world.append(life.history.events()).await;
    let (id, asked) = world.ask(clinic(1), Until::Position(100)).await;
    let one = &replaying(&world.projector).await.unwrap()[0];
    assert_eq!((one.clinic, one.id, one.position, one.events), (clinic(1), id, 100, 0));

    // Whoever builds it waits for the table of the patients.
    let mut blocker = world.superuser.begin().await.unwrap();
    sqlx::query("LOCK TABLE read.patient_1 IN ACCESS EXCLUSIVE MODE").execute(&mut *blocker).await.unwrap();
    let first = world.start();
    world.until("it is folded", async || replaying(&world.projector).await.unwrap()[0].events == 100).await;
    let log = world.log();
    assert_eq!(build_replay(&log, one, &mut |_| ()).await.unwrap(), Built::Busy);
    first.kill().await;
    blocker.rollback().await.unwrap();
    world.until("the killed one's lock is free", async || world.builders().await == 0).await;
    assert_eq!((world.state(clinic(1), id).await.as_str(), world.schemas().await), ("running", 0));

    let built = join_all((0..4).map(|_| {
        let log = world.log();
        async move { build_replay(&log, one, &mut |_| ()).await.unwrap() }
    }));
    let built = built.await;
    assert_eq!(built.iter().filter(|built| **built == Built::Ready).count(), 1, "{built:?}");
    assert_eq!(world.state(clinic(1), id).await, "ready");
    world.until("their locks are free", async || world.builders().await == 0).await;
    assert_eq!(build_replay(&log, one, &mut |_| ()).await.unwrap(), Built::Over);
    let never = Replaying { id: Uuid::now_v7(), ..one.clone() };
    assert_eq!(build_replay(&log, &never, &mut |_| ()).await.unwrap(), Built::Over);
    assert_eq!(asked.position, 100);
}

impl World {
    /// Connections that hold the lock of a replay, or build one.
    async fn builders(&self) -> i64 {
        let builders = sqlx::query_scalar(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 212200194::oid",
        );
        builders.fetch_one(&self.superuser).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_gone_when_its_time_is_over_and_only_that_one() {
    let world = World::new().await;
    let lives = lives(2, 60, 7);
    for life in &lives {
        world.append(life.history.events()).await;
    }
    let running = world.start();
    let id = Uuid::now_v7();
    for n in 0..2 {
        // Two clinics may choose one id.
        let asked = world.store().ask_replay(clinic(n), id, None, Until::Position(5)).await.unwrap();
        assert!(matches!(asked, ReplayAnswer::Asked(_)));
        world.becomes(clinic(n), id, "ready").await;
    }
    assert_eq!(world.schemas().await, 2);
    let other = world.rows(&world.place(clinic(1), id).await, clinic(1)).await;
    world.store().end_replay(clinic(0), id).await.unwrap();
    world.becomes(clinic(0), id, "dropped").await;
    assert_eq!((world.schemas().await, world.state(clinic(1), id).await.as_str()), (1, "ready"));
    assert_eq!(world.rows(&world.place(clinic(1), id).await, clinic(1)).await, other);
    sqlx::query("UPDATE log.replay SET expires_at = now()").execute(&world.superuser).await.unwrap();
    world.becomes(clinic(1), id, "dropped").await;
    assert_eq!(world.schemas().await, 0);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_read_fails_the_replay_that_reaches_it() {
    let world = World::new().await;
    let life = life(clinic(1), 30, 8);
    world.append(life.history.events()).await;
    world.age_last_event(clinic(1)).await;
    let running = world.start();
    let head = life.history.events().count() as i64;
    let (before, _) = world.ask(clinic(1), Until::Position(head - 1)).await;
    let (beyond, _) = world.ask(clinic(1), Until::Position(head)).await;
    world.becomes(clinic(1), before, "ready").await;
    world.becomes(clinic(1), beyond, "failed").await;
    let error = sqlx::query_scalar::<_, String>("SELECT error FROM read.replay WHERE id = $1").bind(beyond);
    let error = error.fetch_one(&world.superuser).await.unwrap();
    assert!(error.contains(&head.to_string()), "{error}");
    assert_eq!(world.schemas().await, 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_a_replay_but_in_the_scope_of_its_clinic() {
    let world = World::new().await;
    let life = life(clinic(1), 60, 9);
    world.append(life.history.events()).await;
    let running = world.start();
    let (id, _) = world.ask(clinic(1), Until::Position(life.history.events().count() as i64)).await;
    world.becomes(clinic(1), id, "ready").await;
    let place = world.place(clinic(1), id).await;
    let as_clinic = async |clinic: ClinicId, relation: &str| -> i64 {
        let count = format!(
            "SELECT q.n FROM set_config('casebook.clinic', $1::text, true) s(clinic)
             CROSS JOIN LATERAL (SELECT count(*) AS n FROM {place}.{relation} OFFSET 0) q"
        );
        let count = sqlx::query_scalar(AssertSqlSafe(count)).bind(clinic.0);
        count.fetch_one(&world.reader).await.unwrap()
    };
    let search = "search_patients(ARRAY['asha'], 10)";
    for relation in ["patient_1", "appointment_1", "checkpoint", "event", "head", search] {
        assert_eq!(as_clinic(clinic(2), relation).await, 0, "{relation}");
        assert!(relation == search || as_clinic(clinic(1), relation).await > 0, "{relation}");
    }
    for statement in ["DELETE FROM", "INSERT INTO"] {
        let values = if statement == "INSERT INTO" { "DEFAULT VALUES" } else { "" };
        let change = format!("{statement} {place}.patient_1 {values}");
        let refused = sqlx::query(AssertSqlSafe(change)).execute(&world.reader).await.unwrap_err();
        assert!(refused.to_string().contains("permission denied"), "{refused}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_does_not_outlive_an_erasure() {
    let world = World::new().await;
    let mut life = life(clinic(1), 0, 10);
    let patient = life.history.registered("Asha");
    world.append(life.history.events()).await;
    let running = world.start();
    let (id, _) = world.ask(clinic(1), Until::Position(life.history.events().count() as i64)).await;
    world.becomes(clinic(1), id, "ready").await;
    let place = world.place(clinic(1), id).await;
    let name = async || -> Option<Option<String>> {
        let name = format!("SELECT first_name FROM {place}.patient_1");
        sqlx::query_scalar(AssertSqlSafe(name)).persistent(false).fetch_one(&world.superuser).await.ok()
    };
    assert_eq!(name().await, Some(Some("Asha".to_owned())));
    running.stop().await;

    let was = Standing { status: PatientStatus::Active, gender: Gender::Female, birth_year: Some(1984) };
    life.history.patient(patient, PatientEvent::PatientErased { cause: ErasureCause::Approved, was });
    world.append(life.history.events()).await;
    world.destroy_key(patient).await;
    let running = world.start();
    world.until("it is built anew", async || name().await == Some(None)).await;
    world.becomes(clinic(1), id, "ready").await;
    running.stop().await;
}
