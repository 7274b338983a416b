//! One row as one publish.

use std::time::Duration;

use async_nats::{
    Client, Subscriber,
    connection::State,
    jetstream::{
        context::{Context, ContextBuilder, PublishAckFuture, PublishErrorKind},
        message::PublishMessage,
    },
};

use super::ensure_stream;
use crate::{
    StoredRow,
    outage::{Era, Outage},
    wire,
};

/// How long an acknowledgement, or an answer of JetStream's API, may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// JetStream as a publisher uses it, and what it has found out about it.
pub(crate) struct Line {
    jetstream: Context,
    client: Client,
    outage: Outage,
}

/// What became of a row that was to be sent.
pub(crate) enum Sent {
    /// To be awaited: a dropped acknowledgement is no news of a failure.
    Waiting(PublishAckFuture),
    /// Larger than the server takes: followers read it from PostgreSQL.
    TooLarge,
    Failed,
}

impl Line {
    /// `what` as the log calls it. At most `in_flight_max` publishes wait for their acknowledgement.
    pub(crate) fn new(client: Client, in_flight_max: usize, what: &'static str) -> Self {
        let jetstream = ContextBuilder::new()
            .timeout(ANSWER_TIMEOUT)
            .max_ack_inflight(in_flight_max)
            .backpressure_on_inflight(true)
            .build(client.clone());
        Self { jetstream, client, outage: Outage::new(what) }
    }

    /// The era in which to send; `None` until the line is [prepared](Self::prepare) anew.
    pub(crate) fn era(&self) -> Option<Era> {
        self.is_connected().then(|| self.outage.era()).flatten()
    }

    /// Finds or makes the stream.
    pub(crate) async fn prepare(&self) -> Option<Era> {
        if !self.is_connected() {
            return None;
        }
        match ensure_stream(&self.jetstream).await {
            Ok(()) => Some(self.outage.works()),
            Err(error) => {
                self.outage.lasts(&error);
                None
            }
        }
    }

    /// Waits only while too many acknowledgements are outstanding.
    pub(crate) async fn send(&self, row: &StoredRow, era: Era) -> Sent {
        let message = PublishMessage::build()
            .message_id(row.event_id.hyphenated().to_string())
            .payload(wire::to_bytes(row).into());
        match self.jetstream.send_publish(subject(row), message).await {
            Ok(acknowledgement) => Sent::Waiting(acknowledgement),
            Err(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                tracing::warn!(clinic = %row.clinic, position = row.position, "an event is too large for NATS");
                Sent::TooLarge
            }
            Err(error) => {
                self.outage.ends(era, &error);
                Sent::Failed
            }
        }
    }

    /// Whether the stream holds the row now.
    pub(crate) async fn is_acknowledged(&self, acknowledgement: PublishAckFuture, era: Era) -> bool {
        let answer = acknowledgement.await;
        if let Err(error) = &answer {
            self.outage.ends(era, error);
        }
        answer.is_ok()
    }

    /// Tells whoever listens. Nobody rests on it, so nothing is made of a failure.
    pub(crate) async fn tell(&self, subject: &'static str, message: Vec<u8>) {
        if self.is_connected() {
            let _ = self.client.publish(subject, message.into()).await;
        }
    }

    /// What comes on a subject from now on, also after a connection is made again; `None` when the client is
    /// closed.
    pub(crate) async fn subscribe(&self, subject: &'static str) -> Option<Subscriber> {
        self.client.subscribe(subject).await.inspect_err(|error| self.outage.lasts(error)).ok()
    }

    /// Asked before every use, because a client without a connection only queues.
    fn is_connected(&self) -> bool {
        let connected = self.client.connection_state() == State::Connected;
        if !connected {
            self.outage.lasts(&"not connected");
        }
        connected
    }
}

/// `clinic.<clinic id>.<aggregate>.<event type>`.
fn subject(row: &StoredRow) -> String {
    format!("clinic.{}.{}.{}", row.clinic, row.stream_kind, row.event_type)
}
