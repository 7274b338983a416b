//! The system as its users meet it. One binary: it links once.

mod access;
mod accounting;
mod architecture;
mod audit;
mod billing;
mod bookings;
mod bundles;
mod closings;
mod commands;
mod dental;
mod departments;
mod erasures;
mod forgotten;
mod glass;
mod input;
mod laboratory;
mod logins;
mod medicines;
mod outages;
mod past;
mod refusals;
mod replays;
mod secrets;
mod tampering;
mod tenancy;
mod visits;
