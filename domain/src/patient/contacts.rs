//! People around the patient.

use events::{
    PatientEvent, PatientId,
    patient::{EmergencyContact, FamilyRelationship},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Chart;
use crate::{
    Decision, Patient, Refusal,
    values::{Name, Phone, Text},
};

/// What somebody is to the patient: `mother`.
type Relationship = Text<100>;

/// Says whom to call in an emergency, in place of whoever it was.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetEmergencyContact {
    pub name: Name,
    #[serde(default)]
    pub relationship: Option<Relationship>,
    #[serde(default)]
    pub phone: Option<Phone>,
}

/// Links two patients as family. The link is written in both charts.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkFamily {
    pub relative_id: PatientId,
    /// What the relative is to the patient: `mother`.
    pub relationship: Relationship,
    /// What the patient is to the relative: `son`.
    #[serde(default)]
    pub reverse_relationship: Option<Relationship>,
}

impl SetEmergencyContact {
    pub(super) fn decide(self, chart: &Chart<'_>) -> Result<Decision, Refusal> {
        chart.record(self.into_event())
    }

    pub(super) fn into_event(self) -> PatientEvent {
        let contact = EmergencyContact {
            name: self.name.into(),
            relationship: self.relationship.map(Into::into),
            phone: self.phone.map(Into::into),
        };
        PatientEvent::EmergencyContactSet { sealed: contact.into() }
    }
}

impl LinkFamily {
    pub(super) fn decide(self, chart: &Chart<'_>) -> Result<Decision, Refusal> {
        let relative = chart.facts.get::<Patient>(self.relative_id);
        let relative = relative.ok_or_else(|| Refusal::not_found("relative").at("/relative_id"))?;
        relative.not_erased().map_err(|refusal| refusal.at("/relative_id"))?;
        if self.relative_id == chart.id || chart.group.contains(self.relative_id) {
            return Err(Refusal::rule("own-relative", "Nobody is their own relative.").at("/relative_id"));
        }
        let link = |relative, relationship: Option<Relationship>| PatientEvent::FamilyLinked {
            relative,
            sealed: FamilyRelationship { relationship: relationship.map(Into::into) }.into(),
        };
        let decision = Decision::one(chart.id, link(self.relative_id, Some(self.relationship)));
        // A link without words must not replace one that has some.
        if relative.relatives.contains(&chart.id) && self.reverse_relationship.is_none() {
            return Ok(decision);
        }
        Ok(decision.and(self.relative_id, link(chart.id, self.reverse_relationship)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{World, body, id};

    fn link(world: &mut World, from: PatientId, to: PatientId) -> Result<usize, Refusal> {
        let content = json!({"relative_id": to, "relationship": "mother", "reverse_relationship": "son"});
        world.patient(from, body::<LinkFamily>(content)).map(|events| events.len())
    }

    #[test]
    fn a_link_stands_in_both_charts() {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        let [son, mother] = [1, 2].map(|n| world.given_patient(n));
        assert_eq!(link(&mut world, son, mother).unwrap(), 2);
        for (one, other) in [(son, mother), (mother, son)] {
            assert!(world.state::<Patient>(one).unwrap().relatives.contains(&other));
        }
        let again = json!({"relative_id": mother, "relationship": "stepmother"});
        assert_eq!(world.patient(son, body::<LinkFamily>(again)).unwrap().len(), 1, "the other's words stay");
    }

    #[test]
    fn nobody_is_their_own_relative_under_any_record() {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        let [survivor, double] = [1, 2].map(|n| world.given_patient(n));
        assert_eq!(link(&mut world, survivor, survivor).unwrap_err().code, "own-relative");
        world.given_merge(double, survivor);
        assert_eq!(link(&mut world, survivor, double).unwrap_err().code, "own-relative");
    }

    #[test]
    fn a_relative_exists() {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        let patient = world.given_patient(1);
        let refused = link(&mut world, patient, id(9)).unwrap_err();
        assert_eq!((refused.class, refused.pointer), (crate::Class::NotFound, Some("/relative_id")));
    }

    #[test]
    fn an_emergency_contact_is_replaced() {
        let mut world = World::with_clinic(chrono_tz::Asia::Kolkata);
        let patient = world.given_patient(1);
        let content = json!({"name": "Ravi Rao", "phone": "+919876543210"});
        let events = world.patient(patient, body::<SetEmergencyContact>(content)).unwrap();
        assert_eq!(events[0].event_type(), "EmergencyContactSet");
    }
}
