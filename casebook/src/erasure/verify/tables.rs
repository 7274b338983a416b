//! Every row of every table, as a dump would show it.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use futures::TryStreamExt;
use sqlx::{PgPool, pool::PoolConnection};

use super::{Found, Markers, markers::found};

/// What is kept in the database, and what the planner notes of it.
const TABLES: &str = "SELECT c.oid::regclass::text FROM pg_class c
     WHERE c.relkind IN ('r', 'm')
       AND (c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
            OR c.oid IN ('pg_catalog.pg_statistic'::regclass, 'pg_catalog.pg_statistic_ext_data'::regclass))
     ORDER BY 1";

/// # Errors
/// The role does not see all rows: row-level security would hide what is looked for.
pub async fn tables(pool: &PgPool, markers: &Markers) -> Result<Vec<Found>> {
    let mut connection = PoolConnection::detach(pool.acquire().await?);
    // What a policy hides is an error then, and not absent.
    sqlx::query("SET row_security = off").execute(&mut connection).await?;
    let names: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(&mut connection).await?;
    let mut places = Vec::new();
    for table in names {
        let copy = format!("COPY (SELECT t::text FROM {table} t) TO STDOUT");
        let unseen = || format!("reading {table}: connect as a role that sees all rows, such as a superuser");
        let mut rows = connection.copy_out_raw(&copy).await.with_context(unseen)?;
        let mut seen = BTreeSet::new();
        while let Some(row) = rows.try_next().await.with_context(unseen)? {
            markers.in_bytes(&row, &mut seen);
        }
        drop(rows);
        places.extend(found(format!("table {table}"), &seen));
    }
    Ok(places)
}
