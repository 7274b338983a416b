//! Whoever changes the log behind the program's back is found, at the very position.

use event_store::{Store, Verdict};
use events::{ClinicId, Ledger};
use sqlx::{AssertSqlSafe, PgPool, Row};

use crate::world::{World, clinic, new_patient, registers};

const VICTIM: i64 = 3;
const GAP: Verdict = Verdict::GapAt { position: VICTIM };
const ALTERED: Verdict = Verdict::AlteredAt { position: VICTIM };

async fn run(superuser: &PgPool, statement: impl Into<String>) {
    sqlx::query(AssertSqlSafe(statement.into())).execute(superuser).await.unwrap();
}

async fn world_with_events() -> (World, Store, ClinicId) {
    let world = World::new().await;
    let store = world.store();
    let clinic = clinic(&store).await;
    for _ in 0..4 {
        store.append(registers(clinic, new_patient())).await.unwrap();
    }
    run(&world.superuser, "ALTER TABLE log.event DISABLE TRIGGER ALL").await;
    (world, store, clinic)
}

async fn verdict(store: &Store, clinic: ClinicId) -> Verdict {
    store.verify(clinic, Ledger::Record).await.unwrap()
}

/// The least change of a column of that type.
fn changed(column: &str, kind: &str) -> String {
    match kind {
        "text" => format!("coalesce({column}, '') || 'x'"),
        "uuid" => "gen_random_uuid()".into(),
        "bigint" | "smallint" => format!("coalesce({column}, 0) + 1"),
        "timestamp with time zone" => format!("{column} + interval '1 microsecond'"),
        "bytea" => format!("set_byte({column}, 0, get_byte({column}, 0) # 1)"),
        other => panic!("{column} has the unforeseen type {other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_any_column_is_found_at_its_position() {
    let (world, store, clinic) = world_with_events().await;
    let superuser = &world.superuser;
    let columns = sqlx::query(
        "SELECT column_name::text, data_type::text FROM information_schema.columns
         WHERE table_schema = 'log' AND table_name = 'event' ORDER BY ordinal_position",
    )
    .fetch_all(superuser)
    .await
    .unwrap();
    assert_eq!(columns.len(), 32);
    run(superuser, format!("CREATE TABLE saved AS SELECT * FROM log.event WHERE position = {VICTIM}")).await;
    for column in &columns {
        let (name, kind): (String, String) = (column.get(0), column.get(1));
        // The only other ledger, and a place that is free.
        let new = match name.as_str() {
            "position" => "1000".into(),
            _ => changed(&name, &kind),
        };
        run(superuser, format!("UPDATE log.event SET {name} = {new} WHERE position = {VICTIM}")).await;
        let place = ["clinic", "ledger", "position"].contains(&name.as_str());
        let expected = if place { GAP } else { ALTERED };
        assert_eq!(verdict(&store, clinic).await, expected, "{name}");
        let intact = "SELECT bool_and(log.row_is_intact(e)) FROM log.event e";
        let intact: bool = sqlx::query_scalar(intact).fetch_one(superuser).await.unwrap();
        assert!(!intact, "PostgreSQL's own hash sees it, too: {name}");
        run(
            superuser,
            "DELETE FROM log.event e USING saved s WHERE e.event_id = s.event_id
                        OR (e.clinic, e.ledger, e.position) = (s.clinic, s.ledger, s.position)",
        )
        .await;
        run(superuser, "INSERT INTO log.event SELECT * FROM saved").await;
        assert!(verdict(&store, clinic).await.is_intact(), "{name} is as it was");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_made_anew_with_right_hashes_does_not_fit_the_next() {
    let (world, store, clinic) = world_with_events().await;
    run(&world.superuser, format!("UPDATE log.event SET actor_name = 'ravi' WHERE position = {VICTIM}")).await;
    let rehash = "UPDATE log.event e SET hash = log.chain_hash(e.previous_hash, log.row_hash(e)) WHERE position = 3";
    run(&world.superuser, rehash).await;
    assert_eq!(verdict(&store, clinic).await, Verdict::AlteredAt { position: VICTIM + 1 });
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_rows_and_moved_heads_are_found() {
    let (world, store, clinic) = world_with_events().await;
    let superuser = &world.superuser;
    assert_eq!(verdict(&store, clinic).await, Verdict::Intact { up_to: 0, not_yet_anchored: 5 });
    run(superuser, "UPDATE log.head SET hash = decode(repeat('11', 32), 'hex')").await;
    assert_eq!(verdict(&store, clinic).await, Verdict::AlteredAt { position: 5 });
    run(superuser, "DELETE FROM log.event WHERE position = 5").await;
    assert_eq!(verdict(&store, clinic).await, Verdict::CutOffAfter { position: 4 });
    run(superuser, "DELETE FROM log.event WHERE position = 2").await;
    assert_eq!(verdict(&store, clinic).await, Verdict::GapAt { position: 2 });
    run(superuser, "DELETE FROM log.event").await;
    assert_eq!(verdict(&store, clinic).await, Verdict::CutOffAfter { position: 0 });
    let empty = Verdict::Intact { up_to: 0, not_yet_anchored: 0 };
    assert_eq!(verdict(&store, ClinicId::PLATFORM).await, empty, "a ledger without events is intact");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_too_many_is_found() {
    let (world, store, clinic) = world_with_events().await;
    let superuser = &world.superuser;
    run(superuser, "DROP INDEX log.event_stream, log.event_chart").await;
    run(superuser, "ALTER TABLE log.event DROP CONSTRAINT event_pkey").await;
    run(superuser, "CREATE TABLE saved AS SELECT * FROM log.event").await;
    for position in [3, 6, 0] {
        run(superuser, "CREATE TABLE one AS SELECT * FROM log.event WHERE position = 3").await;
        run(superuser, format!("UPDATE one SET position = {position}")).await;
        run(superuser, "INSERT INTO log.event SELECT * FROM one").await;
        assert_eq!(verdict(&store, clinic).await, Verdict::AlteredAt { position });
        run(superuser, "DELETE FROM log.event").await;
        run(superuser, "INSERT INTO log.event SELECT * FROM saved").await;
        run(superuser, "DROP TABLE one").await;
    }
    assert!(verdict(&store, clinic).await.is_intact());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_holds_what_it_cannot_is_found_like_any_other() {
    let (world, store, clinic) = world_with_events().await;
    for change in ["hash = '\\x00'", "payload_hash = '\\x00'", "recorded_at = 'infinity'"] {
        run(&world.superuser, "CREATE TABLE saved AS SELECT * FROM log.event WHERE position = 3").await;
        run(&world.superuser, format!("UPDATE log.event SET {change} WHERE position = 3")).await;
        assert_eq!(verdict(&store, clinic).await, ALTERED, "{change}");
        run(&world.superuser, "DELETE FROM log.event WHERE position = 3").await;
        run(&world.superuser, "INSERT INTO log.event SELECT * FROM saved").await;
        run(&world.superuser, "DROP TABLE saved").await;
    }
    assert!(verdict(&store, clinic).await.is_intact());
}
