//! One entry of the trail as it is answered.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use event_store::StoredRow;
use events::{
    Actor, Ledger, PatientId, Position, UserId,
    audit::{Action, Category, Told, meaning},
};
use read_models::changes::Change;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::Problem;
use uuid::Uuid;

use super::{
    content::{self, Content},
    filters::LedgerName,
    history,
    labels::{self, Labels},
    page::Last,
    veil::Veil,
};
use crate::{reader::Reader, scope::Select, sql::Sql};

/// Patients of a list whom its entry names, on a page; asked for alone, it names all.
const PATIENTS_ON_A_PAGE: i64 = 20;

/// Something that was done or seen, tried or refused.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AuditEntry {
    pub ledger: LedgerName,
    /// In that ledger: 1, 2, 3 … without gaps.
    pub position: Position,
    pub id: Uuid,
    /// The server's time, to the microsecond.
    pub recorded_at: DateTime<Utc>,
    /// When it happened; earlier than it was recorded for what was imported.
    pub occurred_at: DateTime<Utc>,
    pub category: Category,
    pub action: Action,
    /// 0 went well; 4, 8 and 12 did not (FHIR AuditEvent.outcome).
    pub outcome: i16,
    /// The code of the problem, where it did not.
    pub problem: Option<String>,
    /// The command, or method and route of what was read.
    pub operation: String,
    /// The event's type.
    pub event: String,
    /// Who did what to which numbered record of which numbered patient.
    pub sentence: String,
    pub actor: AuditActor,
    pub client: AuditClient,
    /// On a page the first twenty.
    pub patients: Vec<AuditPatient>,
    pub patient_count: i64,
    pub resource: Option<AuditResource>,
    /// HL7 PurposeOfUse.
    pub purpose: String,
    /// A code.
    pub reason: Option<String>,
    /// Shared by all that one request recorded.
    pub correlation_id: Uuid,
    /// What kind of data was shown: a capability of the table of rights.
    pub data: Option<String>,
    /// The emergency access under which it was seen.
    pub emergency: Option<Uuid>,
    /// Of a query, by name; what somebody typed only as a keyed hash.
    pub parameters: Option<Value>,
    pub content: Content,
    /// What the event changed; `null` where that would take too many events to tell on a page.
    pub changes: Option<Vec<AuditChange>>,
    /// The chain's value before this entry, in hexadecimal digits.
    pub previous_hash: String,
    /// The chain's value after it.
    pub hash: String,
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) last: Last,
}

/// Who it was, as they were then.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AuditActor {
    /// `person`, `system` or `import`.
    pub kind: String,
    pub id: Option<UserId>,
    /// User name at the time.
    pub name: String,
    /// Roles at the time.
    pub roles: Vec<String>,
    pub session: Option<Uuid>,
    pub on_behalf_of: Option<UserId>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AuditClient {
    pub address: Option<String>,
    pub agent: Option<String>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AuditPatient {
    pub id: PatientId,
    pub number: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AuditResource {
    pub kind: String,
    pub id: Uuid,
    /// As people know it: a number, a user name.
    #[serde(default)]
    pub number: Option<String>,
    /// Which version was written, or shown.
    pub version: Option<i64>,
}

/// One member of a resource before and after.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AuditChange {
    pub field: String,
    pub before: Value,
    pub after: Value,
    /// The reader's rights do not show the values, which are null here.
    pub withheld: bool,
}

/// What is known of a page besides its rows.
struct Page<'a> {
    labels: Labels,
    veil: Veil<'a>,
    changes: HashMap<Position, Vec<Change>>,
    shown: HashMap<Position, Vec<Shown>>,
}

/// A patient whom an access record showed.
#[derive(Clone, Copy, Deserialize)]
struct Shown {
    position: Position,
    patient: Uuid,
    /// All whom that record showed.
    total: i64,
}

/// Tells the rows. `whole`: with all patients of a list.
pub(crate) async fn tell(
    reader: &Reader,
    rows: Vec<(StoredRow, Last)>,
    whole: bool,
) -> Result<Vec<AuditEntry>, Problem> {
    let (rows, ends): (Vec<StoredRow>, Vec<Last>) = rows.into_iter().unzip();
    let payloads: Vec<Value> =
        rows.iter().map(|row| serde_json::from_slice(&row.payload).unwrap_or_default()).collect();
    let shown = shown(reader, &rows, whole).await?;
    let named = shown.values().flatten().map(|shown| shown.patient);
    let ids: BTreeSet<Uuid> =
        rows.iter().zip(&payloads).flat_map(|(row, payload)| labels::ids(row, payload)).chain(named).collect();
    let page = Page {
        labels: Labels::of(reader, ids).await?,
        veil: Veil::of(reader, &rows).await?,
        changes: history::of(reader, &rows).await?,
        shown,
    };
    let contents = content::read(reader, &rows).await?;
    let rows = rows.iter().zip(&payloads).zip(contents).zip(ends);
    Ok(rows
        .map(|(((row, payload), read), last)| page.entry(row, payload, page.veil.content(row, read.content), last))
        .collect())
}

