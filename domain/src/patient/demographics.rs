//! Who the patient is: registering, and correcting what was registered.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use events::{
    Number, PatientEvent, PatientId, Sealed, Series,
    calendar::day_of,
    patient::Demographics,
    values::{BirthDate, Gender},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::{
    Chart,
    contacts::SetEmergencyContact,
    identifiers::{AddIdentifier, check_new},
};
use crate::{
    Context, Decision, Facts, Patient, Refusal, Usage,
    values::{Email, LanguageTag, Name, Phone, PostalAddress},
};

/// Nobody has grown older; a birth date further back is a slip of the hand.
const MAX_AGE_YEARS: i32 = 130;

/// ABO and Rh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, IntoStaticStr)]
pub enum BloodGroup {
    #[serde(rename = "A+")]
    #[strum(serialize = "A+")]
    APositive,
    #[serde(rename = "A-")]
    #[strum(serialize = "A-")]
    ANegative,
    #[serde(rename = "B+")]
    #[strum(serialize = "B+")]
    BPositive,
    #[serde(rename = "B-")]
    #[strum(serialize = "B-")]
    BNegative,
    #[serde(rename = "AB+")]
    #[strum(serialize = "AB+")]
    AbPositive,
    #[serde(rename = "AB-")]
    #[strum(serialize = "AB-")]
    AbNegative,
    #[serde(rename = "O+")]
    #[strum(serialize = "O+")]
    OPositive,
    #[serde(rename = "O-")]
    #[strum(serialize = "O-")]
    ONegative,
}

/// As FHIR's value set for marital status, in plain words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum MaritalStatus {
    Single,
    Married,
    Partnered,
    Separated,
    Divorced,
    Widowed,
    Unknown,
}

/// Registers a patient and gives the patient number.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterPatient {
    /// A UUIDv7; made by the server where it is left out.
    #[serde(default)]
    pub id: Option<PatientId>,
    pub first_name: Name,
    #[serde(default)]
    pub last_name: Option<Name>,
    #[serde(default)]
    pub birth_date: Option<BirthDate>,
    #[serde(default)]
    pub gender: Gender,
    #[serde(default)]
    pub phone: Option<Phone>,
    #[serde(default)]
    pub email: Option<Email>,
    #[serde(default)]
    pub address: Option<PostalAddress>,
    #[serde(default)]
    pub blood_group: Option<BloodGroup>,
    #[serde(default)]
    pub marital_status: Option<MaritalStatus>,
    /// BCP 47: `hi`, `en-IN`.
    #[serde(default)]
    pub language: Option<LanguageTag>,
    #[serde(default)]
    pub emergency_contact: Option<SetEmergencyContact>,
    #[serde(default)]
    pub identifiers: Vec<AddIdentifier>,
}

/// Replaces all demographics: what is left out is emptied. The emergency contact stays when it is left
/// out; identifiers have commands of their own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateDemographics {
    pub first_name: Name,
    #[serde(default)]
    pub last_name: Option<Name>,
    #[serde(default)]
    pub birth_date: Option<BirthDate>,
    #[serde(default)]
    pub gender: Gender,
    #[serde(default)]
    pub phone: Option<Phone>,
    #[serde(default)]
    pub email: Option<Email>,
    #[serde(default)]
    pub address: Option<PostalAddress>,
    #[serde(default)]
    pub blood_group: Option<BloodGroup>,
    #[serde(default)]
    pub marital_status: Option<MaritalStatus>,
    /// BCP 47: `hi`, `en-IN`.
    #[serde(default)]
    pub language: Option<LanguageTag>,
    #[serde(default)]
    pub emergency_contact: Option<SetEmergencyContact>,
}

