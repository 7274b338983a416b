//! Every message of every stream of NATS.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use async_nats::{Client, jetstream};
use futures::TryStreamExt;

use super::{Found, Markers, markers::found};

pub async fn streams(nats: &Client, markers: &Markers) -> Result<Vec<Found>> {
    let jetstream = jetstream::new(nats.clone());
    let mut streams = jetstream.streams();
    let mut places = Vec::new();
    while let Some(info) = streams.try_next().await.context("listing the streams of NATS")? {
        let (name, state) = (info.config.name, info.state);
        let stream = jetstream.get_stream(&name).await?;
        let mut seen = BTreeSet::new();
        for sequence in state.first_sequence..=state.last_sequence {
            // One that has run out meanwhile is gone.
            let Ok(message) = stream.get_raw_message(sequence).await else { continue };
            markers.in_bytes(&message.payload, &mut seen);
            markers.in_bytes(message.subject.as_bytes(), &mut seen);
            for (header, values) in message.headers.iter() {
                markers.in_bytes(header.to_string().as_bytes(), &mut seen);
                values.iter().for_each(|value| markers.in_bytes(value.as_str().as_bytes(), &mut seen));
            }
        }
        places.extend(found(format!("stream {name}"), &seen));
    }
    Ok(places)
}
