//! How long it takes from an event's commit until queries see it.

use chrono::Utc;
use event_store::feed::FeedEvent;
use read_models::Projection;

/// Seconds from `recorded_at` to visible, by read model.
pub const LAG_SECONDS: &str = "casebook_projection_lag_seconds";
/// Events of all clinics that are in the log and not yet in the read model.
pub const LAG_POSITIONS: &str = "casebook_projection_lag_positions";
/// Clinics whose read model has stopped before an event that cannot be applied.
pub const PARKED: &str = "casebook_projection_parked";
/// Counted up each time a read model has applied something, or found nothing to apply.
pub const ALIVE: &str = "casebook_projection_alive_total";

const MILLISECONDS_PER_SECOND: f64 = 1_000.0;

pub(crate) fn visible<P: Projection>(event: &FeedEvent) {
    if let Ok(recorded) = &event.recorded {
        let lag = (Utc::now() - recorded.recorded_at).num_milliseconds().max(0);
        metrics::histogram!(LAG_SECONDS, "projection" => P::NAME).record(lag as f64 / MILLISECONDS_PER_SECOND);
    }
}

pub(crate) fn alive<P: Projection>() {
    metrics::counter!(ALIVE, "projection" => P::NAME).increment(1);
}

pub(crate) fn standing(projection: &'static str, behind: i64, parked: i64) {
    metrics::gauge!(LAG_POSITIONS, "projection" => projection).set(behind as f64);
    metrics::gauge!(PARKED, "projection" => projection).set(parked as f64);
}
