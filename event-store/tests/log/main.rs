//! The log on a real PostgreSQL. Every test starts a server of its own.

mod access;
mod append;
mod attacks;
mod checkpoints;
mod claims;
mod commands;
mod erasure;
mod guards;
mod logins;
mod mails;
mod outages;
mod proxy;
mod tampering;
mod world;
