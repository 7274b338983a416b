//! The keys that a feed opens events with.

use futures::future::BoxFuture;

use super::{Opened, Opener, SourceError};
use crate::{Store, StoredRow, Vault, VaultError};

impl Opener for Store {
    fn open<'a>(&'a self, rows: &'a [StoredRow]) -> BoxFuture<'a, Result<Vec<Opened>, SourceError>> {
        Opener::open(self.vault(), rows)
    }
}

impl Opener for Vault {
    /// All at once; one by one only where something does not open, to know what.
    fn open<'a>(&'a self, rows: &'a [StoredRow]) -> BoxFuture<'a, Result<Vec<Opened>, SourceError>> {
        Box::pin(async move {
            match self.open_all(rows).await {
                Ok(opened) => Ok(opened.into_iter().map(Ok).collect()),
                Err(error) if is_away(&error) => Err(SourceError::Keys(error)),
                Err(_) => open_each(self, rows).await,
            }
        })
    }
}

async fn open_each(vault: &Vault, rows: &[StoredRow]) -> Result<Vec<Opened>, SourceError> {
    let mut opened = Vec::with_capacity(rows.len());
    for row in rows {
        opened.push(match vault.open(row).await {
            Err(error) if is_away(&error) => return Err(SourceError::Keys(error)),
            answer => answer.map_err(|error| error.to_string()),
        });
    }
    Ok(opened)
}

fn is_away(error: &VaultError) -> bool {
    matches!(error, VaultError::Database(_))
}
