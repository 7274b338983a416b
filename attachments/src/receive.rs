//! A content that comes: counted, hashed, looked at, sealed and stored chunk by chunk. Only what is whole and as it was
//! announced is ever seen under its name; of anything else nothing is left.

use std::pin::{Pin, pin};

use aws_lc_rs::digest;
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use object_store::{ObjectStoreExt, WriteMultipart};

use crate::{
    Attachments, CHUNK_BYTES, ContentKey, Place, StoreError, fits,
    seal::{Chunks, TAG_BYTES},
};

/// What is stored at once: the least that S3 takes as one part, but the last.
const PART_BYTES: usize = 5 * 1024 * 1024;
/// Parts on their way to the store, beside the one that is being filled.
const PARTS_MAX: usize = 2;
/// Of a content that is not taken, what is still read.
const HEARD_OUT_BYTES: u64 = 16 * 1024 * 1024;

/// What was said of the content before it came.
#[derive(Clone, Debug)]
pub struct Announced {
    /// In bytes.
    pub size: u64,
    pub media_type: String,
}

/// Why a content was not taken. Nothing of it is kept.
#[derive(Debug, thiserror::Error)]
pub enum NotReceived {
    #[error("it ended after {0} bytes")]
    Truncated(u64),
    #[error("it goes on after the announced size")]
    TooLong,
    #[error("its SHA-256 is another one")]
    WrongHash,
    #[error("it is not of the announced media type")]
    WrongMediaType,
    #[error("the object store did not take it: {0}")]
    NotStored(#[from] StoreError),
}

impl Attachments {
    /// Takes a content. `is_right` says of the SHA-256 of all that came, in hexadecimal digits, whether it is the
    /// announced one. Gives that SHA-256.
    ///
    /// # Errors
    /// It was not as it was announced, or could not be stored.
    pub async fn receive<E>(
        &self,
        place: &Place,
        key: &ContentKey,
        announced: &Announced,
        content: impl Stream<Item = Result<Bytes, E>> + Send,
        is_right: impl Fn(&str) -> bool + Send,
    ) -> Result<String, NotReceived> {
        let chunks = Chunks::of(announced.size).ok_or(NotReceived::TooLong)?;
        let upload = self.store().put_multipart(&place.path()).await.map_err(StoreError::from)?;
        let parts = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        let mut sink = Sink { key, chunks, announced, parts, index: 0, chunk: empty_chunk() };
        let mut content = pin!(content);
        let taken = sink.take(content.as_mut()).await.and_then(|sha256| match is_right(&sha256) {
            true => Ok(sha256),
            false => Err(NotReceived::WrongHash),
        });
        match taken {
            Ok(sha256) => {
                sink.parts.finish().await.map_err(StoreError::from)?;
                Ok(sha256)
            }
            Err(why) => {
                if let Err(error) = sink.parts.abort().await {
                    tracing::warn!(%error, "parts of an upload that failed are left in the object store");
                }
                hear_out(content).await;
                Err(why)
            }
        }
    }
}

/// Reads what is not wanted, as far as is reasonable: whoever is cut off while sending does not hear why.
pub async fn hear_out<E>(content: impl Stream<Item = Result<Bytes, E>>) {
    let mut content = pin!(content);
    let mut heard = 0;
    while let Some(Ok(bytes)) = content.next().await {
        heard += bytes.len() as u64;
        if heard > HEARD_OUT_BYTES {
            return;
        }
    }
}

struct Sink<'a> {
    key: &'a ContentKey,
    chunks: Chunks,
    announced: &'a Announced,
    parts: WriteMultipart,
    /// Of the chunk that is being filled.
    index: u32,
    chunk: BytesMut,
}

fn empty_chunk() -> BytesMut {
    BytesMut::with_capacity(CHUNK_BYTES + TAG_BYTES)
}

impl Sink<'_> {
    async fn take<E>(
        &mut self,
        mut content: Pin<&mut (impl Stream<Item = Result<Bytes, E>> + Send)>,
    ) -> Result<String, NotReceived> {
        let mut hash = digest::Context::new(&digest::SHA256);
        let mut received = 0_u64;
        self.parts.write(self.key.commitment());
        while let Some(bytes) = content.next().await {
            // Whoever sends it has gone.
            let Ok(mut bytes) = bytes else { return Err(NotReceived::Truncated(received)) };
            received += bytes.len() as u64;
            if received > self.announced.size {
                return Err(NotReceived::TooLong);
            }
            hash.update(&bytes);
            while !bytes.is_empty() {
                let room = self.chunks.bytes_in(self.index) - self.chunk.len();
                self.chunk.extend_from_slice(&bytes.split_to(room.min(bytes.len())));
                if self.chunk.len() == self.chunks.bytes_in(self.index) {
                    self.put_chunk().await?;
                }
            }
        }
        match received == self.announced.size {
            true => Ok(hex::encode(hash.finish())),
            false => Err(NotReceived::Truncated(received)),
        }
    }

    async fn put_chunk(&mut self) -> Result<(), NotReceived> {
        let mut chunk = std::mem::replace(&mut self.chunk, empty_chunk());
        if self.index == 0 && !fits(&self.announced.media_type, &chunk) {
            return Err(NotReceived::WrongMediaType);
        }
        self.key.seal(&self.chunks, self.index, &mut chunk);
        self.parts.wait_for_capacity(PARTS_MAX).await.map_err(StoreError::from)?;
        self.parts.put(chunk.freeze());
        self.index += 1;
        Ok(())
    }
}
