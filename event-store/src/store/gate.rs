//! What is asked before a command is decided: which clinic, whether the token is still good, and whether the
//! command was given before.

use chrono::{DateTime, Utc};
use events::{ClinicId, PatientId, UserId};
use sqlx::Row;
use uuid::Uuid;

use super::{Store, StoreError};
use crate::{
    idempotency::{StoredAnswer, owner, stored_user},
    row::Hash,
};

/// Whether a token still stands, whatever its signature says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Good,
    /// Its session ended, or the login was locked, disabled or changed since it was issued.
    Ended,
}

/// What is known before a command is decided.
#[derive(Clone, Debug)]
pub struct Begun {
    pub standing: Standing,
    /// What the same idempotency key was answered before.
    pub answer: Option<StoredAnswer>,
    /// The patients whose records the user has open by broken glass.
    pub emergencies: Vec<PatientId>,
}

impl Store {
    /// The clinic of a slug.
    pub async fn clinic_by_slug(&self, slug: &str) -> Result<Option<ClinicId>, StoreError> {
        let row = sqlx::query("SELECT log.clinic_by_slug($1)").bind(slug).fetch_one(&self.writes).await?;
        Ok(row.try_get::<Option<Uuid>, _>(0)?.map(ClinicId))
    }

    /// Whether a user's token stands, the stored answer to an idempotency key, and what broken glass opens, in one
    /// round trip. `issued_at` is the token's, to the microsecond; `key_hash` the keyed hash of the client's key;
    /// `may_break_glass`: whether the user can have broken any.
    pub async fn begin_command(
        &self,
        clinic: ClinicId,
        user: UserId,
        session: Uuid,
        issued_at: DateTime<Utc>,
        key_hash: Option<Hash>,
        may_break_glass: bool,
    ) -> Result<Begun, StoreError> {
        let row = sqlx::query(
            "SELECT log.token_is_good(s.clinic, $2, $3, $4), i.fingerprint, i.answer, CASE WHEN $6
                THEN ARRAY(SELECT o.patient FROM log.open_emergencies(s.clinic, $2) o) END
             FROM log.scope($1) AS s(clinic)
             LEFT JOIN LATERAL (SELECT fingerprint, answer FROM log.idempotency
                WHERE clinic = s.clinic AND user_id = $2 AND key_hash = $5 AND expires_at > now() OFFSET 0) AS i
                ON true",
        )
        .bind(clinic.0)
        .bind(user.0)
        .bind(session)
        .bind(issued_at)
        .bind(key_hash.as_ref().map(Hash::as_slice))
        .bind(may_break_glass)
        .fetch_one(&self.reads)
        .await?;
        let standing = if row.try_get(0)? { Standing::Good } else { Standing::Ended };
        let answer = key_hash.map(|key_hash| stored_answer(&row, 1, clinic, Some(user), &key_hash)).transpose()?;
        let open: Option<Vec<Uuid>> = row.try_get(3)?;
        let emergencies = open.into_iter().flatten().map(PatientId).collect();
        Ok(Begun { standing, answer: answer.flatten(), emergencies })
    }

    /// The stored answer to an idempotency key; `user: None` for a command that was given without a login.
    pub async fn stored_answer(
        &self,
        clinic: ClinicId,
        user: Option<UserId>,
        key_hash: &Hash,
    ) -> Result<Option<StoredAnswer>, StoreError> {
        let row = sqlx::query(
            "SELECT i.fingerprint, i.answer FROM log.scope($1) AS s(clinic) CROSS JOIN LATERAL (
                SELECT fingerprint, answer FROM log.idempotency
                WHERE clinic = s.clinic AND user_id = $2 AND key_hash = $3 AND expires_at > now() OFFSET 0) AS i",
        )
        .bind(clinic.0)
        .bind(stored_user(user))
        .bind(key_hash.as_slice())
        .fetch_optional(&self.reads)
        .await?;
        Ok(row.map(|row| stored_answer(&row, 0, clinic, user, key_hash)).transpose()?.flatten())
    }

    /// Forgets answers that have expired; returns how many.
    pub async fn forget_expired_answers(&self) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM log.idempotency WHERE expires_at <= now()").execute(&self.writes).await?;
        Ok(done.rows_affected())
    }
}

fn stored_answer(
    row: &sqlx::postgres::PgRow,
    column: usize,
    clinic: ClinicId,
    user: Option<UserId>,
    key_hash: &Hash,
) -> sqlx::Result<Option<StoredAnswer>> {
    let Some(fingerprint) = row.try_get::<Option<Vec<u8>>, _>(column)? else { return Ok(None) };
    let encrypted = row.try_get(column + 1)?;
    Ok(Some(StoredAnswer { fingerprint, encrypted, owner: owner(clinic, user, key_hash) }))
}
