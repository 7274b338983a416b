//! Which checkpoints are to be trusted, when all that is known from elsewhere is the fingerprint of one key.
//!
//! Checkpoints are taken in order. Each names the hash of the one before, so whoever signs one vouches for all before
//! it; and each is signed by the key that signed the one before, or by the one that this named as the next. So trust
//! goes from a checkpoint that the known key has signed in both directions.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    checkpoint::{Checkpoint, Leaf, Ledgers, of_note, parse_changes},
    note::{Note, PublicKey},
    row::{Hash, sha256},
    verdict::Verdict,
};

/// A chain of checkpoints, as far as it was taken.
pub struct Trust {
    /// Of the key that is known.
    fingerprint: String,
    /// Keys that came with the checkpoints: nobody vouches for them.
    keys: Vec<PublicKey>,
    next_number: i64,
    last: Option<Last>,
    /// Whether the known key has signed one.
    met: bool,
}

struct Last {
    installation: Uuid,
    time: DateTime<Utc>,
    hash: Hash,
    signer: PublicKey,
    next_key: Option<PublicKey>,
}

impl Trust {
    /// Of checkpoints from `from` on (numbers begin at 1): what lies before it was verified before, or is vouched for
    /// by those that follow.
    pub fn new(fingerprint: &str, keys: Vec<PublicKey>, from: i64) -> Self {
        let fingerprint = fingerprint.to_ascii_lowercase();
        Self { fingerprint, keys, next_number: from, last: None, met: false }
    }

    /// Takes the next note.
    pub fn note(&mut self, note: &str) -> Result<Checkpoint, Verdict> {
        let number = self.next_number;
        let untrusted = Verdict::CheckpointUntrusted { number };
        let (signed, checkpoint) = of_note(note).map_err(|_| untrusted)?;
        if checkpoint.number > number {
            return Err(Verdict::CheckpointMissing { number });
        }
        if checkpoint.number < number || !self.follows(&checkpoint) {
            return Err(untrusted);
        }
        let signer = self.signer(&signed, &checkpoint).ok_or(untrusted)?;
        self.met |= signer.fingerprint() == self.fingerprint;
        self.next_number += 1;
        self.last = Some(Last {
            installation: checkpoint.installation,
            time: checkpoint.time,
            hash: sha256(note.as_bytes()),
            signer,
            next_key: checkpoint.next_key,
        });
        Ok(checkpoint)
    }

    fn follows(&self, checkpoint: &Checkpoint) -> bool {
        match &self.last {
            Some(last) => {
                checkpoint.previous == Some(last.hash)
                    && checkpoint.installation == last.installation
                    && checkpoint.time >= last.time
            }
            None => (checkpoint.number == 1) == checkpoint.previous.is_none(),
        }
    }

    /// The one that may sign and has. A key that was named as the next replaces the one that named it.
    fn signer(&self, note: &Note<'_>, checkpoint: &Checkpoint) -> Option<PublicKey> {
        let name = checkpoint.name();
        let may_sign = match &self.last {
            Some(last) => vec![last.next_key.unwrap_or(last.signer)],
            None => self.keys.clone(),
        };
        may_sign.into_iter().find(|key| note.is_signed_by(&name, key))
    }

    /// Whether the known key has signed one of those that were taken.
    pub fn is_met(&self) -> bool {
        self.met
    }

    /// The last number that was taken; 0: none.
    pub fn last_number(&self) -> i64 {
        self.last.as_ref().map_or(0, |_| self.next_number - 1)
    }

    /// After the last one: nothing is trusted before the known key has signed one of them.
    pub fn end(&self) -> Result<(), Verdict> {
        match self.met || self.last.is_none() {
            true => Ok(()),
            false => Err(Verdict::CheckpointUntrusted { number: self.next_number - 1 }),
        }
    }
}

/// The changes of a checkpoint, which it signs by their hash.
pub fn signed_changes(checkpoint: &Checkpoint, changes: &str) -> Result<Vec<Leaf>, Verdict> {
    let number = checkpoint.number;
    match sha256(changes.as_bytes()) == checkpoint.changed {
        true => parse_changes(changes).map_err(|_| Verdict::CheckpointUntrusted { number }),
        false => Err(Verdict::CheckpointDiffers { number }),
    }
}

