//! A private PostgreSQL and a private nats-server as children of this process.
//!
//! `casebook up`, the tests and the bench all start their servers here. A child ends with the process that
//! started it, however that ends; what it has stored stays, and the next start goes on from it.
//!
//! Needs Linux with `setpriv` (util-linux), PostgreSQL 15 to 18 and nats-server 2.9 or later. It depends on no
//! database client: it must be buildable before there is a database.

mod account;
mod cluster;
mod nats;
mod postgres;
mod process;
mod programs;
mod smtp;
mod socket;
mod wait;

pub use nats::{LocalNats, NatsOptions};
pub use postgres::{LocalPostgres, PostgresOptions};
pub use smtp::{LocalSmtp, Manner, TakenMail};
