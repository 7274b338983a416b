//! `casebook import medicines`, `substances` and `interactions`: lists become the platform's catalogue.
//!
//! [`table`] reads a CSV file, [`mapping`] says what the columns of a list of medicines mean, [`medicines`],
//! [`substances`] and [`interactions`] make commands of lines, and [`run`] gives them. Each command says how things are
//! to be, so a list that is imported again changes what has changed and nothing else: that is also how a run that was
//! stopped is gone on with.

pub mod interactions;
pub mod mapping;
pub mod medicines;
pub mod run;
pub mod substances;
pub mod table;
