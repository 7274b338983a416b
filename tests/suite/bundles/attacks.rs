//! Whoever owns the database changes it; a bundle is made of what is there then.

use query_api::export::What;
use serde_json::{Value, json};
use sqlx::Row;

use super::world::World;

const VICTIM: i64 = 5;
const TABLES: [&str; 8] =
    ["event", "head", "checkpoint", "checkpoint_leaf", "checkpoint_key", "tree", "tree_node", "patient_key"];

async fn given() -> World {
    let world = World::with_history().await;
    for table in TABLES {
        world.run(format!("ALTER TABLE log.{table} DISABLE TRIGGER ALL")).await;
        world.run(format!("CREATE TABLE saved_{table} AS SELECT * FROM log.{table}")).await;
    }
    world
}

async fn restore(world: &World) {
    for table in TABLES {
        world.run(format!("DELETE FROM log.{table}")).await;
        world.run(format!("INSERT INTO log.{table} SELECT * FROM saved_{table}")).await;
    }
}

/// All hashes from a position on, as the program computes them, and the head's.
async fn rechain(world: &World, from: i64) {
    let last: i64 = sqlx::query_scalar("SELECT max(position) FROM log.event WHERE ledger = 1")
        .fetch_one(&world.superuser)
        .await
        .expect("there are events");
    for position in from..=last {
        world
            .run(format!(
                "UPDATE log.event e SET previous_hash = p.hash, payload_hash = sha256(e.payload) FROM log.event p
                 WHERE e.ledger = 1 AND p.ledger = 1 AND e.position = {position} AND p.position = {position} - 1"
            ))
            .await;
        world
            .run(format!(
                "UPDATE log.event e SET hash = log.chain_hash(e.previous_hash, log.row_hash(e))
                 WHERE ledger = 1 AND position = {position}"
            ))
            .await;
    }
    let head = "UPDATE log.head h SET position = e.position, hash = e.hash FROM log.event e WHERE h.ledger = 1 \
                AND e.ledger = 1 AND e.position = (SELECT max(position) FROM log.event WHERE ledger = 1)";
    world.run(head).await;
}

#[track_caller]
fn assert_first(said: &Value, expected: Value, attack: &str) {
    assert_eq!(said["findings"][0], expected, "{attack}: {said}");
    assert_eq!(said["outcome"], "not_intact", "{attack}");
}

