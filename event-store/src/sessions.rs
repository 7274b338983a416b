//! Logins and sessions: what is asked and counted outside of any append.

use chrono::{DateTime, Utc};
use events::{ClinicId, UserId, claim::KeyedHash};
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

use crate::{
    row::Hash,
    store::{Store, StoreError},
};

/// The secrets of a login, to be compared by the caller.
#[derive(Clone)]
pub struct Credential {
    pub user: UserId,
    /// Argon2 in PHC form; `None` before the activation.
    pub password_hash: Option<String>,
    pub must_change_password: bool,
    /// SHA-256 of the activation secret, and until when it is good.
    pub activation: Option<(Hash, DateTime<Utc>)>,
    /// SHA-256 of the secret of a reset, and until when it is good.
    pub reset: Option<(Hash, DateTime<Utc>)>,
    pub failed_logins: i32,
    /// Until an administrator unlocks it.
    pub locked: bool,
    pub locked_until: Option<DateTime<Utc>>,
    pub disabled: bool,
}

/// A refresh token as it is stored.
#[derive(Clone, Copy, Debug)]
pub struct RefreshToken {
    /// SHA-256 of the token.
    pub hash: Hash,
    pub expires_at: DateTime<Utc>,
}

/// What became of a refresh token that was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// It was good; the new one has taken its place.
    Rotated { user: UserId, session: Uuid },
    /// It was used before: somebody has stolen it. The whole session is revoked.
    Reused { user: UserId, session: Uuid },
    /// Unknown, expired, or of a session or a login that has ended.
    Refused,
}

impl Store {
    /// The login of a user name, by its keyed hash.
    pub async fn credential_of_username(
        &self,
        clinic: ClinicId,
        username: &KeyedHash,
    ) -> Result<Option<Credential>, StoreError> {
        let row = sqlx::query("SELECT * FROM log.credential WHERE clinic = $1 AND username_hash = $2")
            .bind(clinic.0)
            .bind(&username.0)
            .fetch_optional(&self.writes)
            .await?;
        Ok(row.as_ref().map(credential).transpose()?)
    }

    pub async fn credential(&self, clinic: ClinicId, user: UserId) -> Result<Option<Credential>, StoreError> {
        let row = sqlx::query("SELECT * FROM log.credential WHERE clinic = $1 AND user_id = $2")
            .bind(clinic.0)
            .bind(user.0)
            .fetch_optional(&self.writes)
            .await?;
        Ok(row.as_ref().map(credential).transpose()?)
    }

    /// Counts a wrong password; returns how many there were in a row. Locking is the caller's, by an event.
    pub async fn count_failed_login(&self, clinic: ClinicId, user: UserId) -> Result<i32, StoreError> {
        let row = sqlx::query(
            "UPDATE log.credential SET failed_logins = failed_logins + 1 WHERE clinic = $1 AND user_id = $2
             RETURNING failed_logins",
        )
        .bind(clinic.0)
        .bind(user.0)
        .fetch_optional(&self.writes)
        .await?;
        Ok(row.map_or(Ok(0), |row| row.try_get(0))?)
    }

