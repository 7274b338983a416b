//! What a verification finds: of a ledger, and of the checkpoints by which it is verified.

use std::fmt;

use events::Position;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The first thing that is wrong, or that nothing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing was altered, dropped or cut off. That holds up to the size that the last checkpoint signs; of the rows
    /// after it only the chain is known.
    Intact {
        /// The size that the last checkpoint signs; 0 where none does.
        up_to: Position,
        /// How many rows lie after it.
        not_yet_anchored: Position,
    },
    /// The row is not what was written there, or does not follow the one before it.
    AlteredAt {
        position: Position,
    },
    /// There is no row at this position, and there are later ones.
    GapAt {
        position: Position,
    },
    /// There were more rows than these.
    CutOffAfter {
        position: Position,
    },
    /// The chain is right, but not the one that was signed: rows after `after`, up to `up_to` at most, were rewritten.
    AlteredBetween {
        /// The last size at which the signed root matches; 0 where none does.
        after: Position,
        /// The first at which it does not.
        up_to: Position,
    },
    CheckpointMissing {
        number: i64,
    },
    /// Not signed by a key that is trusted, or it does not follow the one before it.
    CheckpointUntrusted {
        number: i64,
    },
    /// The one that was given is not the one that was anchored.
    CheckpointDiffers {
        number: i64,
    },
}

impl Verdict {
    pub fn is_intact(&self) -> bool {
        matches!(self, Self::Intact { .. })
    }
}

/// A sentence for people.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Intact { up_to, not_yet_anchored: 0 } => write!(f, "intact, all {up_to} rows are anchored"),
            Self::Intact { up_to, not_yet_anchored } => {
                write!(
                    f,
                    "intact up to the last anchor at {up_to}; {not_yet_anchored} rows after it are not yet anchored"
                )
            }
            Self::AlteredAt { position } => write!(f, "altered at position {position}"),
            Self::GapAt { position } => write!(f, "gap at position {position}"),
            Self::CutOffAfter { position } => write!(f, "cut off after position {position}"),
            Self::AlteredBetween { after, up_to } => {
                write!(f, "rewritten after position {after}, by position {up_to} at the latest")
            }
            Self::CheckpointMissing { number } => write!(f, "checkpoint {number} is missing"),
            Self::CheckpointUntrusted { number } => {
                write!(f, "checkpoint {number} is not signed by a trusted key, or does not follow the one before it")
            }
            Self::CheckpointDiffers { number } => write!(f, "checkpoint {number} differs from its anchor"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_travel_by_their_names() {
        let json = |verdict| serde_json::to_string(&verdict).unwrap();
        assert_eq!(
            json(Verdict::Intact { up_to: 5, not_yet_anchored: 2 }),
            r#"{"verdict":"intact","up_to":5,"not_yet_anchored":2}"#
        );
        assert_eq!(
            json(Verdict::AlteredBetween { after: 5, up_to: 9 }),
            r#"{"verdict":"altered_between","after":5,"up_to":9}"#
        );
        assert_eq!(json(Verdict::CheckpointMissing { number: 3 }), r#"{"verdict":"checkpoint_missing","number":3}"#);
    }
}
