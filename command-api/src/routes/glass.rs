//! Breaking the glass: by who treats, with the password given again; ended by hand; reviewed by somebody else.

use aide::axum::{ApiRouter, routing::post_with};
use axum::{extract::State, response::Response};
use domain::{
    Staff,
    staff::{self, EndEmergencyAccess, ReviewEmergencyAccess},
    values::{Justification, Whole},
};
use events::{PatientId, Purpose, staff::EmergencyReason};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use service_kit::{Capability, ClinicScope, Problem};

use super::{collection::Collection, document::document, needs::Needs};
use crate::{
    app::App,
    auth::prove_again,
    handle::{self, Asked},
    incoming::{Incoming, WithId},
};

const BREAK: Needs<Staff> = Needs::all(Capability::BreakGlass);
/// Whose it is, and who manages the logins.
const END: Needs<Staff> = BREAK.or(Capability::Staff, |_, _| true);
/// The clinic's administrators, and its auditors.
const REVIEW: Needs<Staff> = Needs::all(Capability::Audit);

/// Breaks the glass: opens one patient's record to you, beyond what your roles show, for at most four hours. It needs
/// your password once more. Everything you see and do meanwhile is recorded as emergency treatment, somebody else
/// reviews it within 72 hours, and the patient can see it.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BreakGlass {
    reason: EmergencyReason,
    /// What makes it an emergency.
    text: Justification,
    /// After so many hours it ends by itself.
    hours: Whole<1, 4>,
    /// Your own, given again.
    #[schemars(with = "String")]
    password: SecretString,
}

pub fn routes() -> ApiRouter<App> {
    let by_hand = Collection::of_clinic("/staff")
        .action::<EndEmergencyAccess>("end-emergency-access", END)
        .action::<ReviewEmergencyAccess>("review-emergency-access", REVIEW);
    by_hand.router().api_route(
        "/clinic/{slug}/api/v1/patients/{id}/break-glass",
        post_with(break_glass, document::<Staff, BreakGlass>(201)),
    )
}

/// On the caller's own login, about the patient of the path.
async fn break_glass(
    State(app): State<App>,
    scope: ClinicScope,
    incoming: Incoming<BreakGlass, WithId>,
) -> Result<Response, Problem> {
    BREAK.check(&scope).await?;
    let BreakGlass { reason, text, hours, password } = incoming.body.value.clone();
    let proof = prove_again(&app, &scope, password).await?;
    let patient_id = PatientId(incoming.target.0);
    let asked = Asked {
        made: Some("emergency_access_id"),
        purpose: Some(Purpose::Etreat),
        reason: Some(reason.to_string()),
        ..Asked::of("BreakGlass", scope.clinic(), scope.user().into())
    };
    let command = incoming.standing_for(staff::BreakGlass { patient_id, reason, text, hours, proof });
    let collection = format!("/clinic/{}/api/v1/emergency-accesses", scope.slug());
    let answered = handle::give(&app, &scope, BREAK, asked, command).await?;
    handle::respond(answered, Some(&collection))
}
