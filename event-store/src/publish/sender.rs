//! The two tasks of a publisher: one sends, one awaits every acknowledgement and tells what is published.

use std::{sync::Arc, time::Duration};

use async_nats::{Client, jetstream::context::PublishAckFuture};
use events::{ClinicId, Ledger, Position};
use tokio::{sync::mpsc, time::Instant};

use super::{ACKNOWLEDGED, Acknowledged, Batch, IN_FLIGHT_MAX, Line, MISSED, Sent, dropped};
use crate::{StoredRow, outage::Era};

/// How often a lost line is tried again while there is something to send.
const RETRY_EVERY: Duration = Duration::from_millis(250);
/// Events told of in one announcement.
const ANNOUNCED_EVENTS_MAX: usize = 1_024;

struct Awaited {
    clinic: ClinicId,
    position: Position,
    acknowledgement: PublishAckFuture,
    era: Era,
}

pub(super) fn start(client: Client, batches: mpsc::Receiver<Batch>) {
    let line = Arc::new(Line::new(client, IN_FLIGHT_MAX, "publishing what is committed"));
    let (awaited, sent) = mpsc::channel(IN_FLIGHT_MAX);
    tokio::spawn(collect(line.clone(), sent));
    tokio::spawn(Sender { line, awaited, next_try: Instant::now() }.run(batches));
}

struct Sender {
    line: Arc<Line>,
    awaited: mpsc::Sender<Awaited>,
    next_try: Instant,
}

impl Sender {
    async fn run(mut self, mut batches: mpsc::Receiver<Batch>) {
        while let Some(batch) = batches.recv().await {
            match self.era().await {
                Some(era) => self.send(&batch.rows, era).await,
                None => dropped(batch.rows.len()),
            }
        }
    }

    async fn era(&mut self) -> Option<Era> {
        let lasting = self.line.era();
        if lasting.is_some() || Instant::now() < self.next_try {
            return lasting;
        }
        self.next_try = Instant::now() + RETRY_EVERY;
        let begun = self.line.prepare().await;
        if begun.is_some() {
            self.line.tell(MISSED, Vec::new()).await;
        }
        begun
    }

    async fn send(&self, rows: &[StoredRow], era: Era) {
        for (sent, row) in rows.iter().enumerate() {
            if row.ledger != Ledger::Record {
                continue;
            }
            match self.line.send(row, era).await {
                Sent::Waiting(acknowledgement) => {
                    let awaited = Awaited { clinic: row.clinic, position: row.position, acknowledgement, era };
                    // The collector ends only after this task.
                    let _ = self.awaited.send(awaited).await;
                }
                Sent::TooLarge => {}
                Sent::Failed => return dropped(rows.len() - sent),
            }
        }
    }
}

async fn collect(line: Arc<Line>, mut sent: mpsc::Receiver<Awaited>) {
    while let Some(first) = sent.recv().await {
        let mut done = Acknowledged::default();
        let mut next = Some(first);
        while let Some(awaited) = next.take() {
            if line.is_acknowledged(awaited.acknowledgement, awaited.era).await {
                done.add(awaited.clinic, awaited.position);
            }
            if done.events() < ANNOUNCED_EVENTS_MAX {
                next = sent.try_recv().ok();
            }
        }
        announce(&line, &done).await;
    }
}

/// The relay publishes again what it has not heard of.
async fn announce(line: &Line, done: &Acknowledged) {
    metrics::counter!("casebook_publish_acknowledged_total").increment(done.events() as u64);
    if done.events() > 0 {
        line.tell(ACKNOWLEDGED, done.to_bytes()).await;
    }
}
