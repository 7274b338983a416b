//! Documents and their bytes: announced, sent, read, released, replaced, erased.

mod attacks;
mod content;
mod story;
mod world;
