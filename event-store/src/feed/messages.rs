//! What JetStream delivers, for the ingest.
//!
//! A consumer of its own for each process, made new whenever the connection or the server was lost: it
//! begins at what is published from then on, because PostgreSQL knows the rest. (A consumer that goes on at
//! a remembered sequence would wait for ever behind the start of a stream that was wiped.)

use std::time::Duration;

use async_nats::{
    Client,
    connection::State,
    jetstream::{
        consumer::{
            AckPolicy, DeliverPolicy,
            push::{Config, Messages},
        },
        context::{Context, ContextBuilder},
    },
};
use events::Ledger;
use futures::{StreamExt, stream::ReadyChunks};
use tokio::{sync::mpsc, time::sleep};

use crate::{
    StoredRow,
    outage::Outage,
    publish::{EVENTS, STREAM, ensure_stream},
    wire,
};

/// How long an answer of JetStream's API may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
const RETRY_EVERY: Duration = Duration::from_millis(250);
/// How often the connection's state is looked at while nothing comes.
const CHECK_EVERY: Duration = Duration::from_millis(250);
/// A consumer that is silent for two of these is lost.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// When the server drops the consumer of a process that is gone.
const INACTIVE_AFTER: Duration = Duration::from_secs(5);
/// Messages handed on at once.
const CHUNK_MESSAGES_MAX: usize = 512;

pub(super) enum Signal {
    /// From now on new events come.
    Connected,
    Rows(Vec<StoredRow>),
    Lost,
}

/// Delivers until the receiver is gone.
pub(super) async fn deliver(client: Client, to: mpsc::Sender<Signal>) {
    let jetstream = ContextBuilder::new().timeout(ANSWER_TIMEOUT).build(client.clone());
    let outage = Outage::new("following NATS");
    while !to.is_closed() {
        match subscribe(&jetstream).await {
            Ok(messages) => {
                let era = outage.works();
                let why = forward(&client, messages.ready_chunks(CHUNK_MESSAGES_MAX), &to).await;
                outage.ends(era, &why);
            }
            Err(error) => outage.lasts(&error),
        }
        sleep(RETRY_EVERY).await;
    }
}

async fn subscribe(jetstream: &Context) -> Result<Messages, async_nats::Error> {
    if jetstream.client().connection_state() != State::Connected {
        return Err("not connected".into());
    }
    ensure_stream(jetstream).await?;
    let config = Config {
        deliver_subject: jetstream.client().new_inbox(),
        deliver_policy: DeliverPolicy::New,
        ack_policy: AckPolicy::None,
        filter_subject: EVENTS.to_owned(),
        flow_control: true,
        idle_heartbeat: HEARTBEAT,
        inactive_threshold: INACTIVE_AFTER,
        memory_storage: true,
        num_replicas: 1,
        ..Config::default()
    };
    Ok(jetstream.create_consumer_on_stream(config, STREAM).await?.messages().await?)
}

/// Until the consumer is lost: why.
async fn forward(client: &Client, mut chunks: ReadyChunks<Messages>, to: &mpsc::Sender<Signal>) -> &'static str {
    if to.send(Signal::Connected).await.is_err() {
        return "nobody follows any more";
    }
    let why = loop {
        let chunk = tokio::select! {
            chunk = chunks.next() => chunk,
            () = sleep(CHECK_EVERY) => match client.connection_state() {
                State::Connected => continue,
                _ => break "not connected",
            },
        };
        let Some(chunk) = chunk else { break "the subscription has ended" };
        let silent = chunk.iter().any(Result::is_err);
        let rows = chunk.iter().flatten().filter_map(|message| row_of(&message.payload)).collect();
        if to.send(Signal::Rows(rows)).await.is_err() {
            break "nobody follows any more";
        }
        if silent {
            break "the server is silent";
        }
    };
    // Nobody to tell when the receiver is gone.
    let _ = to.send(Signal::Lost).await;
    why
}

/// The row of a message; nothing from one that cannot be a row of the log.
fn row_of(message: &[u8]) -> Option<StoredRow> {
    wire::from_bytes(message).ok().filter(|row| row.ledger == Ledger::Record && row.is_intact())
}
