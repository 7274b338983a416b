//! A line of a ledger's file, taken apart.

use events::{Ledger, Position};
use proof::{
    Verdict,
    bundle::{KeyState, RowLine},
    row::StoredRow,
    seal::{EventKey, Place},
    walk::{Walk, WithheldRow},
};
use uuid::Uuid;

pub(crate) enum Row {
    Shown(Box<StoredRow>, Key),
    Withheld(WithheldRow),
}

pub(crate) enum Key {
    Given(EventKey),
    /// Withheld, erased, or there is nothing to open.
    None,
    Lost,
}

pub(crate) enum Opening {
    NothingToOpen,
    Opened,
    Fails,
}

impl Row {
    /// `None`: the line is no row.
    pub(crate) fn read(line: &[u8]) -> Option<Self> {
        match serde_json::from_slice(line).ok()? {
            RowLine::Withheld(row) => row.withheld.then(|| {
                let (previous_hash, hash) = (row.previous_hash.0, row.hash.0);
                Self::Withheld(WithheldRow { position: row.position, row_hash: row.row_hash.0, previous_hash, hash })
            }),
            RowLine::Shown(row) => {
                let is_lost = row.key == KeyState::Lost;
                let (row, key) = row.into_stored().ok()?;
                let without = if is_lost { Key::Lost } else { Key::None };
                Some(Self::Shown(Box::new(row), key.map_or(without, Key::Given)))
            }
        }
    }

    pub(crate) fn position(&self) -> Position {
        match self {
            Self::Shown(row, _) => row.position,
            Self::Withheld(row) => row.position,
        }
    }

    pub(crate) fn is_withheld(&self) -> bool {
        matches!(self, Self::Withheld(_))
    }

    /// The next step of a walk over a ledger.
    pub(crate) fn step(&self, walk: &mut Walk, clinic: Uuid, ledger: Ledger) -> Result<(), Verdict> {
        match self {
            Self::Shown(row, _) if row.position == walk.position() + 1 && !is_of(row, clinic, ledger) => {
                Err(Verdict::AlteredAt { position: row.position })
            }
            Self::Shown(row, _) => walk.row(row),
            Self::Withheld(row) => walk.withheld(row),
        }
    }

    pub(crate) fn opening(&self) -> Opening {
        match self {
            Self::Shown(row, Key::Given(key)) => {
                let opened = row.sealed.as_ref().map(|sealed| key.open(Place::of(row), sealed));
                if matches!(opened, Some(Ok(_))) { Opening::Opened } else { Opening::Fails }
            }
            Self::Shown(_, Key::Lost) => Opening::Fails,
            Self::Shown(_, Key::None) | Self::Withheld(_) => Opening::NothingToOpen,
        }
    }
}

/// Whether it is a row of this ledger, as far as it says.
pub(crate) fn is_of(row: &StoredRow, clinic: Uuid, ledger: Ledger) -> bool {
    (row.clinic.0, row.ledger) == (clinic, ledger)
}
