//! Looking for what should be gone: words that were in somebody's record, in everything that Casebook keeps.

mod files;
mod markers;
mod objects;
mod scrub;
mod standing;
mod streams;
mod tables;

pub use files::files;
pub use markers::Markers;
pub use objects::objects;
pub use scrub::scrub;
pub use standing::{Standing, standing};
pub use streams::streams;
pub use tables::tables;

/// A place in which words were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// A table, a file, a stream.
    pub place: String,
    /// How many of the words.
    pub words: usize,
}
