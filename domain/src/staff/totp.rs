//! A code at each login, beside the password (RFC 6238). Codes and secrets are checked where logins are; here is
//! decided who asks for them.

use events::{StaffEvent, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Staff, access::not_own, did, not_in_use, roles::may_manage};
use crate::{Context, Decision, Refusal};

/// A person, who has shown a right code, wants to be asked for one from now on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnableTotp {}

/// A person, who has shown a right code, wants to be asked for none any more.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DisableTotp {}

/// Lets somebody who lost the device log in by the password alone again, until they set up a new one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetTotp {}

impl EnableTotp {
    pub(super) fn decide(self, staff: &Staff, context: &Context<'_>) -> Result<Decision, Refusal> {
        own(context)?;
        if !staff.is_in_use() {
            return Err(not_in_use());
        }
        Ok(match staff.totp {
            true => Decision::already_so(),
            false => did(context, StaffEvent::TotpEnabled { patient: staff.patient }),
        })
    }
}

impl DisableTotp {
    pub(super) fn decide(self, staff: &Staff, context: &Context<'_>) -> Result<Decision, Refusal> {
        own(context)?;
        Ok(disabled(staff, context))
    }
}

impl ResetTotp {
    pub(super) fn decide(self, staff: &Staff, context: &Context<'_>) -> Result<Decision, Refusal> {
        may_manage(context.actor, staff)?;
        // One's own needs a code: a stolen token alone takes no lock off.
        not_own(context)?;
        Ok(disabled(staff, context))
    }
}

fn disabled(staff: &Staff, context: &Context<'_>) -> Decision {
    match staff.totp {
        true => did(context, StaffEvent::TotpDisabled { patient: staff.patient }),
        false => Decision::already_so(),
    }
}

fn own(context: &Context<'_>) -> Result<(), Refusal> {
    match context.actor.user == Some(UserId(context.target.id)) {
        true => Ok(()),
        false => Err(Refusal::forbidden("not-your-own", "Codes are set up by the one whose login it is.")),
    }
}

#[cfg(test)]
mod tests {
    use events::Role;

    use super::*;
    use crate::{StaffCommand, testing::World};

    fn give(world: &mut World, user: UserId, command: impl Into<StaffCommand>) -> Result<usize, Refusal> {
        world.when::<Staff>(user, command).map(|events| events.len())
    }

    #[test]
    fn codes_are_ones_own_and_an_administrator_helps_who_lost_the_device() {
        let mut world = World::registered();
        let (admin, nurse) = (world.admin(), world.given_staff(2, &[Role::Nurse]));
        assert_eq!(give(&mut world, nurse, EnableTotp {}).unwrap_err().code, "not-your-own");
        world.acts(nurse, &[Role::Nurse]);
        assert_eq!(give(&mut world, nurse, EnableTotp {}), Ok(1));
        assert_eq!(give(&mut world, nurse, EnableTotp {}), Ok(0), "already so");
        assert!(world.state::<Staff>(nurse).unwrap().totp);
        assert_eq!(give(&mut world, nurse, ResetTotp {}).unwrap_err().class, crate::Class::Forbidden);
        world.acts(admin, &[Role::ClinicAdmin]);
        assert_eq!(give(&mut world, admin, ResetTotp {}).unwrap_err().code, "own-login");
        assert_eq!(give(&mut world, nurse, DisableTotp {}).unwrap_err().code, "not-your-own");
        assert_eq!(give(&mut world, nurse, ResetTotp {}), Ok(1));
        assert_eq!(give(&mut world, nurse, ResetTotp {}), Ok(0), "already so");
        world.acts(nurse, &[Role::Nurse]);
        assert_eq!(give(&mut world, nurse, EnableTotp {}), Ok(1));
        assert_eq!(give(&mut world, nurse, DisableTotp {}), Ok(1));
    }
}
