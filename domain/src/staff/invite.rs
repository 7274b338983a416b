//! A login begins: an invitation, and the secret that makes it usable.

use events::{
    PatientId, Role, Sealed, StaffEvent, UserId,
    claim::{Bound, KeyedHash},
    staff::StaffIdentity,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Staff, Status, did,
    roles::{belongs_here, may_give, may_manage, quota_of, register_doctor},
    state::{email_claim, username_claim},
};
use crate::{
    Context, Decision, Facts, Patient, Pseudonyms, Read, Refusal,
    values::{Email, Name, Username, folded},
};

/// The hash that stands for a user name, in any case.
pub fn username_hash(pseudonyms: &Pseudonyms, username: &str) -> KeyedHash {
    pseudonyms.of("username", &folded(username))
}

/// The hash that stands for an e-mail address, in any case.
pub fn email_hash(pseudonyms: &Pseudonyms, email: &str) -> KeyedHash {
    pseudonyms.of("email", &folded(email))
}

/// A login that is to be made, whoever asked for it: an invitation, a registration of a clinic or doctor.
pub(crate) struct Login {
    pub username: Username,
    pub name: Name,
    pub email: Option<Email>,
    pub roles: Vec<Role>,
    pub patient: Option<PatientId>,
}

impl Login {
    /// That nobody else is known to have the user name or the e-mail address.
    pub fn is_free(&self, login: UserId, facts: &Facts, context: &Context<'_>) -> Result<(), Refusal> {
        let username = username_hash(context.pseudonyms, self.username.as_str());
        facts.nobody_else_holds(&username_claim(&username), login.into()).map_err(|refusal| refusal.at("/username"))?;
        let Some(email) = &self.email else { return Ok(()) };
        let email = email_hash(context.pseudonyms, email.as_str());
        facts.nobody_else_holds(&email_claim(&email), login.into()).map_err(|refusal| refusal.at("/email"))
    }

    pub fn invited(self, context: &Context<'_>) -> StaffEvent {
        let identity =
            StaffIdentity { username: self.username.into(), name: self.name.into(), email: self.email.map(Into::into) };
        StaffEvent::StaffInvited {
            roles: self.roles,
            patient: self.patient,
            username_hash: username_hash(context.pseudonyms, &identity.username),
            email_hash: identity.email.as_deref().map(|email| email_hash(context.pseudonyms, email)),
            sealed: Sealed::Open(identity),
        }
    }
}

/// A login that has a password of its own.
pub(crate) fn activated(patient: Option<PatientId>) -> StaffEvent {
    StaffEvent::StaffActivated { patient }
}

/// Makes a login for a member of the staff, or for a patient's portal. The answer holds the one-time
/// activation secret.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteStaff {
    /// Chosen by the client (UUIDv7), or else made by the server.
    #[serde(default)]
    pub id: Option<UserId>,
    pub name: Name,
    #[serde(default)]
    pub email: Option<Email>,
    pub username: Username,
    /// `patient` stands alone, and with `patient_id`; a `doctor` is registered under `doctors` instead.
    pub roles: Vec<Role>,
    /// The patient whose portal account it is to be.
    #[serde(default)]
    pub patient_id: Option<PatientId>,
}

impl InviteStaff {
    pub(super) fn reads(&self, facts: &Facts) -> Vec<Read> {
        let patient = self.patient_id.map(|patient| Read::Stream(patient.into()));
        let quotas = self.roles.iter().filter_map(|role| quota_of(*role)?.read(facts));
        patient.into_iter().chain(quotas).collect()
    }

    pub(super) fn decide(mut self, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        self.roles.sort_unstable();
        self.roles.dedup();
        self.check_roles(context)?;
        self.check_patient(facts)?;
        let room = self.room(facts, context)?;
        let login = Login {
            username: self.username,
            name: self.name,
            email: self.email,
            roles: self.roles,
            patient: self.patient_id,
        };
        login.is_free(UserId(context.target.id), facts, context)?;
        Ok(did(context, login.invited(context)).within(room))
    }

    fn check_roles(&self, context: &Context<'_>) -> Result<(), Refusal> {
        if self.roles.is_empty() {
            return Err(Refusal::rule("no-role", "A login has at least one role.").at("/roles"));
        }
        for role in &self.roles {
            belongs_here(*role, context)?;
            may_give(context.actor, *role).map_err(|refusal| refusal.at("/roles"))?;
        }
        if self.roles.contains(&Role::Doctor) {
            return Err(register_doctor().at("/roles"));
        }
        Ok(())
    }

    fn check_patient(&self, facts: &Facts) -> Result<(), Refusal> {
        match (self.patient_id, self.roles.contains(&Role::Patient)) {
            (None, false) => Ok(()),
            (Some(patient), true) if self.roles.len() == 1 => match facts.get::<Patient>(patient) {
                Some(_) => Ok(()),
                None => Err(Refusal::not_found("patient").at("/patient_id")),
            },
            (Some(_), true | false) | (None, true) => {
                let detail = "A portal account is for one patient: the role patient alone, with patient_id.";
                Err(Refusal::rule("portal-account", detail).at("/roles"))
            }
        }
    }

