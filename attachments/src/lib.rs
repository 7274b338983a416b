//! The bytes of documents: sealed with the patient's key, chunk by chunk, in a folder or in an S3-compatible store.
//!
//! [`Attachments`] takes a content while it comes ([`receive`]) and gives any stretch of it ([`read`]) without ever
//! holding more than a few chunks. An object is found by ids alone, under clinic, patient, document and upload
//! ([`Place`]), so that all of a patient's, or of a clinic's, can be taken away without asking anybody.

mod place;
pub mod read;
pub mod receive;
mod seal;
mod sniff;
mod store;
#[cfg(test)]
mod tests;

pub use place::Place;
pub use read::{Content, Unreadable};
pub use receive::{Announced, NotReceived, hear_out};
pub use seal::{CHUNK_BYTES, ContentKey};
pub use sniff::fits;
pub use store::{Accepted, Attachments, BYTES_MAX, Location, MEDIA_TYPES, StoreError};
