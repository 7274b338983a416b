//! How many events each patient has, as the charts tree signs it.

use std::collections::{BTreeMap, BTreeSet};

use events::{ClinicId, PatientId};
use proof::{
    charts::{BUCKETS, bucket_of, bucket_tree, charts_tree},
    merkle::empty_root,
    row::Hash,
};
use sqlx::{PgConnection, PgExecutor, PgPool, Row};
use uuid::Uuid;

use super::CheckpointError;
use crate::stored::hash;

/// The highest `patient_version` of each patient among new rows.
pub(super) type Counts = BTreeMap<PatientId, i64>;

/// Takes the counts over and answers with the root of the clinic's charts.
pub(super) async fn count(db: &mut PgConnection, clinic: ClinicId, counts: &Counts) -> sqlx::Result<Hash> {
    store_counts(db, clinic, counts).await?;
    let touched: BTreeSet<i16> = counts.keys().map(|patient| bucket_of(*patient).into()).collect();
    let roots = bucket_roots(db, clinic, &touched).await?;
    store_roots(db, clinic, &roots).await?;
    root(db, clinic).await
}

async fn store_counts(db: &mut PgConnection, clinic: ClinicId, counts: &Counts) -> sqlx::Result<()> {
    let buckets: Vec<i16> = counts.keys().map(|patient| bucket_of(*patient).into()).collect();
    let (patients, counts): (Vec<Uuid>, Vec<i64>) = counts.iter().map(|(patient, count)| (patient.0, *count)).unzip();
    sqlx::query(
        "INSERT INTO log.chart AS c SELECT $1, * FROM unnest($2::smallint[], $3::uuid[], $4::bigint[])
         ON CONFLICT (clinic, bucket, patient) DO UPDATE SET count = greatest(c.count, excluded.count)",
    )
    .bind(clinic.0)
    .bind(buckets)
    .bind(patients)
    .bind(counts)
    .execute(db)
    .await?;
    Ok(())
}

async fn bucket_roots(
    db: &mut PgConnection,
    clinic: ClinicId,
    touched: &BTreeSet<i16>,
) -> sqlx::Result<BTreeMap<i16, Hash>> {
    let touched: Vec<i16> = touched.iter().copied().collect();
    let rows = sqlx::query(
        "SELECT bucket, patient, count FROM log.chart WHERE clinic = $1 AND bucket = ANY($2) ORDER BY bucket, patient",
    )
    .bind(clinic.0)
    .bind(touched)
    .fetch_all(db)
    .await?;
    let mut buckets: BTreeMap<i16, Vec<(PatientId, i64)>> = BTreeMap::new();
    for row in rows {
        buckets.entry(row.try_get(0)?).or_default().push((PatientId(row.try_get(1)?), row.try_get(2)?));
    }
    Ok(buckets.into_iter().map(|(bucket, charts)| (bucket, bucket_tree(charts).root())).collect())
}

async fn store_roots(db: &mut PgConnection, clinic: ClinicId, roots: &BTreeMap<i16, Hash>) -> sqlx::Result<()> {
    let (buckets, roots): (Vec<i16>, Vec<Vec<u8>>) =
        roots.iter().map(|(bucket, root)| (*bucket, root.to_vec())).unzip();
    sqlx::query(
        "INSERT INTO log.chart_bucket SELECT $1, * FROM unnest($2::smallint[], $3::bytea[])
         ON CONFLICT (clinic, bucket) DO UPDATE SET root = excluded.root",
    )
    .bind(clinic.0)
    .bind(buckets)
    .bind(roots)
    .execute(db)
    .await?;
    Ok(())
}

async fn root(db: &mut PgConnection, clinic: ClinicId) -> sqlx::Result<Hash> {
    Ok(charts_tree(&all_roots(db, clinic).await?).root())
}

async fn all_roots(db: impl PgExecutor<'_>, clinic: ClinicId) -> sqlx::Result<[Hash; BUCKETS]> {
    let rows = sqlx::query("SELECT bucket, root FROM log.chart_bucket WHERE clinic = $1").bind(clinic.0).fetch_all(db);
    let mut roots = [empty_root(); BUCKETS];
    for row in rows.await? {
        let bucket = usize::from(row.try_get::<i16, _>(0)?.cast_unsigned());
        *roots.get_mut(bucket).ok_or_else(|| sqlx::Error::Decode("no such bucket".into()))? = hash(row.try_get(1)?)?;
    }
    Ok(roots)
}

/// How many events a patient has, and the two proofs of it, as of the last checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartProof {
    pub count: i64,
    /// The patient's place in the bucket, from 0.
    pub index: usize,
    /// Patients in the bucket.
    pub bucket_size: usize,
    pub bucket_root: Hash,
    /// That the patient's leaf lies in the bucket's tree.
    pub path: Vec<Hash>,
    /// That the bucket's root lies in the charts tree.
    pub bucket_path: Vec<Hash>,
    /// The root of the charts tree: as the last checkpoint signs it.
    pub charts: Hash,
}

/// In one snapshot: a checkpoint may be made meanwhile.
pub(super) async fn prove(
    db: &PgPool,
    clinic: ClinicId,
    patient: PatientId,
) -> Result<Option<ChartProof>, CheckpointError> {
    let mut snapshot = db.begin().await?;
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").execute(&mut *snapshot).await?;
    let bucket = bucket_of(patient);
    let rows = sqlx::query("SELECT patient, count FROM log.chart WHERE clinic = $1 AND bucket = $2 ORDER BY patient")
        .bind(clinic.0)
        .bind(i16::from(bucket))
        .fetch_all(&mut *snapshot)
        .await?;
    let charts: Vec<(PatientId, i64)> =
        rows.iter().map(|row| Ok((PatientId(row.try_get(0)?), row.try_get(1)?))).collect::<sqlx::Result<_>>()?;
    let roots = all_roots(&mut *snapshot, clinic).await?;
    let Some(index) = charts.iter().position(|(found, _)| *found == patient) else { return Ok(None) };
    let (count, bucket_size) = (charts[index].1, charts.len());
    let (in_bucket, all) = (bucket_tree(charts), charts_tree(&roots));
    Ok(Some(ChartProof {
        count,
        index,
        bucket_size,
        bucket_root: in_bucket.root(),
        path: in_bucket.inclusion(index),
        bucket_path: all.inclusion(bucket.into()),
        charts: all.root(),
    }))
}