    fn room(&self, facts: &Facts, context: &Context<'_>) -> Result<Vec<Bound>, Refusal> {
        let Some(clinic) = context.clinic else { return Ok(Vec::new()) };
        let quotas = self.roles.iter().filter_map(|role| quota_of(*role));
        let bounds: Vec<_> = quotas.map(|usage| usage.room_for(1, clinic, facts)).collect::<Result<_, _>>()?;
        Ok(bounds.into_iter().flatten().collect())
    }
}

/// A one-time secret was used: an invited login becomes active; one that had a password has a new one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivateStaff {}

impl ActivateStaff {
    pub(super) fn decide(self, staff: &Staff, context: &Context<'_>) -> Result<Decision, Refusal> {
        let patient = staff.patient;
        if staff.status == Status::Invited {
            return Ok(did(context, activated(patient)));
        }
        if !staff.is_in_use() {
            return Err(super::not_in_use());
        }
        let changed = did(context, StaffEvent::PasswordChanged { patient });
        Ok(match staff.status {
            Status::Locked { .. } => changed.and(UserId(context.target.id), StaffEvent::StaffUnlocked { patient }),
            Status::Invited | Status::Active | Status::Deactivated => changed,
        })
    }
}

/// Makes a new one-time secret; an earlier one is void. For an invitation that was lost or ran out, and
/// for somebody who lost their password.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenewActivation {}

impl RenewActivation {
    pub(super) fn decide(self, staff: &Staff, context: &Context<'_>) -> Result<Decision, Refusal> {
        may_manage(context.actor, staff)?;
        if staff.status != Status::Invited && !staff.is_in_use() {
            return Err(super::not_in_use());
        }
        Ok(did(context, StaffEvent::ActivationRenewed { patient: staff.patient }))
    }
}

/// Gives an administrator of a clinic who lost access a new one-time secret, for the platform: the clinic has nobody else
/// who could. The password that there was is void. The answer holds the secret, which also goes to the administrator's
/// e-mail address.
#[derive(Clone, Debug)]
pub struct ResetAdministrator {}

impl ResetAdministrator {
    pub(super) fn decide(self, staff: &Staff, context: &Context<'_>) -> Result<Decision, Refusal> {
        if !staff.has(Role::ClinicAdmin) {
            let detail = "The platform helps a clinic's administrators; they help everybody else.";
            return Err(Refusal::rule("not-an-administrator", detail));
        }
        let renewed = RenewActivation {}.decide(staff, context)?;
        // Who has lost access may have lost the device with the codes, and has nobody else to ask.
        Ok(match staff.totp {
            true => renewed.and(UserId(context.target.id), StaffEvent::TotpDisabled { patient: staff.patient }),
            false => renewed,
        })
    }
}

#[cfg(test)]
mod tests {
    use events::{ClinicId, DomainEvent};
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{World, body, id};

    fn invitation(username: &str, roles: &[&str]) -> Value {
        json!({"name": "Ravi", "username": username, "email": format!("{username}@asha.example"), "roles": roles})
    }

    fn invite(world: &mut World, n: u128, invitation: Value) -> Result<Vec<DomainEvent>, Refusal> {
        world.when::<Staff>(id::<UserId>(n), body::<InviteStaff>(invitation))
    }

    #[test]
    fn an_invited_login_is_used_once_it_is_activated() {
        let mut world = World::registered();
        invite(&mut world, 2, invitation("ravi", &["nurse", "billing", "nurse"])).unwrap();
        let staff = world.state::<Staff>(id::<UserId>(2)).unwrap();
        assert_eq!(staff.roles, [Role::Nurse, Role::Billing]);
        assert!(!staff.may_log_in(world.now));
        world.when::<Staff>(id::<UserId>(2), RenewActivation {}).unwrap();
        world.when::<Staff>(id::<UserId>(2), ActivateStaff {}).unwrap();
        assert!(world.state::<Staff>(id::<UserId>(2)).unwrap().may_log_in(world.now));
        assert_eq!(invite(&mut world, 2, invitation("ravi2", &["nurse"])).unwrap_err().code, "duplicate");
    }

    #[test]
    fn user_name_and_e_mail_are_unique_in_any_case() {
        let mut world = World::registered();
        invite(&mut world, 2, invitation("ravi", &["nurse"])).unwrap();
        let refused = invite(&mut world, 3, invitation("RAVI", &["nurse"])).unwrap_err();
        assert_eq!((refused.code, refused.pointer), ("duplicate", Some("/username")));
        let mut other = invitation("other", &["nurse"]);
        other["email"] = "Ravi@ASHA.example".into();
        let refused = invite(&mut world, 3, other).unwrap_err();
        assert_eq!((refused.code, refused.pointer), ("duplicate", Some("/email")));
    }

