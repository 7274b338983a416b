//! The log as its users see it: pools, keys and writers behind one handle.

mod export;
mod facts;
mod gate;
mod grants;
mod read;

use std::{sync::Arc, time::Duration};

use sqlx::{PgPool, postgres::PgConnectOptions};

pub use facts::{AtPosition, HeldTime};
pub use gate::{Begun, Standing};
pub use read::{LedgerHead, Loaded};

use crate::{
    append::{Append, AppendError, Appended},
    row::RowError,
    schema::DbRole,
    vault::{MasterKey, OPENED_KEY_LIFE, Vault, VaultError},
    writer::{CommitSink, Writers},
};

pub struct StoreOptions {
    /// The database, as a login that may take the roles.
    pub database: PgConnectOptions,
    /// As what this process reads: a service that answers people sees one clinic at a time
    /// ([`DbRole::Reader`]); relay, projector and auditor see all.
    pub reads_as: DbRole,
    pub read_connections_max: u32,
    /// For logins and sessions. Appends have connections of their own.
    pub write_connections_max: u32,
    pub master_key: MasterKey,
    /// How long this process, and every other, may use an opened key without asking whether it still exists.
    pub opened_key_life: Duration,
    /// Hears of every group that this process commits.
    pub sink: Option<Arc<dyn CommitSink>>,
}

impl StoreOptions {
    /// A process that answers people.
    pub fn new(database: PgConnectOptions, master_key: MasterKey) -> Self {
        Self {
            database,
            reads_as: DbRole::Reader,
            read_connections_max: 8,
            write_connections_max: 4,
            master_key,
            opened_key_life: OPENED_KEY_LIFE,
            sink: None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the log cannot be read: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Row(#[from] RowError),
}

/// Cheap to clone. The writers end when the last clone is dropped, after what was queued.
#[derive(Clone)]
pub struct Store {
    pub(crate) reads: PgPool,
    pub(crate) writes: PgPool,
    pub(crate) opened_key_life: Duration,
    vault: Arc<Vault>,
    writers: Writers,
}

impl Store {
    /// Nothing is connected before the first use. Must be called within a tokio runtime.
    pub fn open(options: StoreOptions) -> Self {
        let reads = options.reads_as.pool(options.database.clone(), options.read_connections_max);
        let writes = DbRole::Writer.pool(options.database.clone(), options.write_connections_max);
        let vault = Arc::new(Vault::new(options.master_key, options.opened_key_life, reads.clone(), writes.clone()));
        let writers = Writers::start(&options.database, &vault, options.sink.as_ref());
        Self { reads, writes, opened_key_life: options.opened_key_life, vault, writers }
    }

    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Appends a command's events, all or none, and answers once they are durable.
    pub async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.writers.append(append).await
    }
}
