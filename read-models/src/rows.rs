//! A read model in memory: what a rebuild fills, and what the past is answered from.

use std::collections::HashMap;

use events::Recorded;

use crate::Projection;

/// The rows of one clinic, or of one patient, folded so far.
pub struct Rows<P: Projection>(HashMap<P::Key, P::Row>);

impl<P: Projection> Default for Rows<P> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<P: Projection> Rows<P> {
    /// Folds one event into every row that it touches. Events must come in the order of their positions.
    pub fn apply(&mut self, event: &Recorded) {
        for key in P::keys(event) {
            let before = self.0.remove(&key);
            if let Some(after) = P::fold(before, &key, event) {
                self.0.insert(key, after);
            }
        }
    }

    pub fn get(&self, key: &P::Key) -> Option<&P::Row> {
        self.0.get(key)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&P::Key, &P::Row)> {
        self.0.iter()
    }

    /// All rows in the order of their keys.
    pub fn into_sorted(self) -> Vec<(P::Key, P::Row)> {
        let mut rows: Vec<_> = self.0.into_iter().collect();
        rows.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        rows
    }
}

impl<'a, P: Projection> FromIterator<&'a Recorded> for Rows<P> {
    fn from_iter<I: IntoIterator<Item = &'a Recorded>>(events: I) -> Self {
        let mut rows = Self::default();
        events.into_iter().for_each(|event| rows.apply(event));
        rows
    }
}
