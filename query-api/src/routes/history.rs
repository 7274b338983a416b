//! What happened to a patient's record: each event, who caused it and when. Its content is not shown.

use aide::axum::{ApiRouter, routing::get_with};
use chrono::{DateTime, Utc};
use events::{ActorKind, AggregateKind, PatientEvent, PatientId, Position, Purpose, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{AsOf, Capability, ListQuery, Path, Problem, page::List};
use strum::{VariantArray, VariantNames};
use uuid::Uuid;

use super::{
    ById,
    patients::one::{When, visible},
};
use crate::{
    QueryState, clinical,
    disclosure::{Disclosed, Subjects, disclose},
    past::Past,
    reader::Reader,
    scope::{Reflected, Select},
    sql::Sql,
};

/// One event of a patient's chart.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ChartEntry {
    /// In the clinic's record.
    pub position: Position,
    /// The id under which it was recorded: another one of the group, where patients were merged.
    pub patient_id: PatientId,
    /// 1, 2, 3 … in the chart of that patient.
    pub patient_version: i64,
    /// What changed: the record itself, an appointment, a portal account.
    pub resource: AggregateKind,
    pub resource_id: Uuid,
    /// 1, 2, 3 … of that resource.
    pub version: i64,
    /// `PatientRegistered`
    pub event: String,
    /// `RegisterPatient`
    pub command: String,
    /// When it happened; earlier than it was recorded for what was imported.
    pub occurred_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    pub actor_kind: ActorKind,
    pub actor_id: Option<UserId>,
    /// User name and roles at the time.
    pub actor_name: String,
    pub actor_roles: Vec<String>,
    pub purpose: Purpose,
    /// A code.
    pub reason: Option<String>,
    /// What to name when asking about it; shared by all that one request recorded.
    pub correlation_id: Uuid,
}

impl ChartEntry {
    /// Of `e`, the event.
    pub(crate) const COLUMNS: &str = "e.position, e.patient AS patient_id, e.patient_version, e.stream_kind AS resource, e.stream_id AS resource_id, \
         e.stream_version AS version, e.event_type AS event, e.command, e.occurred_at, e.recorded_at, e.actor_kind, \
         e.actor_user AS actor_id, e.actor_name, array_remove(string_to_array(e.actor_roles, ','), '') AS actor_roles, \
         e.purpose, e.reason, e.correlation_id";
}

/// What one must be allowed to read to know that such an event happened.
pub(crate) fn capability(event: &str) -> Capability {
    match event {
        "AllergyRecorded" | "AllergyVerified" | "AllergyRefuted" | "AllergyResolved" | "NoKnownAllergiesAsserted" => {
            Capability::Allergies
        }
        "ProblemAdded" | "ProblemResolved" => Capability::Problems,
        "ConsentGiven" | "ConsentWithdrawn" => Capability::Consent,
        "RecordRestricted" => Capability::Restriction,
        _ => Capability::PatientRead,
    }
}

/// What one must be allowed to read to know all that happened to streams of this kind in somebody's chart. Of a
/// patient's own stream it is the event that says so, of a clinical resource the resource itself.
fn of_kind(kind: AggregateKind) -> Option<Capability> {
    match kind {
        AggregateKind::Appointment => Some(Capability::Appointments),
        AggregateKind::Staff => Some(Capability::PortalAccounts),
        // The registry of clinical resources tells of them.
        AggregateKind::Document
        | AggregateKind::Visit
        | AggregateKind::Prescription
        | AggregateKind::Note
        | AggregateKind::DentalChart
        | AggregateKind::Charge
        | AggregateKind::Invoice
        | AggregateKind::LabOrder
        | AggregateKind::LabReport => None,
        AggregateKind::Clinic
        | AggregateKind::Doctor
        | AggregateKind::Patient
        | AggregateKind::DentalTemplate
        | AggregateKind::Department
        | AggregateKind::Access => None,
        AggregateKind::Medicine | AggregateKind::Substance | AggregateKind::Catalogue | AggregateKind::ShortKey => None,
        // That it draws on this patient nobody is told here: a published one shows no patient.
        AggregateKind::CaseStudy => None,
    }
}

