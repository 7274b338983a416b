//! Lists and search find their rows by an index, row-level security and all: PostgreSQL's own statistics say so.

use std::time::Duration;

use events::Role;
use sqlx::Row;

use crate::world::World;

const LOOKS_MAX: u32 = 400;

/// 20,000 patients of each of two clinics, each with an appointment.
const CROWD: &str = "INSERT INTO read.patient_1 (clinic_id, id, number, first_name, gender, identifiers, family, \
     allergies, problems, consents, confidentiality, status, merged_ids, registered_at, search_text, version, position) \
     SELECT c.clinic_id, gen_random_uuid(), 'PT-2026-' || lpad(n::text, 5, '0'), 'Asha', 'female', '[]', '[]', '[]', '[]', \
     '[]', 'normal', 'active', '[]', now(), ' ' || md5(n::text) || ' pt-2026-' || lpad(n::text, 5, '0'), 1, n \
     FROM generate_series(1, 20000) n, read.clinic_1 c WHERE $1::uuid IS NOT NULL";

const BOOKINGS: &str = "INSERT INTO read.appointment_1 (clinic_id, id, number, patient_id, doctor_id, office_id, start, \
     \"end\", day, minutes, buffer_minutes, lane, kind, status, overbooked, booked_at, version, position) \
     SELECT p.clinic_id, p.id, p.number, p.id, md5((p.position % 20)::text)::uuid, p.clinic_id, at, at, at::date, 15, 0, 0, \
     'routine', 'booked', false, at, 1, p.position FROM read.patient_1 p, \
     LATERAL (SELECT timestamptz '2026-01-01' + p.position * interval '20 minutes' AS at) a WHERE $1::uuid IS NOT NULL";

/// The doctors of [`BOOKINGS`].
const DOCTORS: &str = "INSERT INTO read.doctor_1 (clinic_id, id, offices, hours, leaves, active, registered_at, version, \
     position) SELECT c.clinic_id, md5(n::text)::uuid, '[]', '[]', '[]', true, now(), 1, 1 \
     FROM generate_series(0, 19) n, read.clinic_1 c WHERE $1::uuid IS NOT NULL";

#[tokio::test]
async fn lists_and_search_use_their_indexes() {
    let world = World::new().await;
    let clinic = world.clinic(1).await;
    world.clinic(2).await;
    // On one connection, so that what it reads itself is counted before the counters begin anew.
    let mut setup = world.superuser.acquire().await.unwrap();
    for statement in [CROWD, BOOKINGS, DOCTORS] {
        sqlx::query(statement).bind(clinic.id().0).execute(&mut *setup).await.unwrap();
    }
    sqlx::query("ANALYZE").execute(&mut *setup).await.unwrap();
    let (patient, doctor): (uuid::Uuid, uuid::Uuid) =
        sqlx::query_as("SELECT patient_id, doctor_id FROM read.appointment_1 WHERE clinic_id = $1 AND position = 7")
            .bind(clinic.id().0)
            .fetch_one(&mut *setup)
            .await
            .unwrap();
    for statement in ["SELECT pg_stat_force_next_flush()", "SELECT pg_stat_reset()"] {
        sqlx::query(statement).execute(&mut *setup).await.unwrap();
    }
    drop(setup);
    // A receptionist's lists look at the patients as well.
    for role in [Role::ClinicAdmin, Role::Receptionist] {
        let login = world.login(&clinic, &[role]).await;
        for path in [
            "/patients?limit=50".to_owned(),
            "/patients?limit=50&sort=-number".to_owned(),
            "/patients/search?q=c4ca".to_owned(),
            "/patients/search?q=pt-2026-00007".to_owned(),
            format!("/patients/{patient}"),
            format!("/patients/{patient}/appointments"),
            "/appointments?day=2026-03-02&limit=50".to_owned(),
            format!("/appointments?doctor={doctor}&day=2026-03-02"),
            format!("/appointments?office={}&from=2026-03-02T00:00:00Z", clinic.id()),
            format!("/doctors/{doctor}/day-sheet?date=2026-03-02"),
            format!("/queue?office={}&day=2026-03-02", clinic.id()),
        ] {
            // More often than PostgreSQL tries a plan for the parameters at hand.
            for _ in 0..8 {
                assert_eq!(world.get(&login, &clinic.path(&path)).await.status, 200, "{path}");
            }
        }
    }
    // What a connection did is counted when it ends at the latest.
    world.reader.close().await;
    let scans = "SELECT relname, seq_scan, seq_tup_read, idx_scan FROM pg_stat_user_tables \
                 WHERE schemaname = 'read' AND relname IN ('patient_1', 'appointment_1')";
    for _ in 0..LOOKS_MAX {
        let tables = sqlx::query(scans).fetch_all(&world.superuser).await.unwrap();
        if tables.iter().all(|table| table.get::<i64, _>("idx_scan") >= 8) {
            for table in tables {
                let (name, read): (String, i64) = (table.get("relname"), table.get("seq_tup_read"));
                assert_eq!(read, 0, "{name} was read from end to end");
            }
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("no index was used");
}
