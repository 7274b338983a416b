//! National and other ids. A clinic has one patient to an id, unless it is of a kind that people share.

use std::{borrow::Cow, str::FromStr};

use events::{
    IdentifierId, PatientEvent,
    claim::KeyedHash,
    patient::{IdentifierEntry, IdentifierValue},
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

use super::{Chart, state::identifier_claim};
use crate::{
    Context, Decision, Facts, Pseudonyms, Refusal,
    values::{DocumentNumber, Invalid, folded_number},
};

/// Kinds that a family or a firm may share; all others are one person's.
const SHARED_KINDS: [&str; 5] = ["insurance", "ration_card", "family", "employer", "other"];
const MAX_KIND_CHARS: usize = 40;
/// More are a mistake.
const MAX_IDENTIFIERS: usize = 30;

/// What sort of id it is: `aadhaar`, `passport`, `insurance`, `driving_licence`, …
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentifierKind(String);

impl IdentifierKind {
    fn is_shared(&self) -> bool {
        SHARED_KINDS.contains(&self.0.as_str())
    }
}

impl FromStr for IdentifierKind {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let kind = text.trim().to_ascii_lowercase().replace([' ', '-'], "_");
        let plain = kind.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if plain && (1..=MAX_KIND_CHARS).contains(&kind.len()) {
            Ok(Self(kind))
        } else {
            Err(Invalid(format!("a type of id has 1 to {MAX_KIND_CHARS} of a-z, 0-9 and _: passport")))
        }
    }
}

impl<'de> Deserialize<'de> for IdentifierKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for IdentifierKind {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "IdentifierKind".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "minLength": 1, "maxLength": MAX_KIND_CHARS, "pattern": "^[A-Za-z0-9_ -]+$",
            "examples": ["aadhaar", "passport", "insurance"]
        })
    }
}

/// Adds an id to the patient's. One that the person has already, under whichever record, is not added again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddIdentifier {
    #[serde(rename = "type")]
    pub kind: IdentifierKind,
    pub value: DocumentNumber,
}

/// Ends an id: it is the patient's no more, and another may have it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndIdentifier {
    pub identifier_id: IdentifierId,
}

impl AddIdentifier {
    pub(super) fn decide(self, chart: &Chart<'_>, context: &Context<'_>) -> Result<Decision, Refusal> {
        let hash = self.hash(context.pseudonyms);
        let has = |entry: &IdentifierEntry| hash.is_some() && entry.hash == hash;
        if chart.group.members().any(|(_, member)| member.identifiers.iter().any(has)) {
            return Ok(Decision::already_so());
        }
        if chart.patient.identifiers.len() >= MAX_IDENTIFIERS {
            return Err(too_many());
        }
        if let Some(hash) = &hash {
            chart.facts.nobody_else_holds(&identifier_claim(hash), context.target)?;
        }
        chart.record(self.into_event(context.new_id(0), hash))
    }

    /// `None` for a kind that people share.
    fn hash(&self, pseudonyms: &Pseudonyms) -> Option<KeyedHash> {
        let kind = &self.kind.0;
        (!self.kind.is_shared())
            .then(|| pseudonyms.of(&format!("identifier/{kind}"), &folded_number(self.value.as_str())))
    }

    fn into_event(self, id: IdentifierId, hash: Option<KeyedHash>) -> PatientEvent {
        PatientEvent::IdentifierAdded {
            identifier: IdentifierEntry { id, kind: self.kind.0, hash },
            sealed: IdentifierValue { value: self.value.into() }.into(),
        }
    }
}

impl EndIdentifier {
    pub(super) fn decide(self, chart: &Chart<'_>) -> Result<Decision, Refusal> {
        let named = |entry: &&IdentifierEntry| entry.id == self.identifier_id;
        let found = chart.group.holding(|member| member.identifiers.iter().find(named));
        let (holder, identifier) = found.ok_or_else(|| Refusal::not_found("identifier").at("/identifier_id"))?;
        Ok(Decision::one(holder, PatientEvent::IdentifierEnded { identifier: identifier.clone() }))
    }
}

/// The events for the ids of a new patient.
pub(super) fn check_new(
    identifiers: Vec<AddIdentifier>,
    facts: &Facts,
    context: &Context<'_>,
) -> Result<Vec<PatientEvent>, Refusal> {
    if identifiers.len() > MAX_IDENTIFIERS {
        return Err(too_many());
    }
    let mut hashes = Vec::new();
    let mut events = Vec::new();
    for (n, identifier) in (0_u16..).zip(identifiers) {
        let hash = identifier.hash(context.pseudonyms);
        if let Some(hash) = &hash {
            if hashes.contains(hash) {
                return Err(Refusal::rule("same-identifier-twice", "An id is named twice.").at("/identifiers"));
            }
            let claim = identifier_claim(hash);
            facts.nobody_else_holds(&claim, context.target).map_err(|refusal| refusal.at("/identifiers"))?;
            hashes.push(hash.clone());
        }
        events.push(identifier.into_event(context.new_id(n), hash));
    }
    Ok(events)
}

fn too_many() -> Refusal {
    Refusal::rule("too-many-identifiers", format!("A patient has at most {MAX_IDENTIFIERS} ids."))
}

