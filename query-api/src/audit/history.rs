//! What the events of a page changed: their streams, read once for all of them, folded as the projector folds them.

use std::collections::{BTreeMap, HashMap};

use event_store::StoredRow;
use events::{Ledger, Position, Recorded};
use read_models::changes::{Change, changes};
use service_kit::Problem;
use uuid::Uuid;

use super::content;
use crate::{reader::Reader, scope::Select, sql::Sql};

/// Events that are read for one page. A stream has as many as its version says, so it is known before.
const EVENTS_MAX: i64 = 20_000;

/// The changes of each event of the record that was folded, by its position; without those whose history is longer
/// than a page may read.
pub(super) async fn of(reader: &Reader, rows: &[StoredRow]) -> Result<HashMap<Position, Vec<Change>>, Problem> {
    let streams = streams(rows);
    if streams.is_empty() {
        return Ok(HashMap::new());
    }
    let events = events(reader, streams).await?;
    let mut asked: Vec<Position> =
        rows.iter().filter(|row| row.ledger == Ledger::Record).map(|row| row.position).collect();
    asked.sort_unstable();
    Ok(changes(&events, |position| asked.binary_search(&position).is_ok()))
}

/// Each stream with the last of its versions on the page.
fn streams(rows: &[StoredRow]) -> BTreeMap<(Uuid, &str), i64> {
    let mut streams = BTreeMap::new();
    for row in rows.iter().filter(|row| row.ledger == Ledger::Record) {
        let last = streams.entry((row.stream_id, &*row.stream_kind)).or_insert(0);
        *last = row.stream_version.max(*last);
    }
    let mut read = 0;
    streams.retain(|_, events| {
        let fits = read + *events <= EVENTS_MAX;
        read += if fits { *events } else { 0 };
        fits
    });
    streams
}

async fn events(reader: &Reader, streams: BTreeMap<(Uuid, &str), i64>) -> Result<Vec<Recorded>, Problem> {
    let (streams, versions): (Vec<_>, Vec<i64>) = streams.into_iter().unzip();
    let (ids, kinds): (Vec<Uuid>, Vec<&str>) = streams.into_iter().unzip();
    let sql = Sql::new("e.* FROM unnest(")
        .bind(ids)
        .push(", ")
        .bind(kinds)
        .push(", ")
        .bind(versions)
        .push(
            ") w(id, kind, version) JOIN log.event e ON e.clinic = s.clinic AND e.stream_id = w.id \
             AND e.stream_kind = w.kind AND e.stream_version <= w.version AND e.ledger = ",
        )
        .bind(Ledger::Record as i16)
        .push(" ORDER BY e.position");
    let rows = reader.log(Select::from_log(sql)).await?.value;
    Ok(content::read(reader, &rows).await?.into_iter().filter_map(|read| read.event).collect())
}
