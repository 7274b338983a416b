//! The rows of one page.

use event_store::StoredRow;
use events::{Ledger, PatientId, Position};
use serde::{Deserialize, Serialize};
use service_kit::{ListQuery, Problem};
use strum::{Display, IntoStaticStr};
use uuid::Uuid;

use super::{
    filters::AuditFilters,
    order::{Element, by_element},
};
use crate::{
    reader::Reader,
    routes::patients::Group,
    scope::{Reflected, Select},
    sql::Sql,
};

/// Which part of the trail is read. The written form is stored for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum Part {
    /// The record.
    Events,
    /// The access ledger.
    Access,
    /// Both.
    Trail,
}

impl Part {
    pub(crate) fn ledgers(self) -> &'static [Ledger] {
        match self {
            Self::Events => &[Ledger::Record],
            Self::Access => &[Ledger::Access],
            Self::Trail => &[Ledger::Record, Ledger::Access],
        }
    }
}

/// Where a page ended. In the order of time: up to where each ledger has been read, so that two ledgers that
/// grow are each covered once. In any other order: the last row's ledger and position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Last(pub(super) i64, pub(super) Position);

/// The rows of a page, one more than wanted, each with where a page that ends there ends.
pub(crate) async fn entries(
    reader: &Reader,
    part: Part,
    query: &ListQuery<AuditFilters>,
) -> Result<Reflected<Vec<(StoredRow, Last)>>, Problem> {
    let filters = &query.filters;
    let ledgers = match filters.ledger.map(Ledger::from) {
        None => part.ledgers().to_vec(),
        Some(one) if part.ledgers().contains(&one) => vec![one],
        Some(_) => return Err(Problem::parameter("ledger", "The path names the ledger.")),
    };
    let patients = match filters.patient {
        Some(patient) => Some(same_person(reader, patient).await?),
        None => None,
    };
    let patients = patients.as_deref();
    let after = query.after::<Last>()?;
    if filters.sort.element == Element::RecordedAt {
        return by_time(reader, query, &ledgers, patients, after).await;
    }
    let sql = by_element(filters, &ledgers, patients, after, query.fetch());
    let rows = reader.log(Select::from_log(sql)).await?;
    Ok(rows.map(|rows| {
        let last = |row: &StoredRow| Last(row.ledger as i64, row.position);
        rows.into_iter().map(|row| (last(&row), row)).map(|(last, row)| (row, last)).collect()
    }))
}

/// One row of a ledger.
pub(crate) async fn one(reader: &Reader, ledger: Ledger, position: Position) -> Result<Reflected<StoredRow>, Problem> {
    let sql = Sql::new("e.* FROM log.event e WHERE e.clinic = s.clinic AND e.ledger = ")
        .bind(ledger as i16)
        .push(" AND e.position = ")
        .bind(position);
    reader.log(Select::from_log(sql)).await?.map(|rows| rows.into_iter().next()).found()
}

/// All ids of the person; of somebody whom no read model knows (any more) the id itself.
pub(crate) async fn same_person(reader: &Reader, patient: PatientId) -> Result<Vec<Uuid>, Problem> {
    let group = Group::read(reader, patient).await?.value;
    let ids = group.map_or_else(|| vec![patient], |group| group.ids());
    Ok(ids.into_iter().map(|id| id.0).collect())
}

/// In the order of time, each ledger is read by its positions, and the two are laid together.
async fn by_time(
    reader: &Reader,
    query: &ListQuery<AuditFilters>,
    ledgers: &[Ledger],
    patients: Option<&[Uuid]>,
    after: Option<Last>,
) -> Result<Reflected<Vec<(StoredRow, Last)>>, Problem> {
    let descending = query.filters.sort.descending;
    let Reflected { value: heads, position } = heads(reader).await?;
    // A first page that goes back in time begins at the heads of now: what is recorded from now on is not on it.
    let mut last = after.unwrap_or(if descending { Last(heads.0 + 1, heads.1 + 1) } else { Last::default() });
    let mut rows = Vec::new();
    for ledger in ledgers {
        let sql = Sql::new("e.* FROM log.event e WHERE e.clinic = s.clinic AND e.ledger = ")
            .bind(*ledger as i16)
            .push(if descending { " AND e.position < " } else { " AND e.position > " })
            .bind(if *ledger == Ledger::Record { last.0 } else { last.1 });
        let sql = query.filters.narrow(sql, &[*ledger], patients);
        let sql = sql.push(if descending { " ORDER BY e.position DESC LIMIT " } else { " ORDER BY e.position LIMIT " });
        rows.extend(reader.log(Select::from_log(sql.bind(query.fetch()))).await?.value);
    }
    rows.sort_by_key(|row| (row.recorded_at, row.ledger, row.position));
    if descending {
        rows.reverse();
    }
    rows.truncate(usize::try_from(query.fetch()).unwrap_or(usize::MAX));
    let ended = rows.into_iter().map(|row| {
        match row.ledger {
            Ledger::Record => last.0 = row.position,
            Ledger::Access => last.1 = row.position,
        }
        (row, last)
    });
    Ok(Reflected { value: ended.collect(), position })
}

#[derive(Deserialize)]
struct Head {
    ledger: i16,
    position: Position,
}

/// Where the record and the access ledger end.
async fn heads(reader: &Reader) -> Result<Reflected<(Position, Position)>, Problem> {
    let sql = Sql::new("h.ledger, h.position FROM log.head h WHERE h.clinic = s.clinic");
    let heads = reader.all::<Head>(Select::from_log(sql)).await?;
    Ok(heads.map(|heads| {
        let of = |ledger| heads.iter().find(|head| head.ledger == ledger as i16).map_or(0, |head| head.position);
        (of(Ledger::Record), of(Ledger::Access))
    }))
}
