//! What a patient's record said at an earlier time: the chart, read from the log up to a position and folded
//! as the projector folds it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use event_store::{StoredRow, feed::Opened};
use events::{AggregateKind, Ledger, PatientId, Position, Recorded, access, values::Span};
use read_models::{Appointments, PatientRow, Patients, Projection, Rows};
use serde::Deserialize;
use service_kit::{AsOf, Capability, Limit, Problem};
use uuid::Uuid;

use crate::{
    grants,
    reader::Reader,
    scope::{Reflected, Select, Source},
    sql::Sql,
};

/// The charts of everybody who was the same person then, up to a moment.
pub struct Past {
    pub(crate) moment: Moment,
    patients: BTreeSet<Uuid>,
    events: Vec<Recorded>,
}

/// A position of the clinic's record, when it was reached, and where the clinic's days are cut.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Moment {
    pub(crate) position: Position,
    pub(crate) recorded_at: DateTime<Utc>,
    time_zone: Option<Tz>,
}

impl Moment {
    pub(crate) fn zone(&self) -> Tz {
        self.time_zone.unwrap_or(Tz::UTC)
    }

    /// 400 for a position that the record has not reached, 404 for a moment before the clinic's first event.
    async fn of(reader: &Reader, as_of: AsOf) -> Result<Self, Problem> {
        if let AsOf::Position(position) = as_of {
            let head = reader.all::<serde::de::IgnoredAny>(Select::position_of(Source::Record)).await?.position;
            if position > head {
                return Err(Problem::parameter("as_of", "The clinic's record has not reached this position."));
            }
        }
        let found = reader.one::<Self>(moment(as_of)).await?.found()?.value;
        reader.looks_at(access::Moment::AsOf(found.position));
        Ok(found)
    }
}

/// The last position not later than this, and when it was recorded. In a replay nothing is later than its end.
fn moment(as_of: AsOf) -> Select {
    let sql = Sql::new(
        "e.position, e.recorded_at, (SELECT c.time_zone FROM read.clinic_1 c WHERE c.clinic_id = s.clinic \
         AND c.id = s.clinic) AS time_zone FROM log.event e WHERE e.clinic = s.clinic AND e.ledger = ",
    )
    .bind(Ledger::Record as i16)
    .push(" AND e.position = ");
    Select::from_record(match as_of {
        AsOf::Position(position) => sql.bind(position),
        AsOf::Instant(instant) => sql
            .push(
                "least((SELECT h.position FROM log.head h WHERE h.clinic = s.clinic AND h.ledger = 1), \
                 log.position_at(s.clinic, ",
            )
            .bind(instant)
            .push("))"),
    })
}

/// Whether the asker may look back at this person: everybody's past, that of their own patients, that of somebody whose
/// record they have open by broken glass, or the period of an auditor's grant.
async fn may_look_back(reader: &Reader, group: &[PatientId], as_of: AsOf) -> Result<(), Problem> {
    if reader.emergency(group).is_some() {
        return Ok(());
    }
    let reach = reader.may_read(Capability::Replay).await?;
    let allowed = reach.is_everything()
        || reach.covers(Limit::OwnPatients) && is_own(reader, group).await?
        || reach.covers(Limit::Grant) && is_granted(reader, as_of).await?;
    if allowed { Ok(()) } else { Err(reader.refuse(Capability::Replay).await) }
}

/// Whether the moment lies in the period of a grant.
async fn is_granted(reader: &Reader, as_of: AsOf) -> Result<bool, Problem> {
    let at = Moment::of(reader, as_of).await?.recorded_at;
    grants::cover(reader, Capability::Replay, Span { from: at, to: at }).await
}

/// A doctor's own patients are those who have, or had, an appointment or a visit with the doctor.
async fn is_own(reader: &Reader, group: &[PatientId]) -> Result<bool, Problem> {
    let ids: Vec<Uuid> = group.iter().map(|patient| patient.0).collect();
    let doctor = reader.scope().user().0;
    let sql = Sql::new("1 FROM (SELECT FROM read.appointment_1 a WHERE a.clinic_id = s.clinic AND a.patient_id = ANY(")
        .bind(ids.clone())
        .push(") AND a.doctor_id = ")
        .bind(doctor)
        .push(" UNION ALL SELECT FROM read.visit_1 v WHERE v.clinic_id = s.clinic AND v.patient_id = ANY(")
        .bind(ids)
        .push(") AND v.doctor_id = ")
        .bind(doctor)
        .push(") own LIMIT 1");
    let found = reader.all::<serde::de::IgnoredAny>(Select::new(&["appointment_1", "visit_1"], sql)).await?;
    Ok(!found.value.is_empty())
}

