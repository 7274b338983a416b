//! What a group has to know before it can be decided, and the one statement that reads it.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use events::{
    Ledger, PatientId, StreamId,
    claim::{CounterKey, Fact},
};
use lru::LruCache;
use sqlx::{PgConnection, Row, postgres::PgRow};
use uuid::Uuid;

use super::member::Member;
use super::{
    draft::recorded_at,
    memory::{Head, LedgerId, Memory, Touch},
};
use crate::append::Append;

pub(super) type Memories = LruCache<LedgerId, Memory>;

#[derive(Default)]
pub(super) struct Needs {
    ledgers: BTreeSet<LedgerId>,
    streams: BTreeSet<(LedgerId, StreamId)>,
    charts: BTreeSet<(LedgerId, PatientId)>,
    counters: BTreeSet<(LedgerId, CounterKey)>,
}

impl Needs {
    pub(super) fn is_empty(&self) -> bool {
        self.ledgers.is_empty() && self.streams.is_empty() && self.charts.is_empty() && self.counters.is_empty()
    }

    /// The heads alone: whether what is remembered still holds.
    pub(super) fn heads(places: impl IntoIterator<Item = LedgerId>) -> Self {
        Self { ledgers: places.into_iter().collect(), ..Self::default() }
    }

    /// Adds what a command needs beyond what is remembered. `fresh`: ledgers whose head was just read.
    pub(super) fn add(&mut self, member: &Member, memories: &Memories, fresh: &HashSet<LedgerId>, now: DateTime<Utc>) {
        let append = &member.append;
        let place = append.place();
        let memory = memories.peek(&place).filter(|memory| fresh.contains(&place) || !is_overtaken(memory, append));
        if memory.is_none() {
            self.ledgers.insert(place);
        }
        self.add_expected(append, memory);
        self.add_touched(append, memory);
        self.add_counters(member, memory, now);
    }

    /// Streams and charts that were read before the memory begins.
    fn add_expected(&mut self, append: &Append, memory: Option<&Memory>) {
        for expectation in &append.expectations {
            let read_at = expectation.read_at;
            match &expectation.fact {
                Fact::Stream(stream) => {
                    let known = |m: &Memory| m.streams.reaches(read_at) || m.streams.get(stream).is_some();
                    if !memory.is_some_and(known) {
                        self.streams.insert((append.place(), *stream));
                    }
                }
                Fact::Chart(patient) => {
                    let known = |m: &Memory| m.charts.reaches(read_at) || m.charts.get(patient).is_some();
                    if !memory.is_some_and(known) {
                        self.charts.insert((append.place(), *patient));
                    }
                }
                Fact::Claim(_) | Fact::DoctorTime(_) | Fact::ClinicTime => {}
            }
        }
    }

    /// Streams and charts that get events without anybody having said where they stand.
    fn add_touched(&mut self, append: &Append, memory: Option<&Memory>) {
        for new in &append.events {
            let expected = append.expects(&Fact::Stream(new.stream)).is_some();
            if !(expected || memory.is_some_and(|m| m.streams.get(&new.stream).is_some())) {
                self.streams.insert((append.place(), new.stream));
            }
            if append.ledger != Ledger::Record {
                continue;
            }
            let Some(patient) = new.event.patient(new.stream) else { continue };
            let expected = append.expects(&Fact::Chart(patient)).is_some()
                || append.expects(&Fact::Stream(patient.into())) == Some(0);
            if !(expected || memory.is_some_and(|m| m.charts.get(&patient).is_some())) {
                self.charts.insert((append.place(), patient));
            }
        }
    }

    fn add_counters(&mut self, member: &Member, memory: Option<&Memory>, now: DateTime<Utc>) {
        let recorded_at = recorded_at(memory.map_or(&Head::EMPTY, |memory| &memory.head), now);
        let append = &member.append;
        let changed = append.counters.iter().map(|change| change.counter.clone());
        let bounded = append.bounds.iter().map(|bound| bound.counter.clone());
        let numbered = member.series.iter().map(|series| series.counter(recorded_at));
        for counter in changed.chain(bounded).chain(numbered) {
            if !memory.is_some_and(|m| m.counters.contains_key(&counter)) {
                self.counters.insert((append.place(), counter));
            }
        }
    }

