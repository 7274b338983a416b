//! From an event's clear part to a sentence.
//!
//! In a line of the table `{a.b}` is the member `a.b` of the clear part; `{patient}`, `{resource}`, `{operation}` and
//! `{event}` are the row's own. What stands in `[…]` is left out where a member in it is null. Ids are told by
//! their labels (a patient's number, a login's user name), instants in the clinic's zone, codes without their
//! underscores.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value;
use uuid::Uuid;

use super::Meaning;
use crate::{Actor, ActorKind, values::Money};

/// Where a member that must be there is not: only in a row that was tampered with.
const UNKNOWN: &str = "(unknown)";

/// What a sentence is made of.
pub struct Told<'a> {
    /// The event's stored name.
    pub event: &'a str,
    /// Its clear part.
    pub payload: &'a Value,
    pub patient: Option<Uuid>,
    pub resource: Uuid,
    pub operation: &'a str,
    /// The clinic's.
    pub zone: Tz,
    /// What people call an id.
    pub label: &'a dyn Fn(&Uuid) -> Option<String>,
}

/// Who it was: `asha.rao (doctor)`.
pub fn subject(actor: &Actor) -> String {
    match (actor.kind, actor.name.as_str()) {
        (ActorKind::System, _) => "The system".to_owned(),
        (ActorKind::Import, "") => "An import".to_owned(),
        (ActorKind::Import, name) => format!("An import by {name}"),
        (ActorKind::Person, "") => "Somebody without a login".to_owned(),
        (ActorKind::Person, name) if actor.roles.is_empty() => name.to_owned(),
        (ActorKind::Person, name) => {
            let roles: Vec<String> = actor.roles.iter().map(|role| plain(&role.to_string())).collect();
            format!("{name} ({})", roles.join(", "))
        }
    }
}

