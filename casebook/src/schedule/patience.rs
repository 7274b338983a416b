//! When an item is tried again that is still found after it was tried: because it was refused or failed, or because a
//! read model lags. In memory alone: what a new process tries once more does no harm.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use tokio::time::Instant;

use super::Item;

const FIRST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

#[derive(Clone, Copy)]
struct Tried {
    times: u32,
    until: Instant,
}

/// Items that were tried and are still found.
#[derive(Default)]
pub struct Patience {
    tried: HashMap<Item, Tried>,
}

impl Patience {
    pub fn len(&self) -> usize {
        self.tried.len()
    }

    pub fn is_ready(&self, item: &Item, now: Instant) -> bool {
        self.tried.get(item).is_none_or(|tried| tried.until <= now)
    }

    /// It was tried, with whatever outcome: if it is found again, it waits, twice as long each time.
    pub fn tried(&mut self, item: Item, now: Instant) {
        let times = self.tried.get(&item).map_or(0, |tried| tried.times);
        let wait = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(times)).min(LONGEST_WAIT);
        self.tried.insert(item, Tried { times: times.saturating_add(1), until: now + wait });
    }

    /// Forgets all that is found no more, or so late that many others come first: if it comes back, it is tried at once.
    pub fn keep_only(&mut self, found: &[Item]) {
        let found: HashSet<&Item> = found.iter().collect();
        self.tried.retain(|item, _| found.contains(item));
    }
}

#[cfg(test)]
mod tests {
    use events::ClinicId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_is_found_again_waits_ever_longer_and_never_for_ever() {
        let (mut patience, mut now) = (Patience::default(), Instant::now());
        let item = Item { clinic: ClinicId::PLATFORM, id: Uuid::nil() };
        assert!(patience.is_ready(&item, now));
        for seconds in [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600] {
            patience.tried(item, now);
            now += Duration::from_secs(seconds - 1);
            assert!(!patience.is_ready(&item, now), "{seconds}");
            now += Duration::from_secs(1);
            assert!(patience.is_ready(&item, now), "{seconds}");
        }
    }

    #[test]
    fn what_is_found_no_more_is_forgotten() {
        let (mut patience, now) = (Patience::default(), Instant::now());
        let items = [1, 2].map(|n| Item { clinic: ClinicId::PLATFORM, id: Uuid::from_u128(n) });
        items.iter().for_each(|item| patience.tried(*item, now));
        patience.keep_only(&items[..1]);
        assert_eq!((patience.len(), patience.is_ready(&items[1], now)), (1, true));
    }
}
