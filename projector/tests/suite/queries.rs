use read_models::search::fold_text;
use sqlx::Row;

use crate::world::{World, clinic, life};

async fn found(world: &World, of: u128, text: &str) -> Vec<(String, i32)> {
    let words: Vec<String> = fold_text(text).split(' ').map(str::to_owned).collect();
    let mut transaction = world.reader.begin().await.unwrap();
    sqlx::query("SELECT set_config('casebook.clinic', $1, true)")
        .bind(clinic(of).to_string())
        .execute(&mut *transaction)
        .await
        .unwrap();
    let rows = sqlx::query(
        "SELECT p.first_name, f.rank FROM read.search_patients($1, 10) f
         JOIN read.patient_1 p ON p.clinic_id = read.clinic() AND p.id = f.id ORDER BY f.rank DESC, p.first_name",
    );
    let rows = rows.bind(words).fetch_all(&mut *transaction).await.unwrap();
    rows.iter().map(|row| (row.get("first_name"), row.get("rank"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn patients_are_found_by_parts_slips_numbers_and_phones_in_their_clinic_alone() {
    let world = World::new().await;
    for n in [1, 2] {
        let mut life = life(clinic(n), 0, 19);
        for name in ["Lakshmi", "José", "Aisha", "100%_sure"] {
            life.history.registered(&format!("{name}{}", if n == 2 { "-two" } else { "" }));
        }
        world.append(life.history.events()).await;
    }
    let running = world.start();
    world.caught_up().await;
    let named = |name: &str, rank| vec![(name.to_owned(), rank)];
    assert_eq!(found(&world, 1, "lak").await, named("Lakshmi", 3));
    assert_eq!(found(&world, 1, "JOSE rao").await, named("José", 3));
    assert_eq!(found(&world, 1, "ksh").await, named("Lakshmi", 2));
    assert_eq!(found(&world, 1, "lakshmy").await, named("Lakshmi", 1));
    assert_eq!(found(&world, 1, "100%_").await, named("100%_sure", 3));
    assert_eq!(found(&world, 1, "%").await, []);
    assert_eq!(found(&world, 1, "rao").await.len(), 4, "only those of the clinic");
    assert_eq!(found(&world, 1, "9820012345").await.len(), 4);
    assert_eq!(found(&world, 1, "pt-2026-00002").await.len(), 1);
    assert_eq!(found(&world, 3, "rao").await, []);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_without_a_clinic_sees_nothing() {
    let world = World::new().await;
    world.append(life(clinic(1), 50, 20).history.events()).await;
    let running = world.start();
    world.caught_up().await;
    for table in [
        "clinic_1",
        "staff_1",
        "doctor_1",
        "appointment_1",
        "patient_1",
        "patient_stats_1",
        "usage_2",
        "standing_1",
        "emergency_access_1",
        "appointment_day_1",
        "checkpoint",
        "parked",
        "rebuild",
    ] {
        let count = format!("SELECT count(*) FROM read.{table}");
        let seen: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(&world.reader).await.unwrap();
        assert_eq!(seen, 0, "{table}");
    }
    let listed = sqlx::query("SELECT * FROM read.directory(NULL, 10)").fetch_all(&world.reader).await.unwrap();
    assert_eq!(listed.len(), 1, "the public directory alone crosses clinics");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_of_the_schema_holds_clinics_apart() {
    let world = World::new().await;
    world.rebuild_everything().await;
    let open = sqlx::query_scalar::<_, String>(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'read'::regnamespace AND relkind = 'r'
         AND NOT (relrowsecurity AND relforcerowsecurity) AND relname <> 'migration'",
    );
    assert_eq!(open.fetch_all(&world.projector).await.unwrap(), Vec::<String>::new());
}
