//! What the clinic pays for, and how much it may have for that.

use chrono::{DateTime, Utc};
use events::{
    ClinicEvent,
    clinic::{Limits, Plan},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Clinic, did};
use crate::{Context, Decision, Facts, Read, Refusal, Usage, values::Whole};

/// A limit that somebody sets; nobody has a million billions of anything.
type Limit = Whole<0, 1_000_000_000_000_000>;

/// A plan that is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaidPlan {
    Basic,
    Premium,
    Enterprise,
}

impl From<PaidPlan> for Plan {
    fn from(plan: PaidPlan) -> Self {
        match plan {
            PaidPlan::Basic => Self::Basic,
            PaidPlan::Premium => Self::Premium,
            PaidPlan::Enterprise => Self::Enterprise,
        }
    }
}

/// Begins, renews or prolongs a subscription.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivateSubscription {
    pub plan: PaidPlan,
    /// When it runs out.
    pub paid_until: DateTime<Utc>,
}

impl ActivateSubscription {
    pub(super) fn decide(self, clinic: &Clinic, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        if self.paid_until <= context.now && !context.is_import() {
            return Err(Refusal::rule("in-the-past", "The subscription would have run out already.").at("/paid_until"));
        }
        let (plan, paid_until) = (self.plan.into(), self.paid_until);
        let bounds = bounds_of(clinic, plan, facts)?;
        Ok(did(context, ClinicEvent::SubscriptionActivated { plan, paid_until }).within(bounds))
    }
}

/// Goes over to another plan within a subscription. Refused while more is in use than the plan allows.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePlan {
    pub plan: PaidPlan,
}

impl ChangePlan {
    pub(super) fn decide(self, clinic: &Clinic, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        if clinic.paid_until.is_none() {
            return Err(Refusal::rule("no-subscription", "A trial is ended by activating a subscription."));
        }
        let (from, to) = (clinic.plan, self.plan.into());
        if from == to {
            return Ok(Decision::already_so());
        }
        let bounds = bounds_of(clinic, to, facts)?;
        Ok(did(context, ClinicEvent::PlanChanged { from, to }).within(bounds))
    }
}

/// That what is in use fits under the plan, or under the clinic's own limits where it has some.
fn bounds_of(clinic: &Clinic, plan: Plan, facts: &Facts) -> Result<Vec<events::claim::Bound>, Refusal> {
    let limits = clinic.own_limits.unwrap_or(plan.limits());
    let bounds = Usage::LIMITED.into_iter().map(|usage| usage.within(&limits, 0, facts));
    Ok(bounds.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// What is counted against the limits.
pub(super) fn reads(facts: &Facts) -> Vec<Read> {
    Usage::LIMITED.into_iter().filter_map(|usage| usage.read(facts)).collect()
}

/// Other limits than the plan's; what is left out is unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OwnLimits {
    pub doctors: Option<Limit>,
    pub patients: Option<Limit>,
    pub receptionists: Option<Limit>,
    pub offices: Option<Limit>,
    /// Bytes of attachments.
    pub storage: Option<Limit>,
}

impl From<OwnLimits> for Limits {
    fn from(limits: OwnLimits) -> Self {
        Self {
            doctors: limits.doctors.map(Into::into),
            patients: limits.patients.map(Into::into),
            receptionists: limits.receptionists.map(Into::into),
            offices: limits.offices.map(Into::into),
            storage: limits.storage.map(Into::into),
        }
    }
}

/// Sets limits for this clinic alone. What is in use beyond them stays, and nothing is added to it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetLimits {
    /// `null`: those of the plan again.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schemars(required)]
    pub limits: Option<OwnLimits>,
}