/// Where a history ends that is asked for as it was then: today's, where no moment is named. `group` is whose it is.
pub(crate) async fn end_of_history(
    reader: &Reader,
    group: &[PatientId],
    as_of: Option<AsOf>,
) -> Result<Option<Position>, Problem> {
    let Some(as_of) = as_of else { return Ok(None) };
    may_look_back(reader, group, as_of).await?;
    Ok(Some(Moment::of(reader, as_of).await?.position))
}

impl Past {
    /// The chart as it was, for who may look back at this person, of whom `group` are the ids today.
    pub(crate) async fn look_back(
        reader: &Reader,
        patient: PatientId,
        group: &[PatientId],
        as_of: AsOf,
    ) -> Result<Self, Problem> {
        may_look_back(reader, group, as_of).await?;
        Self::read(reader, patient, Moment::of(reader, as_of).await?).await
    }

    /// Reads the chart, and those of whoever the record then said was the same person.
    async fn read(reader: &Reader, patient: PatientId, moment: Moment) -> Result<Self, Problem> {
        let mut past = Self { moment, patients: BTreeSet::from([patient.0]), events: Vec::new() };
        loop {
            past.events = chart(reader, past.patients.iter().copied().collect(), moment.position).await?;
            let known = past.patients.len();
            let linked: Vec<PatientId> = past.members().iter().flat_map(linked).collect();
            past.patients.extend(linked.into_iter().map(|patient| patient.0));
            if past.patients.len() == known {
                return Ok(past);
            }
        }
    }

    /// Everybody who was the same person then.
    pub(crate) fn group(&self) -> impl Iterator<Item = PatientId> {
        self.patients.iter().copied().map(PatientId)
    }

    /// The records of the group, as they were.
    pub(crate) fn members(&self) -> Vec<PatientRow> {
        self.rows::<Patients>().into_sorted().into_iter().map(|(_, row)| row).collect()
    }

    /// The group's appointments, as they were.
    pub(crate) fn appointments(&self) -> Rows<Appointments> {
        self.rows()
    }

    /// The group's rows of a read model, as they were.
    pub(crate) fn rows<P: Projection>(&self) -> Rows<P> {
        self.events.iter().collect()
    }
}

/// What lies in no single chart as it was, for who may look back at all these people.
pub(crate) async fn look_back_at_stream<P: Projection<Key = Uuid>>(
    reader: &Reader,
    kind: AggregateKind,
    id: Uuid,
    people: &[PatientId],
    as_of: AsOf,
) -> Result<Reflected<P::Row>, Problem> {
    for person in people {
        may_look_back(reader, &[*person], as_of).await?;
    }
    let Moment { position, .. } = Moment::of(reader, as_of).await?;
    let sql = Sql::new("e.* FROM log.event e WHERE e.clinic = s.clinic AND e.ledger = 1 AND e.stream_kind = ")
        .bind(kind.as_str())
        .push(" AND e.stream_id = ")
        .bind(id)
        .push(" AND e.position <= ")
        .bind(position)
        .push(" ORDER BY e.position");
    let rows: Rows<P> = opened(reader, sql).await?.iter().collect();
    let value = rows.get(&id).cloned().ok_or_else(Problem::not_found)?;
    Ok(Reflected { value, position })
}

fn linked(row: &PatientRow) -> Vec<PatientId> {
    row.merged_into.iter().chain(&row.merged_ids).copied().collect()
}

/// Every event about these patients up to a position, in order, opened where it can be.
async fn chart(reader: &Reader, patients: Vec<Uuid>, upto: Position) -> Result<Vec<Recorded>, Problem> {
    let sql = Sql::new(
        "e.* FROM log.event e WHERE e.clinic = s.clinic AND e.patient_version IS NOT NULL AND e.patient = ANY(",
    )
    .bind(patients)
    .push(") AND e.position <= ")
    .bind(upto)
    .push(" ORDER BY e.position");
    opened(reader, sql).await
}

/// Events of the record, opened where they can be.
async fn opened(reader: &Reader, sql: Sql) -> Result<Vec<Recorded>, Problem> {
    let rows: Vec<StoredRow> = reader.stored(Select::from_record(sql)).await?;
    let opened = reader.opener().open(&rows).await.map_err(|error| Problem::unavailable("keys", error))?;
    rows.iter().zip(opened).map(|(row, opened)| recorded(row, opened)).collect()
}

/// A part that was erased reads as empty; one that should open and does not is a fault.
fn recorded(row: &StoredRow, opened: Opened) -> Result<Recorded, Problem> {
    row.recorded(opened.map_err(Problem::internal)?.as_deref()).map_err(Problem::internal)
}
