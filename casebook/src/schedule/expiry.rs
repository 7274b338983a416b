//! Trials that are over, and subscriptions that have run out: of suspended clinics too, of closed ones no more.

use anyhow::Result;
use chrono::{DateTime, Utc};
use command_api::execute::Executor;
use domain::{Clinic, clinic::ExpireClinic};
use futures::future::{BoxFuture, FutureExt};
use sqlx::PgPool;

use super::{Item, Job, Outcome, call, find, give};

const DUE: &str = "SELECT clinic_id, id FROM read.standing_1
    WHERE ends_at <= $1 AND expired_at IS NULL AND closed_at IS NULL ORDER BY ends_at LIMIT $2";

pub struct ClinicExpiry {
    pub executor: Executor,
    /// Sees all clinics.
    pub pool: PgPool,
}

impl Job for ClinicExpiry {
    fn name(&self) -> &'static str {
        "subscriptions"
    }

    fn due(&self, now: DateTime<Utc>, limit: i64) -> BoxFuture<'_, Result<Vec<Item>>> {
        find(&self.pool, DUE, now, limit).boxed()
    }

    fn carry_out(&self, item: Item) -> BoxFuture<'_, Result<Outcome>> {
        give(&self.executor, call::<Clinic>(item, "ExpireClinic", ExpireClinic {})).boxed()
    }
}
