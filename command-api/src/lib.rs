//! HTTP → decide → log. `execute` is the one path of every command, `handle` the one way from a request
//! to it, `routes` has a file per aggregate, `auth` is logins and tokens.

mod answer;
mod app;
pub mod auth;
pub mod execute;
mod handle;
mod incoming;
mod problems;
mod remember;
pub mod routes;

pub use app::App;
pub use handle::Sent;
pub use remember::keyed_call;
