//! A clinic registers itself: its trial, its first office and its first administrator, at once.

use chrono::TimeDelta;
use events::{
    ClinicEvent, ClinicId, Role, UserId,
    calendar::WeeklyHours,
    clinic::{ClinicProfile, Office},
    plans::TRIAL_DAYS,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::state::{name_claim, registration_claim, slug_claim};
use crate::{
    Context, Decision, Facts, Read, Refusal, Usage,
    staff::{Login, activated},
    values::{DocumentNumber, Email, Name, Password, Phone, PostalAddress, Slug, TaxId, TimeZone, Url, Username},
};

/// What the first office is called until somebody names it.
const FIRST_OFFICE: &str = "Main office";

/// Registers a clinic: a trial of 30 days with one office and one administrator.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RegisterClinic")]
pub struct RegisterClinic<Admin = FirstAdministrator> {
    /// Chosen by the client (UUIDv7), or else made by the server.
    #[serde(default)]
    pub id: Option<ClinicId>,
    /// Unique over all clinics.
    pub name: Name,
    /// Unique over all clinics, for ever; it never changes.
    pub slug: Slug,
    pub email: Email,
    #[serde(default)]
    pub phone: Option<Phone>,
    #[serde(default)]
    pub website: Option<Url>,
    #[serde(default)]
    pub logo: Option<Url>,
    #[serde(default)]
    pub address: Option<PostalAddress>,
    /// Unique over all clinics, so that each has one trial.
    #[serde(default)]
    pub registration_number: Option<DocumentNumber>,
    /// GSTIN in India.
    #[serde(default)]
    pub tax_id: Option<TaxId>,
    #[serde(default)]
    pub time_zone: TimeZone,
    pub admin: Admin,
}

/// Who administers the clinic first, without the password.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstAdministrator {
    pub username: Username,
    pub name: Name,
    #[serde(default)]
    pub email: Option<Email>,
}

/// Who administers the clinic first, as the client sends it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdministratorAccount {
    pub username: Username,
    pub password: Password,
    pub name: Name,
    #[serde(default)]
    pub email: Option<Email>,
}

impl RegisterClinic<AdministratorAccount> {
    /// The command, and the password that is hashed and kept beside the log.
    pub fn split(self) -> (RegisterClinic, Password) {
        let AdministratorAccount { username, password, name, email } = self.admin;
        let command = RegisterClinic {
            id: self.id,
            name: self.name,
            slug: self.slug,
            email: self.email,
            phone: self.phone,
            website: self.website,
            logo: self.logo,
            address: self.address,
            registration_number: self.registration_number,
            tax_id: self.tax_id,
            time_zone: self.time_zone,
            admin: FirstAdministrator { username, name, email },
        };
        (command, password)
    }
}

impl RegisterClinic {
    fn claims(&self) -> Vec<events::claim::ClaimKey> {
        let registration = self.registration_number.as_ref().map(|number| registration_claim(number.as_str()));
        [slug_claim(self.slug.as_str()), name_claim(self.name.as_str())].into_iter().chain(registration).collect()
    }

    pub(super) fn reads(&self, facts: &Facts) -> Vec<Read> {
        if facts.contended { self.claims().into_iter().map(Read::Claim).collect() } else { Vec::new() }
    }

    pub(super) fn decide(self, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        for claim in self.claims() {
            facts.nobody_else_holds(&claim, context.target)?;
        }
        let FirstAdministrator { username, name, email } = self.admin;
        let admin = Login { username, name, email, roles: vec![Role::ClinicAdmin], patient: None };
        let admin_id: UserId = context.new_id(1);
        let profile = ClinicProfile {
            name: self.name.into(),
            email: self.email.into(),
            phone: self.phone.map(Into::into),
            website: self.website.map(Into::into),
            address: self.address.map(Into::into),
            registration_number: self.registration_number.map(Into::into),
            tax_id: self.tax_id.map(Into::into),
            logo: self.logo.map(Into::into),
            time_zone: self.time_zone.into(),
        };
        let office = first_office(&profile, context);
        let trial_ends_at = context.now + TimeDelta::days(TRIAL_DAYS);
        let registered = ClinicEvent::ClinicRegistered { slug: self.slug.into(), profile, trial_ends_at };
        Ok(Decision::one(ClinicId(context.target.id), registered)
            .and(ClinicId(context.target.id), ClinicEvent::OfficeAdded { office })
            .and(admin_id, admin.invited(context))
            .and(admin_id, activated(None))
            .within([Usage::Admins.one_remains(0, facts)?, Usage::Offices.one_remains(0, facts)?]))
    }
}

