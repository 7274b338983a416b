//! Export bundles of a real log, honest and attacked with all rights over the database: what both offline verifiers
//! say, from the bundle, the anchors of before and the fingerprint alone.

mod attacks;
mod honest;
mod http;
mod world;
