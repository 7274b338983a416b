//! Commands on logins.

use aide::axum::{ApiRouter, routing};
use axum::{extract::State, response::Response};
use domain::{
    Staff, StaffCommand,
    staff::{
        DeactivateStaff, GrantRole, InviteStaff, LockStaff, RenewActivation, ResetAdministrator, ResetTotp, RevokeRole,
        UnlockStaff,
    },
};
use events::{ClinicId, Role, UserId};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{Capability, PlatformScope, Problem};
use uuid::Uuid;

use super::{
    collection::{Collection, Creates},
    document::document,
    needs::Needs,
};
use crate::{
    app::App,
    auth::user_named,
    execute::Reached,
    handle::{self, Asked},
    incoming::{Incoming, WithId},
};

const STAFF: Needs<Staff> = Needs::all(Capability::Staff);
/// Who may make portal accounts may make those, and no others.
const INVITE: Needs<Staff> = STAFF.or(Capability::PortalAccounts, |_, reached| is_portal_account(reached));

const PLATFORM: Needs<Staff> = Needs::all(Capability::Clinics);

pub fn routes() -> ApiRouter<App> {
    let document = document::<Staff, ResetClinicsAdministrator>(200);
    let of_clinic = Collection::of_clinic("/staff")
        .create::<InviteStaff>(INVITE)
        .delete::<DeactivateStaff>(STAFF)
        .action_with_activation::<RenewActivation>("renew-activation", INVITE)
        .action::<GrantRole>("grant-role", STAFF)
        .action::<RevokeRole>("revoke-role", STAFF)
        .action::<ResetTotp>("reset-totp", INVITE)
        .action::<LockStaff>("lock", STAFF)
        .action::<UnlockStaff>("unlock", STAFF);
    let path = "/api/v1/clinics/{id}/reset-administrator";
    of_clinic.router().api_route(path, routing::post_with(reset_administrator, document))
}

/// Gives an administrator of a clinic who lost access a new one-time activation, for the platform: where the clinic has
/// nobody else who could. The password that there was is void, all sessions end, and no code is asked for until one is set
/// up again. The activation goes to the administrator's e-mail address; the answer shows it only where there is none.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ResetAdministrator")]
pub struct ResetClinicsAdministrator {
    /// Of the administrator: the platform sees no list of a clinic's logins.
    pub username: String,
}

impl From<ResetClinicsAdministrator> for StaffCommand {
    fn from(_: ResetClinicsAdministrator) -> Self {
        ResetAdministrator {}.into()
    }
}

async fn reset_administrator(
    State(app): State<App>,
    scope: PlatformScope,
    incoming: Incoming<ResetClinicsAdministrator, WithId>,
) -> Result<Response, Problem> {
    let clinic = ClinicId(incoming.target.0);
    // Nobody has the nil id: it is refused as every login that does not exist, once the caller's rights are known.
    let user = user_named(&app, clinic, &incoming.body.value.username).await?.unwrap_or(UserId(Uuid::nil()));
    // Whoever holds the activation is the administrator: the platform only where no mail reaches anybody.
    let hides_activation =
        app.executor.login(clinic, user).await?.is_some_and(|login| login.staff.email_hash.is_some());
    let asked = Asked {
        needs_standing: false,
        needs_activation: true,
        hides_activation,
        ..Asked::of("ResetAdministrator", clinic, user.into())
    };
    handle::respond(handle::give(&app, &scope, PLATFORM, asked, incoming).await?, None)
}

fn is_portal_account(reached: &Reached<'_, Staff>) -> bool {
    match (reached.command, reached.state) {
        (StaffCommand::Invite(invite), _) => invite.roles == [Role::Patient],
        (_, Some(staff)) => staff.roles == [Role::Patient],
        (_, None) => false,
    }
}

impl Creates<Staff> for InviteStaff {
    const NEEDS_ACTIVATION: bool = true;

    fn chosen_id(&self) -> Option<Uuid> {
        self.id.map(Into::into)
    }
}