fn first_office(profile: &ClinicProfile, context: &Context<'_>) -> Office {
    Office {
        id: context.new_id(0),
        name: FIRST_OFFICE.to_owned(),
        address: profile.address.clone(),
        phone: profile.phone.clone(),
        hours: WeeklyHours::default(),
    }
}

#[cfg(test)]
mod tests {
    use events::{AggregateKind, DomainEvent, StaffEvent};
    use secrecy::ExposeSecret;
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        Class, Clinic, Staff,
        testing::{World, body, id},
    };

    fn registration() -> Value {
        json!({
            "name": "Asha Clinic", "slug": "asha", "email": "office@asha.example", "registration_number": "MH-1/2",
            "admin": {"username": "admin", "name": "Asha Rao"}
        })
    }

    #[test]
    fn a_clinic_begins_with_a_trial_an_office_and_an_administrator() {
        let mut world = World::empty();
        let events = world.when::<Clinic>(world.clinic, body::<RegisterClinic>(registration())).unwrap();
        let names: Vec<_> = events.iter().map(DomainEvent::event_type).collect();
        assert_eq!(names, ["ClinicRegistered", "OfficeAdded", "StaffInvited", "StaffActivated"]);
        let clinic = world.state::<Clinic>(world.clinic).unwrap();
        assert_eq!((clinic.trial_ends_at - world.now).num_days(), 30);
        assert_eq!(clinic.zone(), chrono_tz::Asia::Kolkata);
        assert!(world.state::<Staff>(world.admin()).unwrap().is_administrator());
        assert_eq!((world.counter("usage/admins"), world.counter("usage/offices")), (1, 1));
    }

    #[test]
    fn slug_name_and_registration_number_are_unique_however_they_are_written() {
        for (field, value, kind) in [
            ("slug", "asha", "slug"),
            ("name", " asha  CLINIC ", "clinic-name"),
            ("registration_number", "mh 1 2", "registration-number"),
        ] {
            let mut world = World::registered();
            let mut other = registration();
            for (field, value) in [("slug", "other"), ("name", "Other"), ("registration_number", "X9")] {
                other[field] = value.into();
            }
            other[field] = value.into();
            world.clinic = id(0xC12);
            let refused = world.when::<Clinic>(world.clinic, body::<RegisterClinic>(other)).unwrap_err();
            assert_eq!((refused.class, refused.code), (Class::Conflict, "duplicate"));
            assert_eq!(refused.extra, [("taken", kind.into())]);
        }
    }

    #[test]
    fn one_id_is_registered_once() {
        let mut world = World::registered();
        let refused = world.when::<Clinic>(world.clinic, body::<RegisterClinic>(registration())).unwrap_err();
        assert_eq!(refused.code, "duplicate");
    }

    #[test]
    fn the_password_goes_another_way_than_the_command() {
        let mut sent = registration();
        sent["admin"]["password"] = "correct horse battery".into();
        assert!(serde_json::from_value::<RegisterClinic>(sent.clone()).is_err());
        let (command, password) = body::<RegisterClinic<AdministratorAccount>>(sent).split();
        assert_eq!(password.into_secret().expose_secret(), "correct horse battery");
        let mut world = World::empty();
        for event in world.when::<Clinic>(world.clinic, command).unwrap() {
            assert!(!format!("{event:?}").contains("horse"));
        }
    }

    #[test]
    fn the_administrators_name_is_sealed() {
        let world = World::registered();
        let invited = world.log.iter().find(|(stream, _)| stream.kind == AggregateKind::Staff).unwrap();
        let encoded = events::codec::encode(&invited.1);
        assert!(!String::from_utf8(encoded.payload).unwrap().contains("Asha"));
        assert!(matches!(&invited.1, DomainEvent::Staff(StaffEvent::StaffInvited { patient: None, .. })));
    }
}
