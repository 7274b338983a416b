//! Walking a ledger from its first row to its last: every hash is computed again, and at every size that a checkpoint
//! signs the root is compared. Memory does not grow with the ledger.

use std::collections::VecDeque;

use events::Position;

use crate::{
    checkpoint::ledger_leaf_hash,
    merkle::Frontier,
    row::{GENESIS, Hash, StoredRow, chain_hash},
    verdict::Verdict,
};

/// The root of a ledger at a size, as a trusted checkpoint signs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchored {
    pub size: Position,
    pub root: Hash,
}

/// What is left of a row that is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WithheldRow {
    pub position: Position,
    pub row_hash: Hash,
    pub previous_hash: Hash,
    pub hash: Hash,
}

/// Where a walk has met a signed root: another one may go on from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// The chain's hash.
    pub hash: Hash,
    pub tree: Frontier,
}

impl Matched {
    /// Before the first row.
    fn nothing() -> Self {
        Self { hash: GENESIS, tree: Frontier::default() }
    }

    pub fn size(&self) -> Position {
        self.tree.size().cast_signed()
    }
}

/// A walk over the rows of one ledger, in order.
#[derive(Clone, Debug)]
pub struct Walk {
    hash: Hash,
    tree: Frontier,
    /// Where a signed root has matched last.
    matched: Matched,
    /// What is still to be met, in order.
    anchored: VecDeque<Anchored>,
}

impl Default for Walk {
    fn default() -> Self {
        Self { hash: GENESIS, tree: Frontier::default(), matched: Matched::nothing(), anchored: VecDeque::new() }
    }
}

impl Walk {
    /// From a size on that an earlier walk has met. `None` unless the tree is the one whose root was signed there; that
    /// the hash is the right one shows in the next row.
    pub fn resume(from: Anchored, matched: Matched) -> Option<Self> {
        let is_that = matched.size() == from.size && matched.tree.root() == from.root;
        let (hash, tree) = (matched.hash, matched.tree.clone());
        is_that.then(|| Self { hash, tree, matched, anchored: VecDeque::new() })
    }

    /// From a size on that nobody has verified: the roots that follow show whether the tree is the right one.
    pub fn of_stretch(hash: Hash, tree: Frontier) -> Self {
        Self { hash, tree, ..Self::default() }
    }

    /// Names a root that has to be met. In the order of their sizes, and before the rows get there.
    pub fn expect(&mut self, anchored: Anchored) {
        self.anchored.push_back(anchored);
    }

    /// Takes the next row; `Err`: the walk ends here.
    pub fn row(&mut self, row: &StoredRow) -> Result<(), Verdict> {
        self.step(row.position, &row.previous_hash, &row.hash, || row.is_intact())
    }

    /// Takes the next row, of which only hashes are shown.
    pub fn withheld(&mut self, row: &WithheldRow) -> Result<(), Verdict> {
        let is_intact = || row.hash == chain_hash(&row.previous_hash, &row.row_hash);
        self.step(row.position, &row.previous_hash, &row.hash, is_intact)
    }

    fn step(
        &mut self,
        position: Position,
        previous: &Hash,
        hash: &Hash,
        is_intact: impl FnOnce() -> bool,
    ) -> Result<(), Verdict> {
        let expected = self.position() + 1;
        if position > expected {
            return Err(Verdict::GapAt { position: expected });
        }
        // A position that was there already is a row too many.
        if position < expected || *previous != self.hash || !is_intact() {
            return Err(Verdict::AlteredAt { position });
        }
        self.hash = *hash;
        self.tree.push(ledger_leaf_hash(hash));
        self.compare(position)
    }

    /// With the root that was signed at this size, if one was.
    fn compare(&mut self, size: Position) -> Result<(), Verdict> {
        let Some(anchored) = self.anchored.pop_front_if(|next| next.size <= size) else { return Ok(()) };
        if anchored.size != size || anchored.root != self.tree.root() {
            return Err(Verdict::AlteredBetween { after: self.matched.size(), up_to: size });
        }
        self.matched = Matched { hash: self.hash, tree: self.tree.clone() };
        Ok(())
    }

    /// The rows taken so far.
    pub fn position(&self) -> Position {
        self.tree.size().cast_signed()
    }

    /// The hash of the last of them.
    pub fn hash(&self) -> &Hash {
        &self.hash
    }

    pub fn matched(&self) -> &Matched {
        &self.matched
    }

