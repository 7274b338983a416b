//! That a trial is over, or a subscription has run out, becomes visible. The clinic's people are refused from the instant
//! itself on, whether or not it has been recorded by then.

use events::{ActorKind, ClinicEvent};

use super::{Clinic, did};
use crate::{Context, Decision, Refusal};

/// Records that the trial is over, or that the subscription has run out. Only the program itself does so.
#[derive(Clone, Debug)]
pub struct ExpireClinic {}

impl ExpireClinic {
    pub(super) fn decide(self, clinic: &Clinic, context: &Context<'_>) -> Result<Decision, Refusal> {
        if context.actor.kind != ActorKind::System {
            return Err(Refusal::forbidden("system-only", "A trial or a subscription ends by itself."));
        }
        if clinic.expired {
            return Ok(Decision::already_so());
        }
        if context.now < clinic.ends_at() {
            return Err(Refusal::rule("too-early", "The clinic's trial or subscription lasts."));
        }
        Ok(did(context, clinic.expiry()))
    }
}

impl Clinic {
    /// The event that says that what it has now is over.
    pub(super) fn expiry(&self) -> ClinicEvent {
        match self.paid_until {
            None => ClinicEvent::TrialExpired { ended_at: self.trial_ends_at },
            Some(paid_until) => ClinicEvent::SubscriptionExpired { plan: self.plan, paid_until },
        }
    }
}

#[cfg(test)]
mod tests {
    use events::{Actor, DomainEvent, clinic::Plan};
    use serde_json::json;

    use super::{
        super::{ActivateSubscription, CloseClinic, ResumeClinic, SuspendClinic},
        *,
    };
    use crate::testing::{World, at, body};

    /// The program says that time has passed.
    fn expire(world: &mut World) -> Result<Vec<DomainEvent>, &'static str> {
        let actor = std::mem::replace(&mut world.actor, Actor::system());
        let expired = world.when::<Clinic>(world.clinic, ExpireClinic {});
        world.actor = actor;
        expired.map_err(|refusal| refusal.code)
    }

    fn pay(world: &mut World, until: &str) {
        let sent = json!({"plan": "basic", "paid_until": until});
        world.when::<Clinic>(world.clinic, body::<ActivateSubscription>(sent)).unwrap();
    }

    fn standing(world: &World) -> Option<&'static str> {
        world.state::<Clinic>(world.clinic).unwrap().standing(world.now).err().map(|refusal| refusal.code)
    }

    #[test]
    fn a_trial_is_over_at_its_instant_and_once() {
        let mut world = World::registered();
        world.now = at("2026-04-01T02:59:59Z");
        assert_eq!(expire(&mut world), Err("too-early"));
        world.now = at("2026-04-01T03:00:00Z");
        assert_eq!(standing(&world), Some("trial-expired"), "before it is recorded");
        let ended_at = world.now;
        assert_eq!(expire(&mut world), Ok(vec![ClinicEvent::TrialExpired { ended_at }.into()]));
        assert_eq!(expire(&mut world), Ok(vec![]), "once");
        world.now = at("2026-03-31T03:00:00Z");
        assert_eq!(standing(&world), Some("trial-expired"), "no clock that steps back makes it another");
        assert_eq!(expire(&mut world), Ok(vec![]));
    }

    #[test]
    fn a_subscription_begins_anew_from_each_end() {
        let mut world = World::registered();
        for (ends, paid_until) in
            [("2026-04-01T03:00:00Z", "2026-05-01T00:00:00Z"), ("2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z")]
        {
            world.now = at(ends);
            assert_eq!(expire(&mut world).map(|events| events.len()), Ok(1), "{ends}");
            pay(&mut world, paid_until);
            assert_eq!((standing(&world), expire(&mut world)), (None, Err("too-early")), "{ends}");
        }
        world.now = at("2026-06-01T00:00:00Z");
        let expired = ClinicEvent::SubscriptionExpired { plan: Plan::Basic, paid_until: world.now };
        assert_eq!(expire(&mut world), Ok(vec![expired.into()]));
        assert_eq!(standing(&world), Some("subscription-expired"));
    }

    #[test]
    fn a_renewal_before_the_end_moves_the_end() {
        let mut world = World::registered();
        pay(&mut world, "2026-05-01T00:00:00Z");
        pay(&mut world, "2026-06-01T00:00:00Z");
        world.now = at("2026-05-02T00:00:00Z");
        assert_eq!((standing(&world), expire(&mut world)), (None, Err("too-early")));
    }

    #[test]
    fn it_is_recorded_of_a_suspended_clinic_and_not_of_a_closed_one() {
        let mut world = World::registered();
        world.when::<Clinic>(world.clinic, body::<SuspendClinic>(json!({"reason": "unpaid"}))).unwrap();
        world.now = at("2026-04-01T03:00:00Z");
        let mut closed = world.clone();
        assert_eq!(expire(&mut world).map(|events| events.len()), Ok(1));
        world.when::<Clinic>(world.clinic, ResumeClinic {}).unwrap();
        assert_eq!(standing(&world), Some("trial-expired"));
        world.when::<Clinic>(world.clinic, CloseClinic {}).unwrap();
        closed.when::<Clinic>(closed.clinic, CloseClinic {}).unwrap();
        assert_eq!(expire(&mut closed), Err("clinic-closed"));
    }

    #[test]
    fn nobody_else_says_so() {
        let mut world = World::registered();
        world.now = at("2026-04-01T03:00:00Z");
        let refused = world.when::<Clinic>(world.clinic, ExpireClinic {}).unwrap_err();
        assert_eq!(refused.code, "system-only");
    }
}
