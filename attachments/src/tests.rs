//! What goes in comes out, any stretch of it, however it came; and what was not right leaves nothing.

use std::{convert::Infallible, ops::Range};

use bytes::Bytes;
use event_store::{Erased, vault::ATTACHMENT_KEY_BYTES};
use events::{ClinicId, DocumentId, PatientId};
use futures::TryStreamExt;
use proptest::prelude::*;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::{Accepted, Announced, Attachments, CHUNK_BYTES, ContentKey, Location, NotReceived, Place};

struct World {
    runtime: Runtime,
    attachments: Attachments,
    _folder: TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::Folder(folder.path().join("attachments"));
        let attachments = Attachments::open(&location, Accepted::default()).unwrap();
        Self { runtime: Runtime::new().unwrap(), attachments, _folder: folder }
    }

    /// Sends a content in pieces of so many bytes.
    fn send(&self, content: &[u8], announced: usize, piece: usize, is_right: bool) -> Result<String, NotReceived> {
        let pieces: Vec<Result<Bytes, Infallible>> =
            content.chunks(piece).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let announced = Announced { size: announced as u64, media_type: "application/x-test".to_owned() };
        let (place, key) = (place(), key());
        let sent = self.attachments.receive(&place, &key, &announced, futures::stream::iter(pieces), |_| is_right);
        self.runtime.block_on(sent)
    }

    fn read(&self, size: usize, stretch: Range<u64>) -> Option<Vec<u8>> {
        self.runtime.block_on(async {
            let content = self.attachments.read(&place(), key(), size as u64, stretch).await.ok()?;
            let pieces: Vec<Bytes> = content.into_stream().try_collect().await.ok()?;
            Some(pieces.concat())
        })
    }

    fn left(&self) -> usize {
        let Place { clinic, patient, .. } = place();
        let left = self.attachments.left(Erased { clinic, patient: Some(patient) });
        self.runtime.block_on(left).unwrap()
    }
}

fn place() -> Place {
    Place {
        clinic: ClinicId(Uuid::from_u128(1)),
        patient: PatientId(Uuid::from_u128(2)),
        document: DocumentId(Uuid::from_u128(3)),
        upload: Uuid::from_u128(4),
    }
}

fn key() -> ContentKey {
    ContentKey::new(&[5; ATTACHMENT_KEY_BYTES], [6; 64])
}

fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|n| (n % 251) as u8).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_stretch_of_what_was_sent_is_a_slice_of_it(
        bytes in prop_oneof![
            1..100_usize,
            CHUNK_BYTES - 1..CHUNK_BYTES + 2,
            2 * CHUNK_BYTES - 1..2 * CHUNK_BYTES + 2,
            1..5 * CHUNK_BYTES,
        ],
        piece in prop_oneof![Just(7_777_usize), Just(CHUNK_BYTES), Just(3 * CHUNK_BYTES + 1)],
        stretches in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..6),
    ) {
        let (world, content) = (World::new(), content(bytes));
        world.send(&content, bytes, piece, true).unwrap();
        prop_assert_eq!(world.left(), 1);
        prop_assert!(world.read(bytes, 0..bytes as u64).unwrap() == content);
        for (one, other) in stretches {
            let (one, other) = (one.index(bytes), other.index(bytes));
            let (from, to) = (one.min(other), one.max(other) + 1);
            prop_assert!(world.read(bytes, from as u64..to as u64).unwrap() == content[from..to], "{}..{}", from, to);
        }
        prop_assert!(world.read(bytes, 0..bytes as u64 + 1).is_none());
        prop_assert!(world.read(bytes + 1, 0..1).is_none(), "of another size");
    }
}

#[test]
fn of_what_was_not_right_nothing_is_left() {
    let (world, content) = (World::new(), content(2 * CHUNK_BYTES + 9));
    let bytes = content.len();
    assert!(matches!(world.send(&content, bytes + 1, 10_000, true), Err(NotReceived::Truncated(_))));
    assert!(matches!(world.send(&content, bytes - 1, 10_000, true), Err(NotReceived::TooLong)));
    assert!(matches!(world.send(&content, bytes, 10_000, false), Err(NotReceived::WrongHash)));
    assert!(matches!(world.send(&content, 0, 10_000, true), Err(NotReceived::TooLong)));
    assert_eq!(world.left(), 0);
    assert!(world.read(bytes, 0..1).is_none());
}

#[test]
fn what_is_erased_goes_and_may_be_gone_already() {
    let world = World::new();
    world.send(&content(10), 10, 3, true).unwrap();
    let Place { clinic, patient, .. } = place();
    for _ in 0..2 {
        world.runtime.block_on(world.attachments.erase(Erased { clinic, patient: Some(patient) })).unwrap();
        world.runtime.block_on(world.attachments.take_away(&place())).unwrap();
        assert_eq!(world.left(), 0);
    }
}