fn of_record(verdict: &str, position: i64) -> Value {
    json!({"ledger": "record", "verdict": verdict, "position": position})
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
async fn a_byte_that_was_flipped_in_any_column_is_found_at_its_position() {
    let world = given().await;
    let columns = sqlx::query(
        "SELECT column_name::text, data_type::text FROM information_schema.columns
         WHERE table_schema = 'log' AND table_name = 'event' ORDER BY ordinal_position",
    )
    .fetch_all(&world.superuser)
    .await
    .expect("the table is there");
    assert_eq!(columns.len(), 32);
    for column in &columns {
        let (name, kind): (String, String) = (column.get(0), column.get(1));
        let new = if name == "position" { "1000".into() } else { changed(&name, &kind) };
        world.run(format!("UPDATE log.event SET {name} = {new} WHERE ledger = 1 AND position = {VICTIM}")).await;
        let is_place = ["clinic", "ledger", "position"].contains(&name.as_str());
        let verdict = if is_place { "gap_at" } else { "altered_at" };
        assert_first(&world.said_of(What::Clinic).await, of_record(verdict, VICTIM), &name);
        restore(&world).await;
    }
    assert_eq!(world.said_of(What::Clinic).await["outcome"], "intact", "all is as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_were_dropped_swapped_inserted_or_cut_off_are_found() {
    let world = given().await;
    let swap = [
        "UPDATE log.event SET position = 116 - position WHERE ledger = 1 AND position IN (7, 9)",
        "UPDATE log.event SET position = position - 100 WHERE ledger = 1 AND position > 100",
    ];
    let insert = [
        "UPDATE log.event SET position = position + 101 WHERE ledger = 1 AND position >= 5",
        "UPDATE log.event SET position = position - 100 WHERE ledger = 1 AND position > 100",
        "CREATE TEMPORARY TABLE one AS SELECT * FROM log.event WHERE ledger = 1 AND position = 4",
    ];
    let drop = ["DELETE FROM log.event WHERE ledger = 1 AND position = 5"];
    let cut = [
        "DELETE FROM log.event WHERE ledger = 1 AND position > 7",
        "UPDATE log.head SET position = 7 WHERE ledger = 1",
    ];
    let cut_of_access = [
        "DELETE FROM log.event WHERE ledger = 2 AND position > 1",
        "UPDATE log.head SET position = 1 WHERE ledger = 2",
    ];
    let cut_with_checkpoints = [
        "DELETE FROM log.event WHERE ledger = 1 AND position > 6",
        "UPDATE log.head SET position = 6 WHERE ledger = 1",
        "DELETE FROM log.checkpoint WHERE number > 2",
        "DELETE FROM log.checkpoint_leaf WHERE checkpoint > 2",
    ];
    for (attack, expected) in [
        (&drop[..], of_record("gap_at", 5)),
        (&swap, of_record("altered_at", 7)),
        (&insert[..2], of_record("gap_at", 5)),
        (&cut, of_record("cut_off_after", 7)),
        (&cut_of_access, json!({"ledger": "access", "verdict": "cut_off_after", "position": 1})),
        (&cut_with_checkpoints, of_record("cut_off_after", 6)),
    ] {
        for statement in attack {
            world.run(*statement).await;
        }
        assert_first(&world.said_of(What::Clinic).await, expected, attack[0]);
        restore(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_that_was_rewritten_with_a_right_chain_is_found_between_two_checkpoints() {
    let world = given().await;
    for (position, after, up_to) in [(7, 6, 8), (4, 3, 6), (2, 0, 3)] {
        world.run(format!("UPDATE log.event SET actor_name = 'ravi' WHERE ledger = 1 AND position = {position}")).await;
        rechain(&world, position).await;
        let between = json!({"ledger": "record", "verdict": "altered_between", "after": after, "up_to": up_to});
        assert_first(&world.said_of(What::Clinic).await, between, "rewritten");
        restore(&world).await;
    }
    world.run("UPDATE log.event SET actor_name = 'ravi' WHERE ledger = 1 AND position = 9").await;
    rechain(&world, 9).await;
    let said = world.said_of(What::Clinic).await;
    assert_eq!(
        (&said["outcome"], &said["record"]["covered_upto"]),
        (&json!("intact"), &json!(8)),
        "9 is not signed yet"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_signed_anew_with_another_key_is_trusted_by_nobody() {
    let mut world = given().await;
    world.run("UPDATE log.event SET actor_name = 'ravi' WHERE ledger = 1 AND position = 4").await;
    rechain(&world, 4).await;
    for table in ["tree", "tree_node", "chart", "chart_bucket", "checkpoint", "checkpoint_key", "checkpoint_leaf"] {
        world.run(format!("ALTER TABLE log.{table} DISABLE TRIGGER ALL")).await;
    }
    world.sign_anew_with_another_key().await;
    let said = world.said_of(What::Clinic).await;
    assert_first(
        &said,
        json!({"ledger": "record", "verdict": "altered_between", "after": 3, "up_to": 6}),
        "by the anchors",
    );
    let findings = said["findings"].as_array().expect("a list");
    assert!(findings.contains(&json!({"verdict": "checkpoint_untrusted", "number": 1})), "{said}");
    assert!(findings.contains(&json!({"verdict": "checkpoint_differs", "number": 1})), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_patients_that_were_exchanged_are_found_where_they_do_not_open() {
    let world = given().await;
    let exchange =
        "UPDATE log.patient_key k SET wrapped = o.wrapped FROM log.patient_key o WHERE o.patient <> k.patient";
    world.run(exchange).await;
    let said = world.said_of(What::Clinic).await;
    assert_first(&said, of_record("not_opened_at", 2), "exchanged");
    assert_eq!(said["findings"].as_array().map(Vec::len), Some(1), "the rows are what they were: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_dropped_is_missing_from_its_chart() {
    let world = given().await;
    let patient = world.patients[0];
    let count: i64 = sqlx::query_scalar("SELECT max(patient_version) FROM log.event WHERE patient = $1")
        .bind(patient.0)
        .fetch_one(&world.superuser)
        .await
        .expect("there are events");
    assert!(count > 1);
    world.run(format!("DELETE FROM log.event WHERE patient = '{patient}' AND patient_version = {count}")).await;
    let said = world.said_of(What::Person(vec![patient])).await;
    assert_eq!(said["outcome"], "not_intact", "{said}");
    restore(&world).await;
    assert_eq!(world.said_of(What::Person(vec![patient])).await["outcome"], "intact");
}