    #[test]
    fn a_login_has_roles_that_its_maker_may_give() {
        let mut world = World::registered();
        for (roles, code) in [
            (&[][..], "no-role"),
            (&["platform_admin"], "role-out-of-place"),
            (&["doctor"], "register-doctor"),
            (&["patient"], "portal-account"),
        ] {
            assert_eq!(invite(&mut world, 2, invitation("ravi", roles)).unwrap_err().code, code);
        }
        world.acts(id(8), &[Role::Receptionist]);
        assert_eq!(invite(&mut world, 2, invitation("ravi", &["nurse"])).unwrap_err().code, "role-above-own");
        world.acts(id(9), &[Role::PlatformAdmin]);
        assert_eq!(invite(&mut world, 2, invitation("ravi", &["nurse"])).unwrap_err().code, "role-above-own");
        invite(&mut world, 2, invitation("ravi", &["clinic_admin"])).unwrap();
    }

    #[test]
    fn receptionists_are_counted_from_the_invitation() {
        let mut world = World::registered();
        for n in 3..=4 {
            invite(&mut world, n, invitation(&format!("rec{n}"), &["receptionist"])).unwrap();
        }
        let refused = invite(&mut world, 5, invitation("rec5", &["receptionist"])).unwrap_err();
        assert_eq!((refused.code, refused.extra), ("quota-exceeded", vec![("limit", 2.into()), ("used", 2.into())]));
    }

    #[test]
    fn a_receptionist_makes_a_portal_account_for_a_patient_who_exists() {
        let mut world = World::registered();
        let patient = world.given_patient(7);
        world.acts(id(8), &[Role::Receptionist]);
        let mut portal = invitation("asha", &["patient"]);
        portal["patient_id"] = json!(id::<PatientId>(6));
        assert_eq!(invite(&mut world, 2, portal.clone()).unwrap_err().class, crate::Class::NotFound);
        portal["patient_id"] = json!(patient);
        let made = invite(&mut world, 2, portal.clone()).unwrap();
        assert_eq!(made[0].patient(id::<UserId>(2).into()), Some(patient), "it lies in the patient's chart");
        portal["roles"] = json!(["patient", "nurse"]);
        world.acts(id(8), &[Role::ClinicAdmin]);
        assert_eq!(invite(&mut world, 3, portal).unwrap_err().code, "portal-account");
    }

    #[test]
    fn the_platform_has_its_own_roles() {
        let mut world = World::empty();
        world.clinic = ClinicId::PLATFORM;
        world.actor = events::Actor::system();
        assert_eq!(invite(&mut world, 2, invitation("root", &["nurse"])).unwrap_err().code, "role-out-of-place");
        invite(&mut world, 2, invitation("root", &["platform_admin"])).unwrap();
        world.when::<Staff>(id::<UserId>(2), ActivateStaff {}).unwrap();
        assert_eq!(world.counter("usage/admins"), 1);
        world.acts(id(3), &[Role::Operator]);
        assert_eq!(invite(&mut world, 4, invitation("more", &["operator"])).unwrap_err().code, "role-above-own");
    }

    #[test]
    fn a_secret_that_was_used_sets_the_password_and_ends_a_lock_after_failed_logins() {
        let mut world = World::registered();
        let nurse = world.given_staff(2, &[Role::Nurse]);
        world.when::<Staff>(nurse, RenewActivation {}).unwrap();
        world.when::<Staff>(nurse, super::super::LockAfterFailedLogins {}).unwrap();
        let events = world.when::<Staff>(nurse, ActivateStaff {}).unwrap();
        let names: Vec<_> = events.iter().map(DomainEvent::event_type).collect();
        assert_eq!(names, ["PasswordChanged", "StaffUnlocked"]);
        world.when::<Staff>(nurse, super::super::LockStaff {}).unwrap();
        assert_eq!(world.when::<Staff>(nurse, ActivateStaff {}).unwrap_err().code, "login-not-in-use");
        assert_eq!(world.when::<Staff>(nurse, RenewActivation {}).unwrap_err().code, "login-not-in-use");
    }

    #[test]
    fn the_platform_resets_administrators_and_nobody_else() {
        let mut world = World::registered();
        let (admin, nurse) = (world.admin(), world.given_staff(2, &[Role::Nurse]));
        world.acts(id(9), &[Role::PlatformAdmin]);
        assert_eq!(world.when::<Staff>(nurse, ResetAdministrator {}).unwrap_err().code, "not-an-administrator");
        assert_eq!(
            world.when::<Staff>(id::<UserId>(3), ResetAdministrator {}).unwrap_err().class,
            crate::Class::NotFound
        );
        let events = world.when::<Staff>(admin, ResetAdministrator {}).unwrap();
        assert_eq!(events[0].event_type(), "ActivationRenewed");
        world.acts(id(8), &[Role::Receptionist]);
        assert_eq!(world.when::<Staff>(admin, ResetAdministrator {}).unwrap_err().code, "role-above-own");
    }

    #[test]
    fn a_new_secret_for_an_administrator_is_nothing_that_a_receptionist_gets() {
        let mut world = World::registered();
        let admin = world.admin();
        world.acts(id(8), &[Role::Receptionist]);
        assert_eq!(world.when::<Staff>(admin, RenewActivation {}).unwrap_err().code, "role-above-own");
        world.acts(id(9), &[Role::PlatformAdmin]);
        world.when::<Staff>(admin, RenewActivation {}).unwrap();
    }
}
