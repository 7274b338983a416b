//! What somebody means who types a code: the doctor's own short key, or else the clinic's.

use events::{DoctorId, ShortKeyId};

use super::{ShortKey, state::code_claim};
use crate::{Facts, Read};

/// Who holds the code, and what they hold.
pub(crate) fn reads(code: &str, doctor: Option<DoctorId>, facts: &Facts) -> Vec<Read> {
    let holders = holders(code, doctor, facts).map(|key| Read::Stream(key.into()));
    claims(code, doctor).map(Read::Claim).chain(holders).collect()
}

/// The short key, once it has been read.
pub(crate) fn find<'f>(code: &str, doctor: Option<DoctorId>, facts: &'f Facts) -> Option<(ShortKeyId, &'f ShortKey)> {
    holders(code, doctor, facts).find_map(|id| Some((id, facts.short_key(id)?)))
}

fn holders(code: &str, doctor: Option<DoctorId>, facts: &Facts) -> impl Iterator<Item = ShortKeyId> {
    claims(code, doctor).filter_map(|claim| Some(facts.holder(&claim)?.id.into()))
}

/// The doctor's own comes first.
fn claims(code: &str, doctor: Option<DoctorId>) -> impl Iterator<Item = events::claim::ClaimKey> {
    doctor.map(|doctor| code_claim(Some(doctor), code)).into_iter().chain([code_claim(None, code)])
}
