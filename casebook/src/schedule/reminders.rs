//! Reminders of appointments whose time has come: found here, queued as mails, once for each start and time before it.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use command_api::execute::{Executor, Failure};
use event_store::Reminding;
use events::AppointmentId;
use futures::future::{BoxFuture, FutureExt};
use sqlx::PgPool;

use super::{Item, Job, Outcome, find};
use crate::mail::look_for_reminder;

/// Of the times before the start that a clinic wishes for, the nearest that has come counts: not where it had come before
/// the time was chosen (nobody is reminded of what they have just arranged), nor where it is on record what came of it.
const DUE: &str = "SELECT a.clinic_id, a.id FROM read.clinic_1 c
    CROSS JOIN LATERAL (
        SELECT a.clinic_id, a.id, a.patient_id, a.start, a.reminders, min(h.hours) AS hours,
            coalesce(a.rescheduled_at, a.booked_at) AS chosen_at
        FROM jsonb_array_elements_text(c.settings #> '{reminders,hours_before}') AS e(hours)
        CROSS JOIN LATERAL (SELECT e.hours::integer) AS h(hours)
        JOIN read.appointment_1 a ON a.clinic_id = c.clinic_id AND a.start > $1
            AND a.start <= $1 + make_interval(hours => h.hours)
        WHERE a.status IN ('pending', 'booked') GROUP BY a.clinic_id, a.id) AS a
    JOIN read.patient_1 p ON p.clinic_id = a.clinic_id AND p.id = a.patient_id
    WHERE a.chosen_at <= a.start - make_interval(hours => a.hours)
      AND (p.email IS NOT NULL OR p.merged_into IS NOT NULL)
      AND NOT EXISTS (SELECT FROM jsonb_array_elements(a.reminders) AS r
          WHERE (r ->> 'for_start')::timestamptz = a.start AND (r ->> 'hours_before')::integer = a.hours)
    ORDER BY a.start LIMIT $2";

pub struct DueReminders {
    pub executor: Executor,
    /// Sees the appointments of all clinics.
    pub pool: PgPool,
}

impl Job for DueReminders {
    fn name(&self) -> &'static str {
        "reminders"
    }

    fn due(&self, now: DateTime<Utc>, limit: i64) -> BoxFuture<'_, Result<Vec<Item>>> {
        find(&self.pool, DUE, now, limit).boxed()
    }

    fn carry_out(&self, item: Item) -> BoxFuture<'_, Result<Outcome>> {
        self.queue(item).boxed()
    }
}

impl DueReminders {
    /// The log says whether it is due, and for whom. Nothing is recorded yet: that is done once it was sent.
    async fn queue(&self, Item { clinic, id }: Item) -> Result<Outcome> {
        let due = look_for_reminder(&self.executor, clinic, AppointmentId(id), |appointment, clinic, now| {
            appointment.due_reminder(clinic, now)
        });
        let (reminding, _, slot) = match due.await {
            Ok(Some(due)) => due,
            Ok(None) => return Ok(Outcome::Refused("not-due")),
            Err(Failure::Refused(refusal)) => return Ok(Outcome::Refused(refusal.code)),
            Err(failure) => return Err(failure).with_context(|| format!("looking whether to remind of {id}")),
        };
        let hours_before = i32::try_from(reminding.hours_before)?;
        let reminding = Reminding { for_start: reminding.for_start, hours_before };
        let store = self.executor.store();
        match store.queue_reminder(clinic, AppointmentId(id), slot.patient, reminding).await? {
            true => Ok(Outcome::Done(Vec::new())),
            false => Ok(Outcome::AlreadySo),
        }
    }
}
