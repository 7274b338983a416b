//! Commands on medicines: the clinic's own, what it says of the platform's, and the platform's own.

use aide::axum::ApiRouter;
use domain::{
    Medicine, MedicineCommand,
    medicine::{
        AddMedicine, HideMedicine, LiftMedicineOverride, MedicineDraft, OverrideMedicine, RetireMedicine, ShowMedicine,
        UpdateMedicine,
    },
};
use events::MedicineId;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{Capability, Limit};

use super::{
    collection::{Collection, creates},
    needs::Needs,
};
use crate::app::App;

const MEDICINES: Needs<Medicine> = Needs::all(Capability::Medicines);
/// Under the platform's own address there is nothing but the platform's catalogue.
const PLATFORM: Needs<Medicine> = Needs::within(Capability::Medicines, &[(Limit::Platform, |_, _| true)]);

pub fn routes() -> ApiRouter<App> {
    let of_clinic = Collection::of_clinic("/medicines")
        .create::<AddMedicine>(MEDICINES)
        .put::<UpdateMedicine>(MEDICINES)
        .action::<RetireMedicine>("retire", MEDICINES)
        .action::<OverrideMedicine>("override", MEDICINES)
        .action::<LiftMedicineOverride>("lift-override", MEDICINES)
        .action::<HideMedicine>("hide", MEDICINES)
        .action::<ShowMedicine>("show", MEDICINES);
    let of_platform = Collection::of_platform("/medicines")
        .create_on_platform::<AddPlatformMedicine>(PLATFORM)
        .put_on_platform::<UpdatePlatformMedicine>(PLATFORM)
        .action_on_platform::<RetirePlatformMedicine>("retire", PLATFORM);
    of_clinic.router().merge(of_platform.router())
}

creates!(Medicine: AddMedicine, AddPlatformMedicine);

/// Adds a medicine to the platform's catalogue, which every clinic sees.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddPlatformMedicine {
    #[serde(default)]
    pub id: Option<MedicineId>,
    #[serde(flatten)]
    pub medicine: MedicineDraft,
}

/// Replaces all that the platform's catalogue says of a medicine. What was prescribed keeps its own copy.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct UpdatePlatformMedicine(pub MedicineDraft);

/// Takes a medicine from the platform's catalogue for good, for every clinic.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetirePlatformMedicine {}

impl From<AddPlatformMedicine> for MedicineCommand {
    fn from(AddPlatformMedicine { id, medicine }: AddPlatformMedicine) -> Self {
        AddMedicine { id, medicine }.into()
    }
}

impl From<UpdatePlatformMedicine> for MedicineCommand {
    fn from(UpdatePlatformMedicine(medicine): UpdatePlatformMedicine) -> Self {
        UpdateMedicine(medicine).into()
    }
}

impl From<RetirePlatformMedicine> for MedicineCommand {
    fn from(_: RetirePlatformMedicine) -> Self {
        RetireMedicine {}.into()
    }
}
