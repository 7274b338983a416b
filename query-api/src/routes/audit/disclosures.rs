//! Accounting of disclosures: who outside the clinic was told what about a patient, when and why.

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, Utc};
use events::{PatientId, Position, access::Disclosure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{ListQuery, Path, Problem, page::List};
use uuid::Uuid;

use super::{person::Person, trail::may_audit};
use crate::{
    QueryState,
    audit::{AccessPage, Accounted, Content, access_rows, accounted, same_person},
    disclosure::{Disclosed, disclose_audit},
    reader::Live,
    routes::ById,
    scope::Reflected,
};

/// Of the audit trail. The written form is stored for ever.
const PART: &str = "disclosures";

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfPatient {
    /// Accounted for then or later.
    from: Option<DateTime<Utc>>,
    /// Accounted for before.
    to: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfClinic {
    /// Also under another id of the same person.
    patient: Option<PatientId>,
    /// Accounted for then or later.
    from: Option<DateTime<Utc>>,
    /// Accounted for before.
    to: Option<DateTime<Utc>>,
}

/// A disclosure that somebody at the clinic accounted for.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DisclosureEntry {
    pub id: Uuid,
    /// Of its record in the access ledger.
    pub access_position: Position,
    pub patient_id: Option<PatientId>,
    pub patient_number: Option<String>,
    pub disclosed_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    /// User name at the time.
    pub recorded_by: String,
    /// To whom, where, what, and why; `null` where it was erased or is withheld.
    pub disclosure: Option<DisclosureBody>,
    /// An agency has asked that the patient not be told before.
    pub suspended_until: Option<DateTime<Utc>>,
    pub content: Content,
    /// The record is restricted, and the asker does not see restricted ones.
    pub withheld: bool,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DisclosureBody {
    pub recipient: String,
    pub address: Option<String>,
    pub description: String,
    pub statement: String,
}

impl From<Disclosure> for DisclosureBody {
    fn from(said: Disclosure) -> Self {
        let Disclosure { recipient, address, description, statement } = said;
        Self { recipient, address, description, statement }
    }
}

impl From<Accounted> for DisclosureEntry {
    fn from(accounted: Accounted) -> Self {
        let Accounted { row, number, id, content, said, suspended_until, withheld } = accounted;
        Self {
            id,
            access_position: row.position,
            patient_id: row.patient,
            patient_number: number,
            disclosed_at: row.occurred_at,
            recorded_at: row.recorded_at,
            recorded_by: row.actor_name,
            disclosure: said.map(DisclosureBody::from),
            suspended_until,
            content,
            withheld,
        }
    }
}

async fn of_clinic(
    Live(reader): Live,
    query: ListQuery<OfClinic>,
) -> Result<Disclosed<List<DisclosureEntry>>, Problem> {
    may_audit(&reader).await?;
    let OfClinic { patient, from, to } = query.filters;
    let patients = match patient {
        Some(patient) => Some(same_person(&reader, patient).await?),
        None => None,
    };
    let page = page(patients.as_deref(), from, to, query.after()?, query.fetch());
    let Reflected { value: rows, position } = access_rows(&reader, page).await?;
    let entries = accounted(&reader, rows, false).await?.into_iter().map(DisclosureEntry::from).collect();
    let page = query.answer(entries, position, |entry: &DisclosureEntry| entry.access_position);
    disclose_audit(&reader, PART, patient, page.items().len(), page).await
}

async fn of_patient(
    Live(reader): Live,
    Path(path): Path<ById>,
    query: ListQuery<OfPatient>,
) -> Result<Disclosed<List<DisclosureEntry>>, Problem> {
    let person = Person::of(&reader, path.id.into()).await?;
    let OfPatient { from, to } = query.filters;
    let page = AccessPage {
        for_patient: person.asks_themselves,
        ..page(Some(&person.ids), from, to, query.after()?, query.fetch())
    };
    let Reflected { value: rows, position } = access_rows(&reader, page).await?;
    let accounted = accounted(&reader, rows, person.asks_themselves).await?;
    let entries = accounted.into_iter().map(DisclosureEntry::from).collect();
    let page = query.answer(entries, position, |entry: &DisclosureEntry| entry.access_position);
    disclose_audit(&reader, PART, Some(path.id.into()), page.items().len(), page).await
}

fn page(
    patients: Option<&[Uuid]>,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    before: Option<Position>,
    limit: i64,
) -> AccessPage<'_> {
    AccessPage { events: vec!["DisclosureRecorded"], patients, for_patient: false, from, to, before, limit }
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new()
        .api_route(
            "/audit/disclosures",
            get_with(of_clinic, |op| {
                op.id("listDisclosures").tag("Audit").summary("Accounting of disclosures").description(
                    "What administrators accounted for, the latest first: who outside the clinic was told what about \
                     which patient, when and why (45 CFR 164.528).",
                )
            }),
        )
        .api_route(
            "/patients/{id}/disclosures",
            get_with(of_patient, |op| {
                op.id("listPatientDisclosures")
                    .tag("Audit")
                    .summary("To whom a patient's data was disclosed")
                    .description(
                        "The accounting of disclosures of one patient, under any id of the same person: for \
                     administrators, auditors and the patient.",
                    )
            }),
        )
}
