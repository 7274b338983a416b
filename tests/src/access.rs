//! What the access ledger of a clinic says, for tests.

use std::collections::BTreeSet;

use event_store::{Store, StoredRow};
use events::{AccessEvent, ClinicId, DomainEvent, Ledger, Position};
use sqlx::PgPool;
use uuid::Uuid;

use crate::Stack;

const ROWS_MAX: u32 = 10_000;

/// The access ledger of one clinic, behind the API's back.
pub struct AccessLog {
    clinic: ClinicId,
    store: Store,
    superuser: PgPool,
}

/// One record.
#[derive(Clone, Debug)]
pub struct Accessed {
    pub row: StoredRow,
    pub event: AccessEvent,
    /// The patient of the row, and those in `log.access_patient`.
    pub patients: BTreeSet<String>,
}

impl Stack {
    /// `clinic`: its id.
    pub fn access_log(&self, clinic: &str) -> AccessLog {
        let clinic = ClinicId(clinic.parse().expect("an id"));
        AccessLog { clinic, store: self.store(), superuser: self.superuser.clone() }
    }

    /// That of the platform.
    pub fn platform_access_log(&self) -> AccessLog {
        AccessLog { clinic: ClinicId::PLATFORM, store: self.store(), superuser: self.superuser.clone() }
    }
}

impl AccessLog {
    /// Where the ledger stands.
    pub async fn position(&self) -> Position {
        self.store.head(self.clinic, Ledger::Access).await.expect("the log is there").position
    }

    /// The records after a position, in order.
    pub async fn after(&self, position: Position) -> Vec<Accessed> {
        let rows = self.store.read_rows(self.clinic, Ledger::Access, position, ROWS_MAX).await.expect("a ledger");
        let opened = self.store.open_rows(&rows).await.expect("it opens");
        let mut records = Vec::with_capacity(rows.len());
        for (row, recorded) in rows.into_iter().zip(opened) {
            let DomainEvent::Access(event) = recorded.event else { panic!("{:?}", recorded.event) };
            let sql = "SELECT patient FROM log.access_patient WHERE clinic = $1 AND position = $2";
            let also: Vec<Uuid> = sqlx::query_scalar(sql)
                .bind(self.clinic.0)
                .bind(row.position)
                .fetch_all(&self.superuser)
                .await
                .expect("the table is there");
            let patients = also.into_iter().chain(row.patient.map(|patient| patient.0)).map(|id| id.to_string());
            records.push(Accessed { event, patients: patients.collect(), row });
        }
        records
    }
}
