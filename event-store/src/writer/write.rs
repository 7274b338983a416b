//! The statement that appends a group, and what its failures mean.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use events::{
    ClinicId,
    claim::{ClaimChange, ClaimKey},
};
use sqlx::{
    PgConnection, Postgres, Row,
    error::DatabaseError,
    postgres::{PgArguments, PgDatabaseError, PgRow},
    query::Query,
    types::Json,
};
use uuid::Uuid;

use super::{batch::Batch, memory::LedgerId};
use crate::{
    append::{Append, AppendError},
    idempotency::REMEMBERED_FOR,
    row::{StoredRow, ledger_of},
};

const APPEND: &str = "SELECT clinic, ledger FROM log.append(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
    $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48,
    $49, $50, $51)";

/// Writes a batch: one statement, and where no transaction was begun before it, one transaction. Returns the
/// ledgers that another process has moved; nothing is written then. All rows of the answer are awaited, so
/// that the commit lies behind us when this returns.
pub(super) async fn write(connection: &mut PgConnection, batch: &Batch) -> sqlx::Result<Vec<LedgerId>> {
    let query = bind_events(bind_facts(sqlx::query(APPEND), batch), &batch.rows);
    let moved = query.fetch_all(connection).await?;
    moved.iter().map(ledger_id).collect()
}

fn ledger_id(row: &PgRow) -> sqlx::Result<LedgerId> {
    let ledger = ledger_of(row.try_get("ledger")?).ok_or_else(|| sqlx::Error::Decode("an unknown ledger".into()))?;
    Ok(LedgerId { clinic: ClinicId(row.try_get("clinic")?), ledger })
}

type Statement<'q> = Query<'q, Postgres, PgArguments>;

fn bind_facts<'q>(query: Statement<'q>, batch: &Batch) -> Statement<'q> {
    let moves = || batch.moves.iter();
    let counters = || moves().flat_map(|(_, to)| to.changes.counters.iter().map(|counter| (to.place.clinic, counter)));
    let answers = || batch.answers.iter();
    query
        .bind(moves().map(|(_, to)| to.place.clinic.0).collect::<Vec<Uuid>>())
        .bind(moves().map(|(_, to)| to.place.ledger as i16).collect::<Vec<_>>())
        .bind(moves().map(|(from, _)| from.position).collect::<Vec<_>>())
        .bind(moves().map(|(from, _)| from.hash.as_slice()).collect::<Vec<_>>())
        .bind(moves().map(|(from, _)| from.key_epoch).collect::<Vec<_>>())
        .bind(moves().map(|(_, to)| to.head.position).collect::<Vec<_>>())
        .bind(moves().map(|(_, to)| to.head.hash.as_slice()).collect::<Vec<_>>())
        .bind(moves().map(|(_, to)| to.head.recorded_at).collect::<Vec<_>>())
        .bind(counters().map(|(clinic, _)| clinic.0).collect::<Vec<Uuid>>())
        .bind(counters().map(|(_, (name, _))| name.as_str()).collect::<Vec<_>>())
        .bind(counters().map(|(_, (_, value))| *value).collect::<Vec<_>>())
        .bind(answers().map(|answer| i32::try_from(answer.member).unwrap_or(i32::MAX)).collect::<Vec<_>>())
        .bind(answers().map(|answer| answer.clinic.0).collect::<Vec<Uuid>>())
        .bind(answers().map(|answer| answer.user).collect::<Vec<_>>())
        .bind(answers().map(|answer| answer.key_hash.as_slice()).collect::<Vec<_>>())
        .bind(answers().map(|answer| answer.fingerprint.as_slice()).collect::<Vec<_>>())
        .bind(answers().map(|answer| answer.encrypted.as_slice()).collect::<Vec<_>>())
        .bind(expiry(batch.now, REMEMBERED_FOR))
        .bind((!batch.effects.is_empty()).then_some(Json(&batch.effects)))
}

fn expiry(now: DateTime<Utc>, after: Duration) -> DateTime<Utc> {
    now + TimeDelta::from_std(after).unwrap_or_default()
}

