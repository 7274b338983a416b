//! The JetStream stream that carries the events.

use std::time::Duration;

use async_nats::jetstream::{
    context::{Context, CreateStreamError},
    stream::{Config, DiscardPolicy, RetentionPolicy, StorageType},
};

/// The stream's name.
pub const STREAM: &str = "CASEBOOK";
/// Its subjects: `clinic.<clinic id>.<aggregate>.<event type>`. They say nothing about a person.
pub const EVENTS: &str = "clinic.>";
/// How long it keeps a message: a follower that was away longer reads PostgreSQL.
pub const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// How much it keeps.
pub const MAX_BYTES: i64 = 2 * 1024 * 1024 * 1024;
/// For how long a message id is remembered, so that relay and writer may both send an event.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(120);

/// Makes the stream, or brings it to these limits. Does no harm when it is as it should be.
pub async fn ensure_stream(jetstream: &Context) -> Result<(), CreateStreamError> {
    jetstream.create_or_update_stream(config()).await.map(|_| ())
}

fn config() -> Config {
    Config {
        name: STREAM.to_owned(),
        description: Some("Events of all clinics on their way to the read models; the log is PostgreSQL".to_owned()),
        subjects: vec![EVENTS.to_owned()],
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::Old,
        max_age: MAX_AGE,
        max_bytes: MAX_BYTES,
        duplicate_window: DUPLICATE_WINDOW,
        ..Config::default()
    }
}