impl RegisterPatient {
    pub(super) fn decide(
        self,
        state: Option<&Patient>,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<Decision, Refusal> {
        if state.is_some() {
            return Err(Refusal::conflict("duplicate", "There is a patient with this id already.").at("/id"));
        }
        let clinic = context.in_clinic()?;
        let (person, identifiers) = self.split();
        check_birth_date(person.birth_date, context.now, clinic.zone())?;
        let identifiers = check_new(identifiers, facts, context)?;
        let bound = Usage::Patients.room_for(1, clinic, facts)?;
        let contact = person.emergency_contact.clone();
        let registered = PatientEvent::PatientRegistered {
            number: Number::Next(Series::Patient { zone: clinic.zone() }),
            gender: person.gender,
            birth_year: person.birth_date.map(BirthDate::year),
            sealed: person.into_demographics(),
        };
        let contact = contact.map(SetEmergencyContact::into_event);
        let events = std::iter::once(registered).chain(identifiers).chain(contact);
        Ok(events.fold(Decision::default(), |all, event| all.and(PatientId(context.target.id), event)).within(bound))
    }

    fn split(self) -> (UpdateDemographics, Vec<AddIdentifier>) {
        let person = UpdateDemographics {
            first_name: self.first_name,
            last_name: self.last_name,
            birth_date: self.birth_date,
            gender: self.gender,
            phone: self.phone,
            email: self.email,
            address: self.address,
            blood_group: self.blood_group,
            marital_status: self.marital_status,
            language: self.language,
            emergency_contact: self.emergency_contact,
        };
        (person, self.identifiers)
    }
}

impl UpdateDemographics {
    pub(super) fn decide(self, chart: &Chart<'_>, context: &Context<'_>) -> Result<Decision, Refusal> {
        check_birth_date(self.birth_date, context.now, context.in_clinic()?.zone())?;
        let contact = self.emergency_contact.clone().map(SetEmergencyContact::into_event);
        let updated = PatientEvent::DemographicsUpdated {
            gender: self.gender,
            birth_year: self.birth_date.map(BirthDate::year),
            was: chart.patient.standing(),
            sealed: self.into_demographics(),
        };
        Ok(contact.into_iter().fold(Decision::one(chart.id, updated), |all, event| all.and(chart.id, event)))
    }

