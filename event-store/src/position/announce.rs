//! What a follower says after it has moved its checkpoints.

use async_nats::{Client, connection::State};
use events::{ClinicId, Position};
use tokio::sync::mpsc;

use super::{PREFIX, message_of};

/// Announcements that wait for NATS; what comes on top is dropped, and the askers look by themselves.
const WAITING_MAX: usize = 4_096;

struct Moved {
    clinic: ClinicId,
    projection: &'static str,
    position: Position,
}

/// Tells waiting queries, in all processes, how far projections are. Never waits, never fails.
#[derive(Clone)]
pub struct PositionAnnouncer {
    moved: Option<mpsc::Sender<Moved>>,
}

impl PositionAnnouncer {
    /// Without NATS it tells nobody.
    pub fn start(nats: Option<Client>) -> Self {
        let moved = nats.map(|client| {
            let (moved, waiting) = mpsc::channel(WAITING_MAX);
            tokio::spawn(announce(client, waiting));
            moved
        });
        Self { moved }
    }

    /// To be called once the checkpoint is committed.
    pub fn moved(&self, clinic: ClinicId, projection: &'static str, position: Position) {
        if let Some(moved) = &self.moved {
            // A full queue means that NATS is away or slow.
            let _ = moved.try_send(Moved { clinic, projection, position });
        }
    }
}

async fn announce(client: Client, mut waiting: mpsc::Receiver<Moved>) {
    while let Some(moved) = waiting.recv().await {
        // Without a connection the client would keep them for later, when they are of no use.
        if client.connection_state() == State::Connected {
            let subject = format!("{PREFIX}{}", moved.clinic);
            // A closed client is closed for good; the askers look by themselves.
            let _ = client.publish(subject, message_of(moved.projection, moved.position).into()).await;
        }
    }
}
