//! A scheduler in a process of its own, for tests that kill it: `scheduler <database url> <nats url> <seconds>`, by a
//! clock that is so many seconds ahead.

use std::{sync::Arc, time::Duration};

use attachments::{Accepted, Attachments, Location};
use casebook::system::System;
use chrono::{TimeDelta, Utc};
use command_api::execute::Executor;
use event_store::{MasterKey, Store, StoreOptions};
use secrecy::SecretString;
use service_kit::lifecycle::Lifecycle;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [database, nats, ahead] = arguments.as_slice() else {
        anyhow::bail!("usage: scheduler <database url> <nats url> <seconds>")
    };
    let ahead = TimeDelta::seconds(ahead.parse()?);
    let lifecycle = Lifecycle::new();
    // It takes no uploads.
    let folder = tempfile::tempdir()?;
    let attachments = Attachments::open(&Location::Folder(folder.path().to_owned()), Accepted::default())?;
    let key = || MasterKey::new(tests::MASTER_KEY);
    let store = Store::open(StoreOptions::new(database.parse()?, key()));
    let executor = Executor::new(store).with_clock(Arc::new(move || Utc::now() + ahead));
    let (database, nats) = (SecretString::from(database.clone()), SecretString::from(nats.clone()));
    let system = System::connect("casebook-test-scheduler", &database, &nats, key(), attachments, &lifecycle).await?;
    system.schedule(&executor, Duration::from_millis(500));
    Ok(lifecycle.run().await?)
}
