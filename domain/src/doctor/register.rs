//! A doctor joins the clinic: the login and the doctor's record, under one id.

use chrono::NaiveDate;
use events::{DoctorEvent, DoctorId, OfficeId, Role, UserId, claim::KeyedHash, doctor::DoctorIdentity};
use schemars::JsonSchema;
use serde::Deserialize;

use super::state::licence_claim;
use crate::{
    Clinic, Context, Decision, Facts, Pseudonyms, Read, Refusal, Staff, Usage,
    staff::{Login, may_give},
    values::{DocumentNumber, Email, Name, Text, Username, Whole, folded_number},
};

/// So many offices has a doctor, and no more.
pub(super) const MAX_OFFICES: usize = 50;

/// Registers a doctor and makes the login. The answer holds the one-time activation secret.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterDoctor {
    /// Chosen by the client (UUIDv7), or else made by the server; the login's id too.
    #[serde(default)]
    pub id: Option<DoctorId>,
    pub name: Name,
    #[serde(default)]
    pub email: Option<Email>,
    pub username: Username,
    /// Unique in the clinic.
    pub licence_number: DocumentNumber,
    /// Last day of the licence; left out: it does not end.
    #[serde(default)]
    pub licence_expires: Option<NaiveDate>,
    #[serde(default)]
    pub specialisation: Option<Name>,
    #[serde(default)]
    pub qualification: Option<Text<500>>,
    #[serde(default)]
    pub years_of_experience: Option<Whole<0, 80>>,
    /// Where the doctor works; the first is the primary office.
    pub office_ids: Vec<OfficeId>,
}

/// The hash that stands for the number of a licence, however it is written.
pub(super) fn licence_hash(pseudonyms: &Pseudonyms, number: &DocumentNumber) -> KeyedHash {
    pseudonyms.of("licence", &folded_number(number.as_str()))
}

/// That no other doctor is known to have the licence.
pub(super) fn licence_is_free(licence: &KeyedHash, facts: &Facts, context: &Context<'_>) -> Result<(), Refusal> {
    facts.nobody_else_holds(&licence_claim(licence), context.target)
}

impl RegisterDoctor {
    /// Also the login under the same id: there must be none.
    pub(super) fn reads(&self, target: DoctorId, facts: &Facts) -> Vec<Read> {
        let login = Read::Stream(UserId(target.0).into());
        Usage::Doctors.read(facts).into_iter().chain([login]).collect()
    }

    pub(super) fn decide(self, facts: &Facts, context: &Context<'_>) -> Result<Decision, Refusal> {
        let (clinic, login_id) = (context.in_clinic()?, UserId(context.target.id));
        may_give(context.actor, Role::Doctor)?;
        if facts.get::<Staff>(login_id).is_some() {
            return Err(Refusal::conflict("duplicate", "There is a login with this id.").at("/id"));
        }
        check_offices(&self.office_ids, clinic)?;
        let licence_hash = licence_hash(context.pseudonyms, &self.licence_number);
        licence_is_free(&licence_hash, facts, context).map_err(|refusal| refusal.at("/licence_number"))?;
        let room = Usage::Doctors.room_for(1, clinic, facts)?;
        let name = self.name.as_str().to_owned();
        let login = Login {
            username: self.username,
            name: self.name,
            email: self.email,
            roles: vec![Role::Doctor],
            patient: None,
        };
        login.is_free(login_id, facts, context)?;
        let identity = DoctorIdentity {
            name,
            licence_number: self.licence_number.into(),
            specialisation: self.specialisation.map(Into::into),
            qualification: self.qualification.map(Into::into),
        };
        let registered = DoctorEvent::DoctorRegistered {
            licence_hash,
            licence_expires: self.licence_expires,
            years_of_experience: self.years_of_experience.and_then(|years| years.get().try_into().ok()),
            offices: self.office_ids,
            sealed: identity.into(),
        };
        Ok(Decision::one(login_id, login.invited(context)).and(DoctorId(context.target.id), registered).within(room))
    }
}