/// Applies the changes of a checkpoint to all ledgers, and compares what it signs: the hash of the changes, the number
/// of ledgers and the root.
pub fn apply_changes(ledgers: &mut Ledgers, checkpoint: &Checkpoint, changes: &str) -> Result<Vec<Leaf>, Verdict> {
    let untrusted = Verdict::CheckpointUntrusted { number: checkpoint.number };
    let changes = signed_changes(checkpoint, changes)?;
    ledgers.change(&changes).map_err(|_| untrusted)?;
    let signed = (checkpoint.leaves, checkpoint.root);
    if (ledgers.leaves().len() as u64, ledgers.root()) == signed { Ok(changes) } else { Err(untrusted) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checkpoint::{name, write_changes},
        merkle::empty_root,
        note::SigningKey,
    };

    const UNTRUSTED: fn(i64) -> Verdict = |number| Verdict::CheckpointUntrusted { number };

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed(&[seed; 32]).unwrap()
    }

    /// Notes signed by keys of these seeds; one whose successor has another key names it.
    fn chain(seeds: &[u8]) -> Vec<String> {
        let installation = Uuid::from_u128(7);
        let mut notes: Vec<String> = Vec::new();
        for (at, seed) in seeds.iter().enumerate() {
            let next_key = seeds.get(at + 1).filter(|next| *next != seed).map(|next| key(*next).public());
            let checkpoint = Checkpoint {
                installation,
                leaves: 0,
                root: empty_root(),
                number: at as i64 + 1,
                time: DateTime::UNIX_EPOCH,
                previous: notes.last().map(|note| sha256(note.as_bytes())),
                changed: sha256(b""),
                next_key,
            };
            notes.push(key(*seed).sign(&name(installation), &checkpoint.write()));
        }
        notes
    }

    /// By somebody who knows the fingerprint of one key and is given both.
    fn trusted(notes: &[String], known: u8) -> Result<(), Verdict> {
        let keys = [1, 2].map(|seed| key(seed).public()).to_vec();
        let mut trust = Trust::new(&key(known).public().fingerprint(), keys, 1);
        notes.iter().try_for_each(|note| trust.note(note).map(drop))?;
        trust.end()
    }

    #[test]
    fn trust_goes_from_the_known_key_in_both_directions() {
        let notes = chain(&[1, 1, 2, 2]);
        assert_eq!(trusted(&notes, 1), Ok(()));
        assert_eq!(trusted(&notes, 2), Ok(()));
        assert_eq!(trusted(&notes[..2], 2), Err(UNTRUSTED(2)));
        assert_eq!(trusted(&notes, 3), Err(UNTRUSTED(4)));
    }

    #[test]
    fn a_key_that_nobody_named_and_one_that_was_replaced_sign_nothing() {
        let honest = chain(&[1, 1, 1]);
        let replaced = chain(&[1, 1, 2]);
        let taken_over = [honest[0].clone(), honest[1].clone(), replaced[2].clone()];
        assert_eq!(trusted(&taken_over, 1), Err(UNTRUSTED(3)));
        let went_back = [replaced[0].clone(), replaced[1].clone(), honest[2].clone()];
        assert_eq!(trusted(&went_back, 1), Err(UNTRUSTED(3)));
    }

    #[test]
    fn none_can_be_left_out_changed_or_repeated() {
        let notes = chain(&[1, 1, 1]);
        let without = [notes[0].clone(), notes[2].clone()];
        assert_eq!(trusted(&without, 1), Err(Verdict::CheckpointMissing { number: 2 }));
        assert_eq!(trusted(&notes[1..], 1), Err(Verdict::CheckpointMissing { number: 1 }));
        let twice = [notes[0].clone(), notes[0].clone()];
        assert_eq!(trusted(&twice, 1), Err(UNTRUSTED(2)));
        let changed = [notes[0].replace("\n0\n", "\n1\n")];
        assert_eq!(trusted(&changed, 1), Err(UNTRUSTED(1)));
        assert_eq!(trusted(&["".to_owned()], 1), Err(UNTRUSTED(1)));
    }

    #[test]
    fn changes_are_those_that_were_signed() {
        let mut ledgers = Ledgers::default();
        let note = &chain(&[1])[0];
        let (_, checkpoint) = of_note(note).unwrap();
        assert_eq!(apply_changes(&mut ledgers, &checkpoint, &write_changes(&[])), Ok(vec![]));
        assert_eq!(apply_changes(&mut ledgers, &checkpoint, "x\n"), Err(Verdict::CheckpointDiffers { number: 1 }));
        let more = Checkpoint { leaves: 1, ..checkpoint };
        assert_eq!(apply_changes(&mut ledgers, &more, ""), Err(UNTRUSTED(1)));
    }
}
