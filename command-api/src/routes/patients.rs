//! Commands on a patient's record.

use aide::axum::ApiRouter;
use domain::{
    Patient, PatientCommand,
    patient::{
        AddIdentifier, AddProblem, ApproveErasure, AssertNoKnownAllergies, DeactivatePatient, EndIdentifier,
        GiveConsent, LinkFamily, MergePatient, ReactivatePatient, RecordAllergy, RecordDeath, RefuteAllergy,
        RegisterPatient, RequestErasure, ResolveAllergy, ResolveProblem, RestrictRecord, SetEmergencyContact,
        UnmergePatient, UpdateDemographics, VerifyAllergy, WithdrawConsent,
    },
};
use events::PatientId;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{Authenticated, Capability, Limit};
use uuid::Uuid;

use super::{
    collection::{Collection, Names, creates},
    needs::Needs,
};
use crate::{app::App, execute::Reached};

const REGISTER: Needs<Patient> = Needs::all(Capability::PatientRegister);
const MERGE: Needs<Patient> = Needs::all(Capability::PatientMerge);
const ALLERGIES: Needs<Patient> = Needs::all(Capability::Allergies);
const PROBLEMS: Needs<Patient> = Needs::all(Capability::Problems);
/// A patient says who is to be called for them.
const CONTACT: Needs<Patient> = Needs::within(Capability::PatientRegister, &[(Limit::OwnContact, is_own)]);
/// A patient gives and withdraws their own consent.
const CONSENT: Needs<Patient> = Needs::within(Capability::Consent, &[(Limit::Own, is_own)]);
/// A patient asks to be forgotten; the clinic's administrators agree.
const REQUEST_ERASURE: Needs<Patient> = Needs::within(Capability::Erasure, &[(Limit::Request, is_own)]);
const ERASURE: Needs<Patient> = Needs::all(Capability::Erasure);
const PLATFORM: Needs<Patient> = Needs::all(Capability::Clinics);
const RESTRICTION: Needs<Patient> = Needs::all(Capability::Restriction);

pub fn routes() -> ApiRouter<App> {
    let by_platform =
        Collection::of_platform("/clinics").by_platform_within::<ApproveClinicsErasure>("approve-erasure", PLATFORM);
    let of_clinic = Collection::of_clinic("/patients")
        .create::<RegisterPatient>(REGISTER)
        .put::<UpdateDemographics>(REGISTER)
        .delete::<DeactivatePatient>(MERGE)
        .action::<ReactivatePatient>("reactivate", MERGE)
        .action::<MergePatient>("merge", MERGE)
        .action::<UnmergePatient>("unmerge", MERGE)
        .action::<AddIdentifier>("add-identifier", REGISTER)
        .action::<EndIdentifier>("end-identifier", REGISTER)
        .action::<SetEmergencyContact>("emergency-contact", CONTACT)
        .action::<LinkFamily>("link-family", REGISTER)
        .action::<RecordAllergy>("allergies", ALLERGIES)
        .action::<VerifyAllergy>("verify-allergy", ALLERGIES)
        .action::<RefuteAllergy>("refute-allergy", ALLERGIES)
        .action::<ResolveAllergy>("resolve-allergy", ALLERGIES)
        .action::<AssertNoKnownAllergies>("no-known-allergies", ALLERGIES)
        .action::<AddProblem>("problems", PROBLEMS)
        .action::<ResolveProblem>("resolve-problem", PROBLEMS)
        .action::<GiveConsent>("give-consent", CONSENT)
        .action::<WithdrawConsent>("withdraw-consent", CONSENT)
        .action::<RestrictRecord>("restrict", RESTRICTION)
        .action::<RecordDeath>("record-death", REGISTER)
        .action_at_any_time::<RequestErasure>("request-erasure", REQUEST_ERASURE)
        .action_at_any_time::<ApproveErasure>("approve-erasure", ERASURE);
    of_clinic.router().merge(by_platform.router())
}

/// The one patient of a portal login.
fn is_own(who: &Authenticated, reached: &Reached<'_, Patient>) -> bool {
    who.patient() == Some(PatientId(reached.target.id))
}

creates!(Patient: RegisterPatient);

/// Agrees, for the platform, to the erasure of a patient of a clinic that has one administrator; see
/// `ApproveErasure`. The answer shows nothing of the record.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveClinicsErasure {
    pub patient_id: PatientId,
}

impl Names for ApproveClinicsErasure {
    fn named(&self) -> Uuid {
        self.patient_id.0
    }
}

impl From<ApproveClinicsErasure> for PatientCommand {
    fn from(_: ApproveClinicsErasure) -> Self {
        ApproveErasure {}.into()
    }
}
