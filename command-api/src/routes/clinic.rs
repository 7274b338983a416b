//! Commands on the clinic itself: by its administrators, and by the platform.

use aide::axum::ApiRouter;
use domain::{
    Clinic, ClinicCommand,
    clinic::{
        ActivateSubscription, AddOffice, CancelClosure, ChangePlan, CloseClinic, CloseOffice, DeclareClosure,
        GrantAuditor, LiftLegalHold, PlaceLegalHold, RemoveLogo, ResumeClinic, RevokeAuditorGrant, SetLimits, SetLogo,
        SetOfficeHours, SuspendClinic, UpdateProfile, UpdateSettings,
    },
    values::Reason,
};
use events::LegalHoldId;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::Capability;

use super::{collection::Collection, needs::Needs};
use crate::app::App;

const PROFILE: Needs<Clinic> = Needs::all(Capability::ClinicProfile);
const LEGAL_HOLD: Needs<Clinic> = Needs::all(Capability::LegalHold);
/// Whoever gives roles gives auditors their grants.
const GRANTS: Needs<Clinic> = Needs::all(Capability::Staff);
const PLATFORM: Needs<Clinic> = Needs::all(Capability::Clinics);

pub fn routes() -> ApiRouter<App> {
    let by_administrators = Collection::of_clinic("")
        .patch_clinic::<UpdateProfile>("", PROFILE)
        .patch_clinic::<UpdateSettings>("/settings", PROFILE)
        .on_clinic::<SetLogo>("/logo", PROFILE)
        .on_clinic::<RemoveLogo>("/logo/remove", PROFILE)
        .add_to_clinic::<AddOffice>("/offices", "office_id", PROFILE)
        .on_clinic::<CloseOffice>("/offices/close", PROFILE)
        .on_clinic::<SetOfficeHours>("/offices/hours", PROFILE)
        .add_to_clinic::<DeclareClosure>("/closures", "closure_id", PROFILE)
        .on_clinic::<CancelClosure>("/closures/cancel", PROFILE)
        .add_to_clinic_at_any_time::<PlaceLegalHold>("/legal-holds", "hold_id", LEGAL_HOLD)
        .on_clinic_at_any_time::<LiftLegalHold>("/legal-holds/lift", LEGAL_HOLD)
        .add_to_clinic::<GrantAuditor>("/auditor-grants", "auditor_grant_id", GRANTS)
        .on_clinic::<RevokeAuditorGrant>("/auditor-grants/revoke", GRANTS);
    let by_platform = Collection::of_platform("/clinics")
        .by_platform::<ActivateSubscription>("subscription", PLATFORM)
        .by_platform::<ChangePlan>("plan", PLATFORM)
        .by_platform::<SetLimits>("limits", PLATFORM)
        .by_platform::<SuspendClinic>("suspend", PLATFORM)
        .by_platform::<ResumeClinic>("resume", PLATFORM)
        .by_platform::<LiftClinicsLegalHold>("lift-legal-hold", PLATFORM)
        .by_platform::<CloseClinic>("close", PLATFORM);
    by_administrators.router().merge(by_platform.router())
}

/// Lifts, for the platform, a legal hold of a clinic that has one administrator, who placed it; see `LiftLegalHold`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiftClinicsLegalHold {
    pub hold_id: LegalHoldId,
    /// Names no person: it is not sealed.
    pub reason: Reason,
}

impl From<LiftClinicsLegalHold> for ClinicCommand {
    fn from(LiftClinicsLegalHold { hold_id, reason }: LiftClinicsLegalHold) -> Self {
        LiftLegalHold { hold_id, reason }.into()
    }
}
