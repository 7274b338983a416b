//! The statement that appends a group, and what its failures mean.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use events::claim::{ClaimChange, ClaimKey};
use sqlx::{
    PgConnection,
    error::DatabaseError,
    postgres::{PgBindIterExt, PgDatabaseError},
    types::Json,
};
use uuid::Uuid;

use super::{
    batch::Batch,
    composite::{HeadMove, NewAnswer, NewEvent},
};
use crate::{
    append::{Append, AppendError},
    idempotency::REMEMBERED_FOR,
};

const APPEND: &str = "SELECT log.append($1, $2, $3, $4, $5, $6, $7, $8)";

/// Writes a batch: one statement, and where no transaction was begun before it, one transaction. All of the
/// answer is awaited, so that the commit lies behind us when this returns.
pub(super) async fn write(connection: &mut PgConnection, batch: &Batch) -> sqlx::Result<()> {
    let moves = || batch.moves.iter();
    let counters = || moves().flat_map(|(_, to)| to.changes.counters.iter().map(|counter| (to.place.clinic, counter)));
    sqlx::query(APPEND)
        .bind(moves().map(|(from, to)| HeadMove { from, to }).bind_iter())
        .bind(counters().map(|(clinic, _)| clinic.0).collect::<Vec<Uuid>>())
        .bind(counters().map(|(_, (name, _))| name.as_str()).collect::<Vec<_>>())
        .bind(counters().map(|(_, (_, value))| *value).collect::<Vec<_>>())
        .bind(batch.answers.iter().map(NewAnswer).bind_iter())
        .bind(expiry(batch.now, REMEMBERED_FOR))
        .bind((!batch.effects.is_empty()).then_some(Json(&batch.effects)))
        .bind(batch.rows.iter().map(NewEvent).bind_iter())
        .execute(connection)
        .await?;
    Ok(())
}

fn expiry(now: DateTime<Utc>, after: Duration) -> DateTime<Utc> {
    now + TimeDelta::from_std(after).unwrap_or_default()
}

/// What a failed statement asks for.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Members lost a race for something; the others go again.
    Lost(Vec<(usize, Race)>),
    /// Another process has moved a head.
    Overtaken,
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
            "CB004" => Self::Overtaken,
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
