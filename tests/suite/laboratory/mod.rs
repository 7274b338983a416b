//! The laboratory: what is ordered, found, verified, released and corrected, as its people see it over HTTP.

mod attacks;
mod story;
mod world;
