//! What one-time codes of logins are checked with (RFC 6238). The secret is nowhere: it is made of a salt that is stored
//! and of a key of the clinic's.

use chrono::{DateTime, TimeDelta, Utc};
use events::{ClinicId, UserId};
use sqlx::Row;

use crate::{
    row::Hash,
    store::{Store, StoreError},
};

/// How long somebody who has shown a right code is waited for to be recorded, before the set-up may be begun anew.
const CONFIRMING: TimeDelta = TimeDelta::minutes(1);

/// What makes the secret of a login.
pub type TotpSalt = [u8; 16];

impl Store {
    /// Begins, or begins anew, to set up codes of a login that needs none yet. `false`: another set-up is being confirmed
    /// right now.
    pub async fn begin_totp(
        &self,
        clinic: ClinicId,
        user: UserId,
        salt: &TotpSalt,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO log.totp AS t (clinic, user_id, salt) VALUES ($1, $2, $3)
             ON CONFLICT (clinic, user_id) DO UPDATE SET salt = $3, confirmed_at = NULL, last_step = 0, recovery = '{}'
             WHERE t.confirmed_at IS NULL OR t.confirmed_at < $4",
        )
        .bind(clinic.0)
        .bind(user.0)
        .bind(salt.as_slice())
        .bind(now - CONFIRMING)
        .execute(&self.writes)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    pub async fn totp_salt(&self, clinic: ClinicId, user: UserId) -> Result<Option<TotpSalt>, StoreError> {
        let row = sqlx::query("SELECT salt FROM log.totp WHERE clinic = $1 AND user_id = $2")
            .bind(clinic.0)
            .bind(user.0)
            .fetch_optional(&self.writes)
            .await?;
        let salt: Option<Vec<u8>> = row.map(|row| row.try_get("salt")).transpose()?;
        Ok(salt.and_then(|salt| salt.try_into().ok()))
    }

    /// A right code was shown for this salt, of this step; from now on there are these recovery codes. `false`: the step
    /// was used, or the set-up was begun anew.
    pub async fn confirm_totp(
        &self,
        clinic: ClinicId,
        user: UserId,
        salt: &TotpSalt,
        step: i64,
        recovery: &[Hash],
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let recovery: Vec<&[u8]> = recovery.iter().map(Hash::as_slice).collect();
        let done = sqlx::query(
            "UPDATE log.totp SET confirmed_at = $5, last_step = $4, recovery = $6
             WHERE clinic = $1 AND user_id = $2 AND salt = $3 AND last_step < $4",
        )
        .bind(clinic.0)
        .bind(user.0)
        .bind(salt.as_slice())
        .bind(step)
        .bind(now)
        .bind(recovery)
        .execute(&self.writes)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes the code of a step. `false`: that one, or a later one, was taken before.
    pub async fn take_totp_step(&self, clinic: ClinicId, user: UserId, step: i64) -> Result<bool, StoreError> {
        let done =
            sqlx::query("UPDATE log.totp SET last_step = $3 WHERE clinic = $1 AND user_id = $2 AND last_step < $3")
                .bind(clinic.0)
                .bind(user.0)
                .bind(step)
                .execute(&self.writes)
                .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes a recovery code. `false`: there is none such, or it was taken before.
    pub async fn take_recovery_code(&self, clinic: ClinicId, user: UserId, code: &Hash) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE log.totp SET recovery = array_remove(recovery, $3)
             WHERE clinic = $1 AND user_id = $2 AND $3 = ANY(recovery)",
        )
        .bind(clinic.0)
        .bind(user.0)
        .bind(code.as_slice())
        .execute(&self.writes)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Nothing is left of the codes of a login.
    pub async fn forget_totp(&self, clinic: ClinicId, user: UserId) -> Result<(), StoreError> {
        let forget = sqlx::query("DELETE FROM log.totp WHERE clinic = $1 AND user_id = $2");
        forget.bind(clinic.0).bind(user.0).execute(&self.writes).await?;
        Ok(())
    }
}
