//! What proves that a ledger was not altered: the bytes of a row, and its hash. No I/O: the server and an
//! offline verifier compute the same.

pub mod bundle;
pub mod fields;
pub mod patients;
pub mod row;
pub mod seal;
