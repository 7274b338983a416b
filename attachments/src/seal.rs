//! A content in chunks, each of which can be opened without the others.
//!
//! The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its
//! Nonce-Reuse Misuse-Resistance, 2015) over AES-256-GCM. The nonce of a chunk is seven zero bytes, its index (from 0,
//! four bytes, big-endian) and one byte that is 1 for the last chunk and else 0: so no chunk can be left out, moved,
//! repeated, or taken for the end. The key belongs to one upload and is used for no other content, which is why the
//! rest of the nonce may be zero; the associated data is the ids that it was derived from.
//!
//! An object is `commitment ‖ chunk ‖ tag ‖ chunk ‖ tag …`, as the sealed part of an event begins with the commitment
//! of its key: GCM alone commits to no key. All chunks but the last hold [`CHUNK_BYTES`] of the content.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    constant_time::verify_slices_are_equal,
};
use bytes::BytesMut;
use event_store::vault::ATTACHMENT_KEY_BYTES;

/// What a chunk holds of the content.
pub const CHUNK_BYTES: usize = 256 * 1024;
pub(crate) const TAG_BYTES: usize = 16;
pub(crate) const SEALED_CHUNK_BYTES: u64 = (CHUNK_BYTES + TAG_BYTES) as u64;
pub(crate) const COMMITMENT_BYTES: usize = 32;
const CIPHER_KEY_BYTES: usize = ATTACHMENT_KEY_BYTES - COMMITMENT_BYTES;

/// The object was changed, exchanged, or sealed under another key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotOpened;

/// Seals and opens the content of one upload.
pub struct ContentKey {
    cipher: LessSafeKey,
    commitment: [u8; COMMITMENT_BYTES],
    ids: [u8; 64],
}

impl ContentKey {
    pub(crate) fn new(key: &[u8; ATTACHMENT_KEY_BYTES], ids: [u8; 64]) -> Self {
        let (cipher, commitment) = key.split_at(CIPHER_KEY_BYTES);
        let cipher = UnboundKey::new(&AES_256_GCM, cipher).expect("32 bytes are a key of AES-256");
        let commitment = commitment.try_into().expect("the rest of the key");
        Self { cipher: LessSafeKey::new(cipher), commitment, ids }
    }

    pub(crate) fn commitment(&self) -> &[u8; COMMITMENT_BYTES] {
        &self.commitment
    }

    pub(crate) fn check(&self, commitment: &[u8]) -> Result<(), NotOpened> {
        verify_slices_are_equal(commitment, &self.commitment).map_err(|_| NotOpened)
    }

    /// Seals a chunk in its place and adds the tag.
    pub(crate) fn seal(&self, chunks: &Chunks, index: u32, chunk: &mut BytesMut) {
        let nonce = nonce(index, chunks.is_last(index));
        let tag = self.cipher.seal_in_place_separate_tag(nonce, Aad::from(self.ids), chunk);
        chunk.extend_from_slice(tag.expect("a chunk is far smaller than GCM's limit").as_ref());
    }

    /// Opens a chunk in its place and takes the tag away.
    pub(crate) fn open(&self, chunks: &Chunks, index: u32, chunk: &mut BytesMut) -> Result<(), NotOpened> {
        let nonce = nonce(index, chunks.is_last(index));
        let opened = self.cipher.open_in_place(nonce, Aad::from(self.ids), chunk).map_err(|_| NotOpened)?.len();
        chunk.truncate(opened);
        Ok(())
    }
}

fn nonce(index: u32, is_last: bool) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[7..11].copy_from_slice(&index.to_be_bytes());
    nonce[11] = u8::from(is_last);
    Nonce::assume_unique_for_key(nonce)
}

/// How a content of a known size is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunks {
    size: u64,
    count: u32,
}

impl Chunks {
    /// `None`: there is nothing, or more than the chunks' numbers reach.
    pub(crate) fn of(size: u64) -> Option<Self> {
        let count = u32::try_from(size.div_ceil(CHUNK_BYTES as u64)).ok().filter(|count| *count > 0)?;
        Some(Self { size, count })
    }

