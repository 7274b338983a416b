//! Whether a clinic's people may work: the platform suspends and resumes.

use events::ClinicEvent;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Clinic, did};
use crate::{Context, Decision, values::Reason};

/// Suspends the clinic: its people's commands are refused, its record can still be read.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuspendClinic {
    /// Names no person: it is not sealed.
    pub reason: Reason,
}

impl SuspendClinic {
    pub(super) fn decide(self, clinic: &Clinic, context: &Context<'_>) -> Decision {
        if clinic.suspended {
            return Decision::already_so();
        }
        did(context, ClinicEvent::ClinicSuspended { reason: self.reason.into() })
    }
}

/// Lets a suspended clinic work again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeClinic {}

impl ResumeClinic {
    pub(super) fn decide(self, clinic: &Clinic, context: &Context<'_>) -> Decision {
        if !clinic.suspended {
            return Decision::already_so();
        }
        did(context, ClinicEvent::ClinicResumed {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{World, body, id};

    #[test]
    fn a_suspended_clinic_has_no_standing_until_it_is_resumed() {
        let mut world = World::registered();
        let suspend = body::<SuspendClinic>(json!({"reason": "unpaid"}));
        assert!(world.when::<Clinic>(world.clinic, ResumeClinic {}).unwrap().is_empty(), "already so");
        world.when::<Clinic>(world.clinic, suspend.clone()).unwrap();
        assert!(world.when::<Clinic>(world.clinic, suspend.clone()).unwrap().is_empty(), "already so");
        let refused = world.state::<Clinic>(world.clinic).unwrap().standing(world.now).unwrap_err();
        assert_eq!((refused.class, refused.code), (crate::Class::Forbidden, "clinic-suspended"));
        world.when::<Clinic>(world.clinic, ResumeClinic {}).unwrap();
        assert!(world.state::<Clinic>(world.clinic).unwrap().standing(world.now).is_ok());
        let nobody = world.when::<Clinic>(id::<events::ClinicId>(9), suspend).unwrap_err();
        assert_eq!(nobody.class, crate::Class::NotFound);
    }
}
