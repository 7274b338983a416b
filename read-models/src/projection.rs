//! What a read model is.

use std::{fmt::Debug, hash::Hash, str::FromStr};

use chrono::NaiveDate;
use events::Recorded;
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

/// A read model: a table whose rows are folds over a clinic's events.
///
/// The serde fields of [`Projection::Row`] are the columns of the table, name by name (the table has
/// `clinic_id` besides, which no row needs to hold): `id` is the key, `position` the clinic's position
/// of the last event that changed the row, and `version`, where a row is one stream's, the stream's.
pub trait Projection: Send + Sync + 'static {
    /// Stored for ever with each checkpoint: `patient`.
    const NAME: &'static str;
    /// Counted up with the table when a row changes its shape or its meaning.
    const REVISION: i32;
    /// `read.patient_1`
    const TABLE: &'static str;
    /// Whether a row is one stream's, under the stream's id. Then the first event of a stream finds no
    /// row, which saves the driver from looking for one.
    const ONE_STREAM: bool;
    type Key: Key;
    type Row: Serialize + DeserializeOwned + Clone + PartialEq + Debug + Send + Sync + 'static;

    /// The rows that an event may change, each named once; most events of other aggregates change none.
    fn keys(event: &Recorded) -> Vec<Self::Key>;

    /// The row after the event; `None` is no row. Total: an event that has nothing to follow leaves the
    /// row as it is, and an erased part leaves its columns empty.
    fn fold(row: Option<Self::Row>, key: &Self::Key, event: &Recorded) -> Option<Self::Row>;
}

/// The key of a row within a clinic.
pub trait Key: Clone + Debug + Eq + Ord + Hash + ToString + FromStr + Send + Sync + 'static {
    /// The column's type in PostgreSQL.
    const SQL_TYPE: &'static str;
}

impl Key for Uuid {
    const SQL_TYPE: &'static str = "uuid";
}

impl Key for NaiveDate {
    const SQL_TYPE: &'static str = "date";
}