impl SetLimits {
    pub(super) fn decide(self, clinic: &Clinic, context: &Context<'_>) -> Decision {
        let limits = self.limits.map(Into::into);
        if limits == clinic.own_limits {
            return Decision::already_so();
        }
        did(context, ClinicEvent::LimitsSet { limits })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{World, at, body, id};

    fn subscribed(plan: &str) -> World {
        let mut world = World::registered();
        let sent = json!({"plan": plan, "paid_until": "2027-03-02T00:00:00Z"});
        world.when::<Clinic>(world.clinic, body::<ActivateSubscription>(sent)).unwrap();
        world
    }

    fn change(world: &mut World, plan: PaidPlan) -> Result<Vec<events::DomainEvent>, Refusal> {
        world.when::<Clinic>(world.clinic, ChangePlan { plan })
    }

    fn clinic(world: &World) -> &Clinic {
        world.state(world.clinic).unwrap()
    }

    #[test]
    fn a_trial_has_the_limits_of_a_trial_until_a_subscription_begins() {
        let mut world = World::registered();
        assert_eq!(clinic(&world).limits().doctors, Some(5));
        assert_eq!(change(&mut world, PaidPlan::Basic).unwrap_err().code, "no-subscription");
        assert_eq!(clinic(&subscribed("basic")).limits().doctors, Some(20));
        assert!(serde_json::from_value::<ChangePlan>(json!({"plan": "trial"})).is_err());
    }

    #[test]
    fn a_downgrade_is_refused_while_more_is_in_use() {
        let mut world = subscribed("premium");
        for n in 2..=4 {
            world.given_office(id(n));
        }
        let refused = change(&mut world, PaidPlan::Basic).unwrap_err();
        assert_eq!((refused.code, refused.extra), ("quota-exceeded", vec![("limit", 3.into()), ("used", 4.into())]));
        world.given(world.clinic, ClinicEvent::OfficeClosed { office: id(4) });
        change(&mut world, PaidPlan::Basic).unwrap();
        assert!(change(&mut world, PaidPlan::Basic).unwrap().is_empty(), "already so");
    }

    #[test]
    fn a_subscription_to_less_than_is_in_use_is_refused() {
        let mut world = World::registered();
        for n in 2..=4 {
            world.given_office(id(n));
        }
        let sent = json!({"plan": "basic", "paid_until": "2027-03-02T00:00:00Z"});
        let refused = world.when::<Clinic>(world.clinic, body::<ActivateSubscription>(sent)).unwrap_err();
        assert_eq!(refused.code, "quota-exceeded");
        let past = json!({"plan": "basic", "paid_until": "2026-03-02T03:00:00Z"});
        let refused = world.when::<Clinic>(world.clinic, body::<ActivateSubscription>(past)).unwrap_err();
        assert_eq!(refused.code, "in-the-past");
    }

    #[test]
    fn a_clinics_own_limits_go_before_the_plans() {
        let mut world = World::registered();
        assert!(serde_json::from_value::<SetLimits>(json!({})).is_err(), "nothing is reset by leaving it out");
        let sent = json!({"limits": {"doctors": 7}});
        world.when::<Clinic>(world.clinic, body::<SetLimits>(sent.clone())).unwrap();
        assert!(world.when::<Clinic>(world.clinic, body::<SetLimits>(sent)).unwrap().is_empty(), "already so");
        assert_eq!((clinic(&world).limits().doctors, clinic(&world).limits().offices), (Some(7), None));
        world.when::<Clinic>(world.clinic, body::<SetLimits>(json!({"limits": null}))).unwrap();
        assert_eq!(clinic(&world).limits(), Plan::Trial.limits());
    }

    #[test]
    fn standing_ends_with_the_trial_or_the_subscription() {
        let code = |world: &World, now: &str| clinic(world).standing(at(now)).err().map(|refusal| refusal.code);
        let trial = World::registered();
        assert_eq!(code(&trial, "2026-04-01T02:59:59Z"), None);
        assert_eq!(code(&trial, "2026-04-01T03:00:00Z"), Some("trial-expired"));
        let paid = subscribed("basic");
        assert_eq!(code(&paid, "2027-03-01T23:59:59Z"), None);
        assert_eq!(code(&paid, "2027-03-02T00:00:00Z"), Some("subscription-expired"));
    }
}