impl Told<'_> {
    /// `asha.rao (doctor) registered patient PT-2026-00001`
    pub fn sentence(&self, actor: &Actor, meaning: &Meaning) -> String {
        format!("{} {}", subject(actor), self.fill(meaning.says))
    }

    /// The code of the problem, where it failed.
    pub fn problem(&self, meaning: &Meaning) -> Option<String> {
        let code = meaning.problem?;
        match code.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(member) => self.member(member).as_str().map(str::to_owned),
            None => Some(code.to_owned()),
        }
    }

    fn fill(&self, template: &str) -> String {
        let mut told = String::with_capacity(template.len() + 32);
        let mut rest = template;
        while let Some((before, optional)) = rest.split_once('[') {
            told.push_str(&self.fill_part(before).unwrap_or_default());
            let (inside, after) = optional.split_once(']').unwrap_or((optional, ""));
            if let Some(part) = self.fill_members(inside) {
                told.push_str(&part);
            }
            rest = after;
        }
        told.push_str(&self.fill_part(rest).unwrap_or_default());
        told
    }

    /// What must be there.
    fn fill_part(&self, part: &str) -> Option<String> {
        self.fill_with(part, |member| Some(self.told(member).unwrap_or_else(|| UNKNOWN.to_owned())))
    }

    /// What may be left out.
    fn fill_members(&self, part: &str) -> Option<String> {
        self.fill_with(part, |member| self.told(member))
    }

    fn fill_with(&self, part: &str, of: impl Fn(&str) -> Option<String>) -> Option<String> {
        let mut filled = String::with_capacity(part.len());
        let mut rest = part;
        while let Some((before, member)) = rest.split_once('{') {
            let (member, after) = member.split_once('}')?;
            filled.push_str(before);
            filled.push_str(&of(member)?);
            rest = after;
        }
        filled.push_str(rest);
        Some(filled)
    }

    fn told(&self, member: &str) -> Option<String> {
        match member {
            "patient" => self.patient.map(|patient| self.name(&patient)),
            "resource" => Some(self.name(&self.resource)),
            "operation" => Some(self.operation.to_owned()),
            "event" => Some(self.event.to_owned()),
            path => match path.split_once(" in ") {
                Some((minor, currency)) => self.money(minor, currency),
                None => self.value(self.member(path)),
            },
        }
    }

    /// `{total in currency}`
    fn money(&self, minor: &str, currency: &str) -> Option<String> {
        let (minor, currency) = (self.member(minor).as_i64()?, self.member(currency).as_str()?.to_owned());
        Some(Money { minor, currency }.to_string())
    }

    fn member(&self, path: &str) -> &Value {
        path.split('.').fold(self.payload, |value, name| &value[name])
    }

    fn value(&self, value: &Value) -> Option<String> {
        match value {
            Value::String(text) => Some(self.text(text)),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(is) => Some(is.to_string()),
            Value::Array(items) if !items.is_empty() => {
                let told: Vec<String> = items.iter().filter_map(|item| self.value(item)).collect();
                Some(told.join(", "))
            }
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn text(&self, text: &str) -> String {
        if let Ok(id) = text.parse::<Uuid>() {
            return self.name(&id);
        }
        if let Ok(at) = text.parse::<DateTime<Utc>>() {
            return at.with_timezone(&self.zone).format("%Y-%m-%d %H:%M").to_string();
        }
        plain(text)
    }

    fn name(&self, id: &Uuid) -> String {
        (self.label)(id).unwrap_or_else(|| id.to_string())
    }
}

/// A code as people read it; anything else as it is.
fn plain(text: &str) -> String {
    match text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
        true => text.replace('_', " "),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Role, UserId, audit::meaning};

    const PATIENT: Uuid = Uuid::from_u128(1);
    const APPOINTMENT: Uuid = Uuid::from_u128(2);

    fn told(event: &str, payload: Value, patient: Option<Uuid>, actor: &Actor) -> String {
        let label = |id: &Uuid| match *id {
            PATIENT => Some("PT-2026-00001".to_owned()),
            APPOINTMENT => Some("APT-20260314-001".to_owned()),
            _ => None,
        };
        let told = Told {
            event,
            payload: &payload,
            patient,
            resource: APPOINTMENT,
            operation: "POST /clinic/{slug}/api/v1/patients/{id}/merge",
            zone: chrono_tz::Asia::Kolkata,
            label: &label,
        };
        told.sentence(actor, meaning(event, payload.to_string().as_bytes()))
    }

    fn somebody(roles: &[Role]) -> Actor {
        let user = Some(UserId(Uuid::from_u128(3)));
        Actor { user, name: "asha.rao".to_owned(), roles: roles.to_vec(), ..Actor::anonymous() }
    }

    #[test]
    fn an_appointment_is_told_by_its_number_in_the_clinics_time() {
        let payload = json!({"from": {"start": "2026-03-14T04:00:00Z"}, "to": {"start": "2026-03-15T05:00:00Z"}});
        let said = told("AppointmentRescheduled", payload, Some(PATIENT), &somebody(&[Role::Doctor]));
        assert_eq!(
            said,
            "asha.rao (doctor) rescheduled appointment APT-20260314-001 of patient PT-2026-00001 from \
             2026-03-14 09:30 to 2026-03-15 10:30"
        );
    }

    #[test]
    fn what_is_null_leaves_its_words_out() {
        let shown = |moment: Value| {
            let payload = json!({"category": "patient_read", "moment": moment, "emergency": null});
            told("PatientShown", payload, Some(PATIENT), &somebody(&[Role::Doctor, Role::ClinicAdmin]))
        };
        let plain = "asha.rao (doctor, clinic admin) was shown data of patient PT-2026-00001 (patient read)";
        assert_eq!(shown(Value::Null), plain);
        assert_eq!(shown(json!({"as_of": 42})), format!("{plain}, as the record stood at position 42"));
    }

    #[test]
    fn braces_in_a_route_are_no_members() {
        let payload = json!({"capability": "patient_merge", "need": "write"});
        let said = told("AccessRefused", payload, None, &somebody(&[Role::Receptionist]));
        assert_eq!(
            said,
            "asha.rao (receptionist) was refused POST /clinic/{slug}/api/v1/patients/{id}/merge: it needs the right \
             to write (patient merge)"
        );
    }

    #[test]
    fn a_row_that_lacks_what_it_must_have_is_told_nevertheless() {
        assert_eq!(
            told("RoleGranted", json!({}), None, &Actor::system()),
            "The system gave APT-20260314-001 the role (unknown)"
        );
        assert!(told("Vanished", json!({}), None, &Actor::anonymous()).ends_with("does not know (Vanished)"));
    }
}