    fn is_last(&self, index: u32) -> bool {
        index + 1 == self.count
    }

    /// Of the content, in the chunk.
    pub(crate) fn bytes_in(&self, index: u32) -> usize {
        match self.is_last(index) {
            true => (self.size - u64::from(index) * CHUNK_BYTES as u64) as usize,
            false => CHUNK_BYTES,
        }
    }

    /// Of the whole object.
    pub(crate) fn sealed_bytes(&self) -> u64 {
        COMMITMENT_BYTES as u64 + self.size + u64::from(self.count) * TAG_BYTES as u64
    }

    /// Where a chunk begins in the object.
    pub(crate) fn begins(&self, index: u32) -> u64 {
        COMMITMENT_BYTES as u64 + u64::from(index) * SEALED_CHUNK_BYTES
    }

    /// Where it ends.
    pub(crate) fn ends(&self, index: u32) -> u64 {
        self.begins(index) + (self.bytes_in(index) + TAG_BYTES) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = 2 * CHUNK_BYTES as u64 + 5;

    fn key(byte: u8) -> ContentKey {
        ContentKey::new(&[byte; ATTACHMENT_KEY_BYTES], [3; 64])
    }

    fn sealed(key: &ContentKey, index: u32) -> BytesMut {
        let chunks = Chunks::of(SIZE).unwrap();
        let mut chunk = BytesMut::zeroed(chunks.bytes_in(index));
        key.seal(&chunks, index, &mut chunk);
        chunk
    }

    #[test]
    fn a_chunk_opens_in_its_place_under_its_key_alone() {
        let chunks = Chunks::of(SIZE).unwrap();
        for index in 0..3 {
            let mut chunk = sealed(&key(1), index);
            key(1).open(&chunks, index, &mut chunk).unwrap();
            assert!(chunk.len() == chunks.bytes_in(index) && chunk.iter().all(|byte| *byte == 0));
            assert_eq!(key(2).open(&chunks, index, &mut sealed(&key(1), index)), Err(NotOpened));
        }
        assert_eq!(key(1).open(&chunks, 1, &mut sealed(&key(1), 0)), Err(NotOpened), "moved");
        let elsewhere = ContentKey::new(&[1; ATTACHMENT_KEY_BYTES], [4; 64]);
        assert_eq!(elsewhere.open(&chunks, 0, &mut sealed(&key(1), 0)), Err(NotOpened), "another document's");
    }

    #[test]
    fn nobody_makes_an_end_where_there_is_none() {
        let (whole, cut) = (Chunks::of(2 * CHUNK_BYTES as u64).unwrap(), Chunks::of(CHUNK_BYTES as u64).unwrap());
        let mut chunk = BytesMut::zeroed(CHUNK_BYTES);
        key(1).seal(&whole, 0, &mut chunk);
        assert_eq!(key(1).open(&cut, 0, &mut chunk), Err(NotOpened));
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let chunks = Chunks::of(5).unwrap();
        let mut chunk = BytesMut::from(&b"hello"[..]);
        key(1).seal(&chunks, 0, &mut chunk);
        for at in 0..chunk.len() {
            let mut changed = chunk.clone();
            changed[at] ^= 1;
            assert_eq!(key(1).open(&chunks, 0, &mut changed), Err(NotOpened), "byte {at}");
        }
    }

    #[test]
    fn the_cut_covers_the_object_without_a_gap() {
        for size in [1, CHUNK_BYTES as u64 - 1, CHUNK_BYTES as u64, CHUNK_BYTES as u64 + 1, SIZE] {
            let chunks = Chunks::of(size).unwrap();
            assert_eq!((0..chunks.count).map(|index| chunks.bytes_in(index) as u64).sum::<u64>(), size);
            assert!((1..chunks.count).all(|index| chunks.begins(index) == chunks.ends(index - 1)));
            assert_eq!(chunks.ends(chunks.count - 1), chunks.sealed_bytes());
        }
        assert_eq!(Chunks::of(0), None);
    }
}
