//! The checkpoint: one signed statement of how long every ledger of an installation is, and what is in it.
//!
//! Its text is a C2SP tlog-checkpoint with extension lines; `docs/verification.md` has the format. What changed since
//! the one before is a text of its own, signed by its hash.

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, SecondsFormat, Utc};
use events::{ClinicId, Ledger, Position};
use uuid::Uuid;

use crate::{
    fields::FieldWriter,
    merkle::{Tree, leaf_hash},
    note::{Note, PublicKey},
    row::{Hash, ledger_of, sha256},
};

/// The first field of a leaf of the installation's tree.
pub const LEDGER_TAG: &str = "casebook/ledger/1";
const NAME_PREFIX: &str = "casebook/";
const NONE: &str = "-";

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub installation: Uuid,
    /// How many ledgers there are.
    pub leaves: u64,
    /// Of the installation's tree.
    pub root: Hash,
    /// From 1.
    pub number: i64,
    /// Whole microseconds.
    pub time: DateTime<Utc>,
    /// The hash of the whole note before this one; none before the first.
    pub previous: Option<Hash>,
    /// The hash of the [changes](write_changes).
    pub changed: Hash,
    /// The key that signs from the next checkpoint on.
    pub next_key: Option<PublicKey>,
}

/// What was given is no checkpoint, or no text of changes, in the one form that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not in the form of a checkpoint")]
pub struct Malformed(&'static str);

impl Checkpoint {
    /// The name of the log and of its keys.
    pub fn name(&self) -> String {
        name(self.installation)
    }

    /// The text that is signed.
    pub fn write(&self) -> String {
        let previous = self.previous.as_ref().map_or(NONE.to_owned(), base64);
        let next_key = self.next_key.map_or(String::new(), |key| format!("next-key {}\n", key.to_base64()));
        format!(
            "{}\n{}\n{}\nnumber {}\ntime {}\nprevious {previous}\nchanged {}\n{next_key}",
            self.name(),
            self.leaves,
            base64(&self.root),
            self.number,
            self.time.to_rfc3339_opts(SecondsFormat::Micros, true),
            base64(&self.changed),
        )
    }

    /// Reads the text; it has one form only.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut lines = text.lines();
        let mut line = |prefix: &'static str| lines.next().and_then(|line| line.strip_prefix(prefix));
        let checkpoint = Self {
            installation: line(NAME_PREFIX).and_then(|id| id.parse().ok()).ok_or(Malformed("the name"))?,
            leaves: line("").and_then(|leaves| leaves.parse().ok()).ok_or(Malformed("the number of leaves"))?,
            root: line("").and_then(hash).ok_or(Malformed("the root"))?,
            number: line("number ").and_then(|number| number.parse().ok()).ok_or(Malformed("the number"))?,
            time: line("time ").and_then(|time| time.parse().ok()).ok_or(Malformed("the time"))?,
            previous: line("previous ").and_then(optional_hash).ok_or(Malformed("the previous hash"))?,
            changed: line("changed ").and_then(hash).ok_or(Malformed("the hash of the changes"))?,
            next_key: line("next-key ").and_then(PublicKey::from_base64),
        };
        if checkpoint.write() == text { Ok(checkpoint) } else { Err(Malformed("the text")) }
    }
}

/// How an installation names itself, and its keys.
pub fn name(installation: Uuid) -> String {
    format!("{NAME_PREFIX}{installation}")
}

/// A leaf of the installation's tree: how long a ledger is, and what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    pub clinic: ClinicId,
    pub ledger: Ledger,
    pub size: Position,
    pub root: Hash,
    /// The root of the [charts](crate::charts); of the record alone.
    pub charts: Option<Hash>,
}

impl Leaf {
    pub fn data(&self) -> Vec<u8> {
        let mut fields = FieldWriter::default();
        fields.bytes(LEDGER_TAG).uuid(self.clinic.0).integer(self.ledger as i64).integer(self.size);
        fields.bytes(self.root).optional(self.charts);
        fields.into_bytes()
    }

    pub fn hash(&self) -> Hash {
        leaf_hash(&self.data())
    }

    /// What leaves are sorted by.
    pub fn place(&self) -> (Uuid, i16) {
        (self.clinic.0, self.ledger as i16)
    }

