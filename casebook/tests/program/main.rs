//! The program as people meet it, on real servers.

mod attachments;
mod audit;
mod clinic;
mod contract;
mod erasures;
mod operate;
mod rivals;
mod serve;
mod started;
mod up;
