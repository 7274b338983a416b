//! Commands on departments of the clinic.

use aide::axum::ApiRouter;
use domain::{
    Department,
    department::{AssignHead, AssignStaff, CloseDepartment, CreateDepartment, UnassignStaff},
};
use service_kit::Capability;

use super::{
    collection::{Collection, creates},
    needs::Needs,
};
use crate::app::App;

const PROFILE: Needs<Department> = Needs::all(Capability::ClinicProfile);

pub fn routes() -> ApiRouter<App> {
    Collection::of_clinic("/departments")
        .create::<CreateDepartment>(PROFILE)
        .action::<AssignHead>("head", PROFILE)
        .action::<AssignStaff>("assign-staff", PROFILE)
        .action::<UnassignStaff>("unassign-staff", PROFILE)
        .action::<CloseDepartment>("close", PROFILE)
        .router()
}

creates!(Department: CreateDepartment);
