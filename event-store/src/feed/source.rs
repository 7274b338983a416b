//! What the feed asks PostgreSQL.

use std::sync::Arc;

use events::{ClinicId, Ledger, Position};
use futures::future::BoxFuture;
use sqlx::{PgPool, Row, postgres::PgRow};
use uuid::Uuid;

use super::{Checkpoint, FeedEvent, Unreadable};
use crate::{
    Hash, StoredRow, VaultError,
    spans::{Span, read_spans},
};

/// The opened sealed part of a row: `None` where there is none, and where it was erased; an error, in words,
/// where it does not open with the keys that there are.
pub type Opened = Result<Option<Vec<u8>>, String>;

/// Opens the sealed parts of rows.
pub trait Opener: Send + Sync {
    /// One for each row, in their order. An error where the keys cannot be reached now.
    fn open<'a>(&'a self, rows: &'a [StoredRow]) -> BoxFuture<'a, Result<Vec<Opened>, SourceError>>;
}

/// Why the log cannot be read now.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("the log cannot be read: {0}")]
    Log(#[from] sqlx::Error),
    #[error(transparent)]
    Keys(VaultError),
}

/// The log, and the keys to open it: what followers and rebuilds read from.
#[derive(Clone)]
pub struct Source {
    pool: PgPool,
    opener: Arc<dyn Opener>,
}

impl Source {
    /// The pool's role must see the heads and events of all clinics.
    pub fn new(pool: PgPool, opener: Arc<dyn Opener>) -> Self {
        Self { pool, opener }
    }

    /// Where the record of each clinic stands.
    pub async fn heads(&self) -> Result<Vec<(ClinicId, Checkpoint)>, SourceError> {
        let rows = sqlx::query("SELECT clinic, position, hash FROM log.head WHERE ledger = $1")
            .bind(Ledger::Record as i16)
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.iter().map(head).collect::<Result<_, sqlx::Error>>()?)
    }

    /// The events of all spans, in the order of the spans and of their positions. Whether they hang together
    /// is for the caller to see.
    pub async fn page(&self, spans: impl IntoIterator<Item = Span>) -> Result<Vec<Arc<FeedEvent>>, SourceError> {
        self.decode(read_spans(&self.pool, spans).await?).await
    }

    /// Opens and decodes rows.
    pub async fn decode(&self, rows: Vec<StoredRow>) -> Result<Vec<Arc<FeedEvent>>, SourceError> {
        let opened = self.opener.open(&rows).await?;
        Ok(rows.iter().zip(opened).map(|(row, opened)| Arc::new(event(row, opened))).collect())
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

fn event(row: &StoredRow, opened: Opened) -> FeedEvent {
    let recorded = match opened {
        Ok(opened) => row.recorded(opened.as_deref()).map_err(Unreadable::Row),
        Err(reason) => Err(Unreadable::Sealed { position: row.position, reason }),
    };
    FeedEvent { clinic: row.clinic, position: row.position, previous_hash: row.previous_hash, hash: row.hash, recorded }
}