async fn shown(reader: &Reader, rows: &[StoredRow], whole: bool) -> Result<HashMap<Position, Vec<Shown>>, Problem> {
    let of_access = rows.iter().filter(|row| row.ledger == Ledger::Access);
    let positions: Vec<Position> = of_access.map(|row| row.position).collect();
    if positions.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = Sql::new("w.position, a.patient, a.total FROM unnest(")
        .bind(positions)
        .push(
            ") w(position) CROSS JOIN LATERAL (SELECT a.patient, count(*) OVER () AS total FROM log.access_patient a \
             WHERE a.clinic = s.clinic AND a.position = w.position ORDER BY a.patient LIMIT ",
        )
        .bind((!whole).then_some(PATIENTS_ON_A_PAGE))
        .push(") a ORDER BY w.position, a.patient");
    let mut shown: HashMap<Position, Vec<Shown>> = HashMap::new();
    for one in reader.all::<Shown>(Select::from_log(sql)).await?.value {
        shown.entry(one.position).or_default().push(one);
    }
    Ok(shown)
}

impl Page<'_> {
    fn entry(&self, row: &StoredRow, payload: &Value, content: Content, last: Last) -> AuditEntry {
        let meaning = meaning(&row.event_type, &row.payload);
        let told = Told {
            event: &row.event_type,
            payload,
            patient: row.patient.map(|patient| patient.0),
            resource: row.stream_id,
            operation: &row.command,
            zone: self.labels.zone,
            label: &|id| self.labels.name(id),
        };
        let (patients, patient_count) = self.patients(row);
        AuditEntry {
            ledger: row.ledger.into(),
            position: row.position,
            id: row.event_id,
            recorded_at: row.recorded_at,
            occurred_at: row.occurred_at,
            category: meaning.category,
            action: meaning.action,
            outcome: meaning.outcome as i16,
            problem: told.problem(meaning),
            operation: row.command.to_string(),
            event: row.event_type.to_string(),
            sentence: told.sentence(&actor(row), meaning),
            actor: AuditActor::of(row),
            client: AuditClient { address: row.client_address.clone(), agent: row.client_agent.clone() },
            patients,
            patient_count,
            resource: self.resource(row, payload),
            purpose: row.purpose.to_string(),
            reason: row.reason.clone(),
            correlation_id: row.correlation_id,
            data: payload["category"].as_str().filter(|_| row.ledger == Ledger::Access).map(str::to_owned),
            emergency: payload["emergency"].as_str().and_then(|id| id.parse().ok()),
            parameters: payload.get("parameters").filter(|parameters| parameters.is_object()).cloned(),
            content,
            changes: self.changes(row),
            previous_hash: hex::encode(row.previous_hash),
            hash: hex::encode(row.hash),
            last,
        }
    }

    fn patients(&self, row: &StoredRow) -> (Vec<AuditPatient>, i64) {
        let of_row = row.patient.map(|patient| patient.0);
        let shown = match row.ledger {
            Ledger::Record => &[],
            Ledger::Access => self.shown.get(&row.position).map_or(&[][..], Vec::as_slice),
        };
        let others = shown.iter().map(|shown| shown.patient).filter(|patient| Some(*patient) != of_row);
        let patients = of_row.into_iter().chain(others);
        let patients = patients.map(|id| AuditPatient { id: PatientId(id), number: self.labels.name(&id) });
        let total = shown.first().map_or(0, |shown| shown.total);
        let among = of_row.is_some_and(|patient| shown.iter().any(|shown| shown.patient == patient));
        (patients.collect(), total + i64::from(of_row.is_some() && !among))
    }

    /// What was written; of an access record, what was shown.
    fn resource(&self, row: &StoredRow, payload: &Value) -> Option<AuditResource> {
        let resource = match row.ledger {
            Ledger::Record => AuditResource {
                kind: row.stream_kind.to_string(),
                id: row.stream_id,
                number: None,
                version: Some(row.stream_version),
            },
            Ledger::Access => AuditResource::deserialize(&payload["resource"]).ok()?,
        };
        Some(AuditResource { number: self.labels.name(&resource.id), ..resource })
    }

    fn changes(&self, row: &StoredRow) -> Option<Vec<AuditChange>> {
        if row.ledger == Ledger::Access {
            return Some(Vec::new());
        }
        let changes = self.changes.get(&row.position)?.iter().map(|change| {
            let shows = self.veil.shows(row.patient, change);
            let value = |value: &Value| if shows { value.clone() } else { Value::Null };
            AuditChange {
                field: change.field.clone(),
                before: value(&change.before),
                after: value(&change.after),
                withheld: !shows,
            }
        });
        Some(changes.collect())
    }
}

impl AuditActor {
    fn of(row: &StoredRow) -> Self {
        let roles = row.actor_roles.split(',').filter(|role| !role.is_empty());
        Self {
            kind: row.actor_kind.to_string(),
            id: row.actor_user,
            name: row.actor_name.clone(),
            roles: roles.map(str::to_owned).collect(),
            session: row.actor_session,
            on_behalf_of: row.on_behalf_of,
        }
    }
}

/// A row that was tampered with may name what there is not.
fn actor(row: &StoredRow) -> Actor {
    row.actor().unwrap_or_else(|_| Actor { name: row.actor_name.clone(), ..Actor::anonymous() })
}
