//! Patients: the list, one record, search, duplicate candidates, statistics.

mod body;
mod duplicates;
mod group;
mod list;
pub(crate) mod one;
mod search;
mod stats;

use aide::axum::ApiRouter;
pub use body::{Age, Patient, PatientSummary};
pub(crate) use group::Group;

use crate::QueryState;

const MODELS: &[&str] = &["patient_1"];

pub(super) fn routes() -> ApiRouter<QueryState> {
    list::routes().merge(search::routes()).merge(duplicates::routes()).merge(stats::routes()).merge(one::routes())
}
