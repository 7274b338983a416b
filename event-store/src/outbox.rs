//! The outbox: mails that wait to be sent, and what became of those that were. A mail is queued in the append of the
//! event that causes it, so that there is one exactly if there is the other; it is sent by whoever takes it, at least
//! once. Nothing here is an address: whoever sends a mail asks the log whose it is.

use std::time::Duration;

use chrono::{DateTime, Utc};
use events::{AppointmentId, ClinicId, PatientId};
use secrecy::SecretString;
use sqlx::{FromRow, PgPool, Row, postgres::PgRow};
use uuid::Uuid;

use crate::store::{Store, StoreError};

/// How long what became of a mail is remembered.
const REMEMBERED_DAYS: i32 = 30;

/// What a mail is for. The written form is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MailKind {
    /// Brings the secret by which a login gets its first password.
    Activation,
    /// Brings the secret by which a login gets another password.
    PasswordReset,
    /// Reminds a patient of an appointment.
    Reminder,
}

impl MailKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Activation => "activation",
            Self::PasswordReset => "password_reset",
            Self::Reminder => "reminder",
        }
    }

    fn stored(text: &str) -> sqlx::Result<Self> {
        match text {
            "activation" => Ok(Self::Activation),
            "password_reset" => Ok(Self::PasswordReset),
            "reminder" => Ok(Self::Reminder),
            other => Err(sqlx::Error::Decode(format!("{other} is no kind of mail").into())),
        }
    }
}

/// A mail that is queued with an append.
#[derive(Clone)]
pub struct NewMail {
    /// UUIDv7.
    pub id: Uuid,
    pub kind: MailKind,
    /// The login.
    pub about: Uuid,
    /// Whose portal account it is: the mail goes with the patient's key.
    pub patient: Option<PatientId>,
    /// Sealed by the writer.
    pub secret: SecretString,
    /// When the secret is worth nothing any more.
    pub not_after: DateTime<Utc>,
}

/// Of which start of an appointment a mail reminds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reminding {
    pub for_start: DateTime<Utc>,
    pub hours_before: i32,
}

/// A mail that somebody has taken to send it. Until the lease has run out nobody else takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenMail {
    pub clinic: ClinicId,
    pub id: Uuid,
    pub kind: MailKind,
    /// The login, or the appointment.
    pub about: Uuid,
    pub patient: Option<PatientId>,
    pub reminding: Option<Reminding>,
    pub not_after: DateTime<Utc>,
    /// This one included.
    pub attempts: i32,
    sealed: Option<Vec<u8>>,
}

/// How mails of a kind stand in a clinic.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct MailStanding {
    #[sqlx(try_from = "Uuid")]
    pub clinic: ClinicId,
    pub kind: String,
    /// The code of the last failure, where there was one.
    pub last_error: Option<String>,
    pub waiting: i64,
    pub given_up: i64,
    pub since: DateTime<Utc>,
}

/// A mail that was sent or given up, and is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettledMail {
    pub clinic: ClinicId,
    pub id: Uuid,
}

impl Store {
    /// Takes mails that are due, those that wait longest first. Whoever has not settled one when the lease runs out is
    /// taken for dead, and it is sent again.
    pub async fn take_mails(&self, limit: i64, lease: Duration) -> Result<Vec<TakenMail>, StoreError> {
        let rows = sqlx::query(
            "UPDATE log.outbox o SET attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => $2)
             FROM (SELECT clinic, mail FROM log.outbox
                   WHERE sent_at IS NULL AND given_up_at IS NULL AND next_attempt_at <= now()
                   ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED) AS due
             WHERE o.clinic = due.clinic AND o.mail = due.mail
             RETURNING o.clinic, o.mail, o.kind, o.about, o.patient, o.sealed, o.for_start, o.hours_before, o.not_after,
                o.attempts",
        )
        .bind(limit)
        .bind(lease.as_secs_f64())
        .fetch_all(&self.writes)
        .await?;
        Ok(rows.iter().map(taken).collect::<sqlx::Result<_>>()?)
    }

    /// The secret that a mail brings; `None` where it has none, or its key is destroyed.
    pub async fn open_mail(&self, mail: &TakenMail) -> Result<Option<SecretString>, StoreError> {
        let Some(sealed) = &mail.sealed else { return Ok(None) };
        let opened = self.vault().open_mail(mail.clinic, mail.patient, mail.id, sealed).await?;
        let text = opened.map(String::from_utf8).transpose();
        Ok(text.map_err(|_| sqlx::Error::Decode("a secret is text".into()))?.map(SecretString::from))
    }

    /// It has been handed over, and what it kept is forgotten.
    pub async fn mail_is_sent(&self, mail: &TakenMail) -> Result<(), StoreError> {
        let sent = "UPDATE log.outbox SET sent_at = now(), sealed = NULL, last_error = NULL
             WHERE clinic = $1 AND mail = $2 AND sent_at IS NULL AND given_up_at IS NULL";
        sqlx::query(sent).bind(mail.clinic.0).bind(mail.id).execute(&self.writes).await?;
        Ok(())
    }

    /// It goes again after a pause.
    pub async fn put_mail_off(&self, mail: &TakenMail, error: &str, pause: Duration) -> Result<(), StoreError> {
        let put_off = "UPDATE log.outbox SET next_attempt_at = now() + make_interval(secs => $4), last_error = $3
             WHERE clinic = $1 AND mail = $2 AND sent_at IS NULL AND given_up_at IS NULL";
        let query = sqlx::query(put_off).bind(mail.clinic.0).bind(mail.id).bind(error).bind(pause.as_secs_f64());
        query.execute(&self.writes).await?;
        Ok(())
    }

