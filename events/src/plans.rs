//! What each plan offers: one table, for the rules that check it and for the page that shows it.

use crate::{
    clinic::{Limits, Plan},
    values::Money,
};

/// How long a clinic may try the program.
pub const TRIAL_DAYS: i64 = 30;

const GIGABYTE: i64 = 1_000_000_000;
const CURRENCY: &str = "INR";

impl Plan {
    /// How much a clinic on this plan may have, unless other limits were set for it.
    pub const fn limits(self) -> Limits {
        let (doctors, patients, receptionists, offices, gigabytes) = match self {
            Self::Trial => (Some(5), Some(1_000), Some(2), Some(1), Some(1)),
            Self::Basic => (Some(20), Some(10_000), Some(10), Some(3), Some(10)),
            Self::Premium => (Some(100), None, None, Some(10), Some(100)),
            Self::Enterprise => (None, None, None, None, None),
        };
        let storage = match gigabytes {
            Some(gigabytes) => Some(gigabytes * GIGABYTE),
            None => None,
        };
        Limits { doctors, patients, receptionists, offices, storage }
    }

    /// The price of a month; `None`: by contract.
    pub fn price_per_month(self) -> Option<Money> {
        let rupees = match self {
            Self::Trial => 0,
            Self::Basic => 2_999,
            Self::Premium => 9_999,
            Self::Enterprise => return None,
        };
        Some(Money { minor: rupees * 100, currency: CURRENCY.to_owned() })
    }
}
