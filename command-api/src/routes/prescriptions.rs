//! Commands on prescriptions.

use aide::axum::{ApiRouter, routing::post_with};
use domain::{
    Prescription, PrescriptionCommand,
    prescription::{
        AddPrescriptionItem, AuthoriseRefill, CancelPrescription, ChangePrescriptionItem, CompletePrescription,
        DispensePrescription, DraftPrescription, EnterPrescriptionInError, ExpandShortKey, HoldPrescription,
        IssuePrescription, OverrideAlert, PrintPrescription, ReleasePrescription, RemovePrescriptionItem,
        ReplacePrescription, StopPrescription, UseRefill,
    },
};
use service_kit::{Authenticated, Capability, Limit};

use super::{
    collection::{Collection, creates},
    needs::Needs,
    prescription_check,
};
use crate::{app::App, execute::Reached};

/// Doctors.
const PRESCRIBE: Needs<Prescription> = Needs::all(Capability::Prescribe);
/// And nurses, as long as it is a draft.
pub(super) const DRAFT: Needs<Prescription> = Needs::within(Capability::Prescribe, &[(Limit::Draft, is_drafting)]);
const DISPENSE: Needs<Prescription> = Needs::all(Capability::Dispense);
/// Whoever hands it to the patient.
const PRINT: Needs<Prescription> =
    Needs::within(Capability::Prescribe, &[(Limit::Draft, |_, _| true)]).or(Capability::Dispense, |_, _| true);

pub fn routes() -> ApiRouter<App> {
    Collection::of_clinic("/prescriptions")
        .create::<DraftPrescription>(DRAFT)
        .action::<AddPrescriptionItem>("add-item", DRAFT)
        .action::<ChangePrescriptionItem>("change-item", DRAFT)
        .action::<RemovePrescriptionItem>("remove-item", DRAFT)
        .action::<ExpandShortKey>("expand-short-key", DRAFT)
        .action::<OverrideAlert>("override-alert", PRESCRIBE)
        .action::<IssuePrescription>("issue", PRESCRIBE)
        .action::<DispensePrescription>("dispense", DISPENSE)
        .action::<AuthoriseRefill>("authorise-refill", PRESCRIBE)
        .action::<UseRefill>("refill", DISPENSE)
        .action::<HoldPrescription>("hold", PRESCRIBE)
        .action::<ReleasePrescription>("release", PRESCRIBE)
        .action::<StopPrescription>("stop", PRESCRIBE)
        .action::<CancelPrescription>("cancel", DRAFT)
        .action::<CompletePrescription>("complete", PRESCRIBE)
        .action::<ReplacePrescription>("replace", DRAFT)
        .action::<EnterPrescriptionInError>("enter-in-error", PRESCRIBE)
        .action::<PrintPrescription>("print", PRINT)
        .router()
        .api_route(
            "/clinic/{slug}/api/v1/prescriptions/{id}/check",
            post_with(prescription_check::check, prescription_check::document),
        )
}

/// Making a draft and writing at it. What was issued is the doctors'; that nothing of it changes is for the rules to say.
fn is_drafting(_: &Authenticated, reached: &Reached<'_, Prescription>) -> bool {
    match (reached.command, reached.state) {
        (PrescriptionCommand::Draft(_) | PrescriptionCommand::Replace(_), _) | (_, None) => true,
        (PrescriptionCommand::Cancel(_), Some(prescription)) => prescription.is_draft(),
        (
            PrescriptionCommand::AddItem(_)
            | PrescriptionCommand::ChangeItem(_)
            | PrescriptionCommand::RemoveItem(_)
            | PrescriptionCommand::ExpandShortKey(_),
            Some(_),
        ) => true,
        _ => false,
    }
}

creates!(Prescription: DraftPrescription);
