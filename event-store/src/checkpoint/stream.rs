//! Anchors as messages of a NATS stream that keeps all of them.

use std::time::Duration;

use async_nats::{
    Client, HeaderMap,
    connection::State,
    header::NATS_MESSAGE_ID,
    jetstream::{
        self,
        context::Context,
        stream::{Config, RetentionPolicy, StorageType, Stream},
    },
};
use proof::checkpoint::{of_note, split_anchor};
use sqlx::PgConnection;
use tokio::time::timeout;

use super::stored::{Last, between};

/// The stream's name. Its subjects are `anchor.<installation>`.
pub const ANCHORS_STREAM: &str = "CASEBOOK_ANCHORS";
/// So many at once: what is still missing follows with the next checkpoint.
const PUBLISHED_AT_ONCE: i64 = 1_000;
const WITHIN: Duration = Duration::from_secs(5);

/// Publishes what the stream does not have yet. Without NATS, nothing: it is one anchor more, not the anchor.
pub(super) async fn publish_missing(client: &Client, db: &mut PgConnection, last: &Last) -> sqlx::Result<()> {
    if client.connection_state() != State::Connected {
        return Ok(());
    }
    let Ok((_, checkpoint)) = of_note(&last.note) else { return Ok(()) };
    let subject = format!("anchor.{}", checkpoint.installation);
    let jetstream = jetstream::new(client.clone());
    let published = match timeout(WITHIN, published(&jetstream, &subject)).await {
        Ok(Ok(number)) => number,
        _ => return Ok(()),
    };
    let to = last.number.min(published + PUBLISHED_AT_ONCE);
    if published >= to {
        return Ok(());
    }
    for stored in between(db, published + 1, to).await? {
        let anchor = stored.anchor();
        if !matches!(timeout(WITHIN, publish(&jetstream, &subject, stored.number, anchor)).await, Ok(Ok(()))) {
            tracing::debug!(number = stored.number, "an anchor was not published; it follows with the next");
            break;
        }
    }
    Ok(())
}

/// The last number in the stream; 0: none.
async fn published(jetstream: &Context, subject: &str) -> Result<i64, async_nats::Error> {
    let stream = ensure(jetstream).await?;
    let Ok(message) = stream.get_last_raw_message_by_subject(subject).await else { return Ok(0) };
    let anchor = String::from_utf8(message.payload.to_vec())?;
    let (note, _) = split_anchor(&anchor)?;
    Ok(of_note(note)?.1.number)
}

async fn publish(jetstream: &Context, subject: &str, number: i64, anchor: String) -> Result<(), async_nats::Error> {
    let mut headers = HeaderMap::new();
    headers.insert(NATS_MESSAGE_ID, format!("{subject}.{number}"));
    jetstream.publish_with_headers(subject.to_owned(), headers, anchor.into()).await?.await?;
    Ok(())
}

/// A message of it can be neither deleted nor purged by a client.
async fn ensure(jetstream: &Context) -> Result<Stream, async_nats::Error> {
    let config = Config {
        name: ANCHORS_STREAM.to_owned(),
        description: Some("Signed checkpoints of all ledgers".to_owned()),
        subjects: vec!["anchor.*".to_owned()],
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        deny_delete: true,
        deny_purge: true,
        ..Config::default()
    };
    Ok(jetstream.get_or_create_stream(config).await?)
}
