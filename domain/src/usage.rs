//! What is counted in a clinic: usage against the limits of its plan, and what there must be one of.
//! The counters move with the events; a decision says by a [`Bound`] what must hold with them.

use events::{
    claim::{Bound, ClaimChange, ClaimKey, CounterChange, CounterKey},
    clinic::Limits,
};

use crate::{Clinic, Facts, Read, Refusal};

/// Something that is counted. The name of its counter is stored for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Usage {
    /// Active, or on leave.
    Doctors,
    /// Neither merged nor erased.
    Patients,
    /// Logins with that role which are not deactivated.
    Receptionists,
    /// Open ones.
    Offices,
    /// Bytes of attachments, from the announcement on.
    Storage,
    /// Administrators who can log in: of the clinic, or in the platform's own ledger of the platform.
    Admins,
}

impl Usage {
    /// What the plans limit.
    pub const LIMITED: [Self; 5] = [Self::Doctors, Self::Patients, Self::Receptionists, Self::Offices, Self::Storage];

    pub fn counter(self) -> CounterKey {
        CounterKey::new(match self {
            Self::Storage => "usage/storage".to_owned(),
            _ => format!("usage/{}", self.noun()),
        })
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Doctors => "doctors",
            Self::Patients => "patients",
            Self::Receptionists => "receptionists",
            Self::Offices => "offices",
            Self::Storage => "bytes of documents",
            Self::Admins => "admins",
        }
    }

    /// `None`: unlimited.
    pub fn limit(self, limits: &Limits) -> Option<i64> {
        match self {
            Self::Doctors => limits.doctors,
            Self::Patients => limits.patients,
            Self::Receptionists => limits.receptionists,
            Self::Offices => limits.offices,
            Self::Storage => limits.storage,
            Self::Admins => None,
        }
    }

    /// Moves the counter by what an event changed; nothing where it changed nothing.
    pub fn moved(self, before: i64, after: i64) -> Option<CounterChange> {
        (before != after).then(|| CounterChange { counter: self.counter(), delta: after - before })
    }

    /// What a decision that is bound by the counter reads: nothing at first, because the append checks
    /// the bound; the counter once an append has failed, to say how much is used.
    pub fn read(self, facts: &Facts) -> Option<Read> {
        facts.contended.then(|| Read::Counter(self.counter()))
    }

    /// That the clinic has room for `more`. `None`: unlimited. Refused when the counter is known already.
    pub fn room_for(self, more: i64, clinic: &Clinic, facts: &Facts) -> Result<Option<Bound>, Refusal> {
        self.within(&clinic.limits(), more, facts)
    }

    /// That `more` fit under the limits. `None`: unlimited.
    pub fn within(self, limits: &Limits, more: i64, facts: &Facts) -> Result<Option<Bound>, Refusal> {
        let Some(limit) = self.limit(limits) else { return Ok(None) };
        match facts.counters.get(&self.counter()) {
            Some(used) if used + more > limit => Err(Refusal::quota(self.noun(), limit, *used)),
            _ => Ok(Some(Bound { counter: self.counter(), at_least: None, at_most: Some(limit) })),
        }
    }

    /// That one remains after `fewer` are gone.
    pub fn one_remains(self, fewer: i64, facts: &Facts) -> Result<Bound, Refusal> {
        match facts.counters.get(&self.counter()) {
            Some(used) if used - fewer < 1 => Err(self.last()),
            _ => Ok(Bound { counter: self.counter(), at_least: Some(1), at_most: None }),
        }
    }

    fn last(self) -> Refusal {
        match self {
            Self::Admins => Refusal::rule("last-administrator", "There must be another administrator who can log in."),
            Self::Offices => Refusal::rule("last-office", "A clinic has at least one open office."),
            Self::Doctors | Self::Patients | Self::Receptionists | Self::Storage => {
                Refusal::rule("last-one", format!("One of the {} must remain.", self.noun()))
            }
        }
    }
}

/// The claims that an event moves, given what its stream holds before and after it: so whatever is taken
/// is freed again, and nothing is freed that was not taken.
pub fn moved_claims(before: &[ClaimKey], after: &[ClaimKey]) -> Vec<ClaimChange> {
    let freed = before.iter().filter(|claim| !after.contains(claim)).cloned().map(ClaimChange::Free);
    let taken = after.iter().filter(|claim| !before.contains(claim)).cloned().map(ClaimChange::Take);
    freed.chain(taken).collect()
}
