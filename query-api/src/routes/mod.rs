//! One file per read model: answers, filters, handlers, documentation.

pub mod appointments;
pub mod audit;
pub mod auditor_grants;
pub mod billing;
pub mod case_studies;
pub mod clinic;
pub mod dashboard;
pub mod day_sheet;
pub mod dental;
pub mod departments;
pub mod doctors;
pub mod documents;
pub mod emergency_accesses;
pub mod erasures;
pub mod export;
pub mod history;
pub mod lab_orders;
pub mod lab_reports;
pub mod lab_results;
pub mod lab_worklist;
pub mod medications;
pub mod medicines;
pub mod notes;
pub mod patients;
pub mod prescriptions;
pub mod profile;
pub mod public;
pub mod queue;
pub mod short_keys;
pub mod slots;
pub mod staff;
pub mod stats;
pub mod timeline;
pub mod visits;

use aide::axum::ApiRouter;
use read_models::Notes;
use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

use crate::{QueryState, clinical, paper};

/// Where everything of one clinic lies.
const CLINIC: &str = "/clinic/{slug}/api/v1";

/// Every query of the service, without layers, to be mounted at the root.
pub fn all() -> ApiRouter<QueryState> {
    let platform = public::routes().merge(profile::routes());
    let clinic = clinic::routes()
        .merge(staff::routes())
        .merge(doctors::routes())
        .merge(departments::routes())
        .merge(slots::routes())
        .merge(day_sheet::routes())
        .merge(appointments::routes())
        .merge(queue::routes())
        .merge(dental::routes())
        .merge(billing::routes())
        .merge(visits::routes())
        .merge(clinical::routes::<Notes>())
        .merge(case_studies::routes())
        .merge(documents::routes())
        .merge(patients::routes())
        .merge(paper::routes())
        .merge(history::routes())
        .merge(prescriptions::routes())
        .merge(medications::routes())
        .merge(medicines::routes())
        .merge(short_keys::routes())
        .merge(lab_orders::routes())
        .merge(lab_worklist::routes())
        .merge(lab_reports::routes())
        .merge(lab_results::routes())
        .merge(timeline::routes())
        .merge(erasures::routes())
        .merge(emergency_accesses::routes())
        .merge(auditor_grants::routes())
        .merge(stats::routes())
        .merge(dashboard::routes())
        .merge(audit::routes())
        .merge(export::routes());
    ApiRouter::new().nest("/api/v1", platform).nest(CLINIC, clinic)
}

/// The id in the path of one resource.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub struct ById {
    pub id: Uuid,
}
