//! `casebook import appointments`, as an operator meets it.

mod catalogue;
mod crash;
mod log;
mod project;
mod real;
mod traps;
mod world;
