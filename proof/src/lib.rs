//! What proves that a ledger was not altered: the bytes of a row and its hash, trees over the hashes, signed
//! checkpoints of the trees, and the walk that gives the verdict. No I/O: the server and an offline verifier compute
//! the same. `docs/verification.md` says it for those who write a verifier of their own.

pub mod bundle;
pub mod charts;
pub mod checkpoint;
pub mod fields;
pub mod merkle;
pub mod note;
pub mod patients;
pub mod row;
pub mod seal;
pub mod trust;
mod verdict;
pub mod walk;

pub use verdict::Verdict;