    /// After a right password.
    pub async fn forget_failed_logins(&self, clinic: ClinicId, user: UserId) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE log.credential SET failed_logins = 0 WHERE clinic = $1 AND user_id = $2 AND failed_logins <> 0",
        )
        .bind(clinic.0)
        .bind(user.0)
        .execute(&self.writes)
        .await?;
        Ok(())
    }

    /// Begins a session with its first refresh token.
    pub async fn begin_session(
        &self,
        clinic: ClinicId,
        user: UserId,
        session: Uuid,
        token: RefreshToken,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "WITH begun AS (
                INSERT INTO log.session (clinic, session, user_id, begun_at, expires_at) VALUES ($1, $2, $3, $4, $6))
             INSERT INTO log.refresh_token (clinic, token_hash, session, issued_at, expires_at)
                VALUES ($1, $5, $2, $4, $6)",
        )
        .bind(clinic.0)
        .bind(session)
        .bind(user.0)
        .bind(now)
        .bind(token.hash.as_slice())
        .bind(token.expires_at)
        .execute(&self.writes)
        .await?;
        Ok(())
    }

    /// Exchanges a refresh token for a new one. Of two who present the same one at once, the second is a thief.
    pub async fn rotate(
        &self,
        clinic: ClinicId,
        presented: &Hash,
        next: RefreshToken,
        now: DateTime<Utc>,
    ) -> Result<Rotation, StoreError> {
        let mut transaction = self.writes.begin().await?;
        let row = sqlx::query(
            "SELECT t.session, s.user_id, t.rotated_at IS NOT NULL AS reused,
                    t.expires_at > $3 AND s.revoked_at IS NULL AND NOT c.disabled AND NOT c.locked
                    AND coalesce(c.locked_until <= $3, true) AS good
             FROM log.refresh_token t JOIN log.session s USING (clinic, session)
             JOIN log.credential c USING (clinic, user_id)
             WHERE t.clinic = $1 AND t.token_hash = $2 FOR UPDATE OF t, s",
        )
        .bind(clinic.0)
        .bind(presented.as_slice())
        .bind(now)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else { return Ok(Rotation::Refused) };
        let (session, user) = (row.try_get("session")?, UserId(row.try_get("user_id")?));
        let rotation = match (row.try_get("reused")?, row.try_get("good")?) {
            (true, _) => Rotation::Reused { user, session },
            (false, true) => Rotation::Rotated { user, session },
            (false, false) => return Ok(Rotation::Refused),
        };
        let statement = match rotation {
            Rotation::Reused { .. } => sqlx::query(REVOKE).bind(clinic.0).bind(session).bind(now),
            _ => sqlx::query(ROTATE)
                .bind(clinic.0)
                .bind(session)
                .bind(now)
                .bind(presented.as_slice())
                .bind(next.hash.as_slice())
                .bind(next.expires_at),
        };
        statement.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(rotation)
    }

    /// Logs out: the session and all its tokens are void.
    pub async fn revoke_session(&self, clinic: ClinicId, session: Uuid, now: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query(REVOKE).bind(clinic.0).bind(session).bind(now).execute(&self.writes).await?;
        Ok(())
    }

    /// Ends every session of a user, and every token issued before `now`.
    pub async fn revoke_sessions(&self, clinic: ClinicId, user: UserId, now: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query(
            "WITH ended AS (UPDATE log.session SET revoked_at = $3
                WHERE clinic = $1 AND user_id = $2 AND revoked_at IS NULL)
             UPDATE log.credential SET not_before = greatest(not_before, $3) WHERE clinic = $1 AND user_id = $2",
        )
        .bind(clinic.0)
        .bind(user.0)
        .bind(now)
        .execute(&self.writes)
        .await?;
        Ok(())
    }

    /// Forgets sessions and tokens that have expired; returns how many tokens.
    pub async fn forget_expired_sessions(&self, now: DateTime<Utc>) -> Result<u64, StoreError> {
        sqlx::query("DELETE FROM log.session WHERE expires_at <= $1").bind(now).execute(&self.writes).await?;
        let tokens = sqlx::query("DELETE FROM log.refresh_token WHERE expires_at <= $1").bind(now);
        Ok(tokens.execute(&self.writes).await?.rows_affected())
    }
}

const REVOKE: &str = "UPDATE log.session SET revoked_at = $3 WHERE clinic = $1 AND session = $2 AND revoked_at IS NULL";

const ROTATE: &str = "
    WITH rotated AS (UPDATE log.refresh_token SET rotated_at = $3 WHERE clinic = $1 AND token_hash = $4),
         lengthened AS (UPDATE log.session SET expires_at = $6 WHERE clinic = $1 AND session = $2)
    INSERT INTO log.refresh_token (clinic, token_hash, session, issued_at, expires_at) VALUES ($1, $5, $2, $3, $6)";

fn credential(row: &PgRow) -> sqlx::Result<Credential> {
    let secret = |hash: &str, expires_at: &str| -> sqlx::Result<Option<(Hash, DateTime<Utc>)>> {
        let hash = row.try_get::<Option<&[u8]>, _>(hash)?.map(crate::stored::hash).transpose()?;
        Ok(hash.zip(row.try_get::<Option<DateTime<Utc>>, _>(expires_at)?))
    };
    Ok(Credential {
        user: row.try_get::<Uuid, _>("user_id")?.into(),
        password_hash: row.try_get("password_hash")?,
        must_change_password: row.try_get("must_change_password")?,
        activation: secret("activation_hash", "activation_expires_at")?,
        reset: secret("reset_hash", "reset_expires_at")?,
        failed_logins: row.try_get("failed_logins")?,
        locked: row.try_get("locked")?,
        locked_until: row.try_get("locked_until")?,
        disabled: row.try_get("disabled")?,
    })
}