fn bind_events<'q>(query: Statement<'q>, rows: &[StoredRow]) -> Statement<'q> {
    let rows = || rows.iter();
    let query = query
        .bind(rows().map(|row| row.clinic.0).collect::<Vec<Uuid>>())
        .bind(rows().map(|row| row.ledger as i16).collect::<Vec<_>>())
        .bind(rows().map(|row| row.position).collect::<Vec<_>>())
        .bind(rows().map(|row| &*row.stream_kind).collect::<Vec<_>>())
        .bind(rows().map(|row| row.stream_id).collect::<Vec<_>>())
        .bind(rows().map(|row| row.stream_version).collect::<Vec<_>>())
        .bind(rows().map(|row| row.event_id).collect::<Vec<_>>())
        .bind(rows().map(|row| &*row.event_type).collect::<Vec<_>>())
        .bind(rows().map(|row| row.schema_version).collect::<Vec<_>>())
        .bind(rows().map(|row| row.patient.map(|patient| patient.0)).collect::<Vec<_>>())
        .bind(rows().map(|row| row.patient_version).collect::<Vec<_>>())
        .bind(rows().map(|row| row.occurred_at).collect::<Vec<_>>())
        .bind(rows().map(|row| row.recorded_at).collect::<Vec<_>>());
    let query = query
        .bind(rows().map(|row| &*row.actor_kind).collect::<Vec<_>>())
        .bind(rows().map(|row| row.actor_user.map(|user| user.0)).collect::<Vec<_>>())
        .bind(rows().map(|row| row.actor_name.as_str()).collect::<Vec<_>>())
        .bind(rows().map(|row| row.actor_roles.as_str()).collect::<Vec<_>>())
        .bind(rows().map(|row| row.actor_session).collect::<Vec<_>>())
        .bind(rows().map(|row| row.on_behalf_of.map(|user| user.0)).collect::<Vec<_>>())
        .bind(rows().map(|row| &*row.purpose).collect::<Vec<_>>())
        .bind(rows().map(|row| row.reason.as_deref()).collect::<Vec<_>>())
        .bind(rows().map(|row| &*row.command).collect::<Vec<_>>())
        .bind(rows().map(|row| row.correlation_id).collect::<Vec<_>>())
        .bind(rows().map(|row| row.causation_id).collect::<Vec<_>>())
        .bind(rows().map(|row| row.client_address.as_deref()).collect::<Vec<_>>())
        .bind(rows().map(|row| row.client_agent.as_deref()).collect::<Vec<_>>());
    query
        .bind(rows().map(|row| row.payload.as_slice()).collect::<Vec<_>>())
        .bind(rows().map(|row| row.payload_hash.as_slice()).collect::<Vec<_>>())
        .bind(rows().map(|row| row.sealed.as_deref()).collect::<Vec<_>>())
        .bind(rows().map(|row| row.sealed_hash.as_ref().map(<[u8; 32]>::as_slice)).collect::<Vec<_>>())
        .bind(rows().map(|row| row.previous_hash.as_slice()).collect::<Vec<_>>())
        .bind(rows().map(|row| row.hash.as_slice()).collect::<Vec<_>>())
}

/// What a failed statement asks for.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Members lost a race for something; the others go again.
    Lost(Vec<(usize, Race)>),
    /// Deadlock, serialisation failure, a lock that did not come: the same again.
    Again,
    /// The database refuses the data of some member. Holds no value of it.
    Data(String),
    /// The connection is gone: what was sent may have been committed.
    Broken(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Race {
    /// For a claim of this kind.
    Claim(String),
    Time,
    Key,
}

impl Trouble {
    pub(super) fn of(error: &sqlx::Error) -> Self {
        let Some(database) = error.as_database_error() else { return Self::Broken(error.to_string()) };
        let code = database.code().unwrap_or_default().into_owned();
        match code.as_str() {
            "CB001" => Self::lost(database, |kind| Race::Claim(kind.to_owned())),
            "CB002" => Self::lost(database, |_| Race::Time),
            "CB003" => Self::lost(database, |_| Race::Key),
            // serialization_failure, deadlock_detected, lock_not_available
            "40001" | "40P01" | "55P03" => Self::Again,
            // Connection exceptions, operator intervention (shutdown), resources, system errors.
            _ if ["08", "57", "53", "58", "XX"].iter().any(|class| code.starts_with(class)) => Self::Broken(code),
            _ => Self::Data(match database.constraint() {
                Some(constraint) => format!("{code} ({constraint})"),
                None => code,
            }),
        }
    }

    fn lost(database: &dyn DatabaseError, race: impl Fn(&str) -> Race) -> Self {
        let detail = database.try_downcast_ref::<PgDatabaseError>().and_then(PgDatabaseError::detail);
        let lost: Vec<_> = detail.unwrap_or_default().split(',').filter_map(|loser| loser_of(loser, &race)).collect();
        // A race whose winner is gone again names nobody.
        if lost.is_empty() { Self::Again } else { Self::Lost(lost) }
    }
}

/// `3` or `3:slug`.
fn loser_of(loser: &str, race: impl Fn(&str) -> Race) -> Option<(usize, Race)> {
    let (member, kind) = loser.split_once(':').unwrap_or((loser, ""));
    Some((member.parse().ok()?, race(kind)))
}

impl Race {
    /// What the loser is told.
    pub(super) fn error(&self, append: &Append) -> AppendError {
        match self {
            Self::Time => AppendError::TimeTaken,
            Self::Key => AppendError::KeyRecorded,
            Self::Claim(kind) => match append.claims.iter().find_map(|(_, change)| taken(change, kind)) {
                Some(claim) => AppendError::ClaimTaken(claim),
                None => AppendError::Refused(format!("a claim of kind {kind} is held")),
            },
        }
    }
}

fn taken(change: &ClaimChange, kind: &str) -> Option<ClaimKey> {
    match change {
        ClaimChange::Take(claim) if claim.kind == kind => Some(claim.clone()),
        ClaimChange::Take(_) | ClaimChange::Free(_) | ClaimChange::TakeTime(_) | ClaimChange::FreeTime(_) => None,
    }
}
