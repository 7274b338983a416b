//! Events into rows: load what they touch, fold in memory, write rows and checkpoints in one statement.

use std::{
    collections::{HashMap, HashSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use event_store::feed::{Checkpoint, FeedEvent};
use events::{ClinicId, Recorded};
use read_models::Projection;
use sqlx::{AssertSqlSafe, PgPool, Row};
use uuid::Uuid;

use crate::{
    Failure,
    cache::{Cache, RowKey},
    fields,
    place::{Place, Places},
    table::Table,
};

/// Events of several clinics, clinic by clinic, each clinic's in order and without gaps.
pub(crate) type Events = [Arc<FeedEvent>];

type Changes<P> = HashMap<RowKey<P>, Option<<P as Projection>::Row>>;

/// Writes one read model, and knows where it stands.
pub(crate) struct Applier<P: Projection> {
    pool: PgPool,
    table: Table<P>,
    places: Places,
    cache: Cache<P>,
}

/// How a clinic's checkpoint moves.
struct Move {
    clinic: ClinicId,
    from: Place,
    to: Checkpoint,
}

impl<P: Projection> Applier<P> {
    pub(crate) fn new(pool: PgPool, table: Table<P>, places: Places) -> Self {
        Self { pool, table, places, cache: Cache::default() }
    }

    pub(crate) fn place(&self, clinic: ClinicId) -> Option<Place> {
        self.places.get(&clinic).copied()
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(crate) fn projection(&self) -> &str {
        &self.table.projection
    }

    /// Applies the events, all of those of a clinic or none. The clinics that moved: one that did not was
    /// moved by somebody else, and its place was read again.
    ///
    /// # Errors
    /// Nothing was applied. An event that this program cannot read is one.
    pub(crate) async fn apply(&mut self, events: &Events) -> Result<HashSet<ClinicId>, Failure> {
        self.find_places(events).await?;
        let (moves, events) = self.next(events);
        let recorded: Vec<&Recorded> = events.iter().map(|event| readable(event)).collect::<Result<_, _>>()?;
        let rows = self.load(&recorded).await?;
        let changes = fold::<P>(rows, &recorded)?;
        let moved = self.save(&moves, &changes).await?;
        self.remember(&moves, changes, &moved).await?;
        Ok(moved)
    }

    /// Reads the place of a clinic again, and forgets its rows.
    pub(crate) async fn refresh(&mut self, clinics: &[ClinicId]) -> sqlx::Result<()> {
        if clinics.is_empty() {
            return Ok(());
        }
        for clinic in clinics {
            self.places.remove(clinic);
            self.cache.forget(*clinic);
        }
        self.places.extend(crate::place::of(&self.pool, &self.table.projection, clinics).await?);
        Ok(())
    }

    async fn find_places(&mut self, events: &Events) -> sqlx::Result<()> {
        let new: Vec<ClinicId> =
            clinics(events).map(|(clinic, _)| clinic).filter(|clinic| !self.places.contains_key(clinic)).collect();
        self.refresh(&new).await
    }

    /// Leaves out what was applied already, and clinics whose events do not follow their place.
    fn next<'e>(&self, events: &'e Events) -> (Vec<Move>, Vec<&'e FeedEvent>) {
        let (mut moves, mut next) = (Vec::new(), Vec::new());
        for (clinic, events) in clinics(events) {
            let Some(from) = self.place(clinic) else { continue };
            let new = events.partition_point(|event| event.position <= from.checkpoint.position);
            let (Some(first), Some(last)) = (events.get(new), events.last()) else { continue };
            if first.follows(from.checkpoint) {
                moves.push(Move { clinic, from, to: last.checkpoint() });
                next.extend(events[new..].iter().map(Arc::as_ref));
            }
        }
        (moves, next)
    }

    /// The rows that the events touch, as they stand.
    async fn load(&mut self, events: &[&Recorded]) -> Result<Changes<P>, Failure> {
        let mut rows = Changes::<P>::new();
        let mut unknown = Vec::new();
        for event in events {
            for key in P::keys(event) {
                let key = (event.clinic, key);
                if rows.contains_key(&key) {
                    continue;
                }
                let known = match self.cache.get(&key) {
                    Some(known) => known.clone(),
                    None if P::ONE_STREAM && event.version == 1 => None,
                    None => {
                        unknown.push(key.clone());
                        None
                    }
                };
                rows.insert(key, known);
            }
        }
        for (key, row) in self.read(&unknown).await? {
            rows.insert(key.clone(), Some(row));
        }
        Ok(rows)
    }

    async fn read<'k>(&self, keys: &'k [RowKey<P>]) -> Result<Vec<(&'k RowKey<P>, P::Row)>, Failure> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let (clinics, ids): (Vec<Uuid>, Vec<String>) =
            keys.iter().map(|(clinic, id)| (clinic.0, id.to_string())).unzip();
        let query = sqlx::query(AssertSqlSafe(self.table.load.clone())).bind(clinics).bind(ids);
        let found = query.fetch_all(&self.pool).await?;
        let read = |row: &sqlx::postgres::PgRow| {
            let key = &keys[row.try_get::<i64, _>("n")? as usize - 1];
            Ok((key, serde_json::from_str(row.try_get("row")?).map_err(|error| Failure::misfit(&error))?))
        };
        found.iter().map(read).collect()
    }

    async fn save(&self, moves: &[Move], changes: &Changes<P>) -> Result<HashSet<ClinicId>, Failure> {
        if moves.is_empty() {
            return Ok(HashSet::new());
        }
        let removed =
            changes.iter().filter(|(_, row)| row.is_none()).map(|((clinic, id), _)| (clinic.0, id.to_string()));
        let (removed_clinics, removed_ids): (Vec<Uuid>, Vec<String>) = removed.unzip();
        let written = written::<P>(changes);
        let columns = columns(&written, &self.table.columns)?;
        let query = sqlx::query_scalar::<_, Uuid>(AssertSqlSafe(self.table.save.clone()))
            .bind(&self.table.projection)
            .bind(moves.iter().map(|one| one.clinic.0).collect::<Vec<_>>())
            .bind(moves.iter().map(|one| one.from.checkpoint.position).collect::<Vec<_>>())
            .bind(moves.iter().map(|one| one.to.position).collect::<Vec<_>>())
            .bind(moves.iter().map(|one| one.to.hash.as_slice()).collect::<Vec<_>>())
            .bind(moves.iter().map(|one| one.from.epoch).collect::<Vec<_>>())
            .bind(removed_clinics)
            .bind(removed_ids)
            .bind(written.iter().map(|(clinic, _)| clinic.0).collect::<Vec<_>>());
        let query = columns.into_iter().fold(query, |query, column| query.bind(column));
        Ok(query.fetch_all(&self.pool).await?.into_iter().map(ClinicId).collect())
    }

    async fn remember(&mut self, moves: &[Move], changes: Changes<P>, moved: &HashSet<ClinicId>) -> sqlx::Result<()> {
        for one in moves.iter().filter(|one| moved.contains(&one.clinic)) {
            self.places.insert(one.clinic, Place { checkpoint: one.to, ..one.from });
        }
        for (key, row) in changes.into_iter().filter(|(key, _)| moved.contains(&key.0)) {
            self.cache.put(key, row);
        }
        let others: Vec<ClinicId> =
            moves.iter().map(|one| one.clinic).filter(|clinic| !moved.contains(clinic)).collect();
        self.refresh(&others).await
    }
}

/// Each clinic with its events.
pub(crate) fn clinics(events: &Events) -> impl Iterator<Item = (ClinicId, &Events)> {
    events.chunk_by(|one, next| one.clinic == next.clinic).map(|events| (events[0].clinic, events))
}

fn readable(event: &FeedEvent) -> Result<&Recorded, Failure> {
    event.recorded.as_ref().map_err(Failure::unreadable)
}

fn fold<P: Projection>(mut rows: Changes<P>, events: &[&Recorded]) -> Result<Changes<P>, Failure> {
    // A fold is total; one that is not must stop its own clinic alone.
    catch_unwind(AssertUnwindSafe(|| {
        for event in events {
            for key in P::keys(event) {
                let row = rows.entry((event.clinic, key.clone())).or_default();
                *row = P::fold(row.take(), &key, event);
            }
        }
        rows
    }))
    .map_err(|_| Failure::Panicked)
}

fn written<P: Projection>(changes: &Changes<P>) -> Vec<(ClinicId, String)> {
    let present = changes.iter().filter_map(|((clinic, _), row)| Some((*clinic, row.as_ref()?)));
    present.map(|(clinic, row)| (clinic, json(row))).collect()
}

pub(crate) fn json<R: serde::Serialize>(row: &R) -> String {
    serde_json::to_string(row).expect("a row is plain data with string keys")
}

/// Column by column, as the statements take them.
pub(crate) fn columns<'j>(
    rows: &'j [(ClinicId, String)],
    columns: &[fields::Column],
) -> Result<Vec<Vec<fields::Text<'j>>>, Failure> {
    let mut texts: Vec<Vec<fields::Text<'j>>> = columns.iter().map(|_| Vec::with_capacity(rows.len())).collect();
    for (_, row) in rows {
        let row = fields::texts(row, columns).map_err(|error| Failure::misfit(&error))?;
        texts.iter_mut().zip(row).for_each(|(column, text)| column.push(text));
    }
    Ok(texts)
}