/// The events of a person's charts that an asker may know of.
pub(super) struct Told {
    group: Vec<Uuid>,
    /// Events of patients' own streams and of logins.
    events: Vec<&'static str>,
    /// Kinds of streams of which all is told.
    kinds: Vec<&'static str>,
    /// Resources that are told of, each with its kind.
    resources: (Vec<&'static str>, Vec<Uuid>),
}

impl Told {
    /// `group`: the ids of a person whose record the asker may see. Only events that this program knows are told.
    pub(super) async fn to(reader: &Reader, group: Vec<Uuid>) -> Result<Self, Problem> {
        let may = |capability| reader.grant(capability).allows_read();
        let events = PatientEvent::VARIANTS.iter().copied().filter(|event| may(capability(event)));
        // Whoever may see a record may know who broke the glass to it: the patient first of all.
        let glass = ["EmergencyAccessGranted", "EmergencyAccessEnded", "EmergencyAccessReviewed"];
        let seen = clinical::seen(reader, &group).await?;
        let kinds = AggregateKind::VARIANTS.iter().copied().filter(|kind| of_kind(*kind).is_some_and(may));
        let kinds = kinds.chain(seen.whole).map(AggregateKind::as_str).collect();
        let resources = seen.some.into_iter().map(|(kind, id)| (kind.as_str(), id));
        Ok(Self { group, events: events.chain(glass).collect(), kinds, resources: resources.unzip() })
    }

    /// Adds the condition on `e`, the event.
    pub(super) fn narrow(&self, sql: Sql) -> Sql {
        sql.push(" AND e.patient = ANY(")
            .bind(self.group.clone())
            .push(") AND (e.stream_kind = ANY(")
            .bind(self.kinds.clone())
            .push(") OR e.stream_kind IN ('patient', 'staff') AND e.event_type = ANY(")
            .bind(self.events.clone())
            .push(") OR (e.stream_kind, e.stream_id) IN (SELECT * FROM unnest(")
            .bind(self.resources.0.clone())
            .push("::text[], ")
            .bind(self.resources.1.clone())
            .push("::uuid[])))")
    }
}

fn select(told: &Told, upto: Option<Position>, query: &ListQuery<When>) -> Result<Select, Problem> {
    let sql = Sql::new(ChartEntry::COLUMNS)
        .push(" FROM log.event e WHERE e.clinic = s.clinic AND e.patient_version IS NOT NULL");
    let sql = told
        .narrow(sql)
        .bind_some(" AND e.position <= ", upto)
        .bind_some(" AND e.position < ", query.after::<Position>()?)
        .push(" ORDER BY e.position DESC LIMIT ")
        .bind(query.fetch());
    Ok(Select::from_record(sql))
}

/// Whose events are told of, and up to where: of everybody who is the same person, or was at the moment that is asked
/// for. 404, 410 and 403 as for the record itself.
pub(super) async fn person(
    reader: &Reader,
    patient: PatientId,
    as_of: Option<AsOf>,
) -> Result<(Vec<PatientId>, Option<Position>), Problem> {
    let group = visible(reader, Capability::PatientRead, patient).await?.value.ids();
    let Some(as_of) = as_of else { return Ok((group, None)) };
    let past = Past::look_back(reader, patient, &group, as_of).await?;
    Ok((past.group().collect(), Some(past.moment.position)))
}

async fn history(
    reader: Reader,
    Path(path): Path<ById>,
    query: ListQuery<When>,
) -> Result<Disclosed<List<ChartEntry>>, Problem> {
    let patient = PatientId(path.id);
    let (group, upto) = person(&reader, patient, query.filters.as_of).await?;
    let told = Told::to(&reader, group.iter().map(|patient| patient.0).collect()).await?;
    let Reflected { value: entries, position } = reader.all::<ChartEntry>(select(&told, upto, &query)?).await?;
    let page = query.answer(entries, upto.unwrap_or(position), |entry| entry.position);
    disclose(&reader, Capability::PatientRead, Subjects::person(patient, group), page).await
}

pub(super) fn routes() -> ApiRouter<QueryState> {
    ApiRouter::new().api_route(
        "/patients/{id}/history",
        get_with(history, |op| {
            op.id("listPatientHistory").tag("Patients").summary("What happened to a record").description(
                "Each event of the patient's chart, the latest first: who, when, by which command. Of a merged \
                 patient, the events of the whole group. Events of a kind that the asker may not read are left out.",
            )
        }),
    )
}
