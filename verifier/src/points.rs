//! What checkpoints say of the ledgers of the bundle's clinic.

use events::Ledger;
use proof::checkpoint::Leaf;

/// What one checkpoint says of one ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    /// The checkpoint.
    pub(crate) number: i64,
    pub(crate) leaf: Leaf,
}

/// Of both ledgers, ascending by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Points(Vec<Point>);

impl Points {
    pub(crate) fn push(&mut self, number: i64, leaf: Leaf) {
        self.0.push(Point { number, leaf });
    }

    pub(crate) fn of(&self, ledger: Ledger) -> impl DoubleEndedIterator<Item = &Point> {
        self.0.iter().filter(move |point| point.leaf.ledger == ledger)
    }

    /// What one checkpoint says.
    pub(crate) fn at(&self, number: i64) -> impl Iterator<Item = &Leaf> {
        self.0.iter().filter(move |point| point.number == number).map(|point| &point.leaf)
    }

    pub(crate) fn last(&self, ledger: Ledger) -> Option<&Point> {
        self.of(ledger).next_back()
    }
}
