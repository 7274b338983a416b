//! A stretch of both ledgers, row after row.

use event_store::{HandedKey, StoredRow};
use events::{ClinicId, Ledger, Position};
use proof::{
    bundle::{Extent, Hex32, KeyState, Range, RowLine, ShownRow, WithheldRow, files},
    checkpoint::ledger_leaf_hash,
    merkle::Frontier,
    row::GENESIS,
};

use super::{ExportError, Exporter, LEDGERS, Sight, Sights, index::Index, pack::Pack};

const PAGE_ROWS: u32 = 1_000;
const PAGE_HASHES: u32 = 20_000;

pub(super) fn file_of(ledger: Ledger) -> &'static str {
    match ledger {
        Ledger::Record => files::RECORD,
        Ledger::Access => files::ACCESS,
    }
}

impl Exporter {
    pub(super) async fn ledgers(
        &self,
        clinic: ClinicId,
        ranges: [(Position, Position); 2],
        pack: &mut Pack,
        index: &mut Index,
        sights: &dyn Sights,
    ) -> Result<[Extent; 2], ExportError> {
        let mut extents = Vec::new();
        for (ledger, (from, to)) in LEDGERS.into_iter().zip(ranges) {
            let range = self.before(clinic, ledger, from, to).await?;
            pack.begin(file_of(ledger))?;
            let (mut after, mut count) = (from - 1, 0);
            while after < to {
                let mut rows = self.store.read_rows(clinic, ledger, after, PAGE_ROWS).await?;
                rows.retain(|row| row.position <= to);
                let Some(last) = rows.last() else { break };
                after = last.position;
                count += rows.len() as u64;
                self.pack_rows(clinic, rows, pack, index, sights).await?;
            }
            extents.push(Extent { rows: count, range: Some(range) });
        }
        pack.begin(files::PROOFS)?;
        Ok(extents.try_into().expect("there are two ledgers"))
    }

    /// The chain and the tree before a position.
    async fn before(
        &self,
        clinic: ClinicId,
        ledger: Ledger,
        from: Position,
        to: Position,
    ) -> Result<Range, ExportError> {
        let (mut tree, mut hash, mut after) = (Frontier::default(), GENESIS, 0);
        while after < from - 1 {
            let page = self.store.chain_hashes(clinic, ledger, after, PAGE_HASHES).await?;
            let Some((last, _)) = page.last() else { break };
            after = *last;
            for (_, value) in page.iter().filter(|(position, _)| *position < from) {
                tree.push(ledger_leaf_hash(value));
                hash = *value;
            }
        }
        let peaks = tree.edge().iter().copied().map(Hex32).collect();
        Ok(Range { from, to, previous_hash: Hex32(hash), peaks })
    }

    pub(super) async fn pack_rows(
        &self,
        clinic: ClinicId,
        rows: Vec<StoredRow>,
        pack: &mut Pack,
        index: &mut Index,
        sights: &dyn Sights,
    ) -> Result<(), ExportError> {
        let seen = sights.look(&rows).await.map_err(ExportError::Sight)?;
        let keys = self.store.vault().event_keys(&rows).await.map_err(event_store::StoreError::from)?;
        index.tell(&self.store, clinic, &rows, &seen).await?;
        for ((row, seen), key) in rows.into_iter().zip(seen).zip(keys) {
            pack.line(&line(row, seen, key))?;
        }
        Ok(())
    }
}

fn line(row: StoredRow, seen: Sight, key: HandedKey) -> RowLine {
    if seen == Sight::Withheld {
        return RowLine::Withheld(WithheldRow::of(&row));
    }
    let row = ShownRow::of(row);
    RowLine::Shown(Box::new(match (seen, key) {
        (Sight::Open, HandedKey::Good(key)) => row.with_key(&key),
        (Sight::Open, HandedKey::Destroyed) => row.without_key(KeyState::Destroyed),
        // Whoever may not see it learns that it is lost all the same: it says nothing about a person.
        (_, HandedKey::Lost) => row.without_key(KeyState::Lost),
        _ => row,
    }))
}