    /// It is not tried again, unless somebody asks for it.
    pub async fn give_mail_up(&self, mail: &TakenMail, error: &str) -> Result<(), StoreError> {
        let given_up = "UPDATE log.outbox SET given_up_at = now(), last_error = $3
             WHERE clinic = $1 AND mail = $2 AND sent_at IS NULL AND given_up_at IS NULL";
        sqlx::query(given_up).bind(mail.clinic.0).bind(mail.id).bind(error).execute(&self.writes).await?;
        Ok(())
    }

    /// Queues a reminder, once for each start and time before it; `false`: it is there already.
    pub async fn queue_reminder(
        &self,
        clinic: ClinicId,
        appointment: AppointmentId,
        patient: PatientId,
        reminding: Reminding,
    ) -> Result<bool, StoreError> {
        let Reminding { for_start, hours_before } = reminding;
        // A reminder has the same id whoever queues it.
        let name = format!("reminder/{}/{hours_before}", for_start.timestamp_micros());
        let queued = sqlx::query(
            "INSERT INTO log.outbox (clinic, mail, kind, about, patient, for_start, hours_before, queued_at, not_after,
                next_attempt_at)
             VALUES ($1, $2, 'reminder', $3, $4, $5, $6, now(), $5, now()) ON CONFLICT (clinic, mail) DO NOTHING",
        )
        .bind(clinic.0)
        .bind(Uuid::new_v5(&appointment.0, name.as_bytes()))
        .bind(appointment.0)
        .bind(patient.0)
        .bind(for_start)
        .bind(hours_before)
        .execute(&self.writes)
        .await?;
        Ok(queued.rows_affected() > 0)
    }

    /// As [`standing`].
    pub async fn mails_standing(&self) -> Result<Vec<MailStanding>, StoreError> {
        Ok(standing(&self.writes).await?)
    }

    /// Takes away what mails keep that are worth nothing any more, and names those that are to be forgotten: the erased
    /// persons' and the old ones.
    pub async fn tidy_mails(&self) -> Result<Vec<SettledMail>, StoreError> {
        let worthless = "UPDATE log.outbox SET sealed = NULL WHERE sealed IS NOT NULL AND not_after <= now()";
        sqlx::query(worthless).execute(&self.writes).await?;
        let rows = sqlx::query(
            "SELECT o.clinic, o.mail FROM log.outbox o
             WHERE (o.sent_at IS NOT NULL OR o.given_up_at IS NOT NULL)
               AND (coalesce(o.sent_at, o.given_up_at) < now() - make_interval(days => $1)
                    OR EXISTS (SELECT FROM log.erasure e WHERE e.clinic = o.clinic
                        AND e.patient IN (o.patient, '00000000-0000-0000-0000-000000000000')))",
        )
        .bind(REMEMBERED_DAYS)
        .fetch_all(&self.writes)
        .await?;
        let settled = |row: &PgRow| {
            Ok(SettledMail { clinic: row.try_get::<Uuid, _>("clinic")?.into(), id: row.try_get("mail")? })
        };
        Ok(rows.iter().map(settled).collect::<sqlx::Result<_>>()?)
    }

    pub async fn forget_mail(&self, mail: SettledMail) -> Result<(), StoreError> {
        let forget = sqlx::query("DELETE FROM log.outbox WHERE clinic = $1 AND mail = $2");
        forget.bind(mail.clinic.0).bind(mail.id).execute(&self.writes).await?;
        Ok(())
    }
}

/// How many mails wait and how many were given up lately, by clinic, kind and last failure; as the writer.
pub async fn standing(pool: &PgPool) -> sqlx::Result<Vec<MailStanding>> {
    sqlx::query_as(
        "SELECT clinic, kind, last_error, count(*) FILTER (WHERE given_up_at IS NULL) AS waiting,
            count(given_up_at) AS given_up, min(queued_at) AS since
         FROM log.outbox WHERE sent_at IS NULL GROUP BY clinic, kind, last_error ORDER BY clinic, kind, last_error",
    )
    .fetch_all(pool)
    .await
}

/// Has mails that wait or were given up tried again at once, where they are still worth something; as the writer. How
/// many.
pub async fn retry(pool: &PgPool, clinic: Option<ClinicId>) -> sqlx::Result<u64> {
    let retry = sqlx::query(
        "UPDATE log.outbox SET given_up_at = NULL, next_attempt_at = now()
         WHERE sent_at IS NULL AND not_after > now() AND ($1::uuid IS NULL OR clinic = $1)
           AND (sealed IS NOT NULL OR kind = 'reminder')",
    );
    Ok(retry.bind(clinic.map(|clinic| clinic.0)).execute(pool).await?.rows_affected())
}

fn taken(row: &PgRow) -> sqlx::Result<TakenMail> {
    let for_start: Option<DateTime<Utc>> = row.try_get("for_start")?;
    let hours_before: Option<i32> = row.try_get("hours_before")?;
    Ok(TakenMail {
        clinic: row.try_get::<Uuid, _>("clinic")?.into(),
        id: row.try_get("mail")?,
        kind: MailKind::stored(row.try_get("kind")?)?,
        about: row.try_get("about")?,
        patient: row.try_get::<Option<Uuid>, _>("patient")?.map(Into::into),
        reminding: for_start.zip(hours_before).map(|(for_start, hours_before)| Reminding { for_start, hours_before }),
        not_after: row.try_get("not_after")?,
        attempts: row.try_get("attempts")?,
        sealed: row.try_get("sealed")?,
    })
}
