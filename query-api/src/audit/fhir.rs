//! An entry as FHIR R4 AuditEvents, after IHE BALP: of a search or a list, one for each patient shown. `docs/auditing.md`
//! has the table.

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::SecondsFormat;
use events::audit::{Action, Category};
use serde_json::{Value, json};

use super::entry::{AuditEntry, AuditPatient};

const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const REST: &str = "http://terminology.hl7.org/CodeSystem/audit-event-type";
const INTERACTION: &str = "http://hl7.org/fhir/restful-interaction";
const LIFECYCLE: &str = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle";
const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const OBJECT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
const SOURCE_TYPE: &str = "http://terminology.hl7.org/CodeSystem/security-source-type";
const PURPOSE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const BALP_ENTITY: &str = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType";
/// The network address is an IP address.
const IP_ADDRESS: &str = "2";

/// One AuditEvent for each patient of the entry, or one where there is none.
pub(crate) fn audit_events(entry: &AuditEntry, site: &str) -> Vec<Value> {
    match entry.patients.as_slice() {
        [] => vec![audit_event(entry, site, None, entry.id.to_string())],
        [one] => vec![audit_event(entry, site, Some(one), entry.id.to_string())],
        several => {
            let numbered = several.iter().zip(1..);
            numbered.map(|(one, n)| audit_event(entry, site, Some(one), format!("{}-{n}", entry.id))).collect()
        }
    }
}

fn audit_event(entry: &AuditEntry, site: &str, patient: Option<&AuditPatient>, id: String) -> Value {
    let (kind, subtype) = codes(entry);
    let mut event = json!({
        "resourceType": "AuditEvent",
        "id": id,
        "type": kind,
        "action": entry.action,
        "recorded": entry.recorded_at.to_rfc3339_opts(SecondsFormat::Micros, true),
        "outcome": entry.outcome.to_string(),
        "purposeOfEvent": [{"coding": [coding(PURPOSE, &entry.purpose)]}],
        "agent": agents(entry),
        "source": {
            "site": site,
            "observer": {"display": "Casebook"},
            "type": [coding(SOURCE_TYPE, "4")],
        },
        "entity": entities(entry, patient),
    });
    if let Some(subtype) = subtype {
        event["subtype"] = json!([subtype]);
    }
    if let Some(problem) = &entry.problem {
        event["outcomeDesc"] = json!(problem);
    }
    event
}

fn coding(system: &str, code: &str) -> Value {
    json!({"system": system, "code": code})
}

/// `type` and `subtype`.
fn codes(entry: &AuditEntry) -> (Value, Option<Value>) {
    let rest = |code| (coding(REST, "rest"), Some(coding(INTERACTION, code)));
    let dicom = |kind, subtype: Option<&str>| (coding(DICOM, kind), subtype.map(|code| coding(DICOM, code)));
    match (entry.category, entry.event.as_str()) {
        (_, "AuditRead") => dicom("110101", None),
        (Category::ClinicalWrite, _) if entry.action == Action::Create => rest("create"),
        (Category::ClinicalWrite, _) => rest("update"),
        (Category::Read, _) => rest("read"),
        (Category::Search, _) => rest("search"),
        (Category::Export | Category::Download | Category::Print, _) => dicom("110106", None),
        (Category::Login, "LoggedOut") => dicom("110114", Some("110123")),
        (Category::Login, "LoggedIn" | "LoginFailed") => dicom("110114", Some("110122")),
        (Category::Login, _) => dicom("110113", Some("110137")),
        (Category::Privilege, "RoleGranted" | "RoleRevoked") => dicom("110113", Some("110136")),
        (Category::Privilege, _) => dicom("110113", Some("110137")),
        (Category::Security, _) => dicom("110113", Some("110132")),
        (Category::BreakGlass, "EmergencyAccessGranted") => dicom("110113", Some("110127")),
        (Category::BreakGlass, "EmergencyAccessEnded") => dicom("110113", Some("110138")),
        (Category::BreakGlass, _) => dicom("110113", None),
        (Category::Configuration | Category::System, _) => dicom("110100", None),
        (Category::Disclosure, _) => (coding(LIFECYCLE, "disclose"), None),
    }
}

fn agents(entry: &AuditEntry) -> Vec<Value> {
    let actor = &entry.actor;
    let mut requestor = json!({"requestor": true, "purposeOfUse": [{"coding": [coding(PURPOSE, &entry.purpose)]}]});
    requestor["who"] = match actor.id {
        Some(id) => json!({"identifier": {"value": id}}),
        None => json!({"display": actor.kind}),
    };
    if !actor.name.is_empty() {
        requestor["name"] = json!(actor.name);
    }
    if let Some(session) = actor.session {
        requestor["altId"] = json!(session);
    }
    if !actor.roles.is_empty() {
        requestor["role"] = actor.roles.iter().map(|role| json!({"text": role})).collect();
    }
    if let Some(address) = &entry.client.address {
        requestor["network"] = json!({"address": address, "type": IP_ADDRESS});
    }
    let mut agents = vec![requestor];
    if let Some(other) = actor.on_behalf_of {
        agents.push(json!({"requestor": false, "who": {"identifier": {"value": other}}}));
    }
    agents
}

fn entities(entry: &AuditEntry, patient: Option<&AuditPatient>) -> Vec<Value> {
    let mut entities = Vec::new();
    if let Some(AuditPatient { id, number }) = patient {
        let mut what = json!({"reference": format!("Patient/{id}")});
        if let Some(number) = number {
            what["identifier"] = json!({"value": number});
        }
        entities.push(json!({
            "what": what, "type": coding(ENTITY_TYPE, "1"), "role": coding(OBJECT_ROLE, "1"),
        }));
    }
    if let Some(resource) = &entry.resource {
        let version = resource.version.map(|version| vec![detail("version", &version.to_string())]);
        let mut entity = json!({
            "what": {"identifier": {"system": format!("urn:casebook:{}", resource.kind), "value": resource.id}},
            "type": coding(ENTITY_TYPE, "2"), "role": coding(OBJECT_ROLE, "4"),
        });
        if let Some(version) = version {
            entity["detail"] = json!(version);
        }
        entities.push(entity);
    }
    if let Some(parameters) = &entry.parameters {
        let query = BASE64_STANDARD.encode(parameters.to_string());
        entities.push(json!({"type": coding(ENTITY_TYPE, "2"), "role": coding(OBJECT_ROLE, "24"), "query": query}));
    }
    entities.push(json!({
        "what": {"identifier": {"value": entry.correlation_id}},
        "type": coding(BALP_ENTITY, "XrequestId"),
        "detail": [
            detail("ledger", &entry.ledger.to_string()),
            detail("position", &entry.position.to_string()),
            detail("hash", &entry.hash),
            detail("sentence", &entry.sentence),
        ],
    }));
    entities
}

fn detail(name: &str, value: &str) -> Value {
    json!({"type": name, "valueString": value})
}
