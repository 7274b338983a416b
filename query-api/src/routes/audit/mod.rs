//! The audit trail: the record, the access ledger, and both laid together; one entry of either, with all that
//! its hash covers; who saw a patient's record, and the accounting of disclosures; replays, in which the clinic can be
//! asked as it was; whether all of it is what was signed.

mod access_log;
mod checkpoints;
mod disclosures;
mod fhir;
mod one;
mod person;
mod replays;
mod trail;
mod verify;

use aide::axum::ApiRouter;

use crate::QueryState;

pub(super) fn routes() -> ApiRouter<QueryState> {
    trail::routes()
        .merge(one::routes())
        .merge(access_log::routes())
        .merge(disclosures::routes())
        .merge(fhir::routes())
        .merge(replays::routes())
        .merge(verify::routes())
        .merge(checkpoints::routes())
}
