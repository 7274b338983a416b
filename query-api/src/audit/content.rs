//! Whether what a row keeps sealed can still be read.

use event_store::{StoredRow, feed::Opened};
use events::Recorded;
use schemars::JsonSchema;
use serde::Serialize;
use service_kit::Problem;

use crate::reader::Reader;

/// What became of the sealed part of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Nothing of it is sealed.
    Clear,
    /// It opens.
    Sealed,
    /// Its key was destroyed.
    Erased,
    /// It does not read as what was written: have the ledger verified.
    Unreadable,
}

/// A row with its event, as far as it can be read.
pub(crate) struct Read {
    pub(crate) content: Content,
    pub(crate) event: Option<Recorded>,
}

/// Opens rows. One that was tampered with is no failure here: it is to be seen.
pub(crate) async fn read(reader: &Reader, rows: &[StoredRow]) -> Result<Vec<Read>, Problem> {
    let opened = reader.opener().open(rows).await.map_err(|error| Problem::unavailable("keys", error))?;
    Ok(rows.iter().zip(opened).map(|(row, opened)| one(row, opened)).collect())
}

fn one(row: &StoredRow, opened: Opened) -> Read {
    let (content, part) = match (&row.sealed, opened) {
        (None, _) => (Content::Clear, None),
        (Some(_), Ok(Some(part))) => (Content::Sealed, Some(part)),
        (Some(_), Ok(None)) => (Content::Erased, None),
        (Some(_), Err(_)) => (Content::Unreadable, None),
    };
    match row.recorded(part.as_deref()) {
        Ok(event) => Read { content, event: Some(event) },
        Err(_) => Read { content: Content::Unreadable, event: None },
    }
}
