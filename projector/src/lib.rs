//! Carries the events of the log into the read models.

mod migrate;

pub use migrate::migrate;