fn check_offices(offices: &[OfficeId], clinic: &Clinic) -> Result<(), Refusal> {
    if offices.is_empty() || offices.len() > MAX_OFFICES {
        let detail = format!("A doctor works in 1 to {MAX_OFFICES} offices.");
        return Err(Refusal::rule("number-of-offices", detail).at("/office_ids"));
    }
    for (n, office) in offices.iter().enumerate() {
        clinic.open_office(*office).map_err(|refusal| refusal.at("/office_ids"))?;
        if offices[..n].contains(office) {
            return Err(Refusal::rule("office-twice", "An office is named once.").at("/office_ids"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use events::DomainEvent;
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        Doctor,
        testing::{World, body, id},
    };

    fn registration(world: &World, n: u128) -> Value {
        json!({
            "name": "Dr Rao", "username": format!("rao{n}"), "email": format!("rao{n}@asha.example"),
            "licence_number": format!("MH-{n}"), "licence_expires": "2027-01-31", "office_ids": [world.office()]
        })
    }

    fn register(world: &mut World, n: u128, registration: Value) -> Result<Vec<DomainEvent>, Refusal> {
        world.when::<Doctor>(id::<DoctorId>(n), body::<RegisterDoctor>(registration))
    }

    #[test]
    fn a_doctor_comes_with_a_login_of_the_same_id() {
        let mut world = World::registered();
        let sent = registration(&world, 2);
        let events = register(&mut world, 2, sent.clone()).unwrap();
        let names: Vec<_> = events.iter().map(DomainEvent::event_type).collect();
        assert_eq!(names, ["StaffInvited", "DoctorRegistered"]);
        assert_eq!(world.state::<Staff>(id::<UserId>(2)).unwrap().roles, [Role::Doctor]);
        assert_eq!(world.counter("usage/doctors"), 1);
        let doctor = world.state::<Doctor>(id::<DoctorId>(2)).unwrap();
        let on = |day: &str| doctor.licence_valid_on(day.parse().unwrap());
        assert!(on("2027-01-31") && !on("2027-02-01"));
        assert_eq!(register(&mut world, 2, sent).unwrap_err().code, "duplicate");
    }

    #[test]
    fn licence_user_name_and_e_mail_are_unique() {
        let mut world = World::registered();
        let first = registration(&world, 2);
        register(&mut world, 2, first.clone()).unwrap();
        for (field, value) in [("licence_number", "mh 2"), ("username", "RAO2"), ("email", "RAO2@asha.example")] {
            let mut other = registration(&world, 3);
            other[field] = value.into();
            let refused = register(&mut world, 3, other).unwrap_err();
            assert_eq!((refused.code, refused.pointer.map(str::to_owned)), ("duplicate", Some(format!("/{field}"))));
        }
    }

    #[test]
    fn a_doctor_works_in_offices_that_are_open() {
        let mut world = World::registered();
        let office = world.office();
        for (offices, code) in [
            (json!([]), "number-of-offices"),
            (json!([office, office]), "office-twice"),
            (json!([id::<OfficeId>(9)]), "not-found"),
        ] {
            let mut sent = registration(&world, 2);
            sent["office_ids"] = offices;
            assert_eq!(register(&mut world, 2, sent).unwrap_err().code, code);
        }
    }

    #[test]
    fn doctors_past_the_plan_are_refused() {
        let mut world = World::registered();
        for n in 2..=6 {
            world.given_doctor(n);
        }
        let sent = registration(&world, 7);
        let refused = register(&mut world, 7, sent).unwrap_err();
        assert_eq!((refused.code, refused.extra), ("quota-exceeded", vec![("limit", 5.into()), ("used", 5.into())]));
    }

    #[test]
    fn an_administrator_registers_doctors_and_no_login_becomes_one_unawares() {
        let mut world = World::registered();
        let nurse = world.given_staff(2, &[Role::Nurse]);
        let sent = registration(&world, 2);
        assert_eq!(register(&mut world, 2, sent.clone()).unwrap_err().code, "duplicate");
        world.acts(nurse, &[Role::Nurse]);
        assert_eq!(register(&mut world, 3, sent).unwrap_err().code, "role-above-own");
    }
}
