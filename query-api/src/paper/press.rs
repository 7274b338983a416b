//! Where documents are set: off the threads that answer requests, few at once, and no longer a queue than can be served.

use std::{sync::Arc, time::Duration};

use printing::{Document, Printer, Unprintable};
use service_kit::{
    Problem,
    problem::{PRESS_BUSY, RULE_REFUSED},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Documents that are set at once; the rest of the machine is for those who wait for less.
const AT_ONCE: usize = 2;
/// Documents that wait for their turn.
const WAITING_MAX: usize = 256;
/// How long one of them waits.
const WAIT_MAX: Duration = Duration::from_secs(20);
/// When to come again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// A printer that takes turns.
#[derive(Clone)]
pub struct Press {
    printer: Printer,
    turns: Arc<Semaphore>,
    /// Of those that are set and those that wait.
    places: Arc<Semaphore>,
}

impl Press {
    pub fn new(printer: Printer) -> Self {
        let (turns, places) = (Semaphore::new(AT_ONCE), Semaphore::new(AT_ONCE + WAITING_MAX));
        Self { printer, turns: Arc::new(turns), places: Arc::new(places) }
    }

    /// A place among those that are set or wait; 503 where there is none.
    fn queue(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| busy())
    }

    /// The PDF; 503 where its turn does not come in time. Whoever goes away meanwhile gives up the wait, not the turn: what
    /// is being set is set to its end.
    pub(super) async fn print(&self, document: Document) -> Result<Vec<u8>, Problem> {
        let _place = self.queue()?;
        let turn = timeout(WAIT_MAX, Arc::clone(&self.turns).acquire_owned()).await.map_err(|_| busy())?;
        let (turn, printer) = (turn.map_err(Problem::internal)?, self.printer.clone());
        let set = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            printer.print(&document)
        });
        // The message of a panic may hold what was being set.
        let set = set.await.map_err(|_| Problem::internal("the typesetter panicked"))?;
        set.map_err(|error| match error {
            Unprintable::TooLong => Problem::new(RULE_REFUSED.case("too-long-to-print")).detail(error.to_string()),
            Unprintable::NotSet(_) => Problem::internal(error),
        })
    }
}

fn busy() -> Problem {
    Problem::new(PRESS_BUSY).retry_after(RETRY_AFTER)
}

#[cfg(test)]
mod tests {
    use printing::Fonts;

    use super::*;

    #[tokio::test]
    async fn a_queue_that_is_full_says_when_to_come_again() {
        let press = Press::new(Printer::new(Fonts::embedded()));
        let queued: Vec<_> = (0..AT_ONCE + WAITING_MAX).map(|_| press.queue().unwrap()).collect();
        let refused = press.queue().unwrap_err();
        assert_eq!((refused.code(), refused.status().as_u16()), ("press-busy", 503));
        drop(queued);
        assert!(press.queue().is_ok());
    }
}
