//! What an erasure leaves of the read models: what they are without the key.

use events::ClinicId;
use read_models::registry::NAMES;

use crate::{History, RebuildError, rebuild, replay};

/// Makes all read models of a clinic again, once a key is destroyed and nobody holds it opened any more, and has the
/// planner forget the values that it had noted of them. The clinic's replays are taken away and built again. It may be
/// done again.
///
/// # Errors
/// Some may be made again, others not; a rebuild of all clinics that runs is `Busy`.
pub async fn purge(history: &History, clinic: ClinicId) -> Result<(), RebuildError> {
    for name in NAMES {
        rebuild(history, name, Some(clinic), &mut |_| ()).await?;
    }
    sqlx::query("SELECT read.forget_samples()").execute(history.pool()).await?;
    Ok(replay::renew(history.pool(), clinic).await?)
}
