//! What a tail or a feed lacks.

use events::{ClinicId, Position};

use super::Checkpoint;
use crate::Span;

/// Events that followers read in one query.
pub(super) const PAGE_EVENTS_MAX: usize = 4_096;

/// Events of one clinic behind a checkpoint, up to a position.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    pub(super) clinic: ClinicId,
    pub(super) after: Checkpoint,
    pub(super) upto: Position,
}

impl From<&Want> for Span {
    fn from(want: &Want) -> Self {
        Self { clinic: want.clinic, after: want.after.position, upto: want.upto }
    }
}
