//! The relay: one process, elected, that publishes what the writers could not.
//!
//! Every writer publishes what it has committed and tells what was acknowledged. The relay compares that
//! with the heads of the log and publishes the difference. It may publish an event twice: its message id
//! makes that one message, and whoever gets it twice looks at its position.

mod election;
mod leader;
mod marks;

use async_nats::Client;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::publish::{IN_FLIGHT_MAX, Line};

/// What this process's relay does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Another process relays, or PostgreSQL is away.
    Waiting,
    Leading,
}

/// The relay of this process. Dropped, it ends at once, and another process takes over.
pub struct Relay {
    standing: watch::Receiver<Standing>,
    stop: CancellationToken,
    task: AbortOnDropHandle<()>,
}

impl Relay {
    /// Stands for election until it is stopped. The pool's role is the relay's; two connections are enough.
    pub fn start(pool: PgPool, nats: Client) -> Self {
        let (changes, standing) = watch::channel(Standing::Waiting);
        let stop = CancellationToken::new();
        let line = Line::new(nats, IN_FLIGHT_MAX, "relaying what was missed");
        let candidate = election::Candidate { pool, line, standing: changes, stop: stop.clone() };
        Self { standing, stop, task: AbortOnDropHandle::new(tokio::spawn(candidate.run())) }
    }

    /// For whoever wants to know what it does, and when that changes.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// Stores how far it has come and lets another process take over.
    pub async fn stop(self) {
        self.stop.cancel();
        // An error is a panic, which has been reported.
        let _ = self.task.await;
    }
}
