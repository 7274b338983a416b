//! One clinic made again in place: its rows are replaced in one transaction.

use std::sync::Arc;

use event_store::{
    Span,
    feed::{Checkpoint, FeedEvent},
};
use events::{ClinicId, Position};
use read_models::{Projection, Rows};
use sqlx::{AssertSqlSafe, PgConnection};

use super::{Progress, RebuildError, Running};
use crate::{
    Failure,
    apply::{columns, json},
    history::{History, pages},
    parked, place,
    table::Table,
};

/// Rows written by one statement.
const WRITTEN_ROWS_MAX: usize = 2_000;
/// The only try: what cannot be read now cannot be read a moment later.
const ATTEMPTS: u32 = 1;

/// One clinic folded in memory, up to its end or to an event that cannot be read.
pub(crate) struct Folded<P: Projection> {
    pub(crate) clinic: ClinicId,
    pub(crate) rows: Rows<P>,
    pub(crate) at: Checkpoint,
    /// The event that stopped the fold.
    pub(crate) stuck: Option<(Position, Failure)>,
}

impl<P: Projection> Folded<P> {
    pub(crate) fn new(clinic: ClinicId) -> Self {
        Self { clinic, rows: Rows::default(), at: Checkpoint::START, stuck: None }
    }

    /// Folds on, unless it is stuck.
    pub(crate) fn fold(&mut self, events: &[Arc<FeedEvent>]) {
        for event in events {
            match &event.recorded {
                _ if self.stuck.is_some() => return,
                Err(error) => self.stuck = Some((event.position, Failure::unreadable(error))),
                Ok(recorded) => {
                    self.rows.apply(recorded);
                    self.at = event.checkpoint();
                }
            }
        }
    }

    /// Reads and folds on, up to a position.
    pub(crate) async fn fold_upto(
        &mut self,
        history: &History,
        upto: Position,
        progress: &mut (dyn FnMut(i64) + Send),
    ) -> Result<(), RebuildError> {
        for page in pages([Span { clinic: self.clinic, after: self.at.position, upto }]) {
            self.fold(&history.page(&page).await?);
            progress(self.at.position);
        }
        Ok(())
    }
}

/// Replaces the rows of one clinic by what the log says.
pub(crate) async fn clinic<P: Projection>(
    history: &History,
    clinic: ClinicId,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), RebuildError> {
    let table = Table::<P>::served(history.pool()).await?;
    let total = head(history, clinic).await?;
    let running = Running::begin(history.pool(), &table.projection, clinic, total).await?;
    // What a rebuild of all that was broken off has left holds what may since have been erased. None runs now.
    sqlx::query("SELECT read.drop_next($1)").bind(&table.projection).execute(history.pool()).await?;
    let mut folded = Folded::<P>::new(clinic);
    folded.fold_upto(history, total, &mut |events| progress(Progress { events, total })).await?;
    replace(history, &table, folded).await?;
    Ok(running.end().await?)
}

async fn head(history: &History, clinic: ClinicId) -> sqlx::Result<Position> {
    Ok(history.heads(Some(clinic)).await?.first().map_or(0, |(_, head)| head.position))
}

async fn replace<P: Projection>(
    history: &History,
    table: &Table<P>,
    mut folded: Folded<P>,
) -> Result<(), RebuildError> {
    let (clinic, projection) = (folded.clinic, &table.projection);
    place::of(history.pool(), projection, &[clinic]).await?;
    let mut transaction = history.pool().begin().await?;
    // From here on nobody else moves the clinic: what was appended meanwhile is folded now.
    let locked = "SELECT position FROM read.checkpoint WHERE clinic_id = $1 AND projection = $2 FOR UPDATE";
    sqlx::query(locked).bind(clinic.0).bind(projection).fetch_one(&mut *transaction).await?;
    folded.fold_upto(history, head(history, clinic).await?, &mut |_| ()).await?;
    let Folded { rows, at, stuck, .. } = folded;

    let delete = format!("DELETE FROM {} WHERE clinic_id = $1", table.name);
    sqlx::query(AssertSqlSafe(delete)).bind(clinic.0).execute(&mut *transaction).await?;
    insert(&mut transaction, table, clinic, rows).await?;
    sqlx::query(
        "UPDATE read.checkpoint SET position = $3, hash = $4, epoch = epoch + 1
         WHERE clinic_id = $1 AND projection = $2",
    )
    .bind(clinic.0)
    .bind(projection)
    .bind(at.position)
    .bind(at.hash)
    .execute(&mut *transaction)
    .await?;
    parked::retry(&mut *transaction, Some(projection), Some(clinic)).await?;
    if let Some((position, failure)) = stuck {
        parked::park(&mut *transaction, projection, clinic, position, &failure, ATTEMPTS).await?;
    }
    Ok(transaction.commit().await?)
}

async fn insert<P: Projection>(
    connection: &mut PgConnection,
    table: &Table<P>,
    clinic: ClinicId,
    rows: Rows<P>,
) -> Result<(), RebuildError> {
    let rows = rows.into_sorted();
    for chunk in rows.chunks(WRITTEN_ROWS_MAX) {
        let written: Vec<_> = chunk.iter().map(|(_, row)| (clinic, json(row))).collect();
        let query = sqlx::query(AssertSqlSafe(table.insert.clone()));
        let query = query.bind(written.iter().map(|(clinic, _)| clinic.0).collect::<Vec<_>>());
        let columns = columns(&written, &table.columns)?;
        columns.into_iter().fold(query, |query, column| query.bind(column)).execute(&mut *connection).await?;
    }
    Ok(())
}
