//! A ledger's tree, carried on to where the ledger stands.

use events::{ClinicId, Ledger, PatientId, Position};
use proof::{
    checkpoint::{Leaf, ledger_leaf_hash},
    merkle::{Frontier, Node},
    row::{GENESIS, Hash},
};
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    charts::{self, Counts},
    stored::{join, split},
};
use crate::stored::{hash, ledger};

/// Rows read at once.
const PAGE_ROWS: i64 = 10_000;
/// Subtrees of at least 2^8 leaves are kept: proofs make smaller ones again.
pub(super) const LEVEL_KEPT_MIN: u8 = 8;

/// A ledger that stands elsewhere than its tree.
pub(super) struct Moved {
    clinic: ClinicId,
    ledger: Ledger,
    head: Position,
    tree: Frontier,
    /// The chain's hash at the tree's size.
    hash: Hash,
}

/// What the ledger no longer is, by what was signed before.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) clinic: ClinicId,
    pub(super) ledger: Ledger,
    pub(super) after: Position,
}

/// Every ledger that has moved.
pub(super) async fn moved(db: &mut PgConnection) -> sqlx::Result<Vec<Moved>> {
    let rows = sqlx::query(
        "SELECT h.clinic, h.ledger, h.position, coalesce(t.size, 0), t.hash, coalesce(t.edge, '') FROM log.head h
         LEFT JOIN log.tree t USING (clinic, ledger) WHERE h.position <> coalesce(t.size, 0) ORDER BY 1, 2",
    )
    .fetch_all(db)
    .await?;
    rows.iter().map(Moved::read).collect()
}

impl Moved {
    fn read(row: &PgRow) -> sqlx::Result<Self> {
        let size: Position = row.try_get(3)?;
        let tree = Frontier::from_edge(size.cast_unsigned(), split(row.try_get(5)?));
        Ok(Self {
            clinic: ClinicId(row.try_get(0)?),
            ledger: ledger(row.try_get(1)?)?,
            head: row.try_get(2)?,
            tree: tree.ok_or_else(|| sqlx::Error::Decode("the edge of a tree does not fit its size".into()))?,
            hash: row.try_get::<Option<&[u8]>, _>(4)?.map_or(Ok(GENESIS), hash)?,
        })
    }

    pub(super) fn size(&self) -> Position {
        self.tree.size().cast_signed()
    }

    /// Carries the tree on by at most `rows_max` rows, and stores it. A ledger that does not continue what was signed
    /// is left as it is: its last leaf stays, and a verification says what happened to it.
    pub(super) async fn extend(mut self, db: &mut PgConnection, rows_max: i64) -> sqlx::Result<Result<Leaf, Broken>> {
        let to = self.head.min(self.size() + rows_max);
        let broken = Broken { clinic: self.clinic, ledger: self.ledger, after: self.size() };
        let (mut nodes, mut counts) = (Nodes::default(), Counts::new());
        if self.head < self.size() {
            return Ok(Err(broken));
        }
        while self.size() < to {
            let rows = self.page(db, to.min(self.size() + PAGE_ROWS)).await?;
            let before = self.size();
            for row in &rows {
                if !self.take(row, &mut nodes, &mut counts)? {
                    return Ok(Err(Broken { after: self.size(), ..broken }));
                }
            }
            if self.size() == before {
                return Ok(Err(Broken { after: before, ..broken }));
            }
        }
        let charts = match self.ledger {
            Ledger::Record => Some(charts::count(db, self.clinic, &counts).await?),
            Ledger::Access => None,
        };
        let leaf = Leaf { clinic: self.clinic, ledger: self.ledger, size: self.size(), root: self.tree.root(), charts };
        nodes.store(db, &leaf).await?;
        self.store(db, &leaf).await?;
        Ok(Ok(leaf))
    }

    async fn page(&self, db: &mut PgConnection, upto: Position) -> sqlx::Result<Vec<PgRow>> {
        sqlx::query(
            "SELECT position, previous_hash, hash, patient, patient_version FROM log.event
             WHERE clinic = $1 AND ledger = $2 AND position > $3 AND position <= $4 ORDER BY position",
        )
        .bind(self.clinic.0)
        .bind(self.ledger as i16)
        .bind(self.size())
        .bind(upto)
        .fetch_all(db)
        .await
    }

    /// Whether the row continues the chain.
    fn take(&mut self, row: &PgRow, nodes: &mut Nodes, counts: &mut Counts) -> sqlx::Result<bool> {
        let (previous, own) = (row.try_get::<&[u8], _>(1)?, row.try_get::<&[u8], _>(2)?);
        let Ok(own) = hash(own) else { return Ok(false) };
        if row.try_get::<Position, _>(0)? != self.size() + 1 || previous != self.hash {
            return Ok(false);
        }
        self.hash = own;
        self.tree.push_with(ledger_leaf_hash(&own), |node, hash| nodes.add(node, hash));
        if let (Some(patient), Some(version)) = (row.try_get(3)?, row.try_get::<Option<i64>, _>(4)?) {
            counts.entry(PatientId(patient)).and_modify(|count| *count = version.max(*count)).or_insert(version);
        }
        Ok(true)
    }

    async fn store(&self, db: &mut PgConnection, leaf: &Leaf) -> sqlx::Result<()> {
        sqlx::query(
            "INSERT INTO log.tree VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (clinic, ledger) DO UPDATE
             SET size = excluded.size, hash = excluded.hash, edge = excluded.edge, root = excluded.root,
                 charts = excluded.charts",
        )
        .bind(leaf.clinic.0)
        .bind(leaf.ledger as i16)
        .bind(leaf.size)
        .bind(self.hash.as_slice())
        .bind(join(self.tree.edge()))
        .bind(leaf.root.as_slice())
        .bind(leaf.charts.as_ref().map(Hash::as_slice))
        .execute(db)
        .await?;
        Ok(())
    }
}

/// Subtrees that were completed.
#[derive(Default)]
struct Nodes {
    levels: Vec<i16>,
    places: Vec<i64>,
    hashes: Vec<Vec<u8>>,
}

impl Nodes {
    fn add(&mut self, node: Node, hash: &Hash) {
        if node.level >= LEVEL_KEPT_MIN {
            self.levels.push(node.level.into());
            self.places.push(node.index.cast_signed());
            self.hashes.push(hash.to_vec());
        }
    }

    async fn store(self, db: &mut PgConnection, leaf: &Leaf) -> sqlx::Result<()> {
        sqlx::query(
            "INSERT INTO log.tree_node SELECT $1, $2, * FROM unnest($3::smallint[], $4::bigint[], $5::bytea[])",
        )
        .bind(leaf.clinic.0)
        .bind(leaf.ledger as i16)
        .bind(self.levels)
        .bind(self.places)
        .bind(self.hashes)
        .execute(db)
        .await?;
        Ok(())
    }
}