#[cfg(test)]
mod tests {
    use events::{DomainEvent, PatientId};
    use serde_json::json;

    use super::*;
    use crate::testing::{World, body, id};

    fn world() -> World {
        World::with_clinic(chrono_tz::Asia::Kolkata)
    }

    fn add(world: &mut World, patient: PatientId, kind: &str, value: &str) -> Result<Vec<DomainEvent>, Refusal> {
        world.patient(patient, body::<AddIdentifier>(json!({"type": kind, "value": value})))
    }

    fn end_first(world: &mut World, named: PatientId, holder: PatientId) {
        let identifier = world.state::<crate::Patient>(holder).unwrap().identifiers[0].id;
        world.patient(named, body::<EndIdentifier>(json!({"identifier_id": identifier}))).unwrap();
    }

    #[test]
    fn a_national_id_is_one_patients_however_it_is_written() {
        let mut world = world();
        let [one, two] = [1, 2].map(|n| world.given_patient(n));
        add(&mut world, one, "aadhaar", "1234 5678 9012").unwrap();
        let refused = add(&mut world, two, "Aadhaar", "1234-5678-9012").unwrap_err();
        assert_eq!((refused.code, refused.class), ("duplicate", crate::Class::Conflict));
        add(&mut world, two, "passport", "1234 5678 9012").unwrap();
        let content = json!({"first_name": "Ravi", "identifiers": [{"type": "aadhaar", "value": "123456789012"}]});
        let refused = world.patient(id(3), body::<super::super::RegisterPatient>(content)).unwrap_err();
        assert_eq!((refused.code, refused.pointer), ("duplicate", Some("/identifiers")));
    }

    #[test]
    fn an_insurance_is_shared_by_a_family() {
        let mut world = world();
        let [one, two] = [1, 2].map(|n| world.given_patient(n));
        add(&mut world, one, "insurance", "P-77").unwrap();
        add(&mut world, two, "insurance", "P-77").unwrap();
        assert!(world.claims.keys().all(|claim| claim.kind != "identifier"));
    }

    #[test]
    fn the_same_id_again_is_already_so() {
        let mut world = world();
        let patient = world.given_patient(1);
        add(&mut world, patient, "passport", "K1234567").unwrap();
        assert_eq!(add(&mut world, patient, "passport", "k 1234567").unwrap(), []);
    }

    #[test]
    fn an_ended_id_is_free_for_another() {
        let mut world = world();
        let [one, two] = [1, 2].map(|n| world.given_patient(n));
        add(&mut world, one, "passport", "K1234567").unwrap();
        end_first(&mut world, one, one);
        add(&mut world, two, "passport", "K1234567").unwrap();
        let gone = world.patient(one, body::<EndIdentifier>(json!({"identifier_id": uuid::Uuid::nil()})));
        assert_eq!(gone.unwrap_err().class, crate::Class::NotFound);
    }

    #[test]
    fn an_id_is_held_for_the_whole_group_and_for_nobody_else() {
        let mut world = world();
        let [survivor, double, stranger] = [1, 2, 3].map(|n| world.given_patient(n));
        add(&mut world, double, "passport", "K1234567").unwrap();
        world.given_merge(double, survivor);
        assert_eq!(add(&mut world, survivor, "passport", "K1234567").unwrap(), []);
        assert_eq!(add(&mut world, stranger, "passport", "K1234567").unwrap_err().code, "duplicate");
        // It is ended where it lies, whichever record is named.
        end_first(&mut world, survivor, double);
        assert!(world.state::<crate::Patient>(double).unwrap().identifiers.is_empty());
        add(&mut world, stranger, "passport", "K1234567").unwrap();
    }

    #[test]
    fn one_body_names_an_id_once() {
        let mut world = world();
        let twice = json!([{"type": "pan", "value": "ABCDE1234F"}, {"type": "PAN", "value": "abcde1234f"}]);
        let content = json!({"first_name": "Asha", "identifiers": twice});
        let refused = world.patient(id(1), body::<super::super::RegisterPatient>(content)).unwrap_err();
        assert_eq!(refused.code, "same-identifier-twice");
    }

    #[test]
    fn there_is_an_end_to_the_ids_of_a_patient() {
        let mut world = world();
        let patient = world.given_patient(1);
        for n in 0..MAX_IDENTIFIERS {
            add(&mut world, patient, "other", &n.to_string()).unwrap();
        }
        assert_eq!(add(&mut world, patient, "other", "x").unwrap_err().code, "too-many-identifiers");
        let many: Vec<_> = (0..=MAX_IDENTIFIERS).map(|n| json!({"type": "other", "value": n.to_string()})).collect();
        let content = json!({"first_name": "Asha", "identifiers": many});
        let refused = world.patient(id(2), body::<super::super::RegisterPatient>(content)).unwrap_err();
        assert_eq!(refused.code, "too-many-identifiers");
    }

    #[test]
    fn a_kind_is_a_plain_word() {
        assert_eq!("Driving Licence".parse::<IdentifierKind>().unwrap().0, "driving_licence");
        for text in ["", "आधार", &"x".repeat(41), "a/b"] {
            assert!(text.parse::<IdentifierKind>().is_err(), "{text}");
        }
    }
}
