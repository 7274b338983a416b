//! Walking a ledger from its first event to its head, and computing every hash again.

use events::{ClinicId, Ledger, Position};

use crate::{
    row::{GENESIS, Hash, StoredRow},
    store::{LedgerHead, Store, StoreError},
};

const PAGE_ROWS: u32 = 5_000;

/// What a walk found. A walk alone does not see a tail that was cut off together with its head: for that, a
/// root that was signed and kept elsewhere is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every row says what it said, up to the head.
    Intact(LedgerHead),
    /// The row at this position is not what was written there, or does not follow the one before it.
    AlteredAt(Position),
    /// There is no row at this position, and there are later ones, or the head says so.
    GapAt(Position),
    /// Rows up to this position are intact, but the head says something else of the last one.
    HeadMismatch(Position),
}

/// A walk over the rows of one ledger, in order.
pub struct Walk {
    position: Position,
    hash: Hash,
}

impl Default for Walk {
    fn default() -> Self {
        Self { position: 0, hash: GENESIS }
    }
}

impl Walk {
    /// Takes the next row; `Err`: the walk ends here.
    pub fn step(&mut self, row: &StoredRow) -> Result<(), Verdict> {
        let expected = self.position + 1;
        if row.position != expected {
            return Err(Verdict::GapAt(expected));
        }
        if row.previous_hash != self.hash || !row.is_intact() {
            return Err(Verdict::AlteredAt(expected));
        }
        *self = Self { position: row.position, hash: row.hash };
        Ok(())
    }

    /// The verdict at the end of the rows.
    fn end(self, head: LedgerHead) -> Verdict {
        if self.position < head.position {
            return Verdict::GapAt(self.position + 1);
        }
        if (self.position, self.hash) != (head.position, head.hash) {
            return Verdict::HeadMismatch(self.position);
        }
        Verdict::Intact(head)
    }
}

impl Store {
    /// Walks a ledger up to where it stands now. One page is read while the one before it is hashed.
    pub async fn verify(&self, clinic: ClinicId, ledger: Ledger) -> Result<Verdict, StoreError> {
        let head = self.head(clinic, ledger).await?;
        let mut walk = Walk::default();
        let mut page = self.read_rows(clinic, ledger, 0, PAGE_ROWS).await?;
        while let Some(last) = page.last().map(|row| row.position) {
            let next = self.read_rows(clinic, ledger, last, PAGE_ROWS);
            let walked = tokio::task::spawn_blocking(move || walk_page(walk, page, head.position));
            let (walked, next) = tokio::join!(walked, next);
            match walked.expect("hashing does not panic") {
                Ok(on) => walk = on,
                Err(verdict) => return Ok(verdict),
            }
            page = if last < head.position { next? } else { Vec::new() };
        }
        Ok(walk.end(head))
    }
}

/// Rows beyond the head were appended after the walk began.
fn walk_page(mut walk: Walk, page: Vec<StoredRow>, to: Position) -> Result<Walk, Verdict> {
    for row in page.iter().filter(|row| row.position <= to) {
        walk.step(row)?;
    }
    Ok(walk)
}
