//! The log: every event of every clinic, kept in PostgreSQL, and fanned out from there.

pub mod append;
pub mod credentials;
pub mod feed;
pub mod fields;
mod outage;
pub mod position;
pub mod publish;
pub mod relay;
pub mod row;
pub mod schema;
mod spans;
pub mod wire;

pub use append::{Append, AppendError, Appended, Circumstances, Expectation, Idempotency, MakeAnswer, NewEvent};
pub use credentials::{Activation, CredentialChange, FirstSecret, PasswordHash};
pub use row::{GENESIS, Hash, RowError, StoredRow};
pub use schema::{DbRole, migrate};
