//! What every process of Casebook needs and no business knows: how a request is read, authorised and answered,
//! how a process is configured, observed and stopped.

pub mod access;
pub mod answer;
mod as_of;
pub mod client;
pub mod config;
pub mod context;
pub mod docs;
pub mod etag;
pub mod headers;
pub mod json;
pub mod layers;
pub mod lifecycle;
pub mod metrics;
pub mod page;
pub mod problem;
pub mod rate;
pub mod replay;
pub mod scope;
pub mod telemetry;
pub mod tokens;

pub use access::{Capability, Grant, Limit, Need, Reach};
pub use answer::Resource;
pub use as_of::AsOf;
pub use json::{Json, JsonBytes, Path, Query};
pub use page::ListQuery;
pub use problem::Problem;
pub use scope::{Authenticated, Authority, ClinicScope, PlatformScope};
