//! What falls due with time: work that no person asks for, done by one process of all.
//!
//! A [`Job`] finds in the read models what is due, over all clinics, and gives a command for each item. The read
//! models only tell where to look: whether it is due is decided by the log, so that a look too many, a second
//! scheduler, a process that is killed or a clock that goes back never records a thing twice
//! (`docs/adr/0032-what-is-due-is-found-and-then-decided.md`).
//!
//! A further job is a file here, that implements [`Job`] by [`find`] and [`give`], and a line in `System::jobs`.

mod expiry;
mod job;
mod no_shows;
mod patience;
mod prescriptions;
mod reminders;
mod round;
mod scheduler;
mod uploads;

use std::time::Duration;

use clap::Args;

pub use expiry::ClinicExpiry;
pub use job::{Item, Job, Outcome, call, find, give};
pub use no_shows::NoShows;
pub use prescriptions::PrescriptionExpiry;
pub use reminders::DueReminders;
pub use scheduler::Scheduler;
pub use uploads::AbandonedUploads;

#[derive(Clone, Debug, Args)]
pub struct ScheduleConfig {
    /// Seconds between two looks after what has fallen due (trials and subscriptions, no-shows, prescriptions, reminders,
    /// uploads that never came).
    #[arg(long, global = true, env = "CASEBOOK_SCHEDULE_SECONDS", default_value_t = 10,
          value_parser = clap::value_parser!(u32).range(1..=3_600))]
    schedule_seconds: u32,
}

impl ScheduleConfig {
    pub fn every(&self) -> Duration {
        Duration::from_secs(self.schedule_seconds.into())
    }
}
