//! Applies events whatever happens: it waits while the database is away, and parks the event at fault
//! where one cannot be applied.

use std::{collections::HashSet, time::Duration};

use events::{ClinicId, Position};
use read_models::Projection;
use tokio::time::sleep;

use crate::{
    Failure,
    apply::{self, Applier, Events},
    parked,
};

/// How often an event is tried before it is parked.
const ATTEMPTS_MAX: u32 = 3;
/// Between two tries; the other clinics of the read model wait meanwhile.
const ATTEMPT_PAUSE: Duration = Duration::from_millis(50);
/// Between two tries while the database is away, or refuses for a reason that passes.
pub(crate) const OUTAGE_PAUSE: Duration = Duration::from_millis(200);

pub(crate) struct Steady<P: Projection> {
    pub(crate) applier: Applier<P>,
}

impl<P: Projection> Steady<P> {
    pub(crate) fn new(applier: Applier<P>) -> Self {
        Self { applier }
    }

    /// Applies all that can be applied. The clinics that are parked now.
    pub(crate) async fn apply(&mut self, events: &Events) -> HashSet<ClinicId> {
        match self.apply_through_outages(events).await {
            Ok(()) => HashSet::new(),
            Err(_) => self.isolate(events).await,
        }
    }

    /// Finds the events at fault: clinic by clinic, then event by event.
    async fn isolate(&mut self, events: &Events) -> HashSet<ClinicId> {
        let mut parked = HashSet::new();
        for (clinic, events) in apply::clinics(events) {
            if self.apply_through_outages(events).await.is_ok() {
                continue;
            }
            for event in events.chunks(1) {
                if let Err(failure) = self.try_again_and_again(event).await {
                    self.park(clinic, event[0].position, &failure, ATTEMPTS_MAX).await;
                    parked.insert(clinic);
                    break;
                }
            }
        }
        parked
    }

    async fn try_again_and_again(&mut self, event: &Events) -> Result<(), Failure> {
        let mut last = self.apply_through_outages(event).await;
        for _ in 1..ATTEMPTS_MAX {
            if last.is_ok() {
                break;
            }
            sleep(ATTEMPT_PAUSE).await;
            last = self.apply_through_outages(event).await;
        }
        last
    }

    /// Tries until the database answers. An error is one of the events.
    async fn apply_through_outages(&mut self, events: &Events) -> Result<(), Failure> {
        loop {
            match self.applier.apply(events).await {
                Ok(_) => return Ok(()),
                Err(failure) if failure.is_passing() => {
                    tracing::warn!(projection = P::NAME, %failure, "a read model waits for the database");
                    sleep(OUTAGE_PAUSE).await;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Writes down that the clinic's read model stops before this position.
    pub(crate) async fn park(&self, clinic: ClinicId, position: Position, failure: &Failure, attempts: u32) {
        let projection = self.applier.projection();
        let parked = parked::park(self.applier.pool(), projection, clinic, position, failure, attempts).await;
        if let Err(error) = parked {
            // What is not written down is tried again at the next look.
            tracing::error!(projection, %clinic, position, %failure, %error, "an event cannot even be parked");
        }
    }
}
