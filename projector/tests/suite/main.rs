//! The projector on a real PostgreSQL (and nats-server), over histories that were made up.

mod follow;
mod parking;
mod queries;
mod rebuild;
mod replay;
mod sharing;
mod tamper;
mod world;
