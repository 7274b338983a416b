//! Commands on doctors.

use aide::axum::ApiRouter;
use domain::{
    Doctor,
    doctor::{
        AssignOffice, CancelLeave, DeactivateDoctor, DeclareLeave, RecordLicence, RegisterDoctor, SetFee,
        SetPrimaryOffice, SetWorkingHours, UnassignOffice,
    },
};
use service_kit::{Capability, Limit};
use uuid::Uuid;

use super::{
    collection::{Collection, Creates},
    needs::Needs,
};
use crate::app::App;

const STAFF: Needs<Doctor> = Needs::all(Capability::Staff);
/// Doctors set their own hours and leave.
const HOURS: Needs<Doctor> =
    Needs::within(Capability::DoctorHours, &[(Limit::Own, |who, reached| who.user().0 == reached.target.id)]);

pub fn routes() -> ApiRouter<App> {
    Collection::of_clinic("/doctors")
        .create::<RegisterDoctor>(STAFF)
        .delete::<DeactivateDoctor>(STAFF)
        .action::<AssignOffice>("assign-office", STAFF)
        .action::<UnassignOffice>("unassign-office", STAFF)
        .action::<SetPrimaryOffice>("primary-office", STAFF)
        .action::<SetWorkingHours>("working-hours", HOURS)
        .action::<DeclareLeave>("leave", HOURS)
        .action::<CancelLeave>("cancel-leave", HOURS)
        .action::<SetFee>("fee", STAFF)
        .action::<RecordLicence>("licence", STAFF)
        .router()
}

impl Creates<Doctor> for RegisterDoctor {
    const NEEDS_ACTIVATION: bool = true;

    fn chosen_id(&self) -> Option<Uuid> {
        self.id.map(Into::into)
    }
}
