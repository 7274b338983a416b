//! Where each command is, and what it needs of the caller: a file per aggregate, a line per command.

mod appointments;
mod billing;
mod case_studies;
mod clinic;
mod collection;
mod content;
mod dental;
mod departments;
mod disclosures;
mod doctors;
mod document;
mod documents;
mod glass;
mod lab_orders;
mod lab_reports;
mod medicines;
mod needs;
mod notes;
mod patients;
mod prescription_check;
mod prescriptions;
mod register;
mod replays;
mod short_keys;
mod staff;
mod visits;

use aide::axum::ApiRouter;

use crate::app::App;

pub use collection::CommandOf;
pub use content::LONG_ROUTE;
pub use needs::Needs;

/// Every command of the service, without layers.
pub fn all() -> ApiRouter<App> {
    register::routes()
        .merge(clinic::routes())
        .merge(staff::routes())
        .merge(glass::routes())
        .merge(doctors::routes())
        .merge(departments::routes())
        .merge(patients::routes())
        .merge(disclosures::routes())
        .merge(appointments::routes())
        .merge(dental::routes())
        .merge(billing::routes())
        .merge(medicines::routes())
        .merge(short_keys::routes())
        .merge(lab_orders::routes())
        .merge(lab_reports::routes())
        .merge(visits::routes())
        .merge(prescriptions::routes())
        .merge(notes::routes())
        .merge(case_studies::routes())
        .merge(documents::routes())
        .merge(replays::routes())
}
