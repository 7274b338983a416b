//! In which order the trail is read: by any element of an entry. Where it is not the order of time, a page begins
//! after the row with which the one before ended, found by its position: so a cursor holds no value of a row.

use std::borrow::Cow;

use events::{
    Ledger,
    audit::{Meaning, TABLE},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error};
use strum::{Display, EnumString, VariantArray};
use uuid::Uuid;

use super::{filters::AuditFilters, page::Last};
use crate::sql::Sql;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub(super) enum Element {
    RecordedAt,
    OccurredAt,
    Category,
    Action,
    Outcome,
    Event,
    Operation,
    Actor,
    ActorId,
    Roles,
    Address,
    Agent,
    Patient,
    Resource,
    ResourceId,
    Version,
    Purpose,
    Reason,
    CorrelationId,
    Ledger,
    Id,
}

impl Element {
    /// Of a row `e` and the line `k` of the table of meanings that fits it.
    fn key(self) -> &'static str {
        match self {
            Self::RecordedAt => "to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",
            Self::OccurredAt => "to_char(e.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",
            Self::Category => "coalesce(k.category, 'system')",
            Self::Action => "coalesce(k.action, 'E')",
            Self::Outcome => "lpad(coalesce(k.outcome, 0)::text, 2, '0')",
            Self::Event => "e.event_type",
            Self::Operation => "e.command",
            Self::Actor => "e.actor_name",
            Self::ActorId => "coalesce(e.actor_user::text, '')",
            Self::Roles => "e.actor_roles",
            Self::Address => "coalesce(e.client_address, '')",
            Self::Agent => "coalesce(e.client_agent, '')",
            Self::Patient => "coalesce(e.patient::text, '')",
            Self::Resource => "e.stream_kind",
            Self::ResourceId => "e.stream_id::text",
            Self::Version => "lpad(e.stream_version::text, 19, '0')",
            Self::Purpose => "e.purpose",
            Self::Reason => "coalesce(e.reason, '')",
            Self::CorrelationId => "e.correlation_id::text",
            Self::Ledger => "e.ledger::text",
            Self::Id => "e.event_id::text",
        }
    }
}

/// `recorded_at`, `-actor`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AuditSort {
    pub(super) element: Element,
    pub(super) descending: bool,
}

impl Default for AuditSort {
    /// The newest first.
    fn default() -> Self {
        Self { element: Element::RecordedAt, descending: true }
    }
}

impl<'de> Deserialize<'de> for AuditSort {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let name = text.strip_prefix('-');
        let element = name.unwrap_or(&text).parse();
        let element = element.map_err(|_| D::Error::custom("expected an element of an entry, such as -recorded_at"))?;
        Ok(Self { element, descending: name.is_some() })
    }
}

impl JsonSchema for AuditSort {
    fn schema_name() -> Cow<'static, str> {
        "AuditSort".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<String> =
            Element::VARIANTS.iter().flat_map(|element| [element.to_string(), format!("-{element}")]).collect();
        json_schema!({
            "type": "string",
            "enum": names,
            "default": "-recorded_at",
            "description": "An element of the entries; with a minus the greatest first. Entries that are equal in it \
                            stand in the order of their positions. Without it: the newest first."
        })
    }
}

/// The rows of these ledgers in an order that is not that of time.
pub(super) fn by_element(
    filters: &AuditFilters,
    ledgers: &[Ledger],
    patients: Option<&[Uuid]>,
    after: Option<Last>,
    limit: i64,
) -> Sql {
    let AuditSort { element, descending } = filters.sort;
    let (ordered, beyond) = match descending {
        false => ("e.sort_key, e.ledger, e.position", " > ((SELECT l.sort_key FROM keyed l WHERE l.ledger = "),
        true => {
            let beyond = " < ((SELECT l.sort_key FROM keyed l WHERE l.ledger = ";
            ("e.sort_key DESC, e.ledger DESC, e.position DESC", beyond)
        }
    };
    let numbers: Vec<i16> = ledgers.iter().map(|ledger| *ledger as i16).collect();
    let sql = lines(Sql::new("e.* FROM (WITH k(event, mark, present, category, action, outcome) AS (SELECT * FROM "))
        .push("), keyed AS NOT MATERIALIZED (SELECT e.*, (")
        .push(element.key())
        .push(
            ") COLLATE \"C\" AS sort_key FROM log.event e LEFT JOIN k ON k.event = e.event_type \
             AND (k.mark IS NULL OR (position(k.mark IN e.payload) > 0) = k.present) \
             WHERE e.clinic = s.clinic AND e.ledger = ANY(",
        )
        .bind(numbers)
        .push(")) SELECT e.* FROM keyed e WHERE true");
    let sql = filters.narrow(sql, ledgers, patients);
    let sql = match after {
        Some(Last(ledger, position)) => sql
            .push(" AND (e.sort_key, e.ledger, e.position)")
            .push(beyond)
            .bind(ledger as i16)
            .push(" AND l.position = ")
            .bind(position)
            .push("), ")
            .bind(ledger as i16)
            .push(", ")
            .bind(position)
            .push(")"),
        None => sql,
    };
    sql.push(" ORDER BY ").push(ordered).push(" LIMIT ").bind(limit).push(") e ORDER BY ").push(ordered)
}

/// The table of meanings, for the database.
fn lines(sql: Sql) -> Sql {
    let column = |of: fn(&Meaning) -> String| TABLE.iter().map(of).collect::<Vec<_>>();
    let marks: Vec<Option<&[u8]>> =
        TABLE.iter().map(|line| line.mark.parts().map(|(mark, _)| mark.as_bytes())).collect();
    let present: Vec<Option<bool>> = TABLE.iter().map(|line| line.mark.parts().map(|(_, there)| there)).collect();
    let outcomes: Vec<i16> = TABLE.iter().map(|line| line.outcome as i16).collect();
    sql.push("unnest(")
        .bind(column(|line| line.event.to_owned()))
        .push(", ")
        .bind(marks)
        .push(", ")
        .bind(present)
        .push(", ")
        .bind(column(|line| line.category.to_string()))
        .push(", ")
        .bind(column(|line| line.action.to_string()))
        .push(", ")
        .bind(outcomes)
        .push(")")
}
