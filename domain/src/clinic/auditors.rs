//! Grants: what an auditor may see of the clinic's record for a while, and of which period.

use chrono::TimeDelta;
use events::{
    AuditorGrantId, ClinicEvent, Role, UserId,
    clinic::{AuditScope, AuditorGrant},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Clinic, did};
use crate::{Context, Decision, Facts, Read, Refusal, Staff, staff::Status, values::DayOrInstant};

/// The longest that a grant is good for.
const GRANT_MAX: TimeDelta = TimeDelta::days(366);

/// Lets an auditor see some kinds of data of a period. It ends by itself, or when it is revoked.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantAuditor {
    pub auditor_id: UserId,
    /// Which kinds of data; each once.
    #[schemars(length(min = 1))]
    pub scope: Vec<AuditScope>,
    /// Of what was recorded from here on; a day is meant whole.
    pub from: DayOrInstant,
    /// To here; a day is meant whole.
    pub to: DayOrInstant,
    /// When the grant ends: at most a year ahead.
    pub expires: DayOrInstant,
}

impl GrantAuditor {
    pub(super) fn reads(&self) -> Vec<Read> {
        vec![Read::Stream(self.auditor_id.into())]
    }

    pub(super) fn decide(self, clinic: &Clinic, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        let auditor = facts.get::<Staff>(self.auditor_id);
        let auditor = auditor.ok_or_else(|| Refusal::not_found("login").at("/auditor_id"))?;
        if !auditor.has(Role::Auditor) || auditor.status == Status::Deactivated {
            return Err(Refusal::rule("not-an-auditor", "A grant is for somebody with the role of an auditor.")
                .at("/auditor_id"));
        }
        if context.actor.user == Some(self.auditor_id) {
            return Err(Refusal::forbidden("own-grant", "Nobody grants anything to themselves."));
        }
        let grant = self.grant(clinic, context)?;
        Ok(did(context, ClinicEvent::AuditorGranted { grant }))
    }

    fn grant(mut self, clinic: &Clinic, context: &Context<'_>) -> Result<AuditorGrant, Refusal> {
        self.scope.sort_unstable();
        self.scope.dedup();
        if self.scope.is_empty() {
            return Err(Refusal::rule("no-scope", "A grant names at least one kind of data.").at("/scope"));
        }
        let zone = clinic.zone();
        let (from, to) = (self.from.begin(zone), self.to.end(zone));
        if from >= to {
            return Err(Refusal::rule("empty-period", "The period begins before it ends.").at("/to"));
        }
        let expires = self.expires.end(zone);
        if expires <= context.now || expires > context.now + GRANT_MAX {
            return Err(
                Refusal::rule("expiry-out-of-range", "A grant ends in the future, within a year.").at("/expires")
            );
        }
        Ok(AuditorGrant { id: context.new_id(0), auditor: self.auditor_id, scope: self.scope, from, to, expires })
    }
}

/// Ends a grant at once.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeAuditorGrant {
    pub auditor_grant_id: AuditorGrantId,
}

impl RevokeAuditorGrant {
    pub(super) fn decide(self, clinic: &Clinic, context: &Context<'_>) -> Result<Decision, Refusal> {
        let grant = self.auditor_grant_id;
        let auditor = clinic.auditor_grants.get(&grant).copied();
        let auditor = auditor.ok_or_else(|| Refusal::not_found("grant").at("/auditor_grant_id"))?;
        Ok(did(context, ClinicEvent::AuditorGrantRevoked { grant, auditor }))
    }
}

#[cfg(test)]
mod tests {
    use events::DomainEvent;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{World, at, body, id};

    fn grant(world: &mut World, change: Value) -> Result<Vec<DomainEvent>, Refusal> {
        let mut said = json!({
            "auditor_id": id::<UserId>(2), "scope": ["visits", "replay", "visits"], "from": "2026-01-01",
            "to": "2026-03-31", "expires": "2026-06-30"
        });
        said.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        world.when::<Clinic>(world.clinic, body::<GrantAuditor>(said))
    }

    fn with_auditor() -> World {
        let mut world = World::registered();
        world.given_staff(2, &[Role::Auditor]);
        world
    }

    #[test]
    fn a_grant_is_of_whole_days_and_names_each_kind_once() {
        let mut world = with_auditor();
        let granted = grant(&mut world, json!({})).unwrap();
        let [DomainEvent::Clinic(ClinicEvent::AuditorGranted { grant })] = granted.as_slice() else { panic!() };
        assert_eq!(grant.scope, [AuditScope::Visits, AuditScope::Replay]);
        assert_eq!((grant.from, grant.to), (at("2025-12-31T18:30:00Z"), at("2026-03-31T18:30:00Z")));
        assert_eq!(grant.expires, at("2026-06-30T18:30:00Z"));
    }

    #[test]
    fn a_grant_is_for_an_auditor_other_than_oneself() {
        let mut world = with_auditor();
        let nurse = world.given_staff(3, &[Role::Nurse]);
        assert_eq!(grant(&mut world, json!({"auditor_id": nurse})).unwrap_err().code, "not-an-auditor");
        let nobody = grant(&mut world, json!({"auditor_id": id::<UserId>(9)})).unwrap_err();
        assert_eq!(nobody.class, crate::Class::NotFound);
        world.acts(id(2), &[Role::Auditor, Role::ClinicAdmin]);
        assert_eq!(grant(&mut world, json!({})).unwrap_err().code, "own-grant");
    }

    #[test]
    fn a_grant_ends_within_a_year_and_has_a_period_and_a_scope() {
        let mut world = with_auditor();
        for (change, code) in [
            (json!({"expires": "2026-03-01"}), "expiry-out-of-range"),
            (json!({"expires": "2027-03-05"}), "expiry-out-of-range"),
            (json!({"to": "2025-12-31"}), "empty-period"),
            (json!({"scope": []}), "no-scope"),
        ] {
            assert_eq!(grant(&mut world, change).unwrap_err().code, code);
        }
    }

    #[test]
    fn a_grant_is_revoked_once() {
        let mut world = with_auditor();
        grant(&mut world, json!({})).unwrap();
        let auditor_grant_id = *world.state::<Clinic>(world.clinic).unwrap().auditor_grants.keys().next().unwrap();
        let revoke = || RevokeAuditorGrant { auditor_grant_id };
        world.when::<Clinic>(world.clinic, revoke()).unwrap();
        let again = world.when::<Clinic>(world.clinic, revoke()).unwrap_err();
        assert_eq!(again.class, crate::Class::NotFound);
    }
}
