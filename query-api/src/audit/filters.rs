//! What may be asked of the audit trail. Every condition speaks of the columns of a row and of marks in its clear
//! part alone: nothing sealed is searched.

use chrono::{DateTime, Utc};
use events::{
    AggregateKind, Ledger, PatientId, UserId,
    audit::{Action, Category, Mark, Meaning, TABLE},
};
use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

use super::order::AuditSort;
use crate::sql::Sql;

/// The two ledgers by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, Deserialize, JsonSchema, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum LedgerName {
    Record,
    Access,
}

impl From<Ledger> for LedgerName {
    fn from(ledger: Ledger) -> Self {
        match ledger {
            Ledger::Record => Self::Record,
            Ledger::Access => Self::Access,
        }
    }
}

impl From<LedgerName> for Ledger {
    fn from(name: LedgerName) -> Self {
        match name {
            LedgerName::Record => Self::Record,
            LedgerName::Access => Self::Access,
        }
    }
}

/// FHIR AuditEvent.outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[repr(i16)]
pub enum OutcomeCode {
    #[serde(rename = "0")]
    Success = 0,
    #[serde(rename = "4")]
    MinorFailure = 4,
    #[serde(rename = "8")]
    SeriousFailure = 8,
    #[serde(rename = "12")]
    MajorFailure = 12,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditFilters {
    /// Recorded then or later.
    from: Option<DateTime<Utc>>,
    /// Recorded before.
    to: Option<DateTime<Utc>>,
    /// Who did it.
    actor: Option<UserId>,
    /// By the user name at the time.
    actor_name: Option<String>,
    /// About this patient, or showing them; also under another id of the same person.
    pub(crate) patient: Option<PatientId>,
    /// Created, read, updated, deleted, executed.
    action: Option<Action>,
    category: Option<Category>,
    /// What it was done to.
    resource: Option<AggregateKind>,
    resource_id: Option<Uuid>,
    /// 0 went well; 4, 8 and 12 did not.
    outcome: Option<OutcomeCode>,
    /// The command (`BookAppointment`), or method and route of what was read.
    operation: Option<String>,
    /// `AppointmentBooked`
    event: Option<String>,
    correlation_id: Option<Uuid>,
    /// One of the two alone.
    pub(crate) ledger: Option<LedgerName>,
    #[serde(default)]
    pub(crate) sort: AuditSort,
}

impl AuditFilters {
    /// Adds the conditions on `e`, rows of these ledgers. `patients`: the ids of the patient who is asked for.
    pub(super) fn narrow(&self, sql: Sql, ledgers: &[Ledger], patients: Option<&[Uuid]>) -> Sql {
        let sql = sql
            .bind_some(" AND e.recorded_at >= ", self.from)
            .bind_some(" AND e.recorded_at < ", self.to)
            .bind_some(" AND e.actor_user = ", self.actor.map(|user| user.0))
            .bind_some(" AND e.actor_name = ", self.actor_name.clone())
            .bind_some(" AND e.command = ", self.operation.clone())
            .bind_some(" AND e.event_type = ", self.event.clone())
            .bind_some(" AND e.correlation_id = ", self.correlation_id);
        let sql = match self.asks_for_meaning() {
            true => of_lines(sql, TABLE.iter().filter(|line| self.takes(line))),
            false => sql,
        };
        match *ledgers {
            [one] => self.in_ledger(sql, one, patients),
            _ => {
                let record = self.in_ledger(sql.push(" AND (e.ledger = 1"), Ledger::Record, patients);
                self.in_ledger(record.push(" OR e.ledger = 2"), Ledger::Access, patients).push(")")
            }
        }
    }

    fn asks_for_meaning(&self) -> bool {
        self.action.is_some() || self.category.is_some() || self.outcome.is_some()
    }

    fn takes(&self, line: &Meaning) -> bool {
        self.action.is_none_or(|action| line.action == action)
            && self.category.is_none_or(|category| line.category == category)
            && self.outcome.is_none_or(|outcome| line.outcome as i16 == outcome as i16)
    }

    /// What is found otherwise in each ledger. Positions stand in the order of time, so that a span of time is
    /// read by its place.
    fn in_ledger(&self, sql: Sql, ledger: Ledger, patients: Option<&[Uuid]>) -> Sql {
        let before = |sql: Sql, condition, at: Option<DateTime<Utc>>| match at {
            Some(at) => sql.push(condition).bind(ledger as i16).push(", ").bind(at).push("))"),
            None => sql,
        };
        let sql = before(sql, " AND e.position > (SELECT log.position_before(s.clinic, ", self.from);
        let sql = before(sql, " AND e.position <= (SELECT log.position_before(s.clinic, ", self.to);
        let sql = match (ledger, patients) {
            (_, None) => sql,
            (Ledger::Record, Some(patients)) => {
                sql.push(" AND e.patient_version IS NOT NULL AND e.patient = ANY(").bind(patients.to_vec()).push(")")
            }
            (Ledger::Access, Some(patients)) => shown(sql, patients),
        };
        match ledger {
            Ledger::Record => sql
                .bind_some(" AND e.stream_kind = ", self.resource.map(AggregateKind::as_str))
                .bind_some(" AND e.stream_id = ", self.resource_id),
            Ledger::Access => match self.resource_mark() {
                Some(mark) => sql.push(" AND position(").bind(mark.into_bytes()).push(" IN e.payload) > 0"),
                None => sql,
            },
        }
    }

    /// How an access record writes what it showed.
    fn resource_mark(&self) -> Option<String> {
        match (self.resource, self.resource_id) {
            (Some(kind), Some(id)) => Some(format!(r#""resource":{{"kind":"{kind}","id":"{id}""#)),
            (Some(kind), None) => Some(format!(r#""resource":{{"kind":"{kind}""#)),
            (None, Some(id)) => Some(format!(r#","id":"{id}""#)),
            (None, None) => None,
        }
    }
}

/// Access records that name one of the patients, or showed one among others.
pub(super) fn shown(sql: Sql, patients: &[Uuid]) -> Sql {
    sql.push(
        " AND e.position IN (SELECT a.position FROM log.access_patient a WHERE a.clinic = s.clinic AND a.patient = ANY(",
    )
    .bind(patients.to_vec())
    .push(
        ") UNION SELECT m.position FROM log.event m WHERE m.clinic = s.clinic AND m.ledger = 2 AND m.patient = ANY(",
    )
    .bind(patients.to_vec())
    .push("))")
}

/// Rows that one of these lines is about.
fn of_lines<'a>(sql: Sql, lines: impl Iterator<Item = &'a Meaning>) -> Sql {
    let (plain, marked): (Vec<&Meaning>, Vec<&Meaning>) = lines.partition(|line| line.mark == Mark::Any);
    let names: Vec<&str> = plain.into_iter().map(|line| line.event).collect();
    let sql = sql.push(" AND (e.event_type = ANY(").bind(names).push(")");
    let either = marked.into_iter().fold(sql, |sql, line| {
        let (mark, there) = line.mark.parts().unwrap_or_default();
        sql.push(" OR e.event_type = ")
            .bind(line.event)
            .push(" AND (position(")
            .bind(mark.as_bytes())
            .push(" IN e.payload) > 0) = ")
            .bind(there)
    });
    either.push(")")
}
