//! Folded rows, written by COPY.

use events::ClinicId;
use read_models::{Projection, Rows};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::{
    Failure,
    apply::json,
    fields::{self, copy_line},
    table::Table,
};
use event_store::feed::Checkpoint;

/// Appends a clinic's rows as COPY takes them, in the order of their keys.
pub(crate) fn write_lines<P: Projection>(
    lines: &mut Vec<u8>,
    table: &Table<P>,
    clinic: ClinicId,
    rows: Rows<P>,
) -> Result<(), Failure> {
    let id = clinic.to_string();
    for (_, row) in rows.into_sorted() {
        let row = json(&row);
        let texts = fields::texts(&row, &table.columns).map_err(|error| Failure::misfit(&error))?;
        copy_line(lines, &id, &texts);
    }
    Ok(())
}

/// Sends lines into a table with these columns. One with row-level security refuses them.
pub(crate) async fn copy_lines<P: Projection>(
    connection: &mut PgConnection,
    columns: &Table<P>,
    into: &str,
    lines: Vec<u8>,
) -> Result<(), Failure> {
    let mut copy = connection.copy_in_raw(&columns.copy_into(into)).await?;
    copy.send(lines).await?;
    copy.finish().await?;
    Ok(())
}

/// Writes how far clinics were folded for what was copied: into `read.checkpoint`, or a table like it.
pub(crate) async fn insert_checkpoints(
    connection: &mut PgConnection,
    into: &str,
    projection: &str,
    checkpoints: &[(ClinicId, Checkpoint)],
) -> Result<(), Failure> {
    let insert = format!(
        "INSERT INTO {into} (clinic_id, projection, position, hash)
         SELECT c.clinic_id, $1, c.position, c.hash
         FROM unnest($2::uuid[], $3::bigint[], $4::bytea[]) AS c(clinic_id, position, hash)"
    );
    sqlx::query(AssertSqlSafe(insert))
        .bind(projection)
        .bind(checkpoints.iter().map(|(clinic, _)| clinic.0).collect::<Vec<Uuid>>())
        .bind(checkpoints.iter().map(|(_, at)| at.position).collect::<Vec<_>>())
        .bind(checkpoints.iter().map(|(_, at)| at.hash.as_slice()).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}
