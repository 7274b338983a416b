//! Why events could not be applied, in words that hold no data of anybody.

use event_store::feed;
use sqlx::postgres::PgDatabaseError;

/// Classes of SQLSTATE that say nothing about the data: the same statement may succeed a moment later.
const PASSING_CLASSES: [&str; 7] = ["08", "25", "40", "53", "55", "57", "58"];

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The program cannot read the event: it is newer, or the row was tampered with.
    #[error("the event cannot be read: {0}")]
    Unreadable(String),
    /// A row and its table do not have the same shape, or a stored row does not parse.
    #[error("the row and its table do not fit: {0}")]
    Misfit(String),
    #[error("the fold panicked")]
    Panicked,
    #[error("{}", describe(.0))]
    Database(#[from] sqlx::Error),
}

impl Failure {
    /// Whether to try again, rather than to look for the event that is at fault.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreadable(_) | Self::Misfit(_) | Self::Panicked => false,
            Self::Database(sqlx::Error::Database(error)) => {
                error.code().is_none_or(|code| PASSING_CLASSES.iter().any(|class| code.starts_with(class)))
            }
            Self::Database(sqlx::Error::Encode(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) => false,
            Self::Database(_) => true,
        }
    }

    pub(crate) fn unreadable(error: &feed::Unreadable) -> Self {
        Self::Unreadable(error.to_string())
    }

    pub(crate) fn misfit(error: &serde_json::Error) -> Self {
        // The message may repeat a value; its kind and place may not.
        Self::Misfit(format!("{:?} at column {}", error.classify(), error.column()))
    }
}

/// A server's message may repeat values; its code and the names of the schema may not.
fn describe(error: &sqlx::Error) -> String {
    let sqlx::Error::Database(error) = error else { return "the database cannot be reached".to_owned() };
    let code = error.code().unwrap_or_default();
    let place = error.try_downcast_ref::<PgDatabaseError>().map(place).unwrap_or_default();
    format!("the database refused the row: SQLSTATE {code}{place}")
}

fn place(error: &PgDatabaseError) -> String {
    let named = [("table", error.table()), ("column", error.column()), ("constraint", error.constraint())];
    named.iter().filter_map(|(what, name)| name.map(|name| format!(", {what} {name}"))).collect()
}
