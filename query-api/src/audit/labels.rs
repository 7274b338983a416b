//! What people call the ids of a page: a patient's and an appointment's number, a login's user name, an office's
//! name. Numbers are read where they were given, in the first event of each stream: they outlive an erasure.

use std::collections::{BTreeSet, HashMap};

use chrono_tz::Tz;
use event_store::StoredRow;
use serde::Deserialize;
use serde_json::Value;
use service_kit::Problem;
use uuid::Uuid;

use crate::{reader::Reader, scope::Select, sql::Sql};

/// The names of ids, and the zone in which the clinic tells the time.
pub(super) struct Labels {
    names: HashMap<Uuid, String>,
    pub(super) zone: Tz,
}

#[derive(Deserialize)]
struct Named {
    id: Uuid,
    name: Option<String>,
    time_zone: Option<Tz>,
}

impl Labels {
    pub(super) async fn of(reader: &Reader, ids: BTreeSet<Uuid>) -> Result<Self, Problem> {
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let named = reader.all::<Named>(names(ids.clone())).await?.value;
        let zone = named.iter().find_map(|named| named.time_zone).unwrap_or(Tz::UTC);
        let mut names: HashMap<Uuid, String> =
            named.into_iter().filter_map(|named| Some((named.id, named.name?))).collect();
        let first = reader.log(first_events(ids)).await?.value;
        names.extend(first.iter().filter_map(|row| Some((row.stream_id, number(row)?))));
        Ok(Self { names, zone })
    }

    pub(super) fn name(&self, id: &Uuid) -> Option<String> {
        self.names.get(id).cloned()
    }
}

/// Logins, offices, and the clinic itself.
fn names(ids: Vec<Uuid>) -> Select {
    let sql = Sql::new(
        "n.* FROM (SELECT u.id, u.username AS name, NULL::text AS time_zone FROM read.staff_1 u \
         WHERE u.clinic_id = s.clinic AND u.id = ANY(",
    )
    .bind(ids)
    .push(
        ") UNION ALL SELECT (o.office ->> 'id')::uuid, o.office ->> 'name', NULL FROM read.clinic_1 c \
         CROSS JOIN LATERAL jsonb_array_elements(c.offices) o(office) WHERE c.clinic_id = s.clinic AND c.id = s.clinic \
         UNION ALL SELECT c.id, c.slug, c.time_zone FROM read.clinic_1 c \
         WHERE c.clinic_id = s.clinic AND c.id = s.clinic) n",
    );
    Select::new(&["staff_1", "clinic_1"], sql)
}

fn first_events(ids: Vec<Uuid>) -> Select {
    let sql =
        Sql::new("e.* FROM log.event e WHERE e.clinic = s.clinic AND e.stream_version = 1 AND e.stream_id = ANY(")
            .bind(ids)
            .push(") AND e.stream_kind <> 'access'");
    Select::from_log(sql)
}

fn number(row: &StoredRow) -> Option<String> {
    let payload: Value = serde_json::from_slice(&row.payload).ok()?;
    payload["number"].as_str().map(str::to_owned)
}

/// Every id that a row names.
pub(super) fn ids(row: &StoredRow, payload: &Value) -> BTreeSet<Uuid> {
    let mut ids = BTreeSet::from([row.stream_id]);
    ids.extend(row.patient.map(|patient| patient.0));
    ids.extend(row.on_behalf_of.map(|user| user.0));
    collect(payload, &mut ids);
    ids
}

fn collect(value: &Value, ids: &mut BTreeSet<Uuid>) {
    match value {
        Value::String(text) => ids.extend(text.parse::<Uuid>()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, ids)),
        Value::Object(members) => members.values().for_each(|member| collect(member, ids)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
