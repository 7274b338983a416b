//! Whether the served rows are what the log says: both folded and compared byte for byte.

use events::{ClinicId, Position};
use futures::future::BoxFuture;
use read_models::{Projection, Visitor};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, Transaction};

use crate::{
    copy::{copy_lines, write_lines},
    digest::digest,
    history::History,
    rebuild::{Folded, RebuildError},
    table::Table,
};

/// One clinic's rows of one read model, compared at the position that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    pub clinic: ClinicId,
    pub position: Position,
    pub served: Digest,
    /// Folded anew from the log.
    pub expected: Digest,
}

impl Comparison {
    pub fn is_same(&self) -> bool {
        self.served == self.expected
    }
}

/// Rows as PostgreSQL shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    pub rows: i64,
    /// SHA-256 over the rows' bytes in the order of their keys.
    pub sha256: Vec<u8>,
}

/// Compares a read model (by its name, `patient`) of one clinic, or of all, with the log. Changes nothing.
pub async fn compare(
    history: &History,
    projection: &str,
    clinic: Option<ClinicId>,
) -> Result<Vec<Comparison>, RebuildError> {
    let compare = read_models::named(projection, &mut Compare { history, clinic });
    compare.ok_or_else(|| RebuildError::NoSuchProjection(projection.to_owned()))?.await
}

struct Compare<'a> {
    history: &'a History,
    clinic: Option<ClinicId>,
}

impl<'a> Visitor for Compare<'a> {
    type Output = BoxFuture<'a, Result<Vec<Comparison>, RebuildError>>;

    fn visit<P: Projection>(&mut self) -> Self::Output {
        let (history, clinic) = (self.history, self.clinic);
        Box::pin(async move {
            let table = Table::<P>::served(history.pool()).await?;
            let mut connection = history.pool().acquire().await?;
            let mut found = Vec::new();
            for clinic in clinics(&mut connection, &table.projection, clinic).await? {
                found.push(one(history, &table, clinic, &mut connection).await?);
            }
            Ok(found)
        })
    }
}

async fn clinics(
    connection: &mut PgConnection,
    projection: &str,
    clinic: Option<ClinicId>,
) -> sqlx::Result<Vec<ClinicId>> {
    let clinics = sqlx::query_scalar::<_, uuid::Uuid>(
        "SELECT clinic_id FROM read.checkpoint
         WHERE projection = $1 AND ($2::uuid IS NULL OR clinic_id = $2) ORDER BY clinic_id",
    );
    let clinics = clinics.bind(projection).bind(clinic.map(|clinic| clinic.0)).fetch_all(connection).await?;
    Ok(clinics.into_iter().map(ClinicId).collect())
}

async fn one<P: Projection>(
    history: &History,
    table: &Table<P>,
    clinic: ClinicId,
    connection: &mut PgConnection,
) -> Result<Comparison, RebuildError> {
    // One snapshot for the checkpoint and the rows.
    let mut snapshot = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await?;
    let position = sqlx::query("SELECT position FROM read.checkpoint WHERE projection = $1 AND clinic_id = $2")
        .bind(&table.projection)
        .bind(clinic.0)
        .fetch_one(&mut *snapshot)
        .await?
        .try_get("position")?;
    let mut folded = Folded::<P>::new(clinic);
    folded.fold_upto(history, position, &mut |_| ()).await?;
    let served = digest(&mut snapshot, &table.name, clinic).await?;
    write_expected(&mut snapshot, table, folded).await?;
    let expected = digest(&mut snapshot, EXPECTED, clinic).await?;
    snapshot.rollback().await?;
    Ok(Comparison { clinic, position, served, expected })
}

const EXPECTED: &str = "pg_temp.expected";

/// Through the same types, so that what is compared was written and shown the same way.
async fn write_expected<P: Projection>(
    transaction: &mut Transaction<'_, sqlx::Postgres>,
    table: &Table<P>,
    folded: Folded<P>,
) -> Result<(), RebuildError> {
    let make = format!("CREATE TEMPORARY TABLE expected (LIKE {}) ON COMMIT DROP", table.name);
    sqlx::query(AssertSqlSafe(make)).persistent(false).execute(&mut **transaction).await?;
    let mut lines = Vec::new();
    write_lines(&mut lines, table, folded.clinic, folded.rows)?;
    Ok(copy_lines(transaction, table, EXPECTED, lines).await?)
}
