//! A clinic's rows in one number.

use events::ClinicId;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use crate::compare::Digest;

/// Over a clinic's rows of any table, as PostgreSQL shows them.
pub(crate) async fn digest(connection: &mut PgConnection, table: &str, clinic: ClinicId) -> sqlx::Result<Digest> {
    let digest = format!(
        "SELECT count(*) AS rows, sha256(coalesce(
             string_agg(sha256(convert_to(t::text, 'UTF8')), ''::bytea ORDER BY t.id), '')) AS sha256
         FROM {table} t WHERE t.clinic_id = $1"
    );
    // A temporary table of the same name is another one each time.
    let query = sqlx::query(AssertSqlSafe(digest)).bind(clinic.0).persistent(false);
    let row = query.fetch_one(connection).await?;
    Ok(Digest { rows: row.try_get("rows")?, sha256: row.try_get("sha256")? })
}
