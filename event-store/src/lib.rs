//! The log: every event of every clinic, kept in PostgreSQL, and fanned out from there.

pub mod access;
pub mod append;
mod chain;
pub mod checkpoint;
pub mod credentials;
pub mod election;
pub mod erasure;
pub mod feed;
pub mod idempotency;
mod outage;
pub mod outbox;
pub mod position;
pub mod publish;
pub mod relay;
pub mod replays;
pub mod schedule;
pub mod schema;
pub mod sessions;
mod spans;
pub mod store;
mod stored;
pub mod totp;
pub mod vault;
pub mod wire;
mod writer;

pub use access::AccessRecord;
pub use append::{Append, AppendError, Appended, Circumstances, Expectation, Idempotency, MakeAnswer, NewEvent};
pub use credentials::{Activation, CredentialChange, FirstSecret, PasswordHash};
pub use erasure::{Erased, Erasure, ErasureStep};
pub use idempotency::StoredAnswer;
pub use outbox::{MailKind, NewMail, Reminding, TakenMail};
pub use proof::{
    Verdict, fields, patients,
    row::{self, GENESIS, Hash, RowError, StoredRow},
};
pub use schema::{DbRole, migrate};
pub use sessions::{Credential, RefreshToken, Rotation};
pub use spans::Span;
pub use store::{AtPosition, Begun, HeldTime, LedgerHead, Loaded, Standing, Store, StoreError, StoreOptions};
pub use stored::stored_row;
pub use vault::{ClinicKeys, HandedKey, MasterKey, OPENED_KEY_LIFE, Vault, VaultError};
pub use writer::CommitSink;