    fn line(&self) -> String {
        let charts = self.charts.as_ref().map_or(NONE.to_owned(), base64);
        format!("{} {} {} {} {charts}\n", self.clinic.0, self.ledger as i16, self.size, base64(&self.root))
    }

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        Some(Self {
            clinic: ClinicId(words.next()?.parse().ok()?),
            ledger: ledger_of(words.next()?.parse().ok()?)?,
            size: words.next()?.parse().ok()?,
            root: hash(words.next()?)?,
            charts: optional_hash(words.next()?)?,
        })
    }
}

/// The text of the leaves that are new or changed, a line for each, sorted.
pub fn write_changes(leaves: &[Leaf]) -> String {
    leaves.iter().map(Leaf::line).collect()
}

/// Reads it; it has one form only.
pub fn parse_changes(text: &str) -> Result<Vec<Leaf>, Malformed> {
    let leaves: Option<Vec<Leaf>> = text.lines().map(Leaf::parse).collect();
    let leaves = leaves.ok_or(Malformed("a change"))?;
    let sorted = leaves.is_sorted_by(|one, next| one.place() < next.place());
    if sorted && write_changes(&leaves) == text { Ok(leaves) } else { Err(Malformed("the text of the changes")) }
}

/// What is kept outside the database: the note, an empty line, the changes.
pub fn write_anchor(note: &str, changes: &str) -> String {
    format!("{note}\n{changes}")
}

/// The note and the changes of an anchor.
pub fn split_anchor(anchor: &str) -> Result<(&str, &str), Malformed> {
    let mut empty_lines = anchor.match_indices("\n\n").map(|(at, _)| at);
    let after_note = empty_lines.nth(1).ok_or(Malformed("an anchor"))?;
    Ok((&anchor[..=after_note], &anchor[after_note + 2..]))
}

/// The checkpoint of a note, whoever signed it.
pub fn of_note(note: &str) -> Result<(Note<'_>, Checkpoint), Malformed> {
    let note = Note::parse(note).map_err(|_| Malformed("the note"))?;
    let checkpoint = Checkpoint::parse(note.text)?;
    Ok((note, checkpoint))
}

/// The hash of a leaf of a ledger's tree: its data is the chain's hash of one row.
pub fn ledger_leaf_hash(chain: &Hash) -> Hash {
    let mut content = [0; 33];
    content[1..].copy_from_slice(chain);
    sha256(&content)
}

/// All ledgers of an installation with their tree, as checkpoints bring them forward.
#[derive(Clone, Debug, Default)]
pub struct Ledgers {
    leaves: Vec<Leaf>,
    tree: Tree,
}

impl Ledgers {
    /// Takes the changes of a checkpoint. `Err`: a ledger did not grow.
    pub fn change(&mut self, changes: &[Leaf]) -> Result<(), Malformed> {
        let mut is_new = false;
        for leaf in changes {
            match self.leaves.binary_search_by_key(&leaf.place(), Leaf::place) {
                Ok(at) if self.leaves[at].size < leaf.size => {
                    self.leaves[at] = *leaf;
                    if !is_new {
                        self.tree.set(at, leaf.hash());
                    }
                }
                Err(at) if leaf.size > 0 => {
                    self.leaves.insert(at, *leaf);
                    is_new = true;
                }
                _ => return Err(Malformed("a ledger that did not grow")),
            }
        }
        if is_new {
            self.tree = Tree::new(self.leaves.iter().map(Leaf::hash).collect());
        }
        Ok(())
    }

    /// Sorted.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// The leaf of a ledger, its index in the tree, and the proof that it lies there.
    pub fn prove(&self, clinic: ClinicId, ledger: Ledger) -> Option<(&Leaf, usize, Vec<Hash>)> {
        let index = self.leaves.binary_search_by_key(&(clinic.0, ledger as i16), Leaf::place).ok()?;
        Some((&self.leaves[index], index, self.tree.inclusion(index)))
    }
}

fn base64(hash: &Hash) -> String {
    BASE64_STANDARD.encode(hash)
}

fn hash(text: &str) -> Option<Hash> {
    BASE64_STANDARD.decode(text).ok()?.try_into().ok()
}

