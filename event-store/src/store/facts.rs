//! Reading what a decision rests on beside streams, each with the position at which it was read.

use std::collections::BTreeMap;

use events::{
    AggregateKind, ClinicId, DoctorId, OfficeId, Position, StreamId,
    claim::{ClaimKey, CounterKey, DoctorTime, Scope},
    values::Span,
};
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

use super::{Store, StoreError};

/// Something that was read, and the record's position in the same snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtPosition<T> {
    pub read: T,
    pub read_at: Position,
}

/// A claim on a doctor's time, and the stream that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldTime {
    pub holder: StreamId,
    pub time: DoctorTime,
}

impl Store {
    /// Who holds each of the claims; a claim that nobody holds is absent.
    pub async fn claims(
        &self,
        clinic: ClinicId,
        claims: &[ClaimKey],
    ) -> Result<AtPosition<BTreeMap<ClaimKey, StreamId>>, StoreError> {
        let scope = |claim: &ClaimKey| match claim.scope {
            Scope::Clinic => clinic.0,
            Scope::Platform => ClinicId::PLATFORM.0,
        };
        let rows = sqlx::query(
            "SELECT coalesce(h.position, 0) AS read_at, c.n, c.holder_kind, c.holder_id FROM log.scope($1) AS s(clinic)
             LEFT JOIN LATERAL (SELECT position FROM log.head WHERE clinic = s.clinic AND ledger = 1 OFFSET 0) AS h
                ON true
             LEFT JOIN LATERAL (
                SELECT w.n, c.holder_kind, c.holder_id
                FROM unnest($2::uuid[], $3::text[], $4::text[]) WITH ORDINALITY AS w(scope, kind, value, n)
                JOIN log.claim c ON c.scope = w.scope AND c.kind = w.kind AND c.value = w.value
                WHERE s.clinic IS NOT NULL OFFSET 0) AS c ON true",
        )
        .bind(clinic.0)
        .bind(claims.iter().map(scope).collect::<Vec<Uuid>>())
        .bind(claims.iter().map(|claim| claim.kind).collect::<Vec<_>>())
        .bind(claims.iter().map(|claim| claim.value.as_str()).collect::<Vec<_>>())
        .fetch_all(&self.reads)
        .await?;
        let mut held = BTreeMap::new();
        for row in &rows {
            if let Some(n) = row.try_get::<Option<i64>, _>("n")? {
                let n = usize::try_from(n - 1).expect("counted from one");
                held.insert(claims[n].clone(), holder(row)?);
            }
        }
        Ok(AtPosition { read: held, read_at: read_at(&rows)? })
    }

    /// The claims on a doctor's time that overlap a span, by their beginning.
    pub async fn doctor_times(
        &self,
        clinic: ClinicId,
        doctor: DoctorId,
        span: Span,
    ) -> Result<AtPosition<Vec<HeldTime>>, StoreError> {
        self.times(clinic, Some(doctor), None, span).await
    }

    /// The claims on all doctors' time that overlap a span, in one office or in all, by their beginning.
    pub async fn clinic_times(
        &self,
        clinic: ClinicId,
        office: Option<OfficeId>,
        span: Span,
    ) -> Result<AtPosition<Vec<HeldTime>>, StoreError> {
        self.times(clinic, None, office, span).await
    }

    async fn times(
        &self,
        clinic: ClinicId,
        doctor: Option<DoctorId>,
        office: Option<OfficeId>,
        span: Span,
    ) -> Result<AtPosition<Vec<HeldTime>>, StoreError> {
        let rows = sqlx::query(
            "SELECT coalesce(h.position, 0) AS read_at, d.* FROM log.scope($1) AS s(clinic)
             LEFT JOIN LATERAL (SELECT position FROM log.head WHERE clinic = s.clinic AND ledger = 1 OFFSET 0) AS h
                ON true
             LEFT JOIN LATERAL (
                SELECT doctor, office, lane, lower(during) AS begins, upper(during) AS ends, holder_kind, holder_id
                FROM log.doctor_time
                WHERE clinic = s.clinic AND ($2::uuid IS NULL OR doctor = $2) AND ($3::uuid IS NULL OR office = $3)
                  AND during && tstzrange($4, $5) OFFSET 0) AS d ON true
             ORDER BY d.begins, d.lane, d.holder_id",
        )
        .bind(clinic.0)
        .bind(doctor.map(|doctor| doctor.0))
        .bind(office.map(|office| office.0))
        .bind(span.from)
        .bind(span.to)
        .fetch_all(&self.reads)
        .await?;
        let mut times = Vec::new();
        for row in &rows {
            if row.try_get::<Option<Uuid>, _>("doctor")?.is_some() {
                times.push(HeldTime { holder: holder(row)?, time: doctor_time(row)? });
            }
        }
        Ok(AtPosition { read: times, read_at: read_at(&rows)? })
    }

    /// Counters as they stand; one that was never moved is 0.
    pub async fn counters(
        &self,
        clinic: ClinicId,
        counters: &[CounterKey],
    ) -> Result<AtPosition<BTreeMap<CounterKey, i64>>, StoreError> {
        let rows = sqlx::query(
            "SELECT coalesce(h.position, 0) AS read_at, c.name, c.value FROM log.scope($1) AS s(clinic)
             LEFT JOIN LATERAL (SELECT position FROM log.head WHERE clinic = s.clinic AND ledger = 1 OFFSET 0) AS h
                ON true
             LEFT JOIN LATERAL (SELECT name, value FROM log.counter
                WHERE clinic = s.clinic AND name = ANY ($2) OFFSET 0) AS c ON true",
        )
        .bind(clinic.0)
        .bind(counters.iter().map(CounterKey::as_str).collect::<Vec<_>>())
        .fetch_all(&self.reads)
        .await?;
        let mut values: BTreeMap<_, _> = counters.iter().map(|counter| (counter.clone(), 0)).collect();
        for row in &rows {
            if let Some(name) = row.try_get::<Option<String>, _>("name")? {
                values.insert(CounterKey::new(name), row.try_get("value")?);
            }
        }
        Ok(AtPosition { read: values, read_at: read_at(&rows)? })
    }
}

/// There is always a row, for the head.
fn read_at(rows: &[PgRow]) -> sqlx::Result<Position> {
    rows.first().map_or(Ok(0), |row| row.try_get("read_at"))
}

fn holder(row: &PgRow) -> sqlx::Result<StreamId> {
    let kind: &str = row.try_get("holder_kind")?;
    let kind: AggregateKind = kind.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    Ok(StreamId { kind, id: row.try_get("holder_id")? })
}

fn doctor_time(row: &PgRow) -> sqlx::Result<DoctorTime> {
    Ok(DoctorTime {
        doctor: row.try_get::<Uuid, _>("doctor")?.into(),
        office: row.try_get::<Uuid, _>("office")?.into(),
        lane: row.try_get("lane")?,
        from: row.try_get("begins")?,
        to: row.try_get("ends")?,
    })
}
