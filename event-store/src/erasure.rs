//! Destroying keys: what an erasure still has to do, and how far it has come. It is begun, and the key fenced, by the
//! append of the event that decides it; each step from there may be done again, so a process may die after any.

use std::time::Duration;

use chrono::{DateTime, Utc};
use events::{ClinicId, PatientId};
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

use crate::{Store, StoreError};

/// For what the clocks and the roads between processes take, beyond the life of an opened key.
const MARGIN: Duration = Duration::from_secs(1);

/// Whose key is destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Erased {
    pub clinic: ClinicId,
    /// `None`: the whole clinic.
    pub patient: Option<PatientId>,
}

/// What has to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErasureStep {
    /// Write it into the list outside the database.
    List,
    DestroyKey,
    /// Wait until no process can hold the opened key any more.
    Wait,
    /// Make the read models again.
    Purge,
}

/// An erasure that is not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erasure {
    pub erased: Erased,
    pub begun_at: DateTime<Utc>,
    pub next: ErasureStep,
}

impl Store {
    /// Erasures that were begun and not finished, the oldest first.
    pub async fn unfinished_erasures(&self) -> Result<Vec<Erasure>, StoreError> {
        let quiet = (self.opened_key_life + MARGIN).as_secs_f64();
        let rows = sqlx::query(
            "SELECT clinic, patient, begun_at, listed_at IS NOT NULL AS listed, destroyed_at IS NOT NULL AS destroyed,
                coalesce(destroyed_at + make_interval(secs => $1) <= now(), false) AS quiet
             FROM log.erasure WHERE finished_at IS NULL ORDER BY begun_at, clinic, patient",
        )
        .bind(quiet)
        .fetch_all(&self.writes)
        .await?;
        rows.iter().map(unfinished).collect::<sqlx::Result<_>>().map_err(StoreError::from)
    }

    /// The list outside the database names it.
    pub async fn erasure_is_listed(&self, erased: Erased) -> Result<(), StoreError> {
        self.mark(erased, "UPDATE log.erasure SET listed_at = now() WHERE clinic = $1 AND patient = $2").await
    }

    /// Destroys the key. Nothing that was sealed under it is opened by anybody, once nobody holds it opened.
    pub async fn destroy_key(&self, erased: Erased) -> Result<(), StoreError> {
        let mut transaction = self.writes.begin().await?;
        let destroy = match erased.patient {
            Some(_) => {
                "UPDATE log.patient_key SET wrapped = NULL, destroyed_at = now()
                 WHERE clinic = $1 AND patient = $2 AND wrapped IS NOT NULL"
            }
            None => {
                "WITH patients AS (UPDATE log.patient_key SET wrapped = NULL, destroyed_at = now()
                    WHERE clinic = $1 AND wrapped IS NOT NULL)
                 UPDATE log.clinic_key SET wrapped = NULL, destroyed_at = now()
                 WHERE clinic = $1 AND wrapped IS NOT NULL AND $2 = '00000000-0000-0000-0000-000000000000'::uuid"
            }
        };
        sqlx::query(destroy).bind(erased.clinic.0).bind(stored(erased)).execute(&mut *transaction).await?;
        sqlx::query("UPDATE log.erasure SET destroyed_at = now() WHERE clinic = $1 AND patient = $2")
            .bind(erased.clinic.0)
            .bind(stored(erased))
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    pub async fn erasure_is_finished(&self, erased: Erased) -> Result<(), StoreError> {
        self.mark(erased, "UPDATE log.erasure SET finished_at = now() WHERE clinic = $1 AND patient = $2").await
    }

    /// Those whose key is there, although the list says that it was destroyed: a backup has brought it back.
    pub async fn revived(&self, listed: &[Erased]) -> Result<Vec<Erased>, StoreError> {
        let rows = sqlx::query(
            "SELECT w.clinic, w.patient FROM unnest($1::uuid[], $2::uuid[]) AS w(clinic, patient)
             WHERE EXISTS (SELECT FROM log.patient_key p
                WHERE p.clinic = w.clinic AND p.patient = w.patient AND p.wrapped IS NOT NULL)
             OR w.patient = '00000000-0000-0000-0000-000000000000' AND EXISTS (SELECT FROM log.clinic_key c
                WHERE c.clinic = w.clinic AND c.wrapped IS NOT NULL)",
        )
        .bind(listed.iter().map(|erased| erased.clinic.0).collect::<Vec<_>>())
        .bind(listed.iter().map(|erased| stored(*erased)).collect::<Vec<_>>())
        .fetch_all(&self.writes)
        .await?;
        rows.iter().map(of_row).collect::<sqlx::Result<_>>().map_err(StoreError::from)
    }

    async fn mark(&self, erased: Erased, statement: &'static str) -> Result<(), StoreError> {
        sqlx::query(statement).bind(erased.clinic.0).bind(stored(erased)).execute(&self.writes).await?;
        Ok(())
    }
}

/// The nil id stands for the whole clinic.
fn stored(erased: Erased) -> Uuid {
    erased.patient.map_or(Uuid::nil(), |patient| patient.0)
}

fn of_row(row: &PgRow) -> sqlx::Result<Erased> {
    let patient: Uuid = row.try_get("patient")?;
    let patient = (!patient.is_nil()).then_some(PatientId(patient));
    Ok(Erased { clinic: ClinicId(row.try_get("clinic")?), patient })
}

fn unfinished(row: &PgRow) -> sqlx::Result<Erasure> {
    let next = match (row.try_get("listed")?, row.try_get("destroyed")?, row.try_get("quiet")?) {
        (false, ..) => ErasureStep::List,
        (true, false, _) => ErasureStep::DestroyKey,
        (true, true, false) => ErasureStep::Wait,
        (true, true, true) => ErasureStep::Purge,
    };
    Ok(Erasure { erased: of_row(row)?, begun_at: row.try_get("begun_at")?, next })
}
