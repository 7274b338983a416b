//! Ids that are the same at every run: a command that is given again meets what it made the first time.

use chrono::{DateTime, Utc};
use event_store::row::{Hash, sha256};
use uuid::{Builder, Uuid};

/// Names what a file makes, by the file's digest and the line that makes it. A file with one byte changed is
/// another book.
#[derive(Clone, Copy)]
pub struct Ids {
    digest: Hash,
}

impl Ids {
    pub fn of(digest: Hash) -> Self {
        Self { digest }
    }

    /// The id of what the line makes (`n` where it makes several of a kind): a UUIDv7 whose time is `at` and whose
    /// remainder is a hash. Ids keep the order in which things were scheduled.
    pub fn id<Id: From<Uuid>>(&self, kind: &str, line: u64, n: usize, at: DateTime<Utc>) -> Id {
        let hash = sha256(format!("{}/{kind}/{line}/{n}", hex::encode(self.digest)).as_bytes());
        let mut random = [0; 10];
        random.copy_from_slice(&hash[..10]);
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
        Builder::from_unix_timestamp_millis(millis, &random).into_uuid().into()
    }

    /// The idempotency key of a step of a line.
    pub fn key(&self, line: u64, step: &str, n: usize) -> String {
        format!("import/{}/{line}/{step}/{n}", hex::encode(self.digest))
    }

    /// Tells this book's files in the data folder from others'.
    pub fn folder(&self) -> String {
        hex::encode(&self.digest[..8])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn an_id_is_a_uuid_7_and_the_same_at_every_run() {
        let at = "2016-04-27T15:05:12Z".parse().unwrap();
        let id: Uuid = Ids::of([7; 32]).id("patient", 2, 0, at);
        assert_eq!((id.get_version_num(), id.get_variant()), (7, uuid::Variant::RFC4122));
        let (seconds, _) = id.get_timestamp().unwrap().to_unix();
        assert_eq!(seconds.cast_signed(), at.timestamp());
        assert_eq!(id, Ids::of([7; 32]).id::<Uuid>("patient", 2, 0, at));
    }

    #[test]
    fn another_file_kind_line_or_number_is_another_id_and_key() {
        let at = DateTime::UNIX_EPOCH;
        let (one, two) = (Ids::of([7; 32]), Ids::of([8; 32]));
        let ids = [one.id("a", 2, 0, at), two.id("a", 2, 0, at), one.id("b", 2, 0, at), one.id("a", 3, 0, at)];
        assert_eq!(HashSet::<Uuid>::from_iter(ids.into_iter().chain([one.id("a", 2, 1, at)])).len(), 5);
        let keys = [one.key(2, "a", 0), two.key(2, "a", 0), one.key(3, "a", 0), one.key(2, "b", 0), one.key(2, "a", 1)];
        assert_eq!(HashSet::from(keys).len(), 5);
    }
}
