//! The log on a real PostgreSQL. Every test starts a server of its own.

mod append;
mod guards;
mod world;
