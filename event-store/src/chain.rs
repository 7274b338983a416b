//! Walking a ledger from its first event to its head, and computing every hash again.

use events::{ClinicId, Ledger, Position};
use proof::{Verdict, walk::Walk};
use sqlx::{Row, postgres::PgRow};

use crate::{
    GENESIS,
    row::{Hash, StoredRow},
    store::{Store, StoreError},
    stored::{event_columns, hash, stored_row},
};

/// Positions read at once.
const PAGE_POSITIONS: Position = 5_000;

/// Where a ledger says that it ends, in one snapshot with what its rows say.
pub(crate) struct End {
    pub(crate) position: Position,
    hash: Hash,
    /// A row before the first position or beyond the last.
    stray: Option<Position>,
}

/// A row as it was read, or the position of one whose columns no longer hold what they can hold.
type Read = Result<StoredRow, Position>;

impl Store {
    /// Walks a ledger up to where it stands now: the chain alone. A tail that was rewritten or cut off with its
    /// head is seen only where a checkpoint signs it: [`Auditor`](crate::checkpoint::Auditor) sees both.
    pub async fn verify(&self, clinic: ClinicId, ledger: Ledger) -> Result<Verdict, StoreError> {
        let end = self.end(clinic, ledger).await?;
        let mut walk = Walk::default();
        let walked = self.walk_to(&mut walk, clinic, ledger, end.position).await?;
        Ok(walked.and_then(|()| end.agrees(&walk)).err().unwrap_or_else(|| walk.end()))
    }

    /// Takes the rows up to a position. One page is read while the one before it is hashed.
    pub(crate) async fn walk_to(
        &self,
        walk: &mut Walk,
        clinic: ClinicId,
        ledger: Ledger,
        to: Position,
    ) -> Result<Result<(), Verdict>, StoreError> {
        let page = async |after| self.page(clinic, ledger, after, to.min(after + PAGE_POSITIONS)).await;
        let mut after = walk.position();
        let mut rows = page(after).await?;
        while after < to {
            after = to.min(after + PAGE_POSITIONS);
            let (mut on, taken) = (std::mem::take(walk), std::mem::take(&mut rows));
            let walked = tokio::task::spawn_blocking(move || {
                let walked = taken.iter().try_for_each(|row| match row {
                    Ok(row) => on.row(row),
                    Err(position) => Err(Verdict::AlteredAt { position: *position }),
                });
                (on, walked)
            });
            let (walked, next) = tokio::join!(walked, page(after));
            let (on, walked) = walked.expect("hashing does not panic");
            *walk = on;
            if walked.is_err() {
                return Ok(walked);
            }
            rows = next?;
        }
        Ok(Ok(()))
    }

    /// The rows at positions after `after`, up to `upto`: by their range and not by their number, so that a position
    /// that is there twice is seen twice.
    async fn page(
        &self,
        clinic: ClinicId,
        ledger: Ledger,
        after: Position,
        upto: Position,
    ) -> Result<Vec<Read>, StoreError> {
        if after >= upto {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(concat!(
            "SELECT ",
            event_columns!(),
            " FROM log.scope($1) AS s(clinic) CROSS JOIN LATERAL (
                SELECT * FROM log.event WHERE clinic = s.clinic AND ledger = $2 AND position > $3 AND position <= $4
                ORDER BY position OFFSET 0) AS e ORDER BY e.position"
        ))
        .bind(clinic.0)
        .bind(ledger as i16)
        .bind(after)
        .bind(upto)
        .fetch_all(&self.reads)
        .await?;
        rows.iter().map(read).collect::<sqlx::Result<_>>().map_err(StoreError::from)
    }

    pub(crate) async fn end(&self, clinic: ClinicId, ledger: Ledger) -> Result<End, StoreError> {
        let row = sqlx::query(
            "SELECT coalesce(h.position, 0), h.hash, e.position FROM log.scope($1) AS s(clinic)
             LEFT JOIN LATERAL (SELECT position, hash FROM log.head
                WHERE clinic = s.clinic AND ledger = $2 OFFSET 0) AS h ON true
             LEFT JOIN LATERAL (SELECT min(position) AS position FROM log.event WHERE clinic = s.clinic AND ledger = $2
                AND (position < 1 OR position > coalesce(h.position, 0)) OFFSET 0) AS e ON true",
        )
        .bind(clinic.0)
        .bind(ledger as i16)
        .fetch_one(&self.reads)
        .await?;
        // A head whose hash is none agrees with no row.
        let hash = row.try_get::<Option<&[u8]>, _>(1)?.map_or(GENESIS, |bytes| hash(bytes).unwrap_or_default());
        Ok(End { position: row.try_get(0)?, hash, stray: row.try_get(2)? })
    }
}

impl End {
    /// Whether the head and the rows say the same; `walk` has taken the rows up to the head.
    pub(crate) fn agrees(&self, walk: &Walk) -> Result<(), Verdict> {
        let position = walk.position();
        if position < self.position {
            return Err(Verdict::CutOffAfter { position });
        }
        if *walk.hash() != self.hash {
            return Err(Verdict::AlteredAt { position });
        }
        self.stray.map_or(Ok(()), |position| Err(Verdict::AlteredAt { position }))
    }
}

/// An error only where not even the position can be read.
fn read(row: &PgRow) -> sqlx::Result<Read> {
    match stored_row(row) {
        Ok(row) => Ok(Ok(row)),
        Err(_) => Ok(Err(row.try_get(2)?)),
    }
}
