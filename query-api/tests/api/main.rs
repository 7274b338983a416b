//! The query API on a real PostgreSQL, asked as its users ask it. Every test starts a server of its own.

mod bookings;
mod clinic;
mod freshness;
mod indexes;
mod isolation;
mod lists;
mod past;
mod patients;
mod slots;
mod world;
