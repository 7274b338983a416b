//! Commands on logins.

use aide::axum::ApiRouter;
use domain::{
    Staff, StaffCommand,
    staff::{DeactivateStaff, GrantRole, InviteStaff, LockStaff, RenewActivation, RevokeRole, UnlockStaff},
};
use events::Role;
use service_kit::Capability;
use uuid::Uuid;

use super::{
    collection::{Collection, Creates},
    needs::Needs,
};
use crate::{app::App, execute::Reached};

const STAFF: Needs<Staff> = Needs::all(Capability::Staff);
/// Who may make portal accounts may make those, and no others.
const INVITE: Needs<Staff> = STAFF.or(Capability::PortalAccounts, |_, reached| is_portal_account(reached));

pub fn routes() -> ApiRouter<App> {
    Collection::of_clinic("/staff")
        .create::<InviteStaff>(INVITE)
        .delete::<DeactivateStaff>(STAFF)
        .action_with_activation::<RenewActivation>("renew-activation", INVITE)
        .action::<GrantRole>("grant-role", STAFF)
        .action::<RevokeRole>("revoke-role", STAFF)
        .action::<LockStaff>("lock", STAFF)
        .action::<UnlockStaff>("unlock", STAFF)
        .router()
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