    fn into_demographics(self) -> Sealed<Demographics> {
        Sealed::Open(Demographics {
            first_name: self.first_name.into(),
            last_name: self.last_name.map(Into::into),
            birth_date: self.birth_date,
            phone: self.phone.map(Into::into),
            email: self.email.map(Into::into),
            address: self.address.map(Into::into),
            blood_group: self.blood_group.map(|group| <&str>::from(group).to_owned()),
            marital_status: self.marital_status.map(|status| <&str>::from(status).to_owned()),
            language: self.language.map(Into::into),
        })
    }
}

fn check_birth_date(date: Option<BirthDate>, now: DateTime<Utc>, zone: Tz) -> Result<(), Refusal> {
    let Some(date) = date else { return Ok(()) };
    let today = day_of(now, zone);
    if date.earliest() > today {
        return Err(Refusal::rule("birth-date-in-future", "A birth date lies in the past.").at("/birth_date"));
    }
    if date.age_on(today).0 > MAX_AGE_YEARS {
        let detail = format!("A birth date lies at most {MAX_AGE_YEARS} years back.");
        return Err(Refusal::rule("birth-date-too-early", detail).at("/birth_date"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use events::DomainEvent;
    use serde_json::json;

    use super::*;
    use crate::testing::{World, at, body, id};

    fn world() -> World {
        World::with_clinic(chrono_tz::Asia::Kolkata)
    }

    fn register(world: &mut World, n: u128, content: serde_json::Value) -> Result<Vec<DomainEvent>, Refusal> {
        world.patient(id(n), body::<RegisterPatient>(content))
    }

    #[test]
    fn a_first_name_is_enough() {
        let mut world = world();
        let events = register(&mut world, 1, json!({"first_name": "Asha"})).unwrap();
        assert_eq!(events.len(), 1);
        assert_eq!(world.counter("usage/patients"), 1);
        let DomainEvent::Patient(PatientEvent::PatientRegistered { number, .. }) = &world.log.last().unwrap().1 else {
            panic!("a registration was recorded");
        };
        assert_eq!(number.as_str(), "PT-2026-00001");
    }

    #[test]
    fn all_that_is_sent_is_recorded_and_nothing_personal_is_clear() {
        let mut world = world();
        let content = json!({
            "first_name": "Asha", "last_name": "Rao", "birth_date": "1984-03", "gender": "female",
            "phone": "+91 98765 43210", "email": "asha@example.org", "blood_group": "O-",
            "address": {"line": "1 Road", "city": "Pune", "country": "in"}, "marital_status": "married",
            "language": "mr-IN", "emergency_contact": {"name": "Ravi Rao", "relationship": "husband"},
            "identifiers": [{"type": "Aadhaar", "value": "1234 5678 9012"}]
        });
        let events = register(&mut world, 1, content).unwrap();
        let types: Vec<_> = events.iter().map(DomainEvent::event_type).collect();
        assert_eq!(types, ["PatientRegistered", "IdentifierAdded", "EmergencyContactSet"]);
        let DomainEvent::Patient(PatientEvent::PatientRegistered { sealed: Sealed::Open(person), birth_year, .. }) =
            &events[0]
        else {
            panic!("a registration was recorded");
        };
        assert_eq!((person.phone.as_deref(), *birth_year), (Some("+919876543210"), Some(1984)));
        for (_, event) in &world.log[2..] {
            let clear = String::from_utf8(events::codec::encode(event).payload).unwrap();
            for secret in ["Asha", "Rao", "Ravi", "98765", "1984-03", "5678", "Pune", "example.org"] {
                assert!(!clear.contains(secret), "{clear}");
            }
        }
    }

    #[test]
    fn an_unknown_field_is_refused() {
        let unknown = json!({"first_name": "Asha", "nickname": "A"});
        assert!(serde_json::from_value::<RegisterPatient>(unknown).is_err());
        assert!(serde_json::from_value::<RegisterPatient>(json!({})).is_err());
    }

    #[test]
    fn an_id_is_used_once() {
        let mut world = world();
        world.given_patient(1);
        assert_eq!(register(&mut world, 1, json!({"first_name": "Asha"})).unwrap_err().code, "duplicate");
    }

    #[test]
    fn nobody_is_born_tomorrow_or_a_century_and_a_half_ago() {
        let mut world = world();
        for (date, code) in [("2026-03-03", "birth-date-in-future"), ("1870", "birth-date-too-early")] {
            let refused = register(&mut world, 1, json!({"first_name": "Asha", "birth_date": date})).unwrap_err();
            assert_eq!((refused.code, refused.pointer), (code, Some("/birth_date")));
        }
        // In Kolkata the day has begun that is not yet in Greenwich.
        world.now = at("2026-03-02T19:00:00Z");
        register(&mut world, 1, json!({"first_name": "Asha", "birth_date": "2026-03-03"})).unwrap();
    }

    #[test]
    fn a_plan_has_room_for_so_many() {
        let mut world = world();
        let limits = serde_json::from_value(json!({"patients": 1})).unwrap();
        world.given(world.clinic, events::ClinicEvent::LimitsSet { limits: Some(limits) });
        world.given_patient(1);
        let refused = register(&mut world, 2, json!({"first_name": "Asha"})).unwrap_err();
        assert_eq!(refused.code, "quota-exceeded");
        assert_eq!(refused.extra, [("limit", json!(1)), ("used", json!(1))]);
    }

    #[test]
    fn an_update_replaces_all_and_says_what_was() {
        let mut world = world();
        let patient = world.given_patient(1);
        let content = json!({"first_name": "Asha", "gender": "other", "birth_date": "1990"});
        let events = world.patient(patient, body::<UpdateDemographics>(content)).unwrap();
        let DomainEvent::Patient(PatientEvent::DemographicsUpdated { was, sealed, .. }) = &events[0] else {
            panic!("an update was recorded");
        };
        assert_eq!(was.gender, Gender::Unknown);
        assert_eq!(sealed.open().unwrap().phone, None);
        let contact = json!({"first_name": "Asha", "emergency_contact": {"name": "Ravi"}});
        assert_eq!(world.patient(patient, body::<UpdateDemographics>(contact)).unwrap().len(), 2);
    }

    #[test]
    fn who_does_not_exist_is_not_updated() {
        let refused = world().patient(id(9), body::<UpdateDemographics>(json!({"first_name": "Asha"}))).unwrap_err();
        assert_eq!(refused.class, crate::Class::NotFound);
    }
}
