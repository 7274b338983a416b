//! The JetStream stream that carries the events.

use std::time::Duration;

use async_nats::jetstream::{
    ErrorCode,
    context::{Context, GetStreamErrorKind},
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

/// Makes the stream, or brings it to these limits. What else an operator has set (replicas, placement) stays.
pub async fn ensure_stream(jetstream: &Context) -> Result<(), async_nats::Error> {
    match jetstream.get_stream(STREAM).await {
        Ok(stream) => {
            let found = &stream.cached_info().config;
            let wanted = limited(found.clone());
            if wanted != *found {
                jetstream.update_stream(wanted).await?;
            }
        }
        Err(error) if is_missing(&error.kind()) => drop(jetstream.create_stream(limited(Config::default())).await?),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

fn is_missing(kind: &GetStreamErrorKind) -> bool {
    matches!(kind, GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

fn limited(config: Config) -> Config {
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
        ..config
    }
}
