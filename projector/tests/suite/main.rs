//! The projector on a real PostgreSQL (and nats-server), over histories that were made up.

mod follow;
mod parking;
mod past;
mod queries;
mod rebuild;
mod sharing;
mod tamper;
mod world;
