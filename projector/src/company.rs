//! Events that change no row of a read model. Only its checkpoint has to follow them, and that may wait a little
//! for company: most events concern two or three of the read models, and a transaction in each of the others,
//! for each event, costs more than all that the event is about.

use std::{sync::Arc, time::Duration};

use event_store::feed::FeedEvent;
use events::ClinicId;
use read_models::Projection;
use tokio::time::Instant;

/// How long a checkpoint stays behind at most, where nothing but the checkpoint has to move.
pub(crate) const WAIT_MAX: Duration = Duration::from_millis(10);
/// Events that may wait.
const EVENTS_MAX: usize = 4_096;

/// What waits, and until when.
#[derive(Default)]
pub(crate) struct Company {
    events: Vec<Arc<FeedEvent>>,
    due: Option<Instant>,
}

impl Company {
    /// Takes events in, and gives back all that is to be applied now: nothing, as long as none changes a row.
    pub(crate) fn join<P: Projection>(&mut self, events: Vec<Arc<FeedEvent>>) -> Option<Vec<Arc<FeedEvent>>> {
        let urgent = events.iter().any(|event| changes_rows::<P>(event));
        self.events.extend(events);
        if urgent || self.events.len() > EVENTS_MAX {
            return Some(self.leave());
        }
        self.due.get_or_insert_with(|| Instant::now() + WAIT_MAX);
        None
    }

    /// Until when what waits may wait; `None`: nothing does.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// All that waits, clinic by clinic.
    pub(crate) fn leave(&mut self) -> Vec<Arc<FeedEvent>> {
        self.due = None;
        let mut events = std::mem::take(&mut self.events);
        // Stable: each clinic's stay in their order.
        events.sort_by_key(|event| event.clinic);
        events
    }

    /// Forgets a clinic, whose events are handed out again from its checkpoint, or not at all.
    pub(crate) fn forget(&mut self, clinic: ClinicId) {
        self.events.retain(|event| event.clinic != clinic);
        if self.events.is_empty() {
            self.due = None;
        }
    }
}

/// An event that cannot be read is to be met at once.
fn changes_rows<P: Projection>(event: &FeedEvent) -> bool {
    event.recorded.as_ref().map_or(true, |recorded| !P::keys(recorded).is_empty())
}

#[cfg(test)]
mod tests {
    use event_store::{GENESIS, feed::Unreadable};
    use read_models::{Clinics, Patients, sample::Life};
    use uuid::Uuid;

    use super::*;

    /// The life of a clinic: what changes rows of patients, and what does not.
    fn events() -> (Vec<Arc<FeedEvent>>, Vec<Arc<FeedEvent>>) {
        let mut life = Life::new(ClinicId(Uuid::from_u128(1)));
        (0..40).for_each(|choice| life.step(choice));
        let readable = life.history.events().cloned().map(|recorded| {
            let (clinic, position) = (recorded.clinic, recorded.position);
            Arc::new(FeedEvent { clinic, position, previous_hash: GENESIS, hash: GENESIS, recorded: Ok(recorded) })
        });
        readable.partition(|event| changes_rows::<Patients>(event))
    }

    #[tokio::test(start_paused = true)]
    async fn what_changes_no_row_waits_for_what_does() {
        let (of_patients, others) = events();
        let mut company = Company::default();
        assert!(company.join::<Patients>(others[..2].to_vec()).is_none());
        assert_eq!(company.due(), Some(Instant::now() + WAIT_MAX));
        assert!(company.join::<Patients>(others[2..3].to_vec()).is_none());
        assert_eq!(company.due(), Some(Instant::now() + WAIT_MAX), "the first sets the time");
        let all = company.join::<Patients>(of_patients[..1].to_vec()).unwrap();
        assert_eq!(all.len(), 4);
        assert!(company.due().is_none() && company.leave().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_clinic_that_is_read_again_is_not_applied_twice() {
        let (_, others) = events();
        let mut company = Company::default();
        company.join::<Patients>(others[..2].to_vec());
        company.forget(others[0].clinic);
        assert!(company.due().is_none() && company.leave().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_that_cannot_be_read_is_met_at_once() {
        let position = 1;
        let recorded = Err(Unreadable::Sealed { position, reason: "not for this test".into() });
        let event = FeedEvent { clinic: ClinicId::PLATFORM, position, previous_hash: GENESIS, hash: GENESIS, recorded };
        assert!(Company::default().join::<Clinics>(vec![Arc::new(event)]).is_some());
    }
}
