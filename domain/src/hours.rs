//! Blocks of a week's hours, as offices and doctors have them.

use events::calendar::{Clock, Day};

use crate::Refusal;

/// So many blocks has a week, and no more: seven days of fourteen.
const MAX_BLOCKS: usize = 98;

/// That each block begins before it ends and none overlaps another. `23:59` is the end of the day.
pub fn check(blocks: impl Iterator<Item = (Day, Clock, Clock)>) -> Result<(), Refusal> {
    let mut blocks: Vec<_> = blocks.collect();
    if blocks.len() > MAX_BLOCKS {
        let detail = format!("A week has at most {MAX_BLOCKS} blocks of hours.");
        return Err(Refusal::rule("too-many-hours", detail).at("/hours"));
    }
    if blocks.iter().any(|(_, from, to)| from >= to) {
        return Err(Refusal::rule("hours-backwards", "Hours begin before they end, on one day.").at("/hours"));
    }
    blocks.sort_unstable();
    let overlap = blocks.windows(2).any(|pair| pair[0].0 == pair[1].0 && pair[1].1 < pair[0].2);
    if overlap {
        return Err(
            Refusal::rule("hours-overlap", "Hours of one day must not overlap, not even in two offices.").at("/hours")
        );
    }
    Ok(())
}
