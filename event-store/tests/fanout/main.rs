//! From the log to its followers, on a real PostgreSQL and a real nats-server. Every test starts its own.

mod appends;
mod feeds;
mod follower;
mod nats;
mod positions;
mod relays;
mod world;
