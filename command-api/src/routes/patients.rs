//! Commands on a patient's record.

use aide::axum::ApiRouter;
use domain::{
    Patient,
    patient::{
        AddIdentifier, AddProblem, AssertNoKnownAllergies, DeactivatePatient, EndIdentifier, GiveConsent, LinkFamily,
        MergePatient, ReactivatePatient, RecordAllergy, RecordDeath, RefuteAllergy, RegisterPatient, ResolveAllergy,
        ResolveProblem, RestrictRecord, SetEmergencyContact, UnmergePatient, UpdateDemographics, VerifyAllergy,
        WithdrawConsent,
    },
};
use events::PatientId;
use service_kit::{Authenticated, Capability, Limit};

use super::{
    collection::{Collection, Creates},
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
const RESTRICTION: Needs<Patient> = Needs::all(Capability::Restriction);

pub fn routes() -> ApiRouter<App> {
    Collection::of_clinic("/patients")
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
        .router()
}

/// The one patient of a portal login.
fn is_own(who: &Authenticated, reached: &Reached<'_, Patient>) -> bool {
    who.patient() == Some(PatientId(reached.target.id))
}

impl Creates<Patient> for RegisterPatient {
    fn chosen_id(&self) -> Option<uuid::Uuid> {
        self.id.map(Into::into)
    }
}