fn optional_hash(text: &str) -> Option<Option<Hash>> {
    if text == NONE { Some(None) } else { hash(text).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::verify_inclusion;

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            installation: Uuid::from_u128(7),
            leaves: 2,
            root: [1; 32],
            number: 3,
            time: DateTime::from_timestamp_micros(1_767_225_600_000_001).unwrap(),
            previous: Some([2; 32]),
            changed: [3; 32],
            next_key: None,
        }
    }

    fn leaf(clinic: u128, ledger: Ledger, size: Position) -> Leaf {
        let charts = (ledger == Ledger::Record).then_some([5; 32]);
        Leaf { clinic: ClinicId(Uuid::from_u128(clinic)), ledger, size, root: [size as u8; 32], charts }
    }

    #[test]
    fn the_text_has_one_form() {
        let text = "casebook/00000000-0000-0000-0000-000000000007\n2\nAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n\
                    number 3\ntime 2026-01-01T00:00:00.000001Z\nprevious AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=\n\
                    changed AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=\n";
        assert_eq!(checkpoint().write(), text);
        assert_eq!(Checkpoint::parse(text), Ok(checkpoint()));
        for (part, other) in [
            ("number 3", "number 03"),
            ("number 3", "number  3"),
            ("000001Z", "000001+00:00"),
            ("Z\n", "Z\n\n"),
            ("changed ", "Changed "),
            ("previous AgIC", "previous -AgIC"),
            ("AwM=\n", "AwM="),
            ("AwM=\n", "AwM=\nmore\n"),
            ("AwM=\n", "AwM=\nnext-key AwM=\n"),
        ] {
            assert!(Checkpoint::parse(&text.replace(part, other)).is_err(), "{other:?}");
        }
        for other in [
            Checkpoint { previous: None, ..checkpoint() },
            Checkpoint { next_key: Some(PublicKey([9; 32])), ..checkpoint() },
        ] {
            assert_eq!(Checkpoint::parse(&other.write()), Ok(other));
        }
    }

    #[test]
    fn changes_have_one_form_and_an_order() {
        let leaves = [leaf(1, Ledger::Record, 4), leaf(1, Ledger::Access, 2), leaf(2, Ledger::Record, 1)];
        let text = write_changes(&leaves);
        assert_eq!(parse_changes(&text), Ok(leaves.to_vec()));
        assert_eq!(parse_changes(""), Ok(vec![]));
        let unsorted = write_changes(&[leaves[2], leaves[0]]);
        assert!(parse_changes(&unsorted).is_err());
        let twice = write_changes(&[leaves[0], leaves[0]]);
        assert!(parse_changes(&twice).is_err());
        assert!(parse_changes(&text.replace(" 4 ", " 04 ")).is_err());
        assert!(parse_changes(&text.replace(" 4 ", " 4  ")).is_err());
        assert!(parse_changes(text.trim_end()).is_err());
    }

    #[test]
    fn an_anchor_is_taken_apart_as_it_was_put_together() {
        let note = "text\n\n\u{2014} name c2ln\n";
        for changes in ["", "one\n", "one\ntwo\n"] {
            assert_eq!(split_anchor(&write_anchor(note, changes)), Ok((note, changes)));
        }
        assert!(split_anchor(note).is_err());
    }

    #[test]
    fn ledgers_only_grow_and_each_can_be_proved() {
        let mut ledgers = Ledgers::default();
        ledgers.change(&[leaf(2, Ledger::Record, 1), leaf(3, Ledger::Record, 1)]).unwrap();
        ledgers.change(&[leaf(1, Ledger::Record, 4), leaf(3, Ledger::Record, 5), leaf(3, Ledger::Access, 1)]).unwrap();
        let of_all_at_once = Tree::new(ledgers.leaves().iter().map(Leaf::hash).collect());
        assert_eq!(ledgers.root(), of_all_at_once.root());
        ledgers.change(&[leaf(3, Ledger::Record, 6)]).unwrap();
        for leaf in ledgers.leaves() {
            let (proved, index, proof) = ledgers.prove(leaf.clinic, leaf.ledger).unwrap();
            assert_eq!(proved, leaf);
            assert!(verify_inclusion(&leaf.hash(), index as u64, 4, &proof, &ledgers.root()));
        }
        assert!(ledgers.change(&[leaf(3, Ledger::Record, 6)]).is_err());
        assert!(ledgers.change(&[leaf(9, Ledger::Record, 0)]).is_err());
    }
}
