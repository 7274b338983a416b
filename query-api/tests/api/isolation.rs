//! One clinic never sees another; nobody sees anything without a login that still stands.

use std::collections::BTreeSet;

use chrono::{TimeDelta, Utc};
use events::Role;
use sqlx::{AssertSqlSafe, Row};
use uuid::Uuid;

use crate::world::World;

/// All that is asked of one clinic, with ids where an id is asked.
fn paths(id: impl std::fmt::Display) -> Vec<String> {
    let plain = [
        "",
        "/settings",
        "/subscription",
        "/offices",
        "/staff",
        "/stats",
        "/dashboard",
        "/doctors",
        "/appointments",
        "/patients",
        "/patients/search?q=asha",
        "/patients/duplicates",
        "/patients/stats",
        "/medicines",
        "/medicines/search?q=amox",
        "/visits",
        "/departments",
    ];
    let with_id = [
        "/staff/ID",
        "/doctors/ID",
        "/doctors/ID/slots?date=2027-01-04",
        "/doctors/ID/day-sheet?date=2027-01-04",
        "/appointments/ID",
        "/medicines/ID",
        "/queue?office=ID",
        "/patients/ID",
        "/patients/ID/history",
        "/patients/ID/appointments",
        "/patients/ID/visits",
        "/patients/ID/vitals",
        "/visits/ID",
        "/visits/ID/history",
        "/departments/ID",
    ];
    let with_id = with_id.iter().map(|path| path.replace("ID", &id.to_string()));
    plain.iter().map(|path| (*path).to_owned()).chain(with_id).collect()
}

#[tokio::test]
async fn another_clinic_s_path_and_ids_do_not_exist() {
    let world = World::new().await;
    let (mut ours, mut theirs) = (world.clinic(1).await, world.clinic(2).await);
    ours.history.registered("Asha");
    let their_patient = theirs.history.registered("Asha");
    let (their_booking, _) = theirs.history.booked(1);
    world.publish(&ours).await;
    world.publish(&theirs).await;
    let login = world.login(&ours, &[Role::ClinicAdmin]).await;
    for path in paths(their_patient) {
        assert_eq!(world.get(&login, &theirs.path(&path)).await.code(), (404, "not-found"), "{path}");
    }
    assert!(world.attempts.codes().iter().all(|code| *code == "cross-clinic"));
    let unknown = Uuid::now_v7();
    for (resource, id) in [("patients", their_patient.0), ("appointments", their_booking.0)] {
        let foreign = world.get(&login, &ours.path(&format!("/{resource}/{id}"))).await;
        let absent = world.get(&login, &ours.path(&format!("/{resource}/{unknown}"))).await;
        assert_eq!((foreign.status, &foreign.body), (absent.status, &absent.body));
    }
    assert_eq!(world.get(&login, &ours.path("/patients")).await.items().len(), 1);
    assert!(world.get(&login, &ours.path("/appointments")).await.items().is_empty());
    let foreign = format!("/appointments?patient={their_patient}");
    assert!(world.get(&login, &ours.path(&foreign)).await.items().is_empty());
}

/// What every clinic may see, since it is about none: signed roots, and the keys to check them with.
const OF_THE_INSTALLATION: [&str; 2] = ["log.checkpoint", "log.checkpoint_key"];

/// Of which every clinic sees the platform's rows as well: a catalogue, about nobody.
const OF_THE_PLATFORM: [&str; 1] = ["read.medicine_1"];

/// Some of what no other clinic may see, filled for both clinics.
const HIDDEN: [&str; 7] = [
    "log.event",
    "log.head",
    "read.checkpoint",
    "read.patient_1",
    "read.appointment_1",
    "read.staff_1",
    "read.doctor_1",
];

