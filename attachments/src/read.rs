//! A stretch of a content: only the chunks that it touches are fetched and opened.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt, stream::BoxStream};
use object_store::{GetOptions, GetRange, ObjectStoreExt};

use crate::{
    Attachments, CHUNK_BYTES, ContentKey, Place, StoreError,
    seal::{COMMITMENT_BYTES, Chunks},
};

/// Why a content cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It was changed, cut, exchanged with another one, or sealed under another key.
    #[error("the object is not what was stored")]
    Altered,
    #[error("the object is not there")]
    Missing,
    #[error("the object store cannot be read: {0}")]
    Store(StoreError),
}

impl From<object_store::Error> for Unreadable {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::Missing,
            error => Self::Store(error.into()),
        }
    }
}

/// A stretch of a content whose first chunk is opened already.
pub struct Content {
    first: Bytes,
    rest: Source,
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Content").finish_non_exhaustive()
    }
}

impl Attachments {
    /// The stretch of a content of `size` bytes; it must not be empty and must lie within the content.
    ///
    /// # Errors
    /// The object is not there, or not what was stored. A later chunk may still turn out to be changed: then the
    /// stream ends with an error.
    pub async fn read(
        &self,
        place: &Place,
        key: ContentKey,
        size: u64,
        stretch: Range<u64>,
    ) -> Result<Content, Unreadable> {
        let chunks = Chunks::of(size).ok_or(Unreadable::Altered)?;
        if stretch.is_empty() || stretch.end > size {
            return Err(Unreadable::Altered);
        }
        let path = place.path();
        let (first, last) = (chunk_of(stretch.start), chunk_of(stretch.end - 1));
        if self.store().head(&path).await?.size != chunks.sealed_bytes() {
            return Err(Unreadable::Altered);
        }
        let commitment = self.store().get_range(&path, 0..COMMITMENT_BYTES as u64).await?;
        key.check(&commitment).map_err(|_| Unreadable::Altered)?;
        let range = Some(GetRange::Bounded(chunks.begins(first)..chunks.ends(last)));
        let sealed = self.store().get_opts(&path, GetOptions { range, ..GetOptions::default() }).await?;
        let sealed = sealed.into_stream();
        let mut rest = Source { key, chunks, stretch, index: first, last, sealed, buffer: BytesMut::new() };
        let first = rest.next().await?.ok_or(Unreadable::Altered)?;
        Ok(Content { first, rest })
    }
}

impl Content {
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Unreadable>> + Send + 'static {
        let rest = futures::stream::try_unfold(self.rest, |mut rest| async move {
            Ok(rest.next().await?.map(|bytes| (bytes, rest)))
        });
        futures::stream::once(async { Ok(self.first) }).chain(rest)
    }
}

struct Source {
    key: ContentKey,
    chunks: Chunks,
    stretch: Range<u64>,
    /// The next chunk.
    index: u32,
    last: u32,
    sealed: BoxStream<'static, object_store::Result<Bytes>>,
    buffer: BytesMut,
}

impl Source {
    /// What the next chunk holds of the stretch.
    async fn next(&mut self) -> Result<Option<Bytes>, Unreadable> {
        if self.index > self.last {
            return Ok(None);
        }
        let sealed_bytes = (self.chunks.ends(self.index) - self.chunks.begins(self.index)) as usize;
        while self.buffer.len() < sealed_bytes {
            let more = self.sealed.next().await.ok_or(Unreadable::Altered)?;
            self.buffer.extend_from_slice(&more?);
        }
        let mut chunk = self.buffer.split_to(sealed_bytes);
        self.key.open(&self.chunks, self.index, &mut chunk).map_err(|_| Unreadable::Altered)?;
        let begins = u64::from(self.index) * CHUNK_BYTES as u64;
        let from = self.stretch.start.saturating_sub(begins) as usize;
        let to = (self.stretch.end - begins).min(chunk.len() as u64) as usize;
        self.index += 1;
        Ok(Some(chunk.freeze().slice(from..to)))
    }
}

fn chunk_of(at: u64) -> u32 {
    // Within a content that has been cut, so it fits.
    (at / CHUNK_BYTES as u64) as u32
}
