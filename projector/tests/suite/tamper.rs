//! What happens to a log past all its walls: restores, erasures, rows from the future.

use event_store::StoredRow;
use events::{ClinicId, Ledger, PatientId};

use crate::world::World;

impl World {
    /// Kills the database and starts it again. Projectors that run keep their broken connections.
    pub async fn crash_database(&mut self) {
        self.postgres.kill().await.unwrap();
        self.postgres.restart().await.unwrap();
        self.reconnect();
    }

    /// The log as it was at an earlier position, as a restored backup has it.
    pub async fn restore_to(&self, clinic: ClinicId, position: i64) {
        let mut transaction = self.superuser.begin().await.unwrap();
        sqlx::raw_sql("ALTER TABLE log.event DISABLE TRIGGER ALL").execute(&mut *transaction).await.unwrap();
        for statement in [
            "DELETE FROM log.event WHERE clinic = $1 AND position > $2",
            "UPDATE log.head h SET position = e.position, hash = e.hash, recorded_at = e.recorded_at
             FROM log.event e WHERE h.clinic = $1 AND e.clinic = h.clinic AND e.ledger = h.ledger AND e.position = $2",
            "DELETE FROM log.patient_key k WHERE k.clinic = $1 AND $2 > 0
             AND NOT EXISTS (SELECT FROM log.event e WHERE e.clinic = k.clinic AND e.patient = k.patient)",
        ] {
            sqlx::query(statement).bind(clinic.0).bind(position).execute(&mut *transaction).await.unwrap();
        }
        sqlx::raw_sql("ALTER TABLE log.event ENABLE ALWAYS TRIGGER event_is_only_added")
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        self.was_cut(clinic, position);
    }

    /// A patient's key is gone; who has opened it still remembers it for a while.
    pub async fn destroy_key(&self, patient: PatientId) {
        let destroyed =
            sqlx::query("UPDATE log.patient_key SET wrapped = NULL, destroyed_at = now() WHERE patient = $1");
        let destroyed = destroyed.bind(patient.0).execute(&self.superuser).await.unwrap();
        assert_eq!(destroyed.rows_affected(), 1);
        self.forget();
    }

    /// Makes the clinic's last event one that only a later version of the program can read.
    pub async fn age_last_event(&self, clinic: ClinicId) {
        let mut row = self.last_row(clinic).await;
        row.schema_version = i16::MAX;
        row.chain_to(row.previous_hash);
        let mut transaction = self.superuser.begin().await.unwrap();
        sqlx::raw_sql("ALTER TABLE log.event DISABLE TRIGGER ALL").execute(&mut *transaction).await.unwrap();
        for statement in [
            "UPDATE log.event SET schema_version = $3, hash = $4 WHERE clinic = $1 AND position = $2",
            "UPDATE log.head SET hash = $4 WHERE clinic = $1 AND position = $2 AND $3 > 0::smallint",
        ] {
            let change = sqlx::query(statement).bind(clinic.0).bind(row.position).bind(row.schema_version);
            change.bind(row.hash).execute(&mut *transaction).await.unwrap();
        }
        sqlx::raw_sql("ALTER TABLE log.event ENABLE ALWAYS TRIGGER event_is_only_added")
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        self.forget();
    }

    async fn last_row(&self, clinic: ClinicId) -> StoredRow {
        let store = self.store();
        let head = store.head(clinic, Ledger::Record).await.unwrap();
        let last = store.read_rows(clinic, Ledger::Record, head.position - 1, 1).await.unwrap().remove(0);
        assert_eq!(last.hash, head.hash);
        last
    }
}
