//! What the database itself refuses.

use event_store::DbRole;
use sqlx::{AssertSqlSafe, PgPool};

use crate::world::World;

const ROLES: [DbRole; 5] = [DbRole::Reader, DbRole::Writer, DbRole::Relay, DbRole::Projector, DbRole::Auditor];
const CHANGES: [&str; 6] = [
    "UPDATE log.event SET event_type = 'x'",
    "DELETE FROM log.event",
    "TRUNCATE log.event",
    "UPDATE log.access_patient SET position = 1",
    "DELETE FROM log.access_patient",
    "TRUNCATE log.access_patient",
];

async fn refusal(pool: &PgPool, statement: &str) -> String {
    let answer = sqlx::query(AssertSqlSafe(statement.to_owned())).execute(pool).await;
    let error = answer.expect_err("the database refuses it");
    error.as_database_error().and_then(|error| error.code()).expect("the refusal has a code").into_owned()
}

#[tokio::test]
async fn nobody_changes_an_event() {
    let world = World::new().await;
    let owner = PgPool::connect_with(world.options.clone()).await.unwrap();
    for change in CHANGES {
        for role in ROLES {
            assert_eq!(refusal(&role.pool(world.options.clone(), 1), change).await, "42501", "{role:?}: {change}");
        }
        assert_eq!(refusal(&owner, change).await, "42501", "the owner: {change}");
        assert_eq!(refusal(&world.superuser, change).await, "42501", "the superuser: {change}");
    }
    let mut connection = world.superuser.acquire().await.unwrap();
    for table in ["log.event", "log.access_patient"] {
        let replica = format!("SET session_replication_role = replica; DELETE FROM {table}");
        let answer = sqlx::raw_sql(AssertSqlSafe(replica)).execute(&mut *connection).await;
        assert!(answer.unwrap_err().to_string().contains("the log refuses DELETE"), "{table}");
    }
}

#[tokio::test]
async fn every_table_of_a_clinic_is_behind_forced_row_level_security() {
    let world = World::new().await;
    let open: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = 'log' AND c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
         ORDER BY 1",
    )
    .fetch_all(&world.superuser)
    .await
    .unwrap();
    assert_eq!(open, ["migration"]);
}

#[tokio::test]
async fn only_the_writer_writes_and_it_sees_no_more_than_it_needs() {
    let world = World::new().await;
    let insert = "INSERT INTO log.head VALUES (gen_random_uuid(), 1, 0, '', now())";
    for role in [DbRole::Reader, DbRole::Relay, DbRole::Projector, DbRole::Auditor] {
        let pool = role.pool(world.options.clone(), 1);
        assert_eq!(refusal(&pool, insert).await, "42501", "{role:?}");
        assert_eq!(refusal(&pool, "SELECT FROM log.credential").await, "42501", "{role:?}");
    }
    for role in [DbRole::Relay, DbRole::Auditor] {
        assert_eq!(refusal(&role.pool(world.options.clone(), 1), "SELECT FROM log.patient_key").await, "42501");
    }
}

#[tokio::test]
async fn a_reader_sees_nothing_without_a_scope_and_one_clinic_with_it() {
    let world = World::new().await;
    let insert = "INSERT INTO log.head
                  SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, 1, n, '', now() FROM generate_series(1, 3) AS n";
    sqlx::query(insert).execute(&world.superuser).await.unwrap();
    let reader = DbRole::Reader.pool(world.options.clone(), 1);
    let unscoped: Vec<i64> = sqlx::query_scalar("SELECT position FROM log.head").fetch_all(&reader).await.unwrap();
    assert!(unscoped.is_empty());
    // The filter is left out on purpose: the policy holds alone.
    let scoped = "SELECT h.position FROM log.scope('00000000-0000-0000-0000-000000000002') AS s(clinic)
                  CROSS JOIN LATERAL (SELECT * FROM log.head OFFSET 0) AS h";
    let scoped: Vec<i64> = sqlx::query_scalar(scoped).fetch_all(&reader).await.unwrap();
    assert_eq!(scoped, [2]);
    let after: Vec<i64> = sqlx::query_scalar("SELECT position FROM log.head").fetch_all(&reader).await.unwrap();
    assert!(after.is_empty(), "the scope ends with its statement");
}