    /// The verdict after the last row.
    pub fn end(&self) -> Verdict {
        match self.anchored.is_empty() {
            true => {
                let up_to = self.matched.size();
                Verdict::Intact { up_to, not_yet_anchored: self.position() - up_to }
            }
            false => Verdict::CutOffAfter { position: self.position() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::sha256;

    /// A ledger of so many rows of which nothing is shown, from `from` on with other contents.
    fn rows(count: i64, rewritten_from: i64) -> Vec<WithheldRow> {
        let mut previous_hash = GENESIS;
        let row = |position| {
            let row_hash = sha256(format!("{position} {}", position >= rewritten_from).as_bytes());
            let hash = chain_hash(&previous_hash, &row_hash);
            let row = WithheldRow { position, row_hash, previous_hash, hash };
            previous_hash = hash;
            row
        };
        (1..=count).map(row).collect()
    }

    fn anchored(rows: &[WithheldRow], size: i64) -> Anchored {
        let mut tree = Frontier::default();
        rows[..size as usize].iter().for_each(|row| tree.push(ledger_leaf_hash(&row.hash)));
        Anchored { size, root: tree.root() }
    }

    /// Of these rows, where sizes of an honest ledger of 20 rows were signed.
    fn verdict(rows: &[WithheldRow], signed: &[i64]) -> Verdict {
        let honest = self::rows(20, 21);
        let mut walk = Walk::default();
        signed.iter().for_each(|size| walk.expect(anchored(&honest, *size)));
        rows.iter().try_for_each(|row| walk.withheld(row)).err().unwrap_or_else(|| walk.end())
    }

    #[test]
    fn an_honest_ledger_is_intact_up_to_its_last_anchor() {
        let honest = rows(20, 21);
        assert_eq!(verdict(&[], &[]), Verdict::Intact { up_to: 0, not_yet_anchored: 0 });
        assert_eq!(verdict(&honest, &[]), Verdict::Intact { up_to: 0, not_yet_anchored: 20 });
        assert_eq!(verdict(&honest, &[1, 7, 18]), Verdict::Intact { up_to: 18, not_yet_anchored: 2 });
        assert_eq!(verdict(&honest, &[20]), Verdict::Intact { up_to: 20, not_yet_anchored: 0 });
    }

    #[test]
    fn what_breaks_the_chain_is_found_where_it_does() {
        let mut altered = rows(20, 21);
        altered[6].row_hash[0] ^= 1;
        assert_eq!(verdict(&altered, &[5, 20]), Verdict::AlteredAt { position: 7 });
        let mut dropped = rows(20, 21);
        dropped.remove(6);
        assert_eq!(verdict(&dropped, &[5, 20]), Verdict::GapAt { position: 7 });
        let mut swapped = rows(20, 21);
        swapped.swap(6, 7);
        assert_eq!(verdict(&swapped, &[5, 20]), Verdict::GapAt { position: 7 });
        let mut twice = rows(20, 21);
        twice.insert(7, twice[6]);
        assert_eq!(verdict(&twice, &[5, 20]), Verdict::AlteredAt { position: 7 });
    }

    #[test]
    fn a_tail_that_was_rewritten_is_found_between_two_anchors() {
        let rewritten = rows(20, 9);
        assert_eq!(verdict(&rewritten, &[5, 8, 13, 20]), Verdict::AlteredBetween { after: 8, up_to: 13 });
        assert_eq!(verdict(&rows(20, 1), &[5, 20]), Verdict::AlteredBetween { after: 0, up_to: 5 });
        assert_eq!(verdict(&rewritten, &[8]), Verdict::Intact { up_to: 8, not_yet_anchored: 12 });
    }

    #[test]
    fn a_tail_that_was_cut_off_is_found_after_what_is_left() {
        assert_eq!(verdict(&rows(12, 21), &[5, 13]), Verdict::CutOffAfter { position: 12 });
        assert_eq!(verdict(&[], &[5]), Verdict::CutOffAfter { position: 0 });
    }

    #[test]
    fn a_walk_goes_on_from_a_tree_that_was_signed_and_from_no_other() {
        let honest = rows(20, 21);
        let from = anchored(&honest, 13);
        let mut walk = Walk::default();
        walk.expect(from);
        honest[..15].iter().for_each(|row| walk.withheld(row).unwrap());
        let mut resumed = Walk::resume(from, walk.matched().clone()).unwrap();
        resumed.expect(anchored(&honest, 20));
        honest[13..].iter().for_each(|row| resumed.withheld(row).unwrap());
        assert_eq!(resumed.end(), Verdict::Intact { up_to: 20, not_yet_anchored: 0 });
        assert!(Walk::resume(anchored(&rows(20, 3), 13), walk.matched().clone()).is_none());
    }
}