#[tokio::test]
async fn row_level_security_holds_without_the_filter_and_without_a_scope() {
    let world = World::new().await;
    let (mut ours, mut theirs) = (world.clinic(1).await, world.clinic(2).await);
    for clinic in [&mut ours, &mut theirs] {
        clinic.history.registered("Asha");
        clinic.history.booked(1);
        clinic.history.invited(&[Role::Nurse]);
        clinic.history.doctor_registered(&[]);
    }
    world.publish(&ours).await;
    world.publish(&theirs).await;
    let login = world.login(&ours, &[Role::ClinicAdmin]).await.identity;
    let tables = sqlx::query(
        "SELECT n.nspname || '.' || c.relname AS name, (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid \
         AND a.attname IN ('clinic', 'clinic_id')) AS clinic FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname IN ('read', 'log') AND c.relkind = 'r' AND has_table_privilege('casebook_reader', c.oid, 'SELECT')",
    )
    .fetch_all(&world.superuser)
    .await
    .unwrap();
    let mut filled = BTreeSet::new();
    for table in tables {
        let (name, clinic): (String, Option<String>) = (table.get("name"), table.get("clinic"));
        let Some(clinic) = clinic else {
            assert!(OF_THE_INSTALLATION.contains(&&*name), "{name} tells no clinic from another");
            continue;
        };
        let unscoped = format!("SELECT count(*) FROM {name}");
        let unscoped: i64 = sqlx::query_scalar(AssertSqlSafe(unscoped)).fetch_one(&world.reader).await.unwrap();
        assert_eq!(unscoped, 0, "{name} without a scope");
        let unfiltered = format!(
            "SELECT DISTINCT q.{clinic} FROM read.scope($1, $2, $3, $4) s CROSS JOIN LATERAL (SELECT * FROM {name} OFFSET 0) q"
        );
        let seen: Vec<Uuid> = sqlx::query_scalar(AssertSqlSafe(unfiltered))
            .bind(login.clinic.0)
            .bind(login.user.0)
            .bind(login.session)
            .bind(Utc::now())
            .fetch_all(&world.reader)
            .await
            .unwrap();
        let may_see = |clinic: &Uuid| *clinic == login.clinic.0 || clinic.is_nil() && OF_THE_PLATFORM.contains(&&*name);
        assert!(seen.iter().all(may_see), "{name} without its filter");
        if !seen.is_empty() {
            filled.insert(name.clone());
        }
        let after = format!("SELECT count(*) FROM {name}");
        let after: i64 = sqlx::query_scalar(AssertSqlSafe(after)).fetch_one(&world.reader).await.unwrap();
        assert_eq!(after, 0, "{name}: the scope ended with its statement");
    }
    // So there was something to hide.
    for name in HIDDEN {
        assert!(filled.contains(name), "{name} is empty: {filled:?}");
    }
}

#[tokio::test]
async fn a_login_that_no_longer_stands_is_401_everywhere() {
    let world = World::new().await;
    let mut clinic = world.clinic(1).await;
    let patient = clinic.history.registered("Asha");
    world.publish(&clinic).await;
    let ends = [
        "UPDATE log.session SET revoked_at = now() WHERE clinic = $1",
        "UPDATE log.session SET expires_at = now() - interval '1 second' WHERE clinic = $1",
        "UPDATE log.credential SET not_before = now() WHERE clinic = $1",
        "UPDATE log.credential SET locked = true WHERE clinic = $1",
        "UPDATE log.credential SET locked_until = now() + interval '1 hour' WHERE clinic = $1",
        "UPDATE log.credential SET disabled = true WHERE clinic = $1",
        "DELETE FROM log.session WHERE clinic = $1",
    ];
    for end in ends {
        let login = world.login(&clinic, &[Role::ClinicAdmin]).await;
        assert_eq!(world.get(&login, &clinic.path("")).await.status, 200);
        world.execute(&clinic, end).await;
        assert_eq!(world.get(&login, &clinic.path("")).await.code(), (401, "unauthenticated"), "{end}");
    }
    let login = world.login(&clinic, &[Role::ClinicAdmin]).await;
    world.execute(&clinic, "UPDATE log.session SET revoked_at = now() WHERE clinic = $1").await;
    for path in paths(patient).into_iter().map(|path| clinic.path(&path)).chain(["/api/v1/auth/profile".to_owned()]) {
        assert_eq!(world.get(&login, &path).await.code(), (401, "unauthenticated"), "{path}");
        assert_eq!(world.ask(None, &path, &[]).await.code(), (401, "unauthenticated"), "{path}");
    }
}

#[tokio::test]
async fn a_token_of_before_a_change_of_role_is_dead_and_one_of_after_it_lives() {
    let world = World::new().await;
    let clinic = world.clinic(1).await;
    let login = world.login(&clinic, &[Role::ClinicAdmin]).await;
    world.execute(&clinic, "UPDATE log.credential SET not_before = now() WHERE clinic = $1").await;
    assert_eq!(world.get(&login, "/api/v1/auth/profile").await.status, 401);
    let renewed = world.token(&login.identity, Utc::now() + TimeDelta::milliseconds(1));
    assert_eq!(world.ask(Some(&renewed), "/api/v1/auth/profile", &[]).await.status, 200);
}
