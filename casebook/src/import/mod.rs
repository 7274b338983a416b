//! `casebook import`: a legacy book becomes clinics, doctors, patients and appointments, by the same commands
//! that people give.
//!
//! [`mapping`] says what the columns mean, [`source`] reads the lines, [`plan`] makes clinics of them (with
//! [`desk`], who sees whom when).

pub mod activations;
pub mod desk;
mod entry;
pub mod ids;
pub mod mapping;
pub mod plan;
pub mod progress;
pub mod report;
#[cfg(test)]
mod sample;
pub mod source;
