//! Waiting for a condition, within a bound.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep};

const LOOK_EVERY_MS: u64 = 5;

/// Looks every few milliseconds until `look` finds something; an error that says `what` did not happen in time.
pub(crate) async fn until<T>(within: Duration, what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + within;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            bail!("{what} did not happen within {} s", within.as_secs());
        }
        sleep(Duration::from_millis(LOOK_EVERY_MS)).await;
    }
}
