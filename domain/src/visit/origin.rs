//! What comes of a visit: a note, an order, a prescription. It is of the person who came.

use events::VisitId;

use crate::{Facts, Read, Refusal, Visit, patient::Group};

pub(crate) fn reads(visit: Option<VisitId>) -> Option<Read> {
    visit.map(|visit| Read::Stream(visit.into()))
}

/// That the visit is this person's. 404 for none of this clinic.
pub(crate) fn is_of(person: &Group<'_>, visit: Option<VisitId>, facts: &Facts) -> Result<(), Refusal> {
    let Some(visit) = visit else { return Ok(()) };
    let visit = facts.get::<Visit>(visit).ok_or_else(|| Refusal::not_found("visit").at("/visit_id"))?;
    match person.contains(visit.attendance.patient) {
        true => Ok(()),
        false => Err(Refusal::rule("visit-of-another", "The visit is another patient's.").at("/visit_id")),
    }
}
