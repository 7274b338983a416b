//! Prescriptions whose last day has passed, on hold or not: what was handed out in full is completed, the rest expires.

use anyhow::Result;
use chrono::{DateTime, Utc};
use command_api::execute::Executor;
use domain::{Prescription, prescription::ExpirePrescription};
use futures::future::{BoxFuture, FutureExt};
use sqlx::PgPool;

use super::{Item, Job, Outcome, call, find, give};

const DUE: &str = "SELECT clinic_id, id FROM read.prescription_1
    WHERE status IN ('active', 'on-hold') AND expires_at <= $1 ORDER BY expires_at LIMIT $2";

pub struct PrescriptionExpiry {
    pub executor: Executor,
    /// Sees the prescriptions of all clinics.
    pub pool: PgPool,
}

impl Job for PrescriptionExpiry {
    fn name(&self) -> &'static str {
        "prescriptions"
    }

    fn due(&self, now: DateTime<Utc>, limit: i64) -> BoxFuture<'_, Result<Vec<Item>>> {
        find(&self.pool, DUE, now, limit).boxed()
    }

    fn carry_out(&self, item: Item) -> BoxFuture<'_, Result<Outcome>> {
        give(&self.executor, call::<Prescription>(item, "ExpirePrescription", ExpirePrescription {})).boxed()
    }
}
