//! Commands on the clinic itself: by its administrators, and by the platform.

use aide::axum::ApiRouter;
use domain::{
    Clinic,
    clinic::{
        ActivateSubscription, AddOffice, CancelClosure, ChangePlan, CloseOffice, DeclareClosure, ResumeClinic,
        SetLimits, SetOfficeHours, SuspendClinic, UpdateProfile, UpdateSettings,
    },
};
use service_kit::Capability;

use super::{collection::Collection, needs::Needs};
use crate::app::App;

const PROFILE: Needs<Clinic> = Needs::all(Capability::ClinicProfile);
const PLATFORM: Needs<Clinic> = Needs::all(Capability::Clinics);

pub fn routes() -> ApiRouter<App> {
    let by_administrators = Collection::of_clinic("")
        .patch_clinic::<UpdateProfile>("", PROFILE)
        .patch_clinic::<UpdateSettings>("/settings", PROFILE)
        .add_to_clinic::<AddOffice>("/offices", "office_id", PROFILE)
        .on_clinic::<CloseOffice>("/offices/close", PROFILE)
        .on_clinic::<SetOfficeHours>("/offices/hours", PROFILE)
        .add_to_clinic::<DeclareClosure>("/closures", "closure_id", PROFILE)
        .on_clinic::<CancelClosure>("/closures/cancel", PROFILE);
    let by_platform = Collection::of_platform("/clinics")
        .by_platform::<ActivateSubscription>("subscription", PLATFORM)
        .by_platform::<ChangePlan>("plan", PLATFORM)
        .by_platform::<SetLimits>("limits", PLATFORM)
        .by_platform::<SuspendClinic>("suspend", PLATFORM)
        .by_platform::<ResumeClinic>("resume", PLATFORM);
    by_administrators.router().merge(by_platform.router())
}
