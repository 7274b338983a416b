//! What PostgreSQL would overwrite by itself in time, overwritten now: rows that were replaced, and the segments of
//! the write-ahead log that it keeps to be used again.

use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool, pool::PoolConnection};

/// Tables whose replaced rows hold what an erasure took: read models, wrapped keys, the planner's samples.
const TABLES: &str = "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind = 'r'
       AND (c.relnamespace = 'read'::regnamespace
            OR c.oid IN ('log.patient_key'::regclass, 'log.clinic_key'::regclass, 'pg_catalog.pg_statistic'::regclass))
     ORDER BY c.relnamespace = 'pg_catalog'::regnamespace, 1";

/// Each table is locked while it is written anew. `server_is_ours`: also the write-ahead log, whose every segment is
/// written once.
pub async fn scrub(pool: &PgPool, server_is_ours: bool) -> Result<()> {
    let mut connection = PoolConnection::detach(pool.acquire().await?);
    let tables: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(&mut connection).await?;
    for table in tables {
        let vacuum = format!("VACUUM (FULL, ANALYZE) {table}");
        sqlx::query(AssertSqlSafe(vacuum))
            .execute(&mut connection)
            .await
            .with_context(|| format!("vacuuming {table}"))?;
    }
    if server_is_ours {
        write_over_segments(&mut connection).await.context("writing over the write-ahead log")?;
    }
    Ok(connection.close().await?)
}

/// Ends the current segment, which fills the rest of it with zeros, as often as there are segments. Twice: a
/// checkpoint renames segments that are not needed any more to be written later, as they are.
async fn write_over_segments(connection: &mut PgConnection) -> Result<()> {
    for _ in 0..2 {
        sqlx::query("CHECKPOINT").execute(&mut *connection).await?;
        let count = sqlx::query_scalar("SELECT count(*) FROM pg_ls_waldir()");
        let segments: i64 = count.fetch_one(&mut *connection).await?;
        for _ in 0..=segments {
            // A segment in which nothing was written is not ended.
            let end = "SELECT pg_logical_emit_message(false, 'casebook', ''), pg_switch_wal()";
            sqlx::query(end).execute(&mut *connection).await?;
        }
    }
    sqlx::query("CHECKPOINT").execute(&mut *connection).await?;
    Ok(())
}
