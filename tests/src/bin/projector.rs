//! A projector in a process of its own, for tests that kill it: `projector <database url> <nats url>`.

use attachments::{Accepted, Attachments, Location};
use casebook::system::System;
use event_store::MasterKey;
use secrecy::SecretString;
use service_kit::lifecycle::Lifecycle;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut arguments = std::env::args().skip(1).map(SecretString::from);
    let (Some(database), Some(nats)) = (arguments.next(), arguments.next()) else {
        anyhow::bail!("usage: projector <database url> <nats url>")
    };
    let (lifecycle, master_key) = (Lifecycle::new(), MasterKey::new(tests::MASTER_KEY));
    // It takes no uploads and erases nobody.
    let folder = tempfile::tempdir()?;
    let attachments = Attachments::open(&Location::Folder(folder.path().to_owned()), Accepted::default())?;
    let system =
        System::connect("casebook-test-projector", &database, &nats, master_key, attachments, &lifecycle).await?;
    system.project();
    Ok(lifecycle.run().await?)
}
