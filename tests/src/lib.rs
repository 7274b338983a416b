//! What the tests of the whole system share: a [`Stack`] of its own for each test, a [`Client`] that knows
//! nothing but HTTP, and a [`TestClinic`] with people in it.

mod access;
mod clinic;
mod http;
mod load;
mod log;
mod signed;
mod stack;

pub use access::{AccessLog, Accessed};
pub use clinic::{LOGO, PASSWORD, TestClinic, working_time};
pub use http::{Answer, Client};
pub use load::Load;
pub use stack::{MASTER_KEY, Stack};
