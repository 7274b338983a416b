//! Read your own writes: a request that names a position waits until the read models it asks have reached it.

use std::time::Duration;

use event_store::position::{PositionWatch, Waited};
use events::Position;
use serde::de::IgnoredAny;
use service_kit::Problem;

use crate::scope::{Scoped, Select, Source};

/// How long a request waits at most.
pub const WAIT_MAX: Duration = Duration::from_secs(2);
/// When to come again after having waited in vain.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Returns once all of `source` has reached `position`; 503 `projection-lag` where it does not in time, 401
/// where the login ends meanwhile.
pub(crate) async fn reached(
    scoped: &Scoped,
    watch: &PositionWatch,
    source: Source,
    position: Position,
) -> Result<(), Problem> {
    // Each look owns its scope: a future that borrows from its closure is not known to be `Send`.
    let scope = scoped.clone();
    let look = move || {
        let scope = scope.clone();
        async move { Ok::<_, Problem>(scope.run::<IgnoredAny>(Select::position_of(source)).await?.position) }
    };
    match watch.wait_until(source.projections(), scoped.clinic(), position, WAIT_MAX, look).await? {
        Waited::Reached => Ok(()),
        Waited::TimedOut(_) => Err(Problem::projection_lag(RETRY_AFTER)),
    }
}
