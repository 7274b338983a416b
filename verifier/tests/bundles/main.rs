//! Bundles of a small installation that is made here, and both verifiers: the Rust one and the Python one, which
//! share no code and must say the same of every bundle, whatever was done to it.

mod attacks;
mod files;
mod honest;
mod python;
mod world;