    /// Reads all of it in one snapshot. A memory whose head was moved by another process begins anew. Returns
    /// the ledgers whose heads were read.
    pub(super) async fn read(
        &self,
        connection: &mut PgConnection,
        memories: &mut Memories,
    ) -> sqlx::Result<Vec<LedgerId>> {
        let streams: Vec<_> = self.streams.iter().collect();
        let charts: Vec<_> = self.charts.iter().collect();
        let counters: Vec<_> = self.counters.iter().collect();
        let ledgers: BTreeSet<LedgerId> = self
            .ledgers
            .iter()
            .copied()
            .chain(streams.iter().map(|(place, _)| *place))
            .chain(charts.iter().map(|(place, _)| *place))
            .chain(counters.iter().map(|(place, _)| *place))
            .collect();
        let ledgers: Vec<_> = ledgers.into_iter().collect();
        let rows = sqlx::query(FACTS)
            .bind(ledgers.iter().map(|place| place.clinic.0).collect::<Vec<Uuid>>())
            .bind(ledgers.iter().map(|place| place.ledger as i16).collect::<Vec<_>>())
            .bind(streams.iter().map(|(place, _)| place.clinic.0).collect::<Vec<Uuid>>())
            .bind(streams.iter().map(|(_, stream)| stream.kind.as_str()).collect::<Vec<_>>())
            .bind(streams.iter().map(|(_, stream)| stream.id).collect::<Vec<_>>())
            .bind(charts.iter().map(|(place, _)| place.clinic.0).collect::<Vec<Uuid>>())
            .bind(charts.iter().map(|(_, patient)| patient.0).collect::<Vec<_>>())
            .bind(counters.iter().map(|(place, _)| place.clinic.0).collect::<Vec<Uuid>>())
            .bind(counters.iter().map(|(_, counter)| counter.as_str()).collect::<Vec<_>>())
            .fetch_all(connection)
            .await?;
        // Heads come first, so that facts are learnt by a memory that stands where they were read.
        for row in &rows {
            let n = usize::try_from(row.try_get::<i64, _>("n")? - 1).expect("counted from one");
            let value: i64 = row.try_get("value")?;
            match row.try_get::<i32, _>("what")? {
                HEADS => renew(memories, ledgers[n], head(row, value)?),
                STREAMS => learn(memories, streams[n].0, |memory, at| memory.streams.learn(streams[n].1, at), value),
                CHARTS => learn(memories, charts[n].0, |memory, at| memory.charts.learn(charts[n].1, at), value),
                _ => learn(memories, counters[n].0, |m, _| _ = m.counters.insert(counters[n].1.clone(), value), value),
            }
        }
        Ok(ledgers)
    }
}

const HEADS: i32 = 0;
const STREAMS: i32 = 1;
const CHARTS: i32 = 2;

const FACTS: &str = "
    SELECT 0 AS what, w.n, coalesce(h.position, 0) AS value, h.hash, h.recorded_at, h.key_epoch
        FROM unnest($1::uuid[], $2::smallint[]) WITH ORDINALITY AS w(clinic, ledger, n)
        LEFT JOIN log.head h ON h.clinic = w.clinic AND h.ledger = w.ledger
    UNION ALL
    SELECT 1, w.n, coalesce(e.version, 0), NULL, NULL, NULL
        FROM unnest($3::uuid[], $4::text[], $5::uuid[]) WITH ORDINALITY AS w(clinic, kind, id, n)
        LEFT JOIN LATERAL (SELECT stream_version AS version FROM log.event
            WHERE clinic = w.clinic AND stream_kind = w.kind AND stream_id = w.id
            ORDER BY stream_version DESC LIMIT 1) AS e ON true
    UNION ALL
    SELECT 2, w.n, coalesce(e.version, 0), NULL, NULL, NULL
        FROM unnest($6::uuid[], $7::uuid[]) WITH ORDINALITY AS w(clinic, patient, n)
        LEFT JOIN LATERAL (SELECT patient_version AS version FROM log.event
            WHERE clinic = w.clinic AND patient = w.patient AND patient_version IS NOT NULL
            ORDER BY patient_version DESC LIMIT 1) AS e ON true
    UNION ALL
    SELECT 3, w.n, coalesce(c.value, 0), NULL, NULL, NULL
        FROM unnest($8::uuid[], $9::text[]) WITH ORDINALITY AS w(clinic, name, n)
        LEFT JOIN log.counter c ON c.clinic = w.clinic AND c.name = w.name
    ORDER BY 1";

/// The caller has read further than the memory reaches: another process has appended.
fn is_overtaken(memory: &Memory, append: &Append) -> bool {
    let read = append.expectations.iter().filter(|expectation| expectation.was_read());
    read.map(|expectation| expectation.read_at).any(|at| at > memory.head.position)
}

fn head(row: &PgRow, position: i64) -> sqlx::Result<Head> {
    let Some(hash) = row.try_get::<Option<&[u8]>, _>("hash")? else { return Ok(Head::EMPTY) };
    Ok(Head {
        position,
        hash: hash.try_into().map_err(|_| sqlx::Error::Decode("a hash has 32 bytes".into()))?,
        recorded_at: row.try_get("recorded_at")?,
        key_epoch: row.try_get("key_epoch")?,
    })
}

fn renew(memories: &mut Memories, place: LedgerId, head: Head) {
    match memories.get_mut(&place) {
        Some(memory) if memory.head == head => memory.contended = false,
        overtaken => {
            let contended = overtaken.is_some();
            memories.put(place, Memory { contended, ..Memory::at(head) });
        }
    }
}

fn learn(memories: &mut Memories, place: LedgerId, fact: impl FnOnce(&mut Memory, Touch), version: i64) {
    if let Some(memory) = memories.get_mut(&place) {
        let position = memory.head.position;
        fact(memory, Touch { version, position });
    }
}
