//! Appointments to which nobody came, in clinics whose settings want them marked. Nothing is marked where people cannot
//! check anybody in: not in a clinic that is suspended or has run out, nor afterwards what lay in that time.

use anyhow::Result;
use chrono::{DateTime, Utc};
use command_api::execute::{Call, Executor};
use domain::{Appointment, appointment::MarkMissed};
use futures::future::{BoxFuture, FutureExt};
use sqlx::PgPool;

use super::{Item, Job, Outcome, call, find, give};

/// No index of appointments holds the status, so a look reads those of the last days; what is older is left to people.
const DUE: &str = "SELECT a.clinic_id, a.id FROM read.standing_1 s CROSS JOIN LATERAL (
        SELECT b.clinic_id, b.id, b.start FROM read.appointment_1 b
        WHERE b.clinic_id = s.clinic_id AND b.status = 'booked'
          AND b.start > greatest(s.works_since, $1::timestamptz - interval '7 days')
          AND b.start <= $1::timestamptz - make_interval(mins => s.no_shows_after_minutes::integer)
        ORDER BY b.start LIMIT $2) a
    WHERE s.no_shows_after_minutes IS NOT NULL
      AND s.suspended_at IS NULL AND s.expired_at IS NULL AND s.closed_at IS NULL AND s.ends_at > $1
    ORDER BY a.start LIMIT $2";

pub struct NoShows {
    pub executor: Executor,
    /// Sees the appointments of all clinics.
    pub pool: PgPool,
}

impl Job for NoShows {
    fn name(&self) -> &'static str {
        "no-shows"
    }

    fn due(&self, now: DateTime<Utc>, limit: i64) -> BoxFuture<'_, Result<Vec<Item>>> {
        find(&self.pool, DUE, now, limit).boxed()
    }

    fn carry_out(&self, item: Item) -> BoxFuture<'_, Result<Outcome>> {
        let call = Call { needs_standing: true, ..call::<Appointment>(item, "MarkMissed", MarkMissed {}) };
        give(&self.executor, call).boxed()
    }
}
