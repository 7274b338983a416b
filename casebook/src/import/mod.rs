//! `casebook import`: a legacy book becomes clinics, doctors, patients and appointments, by the same commands
//! that people give.
//!
//! [`mapping`] says what the columns mean, [`source`] reads the lines, [`plan`] makes clinics of them (with
//! [`desk`], who sees whom when), and [`run`] gives the commands: [`clinic`] and [`row`] say which, [`give`] how. The
//! log itself says how far an earlier run came: nothing else is needed to go on after a crash.

pub mod activations;
mod clinic;
pub mod desk;
mod entry;
pub mod give;
pub mod ids;
pub mod mapping;
pub mod plan;
pub mod report;
mod row;
pub mod run;
#[cfg(test)]
mod sample;
pub mod source;
