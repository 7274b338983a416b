//! Rows of the access ledger alone: who was shown a patient's data, and what was disclosed of it.

use chrono::{DateTime, Utc};
use event_store::StoredRow;
use events::{
    AccessEvent, DomainEvent, Ledger, Position,
    access::Disclosure,
    audit::{Category, TABLE},
};
use service_kit::Problem;
use uuid::Uuid;

use super::{
    content::{self, Content},
    filters::shown,
    labels::{self, Labels},
    veil::Veil,
};
use crate::{
    reader::Reader,
    scope::{Reflected, Select},
    sql::Sql,
};

/// A page of the access ledger, the latest first.
pub(crate) struct AccessPage<'a> {
    pub(crate) events: Vec<&'static str>,
    /// Ids of one person; `None`: of anybody.
    pub(crate) patients: Option<&'a [Uuid]>,
    /// The patient asks: without what the program did by itself, and without disclosures of which an agency has asked
    /// that the patient not be told yet.
    pub(crate) for_patient: bool,
    pub(crate) from: Option<DateTime<Utc>>,
    pub(crate) to: Option<DateTime<Utc>>,
    /// Where the page before ended.
    pub(crate) before: Option<Position>,
    pub(crate) limit: i64,
}

/// Events by which somebody learned something about a patient.
pub(crate) fn showing() -> Vec<&'static str> {
    let shows = |category| match category {
        Category::Read
        | Category::Search
        | Category::Print
        | Category::Export
        | Category::Download
        | Category::Disclosure => true,
        Category::ClinicalWrite
        | Category::Login
        | Category::Privilege
        | Category::Configuration
        | Category::Security
        | Category::BreakGlass
        | Category::System => false,
    };
    TABLE.iter().filter(|line| shows(line.category)).map(|line| line.event).collect()
}

const TOLD_TO_PATIENTS: &str = " AND e.actor_kind = 'person' AND CASE \
     WHEN e.event_type = 'DisclosureRecorded' AND position('\"suspended_until\":'::bytea IN e.payload) > 0 \
     THEN (convert_from(e.payload, 'UTF8')::jsonb ->> 'suspended_until')::timestamptz <= now() ELSE true END";

pub(crate) async fn access_rows(reader: &Reader, page: AccessPage<'_>) -> Result<Reflected<Vec<StoredRow>>, Problem> {
    let ledger = Ledger::Access as i16;
    let sql = Sql::new("e.* FROM log.event e WHERE e.clinic = s.clinic AND e.ledger = ")
        .bind(ledger)
        .push(" AND e.event_type = ANY(")
        .bind(page.events)
        .push(")")
        .push(if page.for_patient { TOLD_TO_PATIENTS } else { "" })
        .bind_some(" AND e.recorded_at >= ", page.from)
        .bind_some(" AND e.recorded_at < ", page.to)
        .bind_some(" AND e.position < ", page.before);
    let sql = match page.patients {
        Some(patients) => shown(sql, patients),
        None => sql,
    };
    reader.log(Select::from_log(sql.push(" ORDER BY e.position DESC LIMIT ").bind(page.limit))).await
}

/// A disclosure that was accounted for.
pub(crate) struct Accounted {
    pub(crate) row: StoredRow,
    /// The patient's.
    pub(crate) number: Option<String>,
    pub(crate) id: Uuid,
    pub(crate) content: Content,
    pub(crate) said: Option<Disclosure>,
    pub(crate) suspended_until: Option<DateTime<Utc>>,
    pub(crate) withheld: bool,
}

/// Opens records of disclosures. `own`: the patient asks, who may see all of it.
pub(crate) async fn accounted(reader: &Reader, rows: Vec<StoredRow>, own: bool) -> Result<Vec<Accounted>, Problem> {
    let ids = rows.iter().flat_map(|row| labels::ids(row, &serde_json::Value::Null)).collect();
    let labels = Labels::of(reader, ids).await?;
    let veil = Veil::of(reader, &rows).await?;
    let read = content::read(reader, &rows).await?;
    let accounted = rows.into_iter().zip(read).map(|(row, read)| {
        let (id, suspended_until, said) = match read.event.map(|recorded| recorded.event) {
            Some(DomainEvent::Access(AccessEvent::DisclosureRecorded {
                disclosure, suspended_until, sealed, ..
            })) => (disclosure, suspended_until, sealed.into_open()),
            _ => (row.event_id, None, None),
        };
        let (content, erased) = (veil.content(&row, read.content), veil.is_erased(row.patient));
        let open = own && !erased || veil.is_open(row.patient);
        let number = row.patient.and_then(|patient| labels.name(&patient.0));
        let said = said.filter(|_| open);
        Accounted { number, id, content, said, suspended_until, withheld: !open && !erased, row }
    });
    Ok(accounted.collect())
}
