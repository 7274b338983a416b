//! What the feed asks PostgreSQL.

use std::sync::Arc;

use events::{ClinicId, Ledger, Position};
use futures::future::BoxFuture;
use sqlx::{PgPool, Row, postgres::PgRow};
use uuid::Uuid;

use super::{Checkpoint, FeedEvent};
use crate::{
    Hash, StoredRow,
    spans::{Span, read_spans},
};

/// Events read in one query.
pub(super) const PAGE_EVENTS_MAX: usize = 4_096;

/// Opens the sealed parts of rows.
pub trait Opener: Send + Sync {
    /// For each row its opened part: `None` where there is none, and where it was erased. An error where
    /// the keys cannot be reached now.
    fn open<'a>(&'a self, rows: &'a [StoredRow]) -> BoxFuture<'a, Result<Vec<Option<Vec<u8>>>, SourceError>>;
}

/// Why the log cannot be read now.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("the log cannot be read: {0}")]
    Log(#[from] sqlx::Error),
    #[error("keys cannot be read: {0}")]
    Keys(String),
}

/// The log and the keys.
pub(super) struct Source {
    pub(super) pool: PgPool,
    pub(super) opener: Arc<dyn Opener>,
}

/// Events of one clinic behind a checkpoint, up to a position.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    pub(super) clinic: ClinicId,
    pub(super) after: Checkpoint,
    pub(super) upto: Position,
}

impl Source {
    /// Where the record of each clinic stands.
    pub(super) async fn heads(&self) -> Result<Vec<(ClinicId, Checkpoint)>, SourceError> {
        let rows = sqlx::query("SELECT clinic, position, hash FROM log.head WHERE ledger = $1")
            .bind(Ledger::Record as i16)
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.iter().map(head).collect::<Result<_, sqlx::Error>>()?)
    }

    /// The wanted events, clinic by clinic, in order. Whether they hang together is for the caller to see.
    pub(super) async fn page(&self, wants: &[Want]) -> Result<Vec<Arc<FeedEvent>>, SourceError> {
        let spans = wants.iter().map(|want| Span { clinic: want.clinic, after: want.after.position, upto: want.upto });
        self.decode(read_spans(&self.pool, spans).await?).await
    }

    /// Opens and decodes rows.
    pub(super) async fn decode(&self, rows: Vec<StoredRow>) -> Result<Vec<Arc<FeedEvent>>, SourceError> {
        let opened = self.opener.open(&rows).await?;
        Ok(rows.iter().zip(opened).map(|(row, opened)| Arc::new(event(row, opened.as_deref()))).collect())
    }

    /// Which of these checkpoints are still in the log.
    pub(super) async fn holds(&self, places: &[(ClinicId, Checkpoint)]) -> Result<Vec<bool>, SourceError> {
        let clinics: Vec<Uuid> = places.iter().map(|(clinic, _)| clinic.0).collect();
        let positions: Vec<Position> = places.iter().map(|(_, place)| place.position).collect();
        let hashes: Vec<&[u8]> = places.iter().map(|(_, place)| place.hash.as_slice()).collect();
        let held = sqlx::query_scalar(
            "SELECT p.position = 0 OR EXISTS (
                 SELECT FROM log.event e
                 WHERE e.clinic = p.clinic AND e.ledger = $1 AND e.position = p.position AND e.hash = p.hash)
             FROM unnest($2::uuid[], $3::bigint[], $4::bytea[]) WITH ORDINALITY AS p(clinic, position, hash, n) ORDER BY n",
        )
        .bind(Ledger::Record as i16)
        .bind(clinics)
        .bind(positions)
        .bind(hashes);
        Ok(held.fetch_all(&self.pool).await?)
    }
}

fn head(row: &PgRow) -> Result<(ClinicId, Checkpoint), sqlx::Error> {
    let place = Checkpoint { position: row.try_get("position")?, hash: row.try_get::<Hash, _>("hash")? };
    Ok((ClinicId(row.try_get("clinic")?), place))
}

fn event(row: &StoredRow, opened: Option<&[u8]>) -> FeedEvent {
    FeedEvent {
        clinic: row.clinic,
        position: row.position,
        previous_hash: row.previous_hash,
        hash: row.hash,
        recorded: row.recorded(opened),
    }
}
