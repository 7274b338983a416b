//! Read your own writes: a request that names a position waits until the read models it asks have reached it.

use std::time::Duration;

use events::Position;
use service_kit::Problem;
use tokio::time::{Instant, sleep};

use crate::scope::{Scoped, Select, Source};

/// How long a request waits at most.
pub const WAIT_MAX: Duration = Duration::from_secs(2);
/// How often a waiting request looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// When to come again after having waited in vain.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Returns once all of `source` has reached `position`; 503 `projection-lag` where they do not in time.
pub(crate) async fn reached(scoped: &Scoped, source: Source, position: Position) -> Result<(), Problem> {
    let deadline = Instant::now() + WAIT_MAX;
    loop {
        let reached = scoped.run::<serde::de::IgnoredAny>(Select::position_of(source)).await?.position;
        if reached >= position {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(Problem::projection_lag(RETRY_AFTER));
        }
        sleep(LOOK_EVERY).await;
    }
}
