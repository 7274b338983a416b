//! Erasures beyond the event that decides them: the list outside the database, the destroying of keys, the purge of
//! what was readable, and the proof that nothing is left.

mod eraser;
mod list;
mod repeat;
mod retention;
pub mod verify;

pub use eraser::Eraser;
pub use list::{ErasureList, Listed};
pub use repeat::repeat;
pub use retention::shred_due;
