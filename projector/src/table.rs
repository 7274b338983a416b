//! The table of a read model, and the statements over it.

use std::marker::PhantomData;

use read_models::{Key, Projection};
use sqlx::{PgPool, Row};

use crate::fields::Column;

/// Where a read model's rows lie: the served table, the one that a rebuild fills beside it, or a replay's.
pub(crate) struct Table<P> {
    /// With its schema: `read.patient_1`.
    pub(crate) name: String,
    /// The name under which checkpoints of this table are kept: `patient_1`.
    pub(crate) projection: String,
    /// All but `clinic_id`.
    pub(crate) columns: Vec<Column>,
    pub(crate) load: String,
    pub(crate) save: String,
    /// `$1` clinics, then each column.
    pub(crate) insert: String,
    _model: PhantomData<fn() -> P>,
}

/// What a rebuild adds to the names of what it fills.
pub(crate) const NEXT: &str = "_next";
/// How far the served tables, and those that a rebuild fills, have been folded.
pub(crate) const CHECKPOINTS: &str = "read.checkpoint";

impl<P: Projection> Table<P> {
    /// The table that queries read.
    pub(crate) async fn served(pool: &PgPool) -> sqlx::Result<Self> {
        Ok(Self::new(P::TABLE.to_owned(), projection_of::<P>().to_owned(), columns(pool, P::TABLE).await?))
    }

    /// The table that a rebuild fills.
    pub(crate) fn next(&self) -> Self {
        let (name, projection) = (format!("{}{NEXT}", self.name), format!("{}{NEXT}", self.projection));
        Self::new(name, projection, self.columns.clone())
    }

    /// The table of the same name in another schema.
    pub(crate) fn within(self, schema: &str) -> Self {
        Self::new(format!("{schema}.{}", self.projection), self.projection, self.columns)
    }

    fn new(name: String, projection: String, columns: Vec<Column>) -> Self {
        Self {
            load: load::<P>(&name),
            save: save::<P>(&name, &columns),
            insert: insert(&name, &columns),
            name,
            projection,
            columns,
            _model: PhantomData,
        }
    }
}

impl<P> Table<P> {
    /// A COPY of rows, written by [`copy_line`](crate::fields::copy_line), into a table like this one.
    pub(crate) fn copy_into(&self, table: &str) -> String {
        format!("COPY {table} (clinic_id, {}) FROM STDIN", names(&self.columns))
    }
}

/// The name of a read model and its revision, as checkpoints have it: `patient_1`.
pub(crate) fn projection_of<P: Projection>() -> &'static str {
    P::TABLE.strip_prefix("read.").unwrap_or(P::TABLE)
}

async fn columns(pool: &PgPool, table: &str) -> sqlx::Result<Vec<Column>> {
    let rows = sqlx::query(
        "SELECT attname::text AS name, format_type(atttypid, atttypmod) AS sql_type FROM pg_attribute
         WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'clinic_id'
         ORDER BY attnum",
    )
    .bind(table)
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| Ok(Column { name: row.try_get("name")?, sql_type: row.try_get("sql_type")? })).collect()
}

/// The rows of given keys: `$1` clinics, `$2` keys; with the number of the key that each belongs to.
fn load<P: Projection>(table: &str) -> String {
    format!(
        "SELECT k.n, row_to_json(t)::text AS row
         FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS k(clinic_id, id, n)
         JOIN {table} t ON t.clinic_id = k.clinic_id AND t.id = k.id::{}",
        P::Key::SQL_TYPE
    )
}

/// Parameters of the save statement before those of the columns.
const SAVE_PARAMETERS: usize = 9;

/// Moves checkpoints, and writes and removes rows of those clinics whose checkpoint stood where the caller
/// thought: one statement, so one round trip and one transaction, and each event counts once. Answers with
/// the clinics that moved.
///
/// `$1` projection; checkpoints: `$2` clinics, `$3` position before, `$4` and after, `$5` hash, `$6` epoch;
/// rows to be removed: `$7` clinics, `$8` keys; rows to be written: `$9` clinics, then each column.
fn save<P: Projection>(table: &str, columns: &[Column]) -> String {
    format!(
        "WITH moved AS (
             UPDATE read.checkpoint c SET position = m.upto, hash = m.hash
             FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bigint[])
                 AS m(clinic_id, after, upto, hash, epoch)
             WHERE c.clinic_id = m.clinic_id AND c.projection = $1 AND c.position = m.after AND c.epoch = m.epoch
             RETURNING c.clinic_id),
         removed AS (
             DELETE FROM {table} t USING moved, unnest($7::uuid[], $8::text[]) AS d(clinic_id, id)
             WHERE d.clinic_id = moved.clinic_id AND t.clinic_id = d.clinic_id AND t.id = d.id::{key}),
         written AS (
             INSERT INTO {table} (clinic_id, {names}) SELECT w.clinic_id, {values} FROM {rows}
             JOIN moved ON moved.clinic_id = w.clinic_id
             ON CONFLICT (clinic_id, id) DO UPDATE SET {changes})
         SELECT clinic_id FROM moved",
        key = P::Key::SQL_TYPE,
        names = names(columns),
        values = values(columns),
        rows = rows(SAVE_PARAMETERS, columns),
        changes = list(columns, |_, column| format!("\"{0}\" = excluded.\"{0}\"", column.name)),
    )
}

fn insert(table: &str, columns: &[Column]) -> String {
    let (names, values, rows) = (names(columns), values(columns), rows(1, columns));
    format!("INSERT INTO {table} (clinic_id, {names}) SELECT w.clinic_id, {values} FROM {rows}")
}

fn list(columns: &[Column], write: impl Fn(usize, &Column) -> String) -> String {
    let written = columns.iter().enumerate().map(|(index, column)| write(index, column));
    written.collect::<Vec<_>>().join(", ")
}

fn names(columns: &[Column]) -> String {
    list(columns, |_, column| format!("\"{}\"", column.name))
}

/// The values of a row of [`rows`], each in its column's type.
fn values(columns: &[Column]) -> String {
    list(columns, |index, column| format!("w.c{index}::{}", column.sql_type))
}

/// Rows out of parameters: the last of `before` is the clinics, each further one a column.
fn rows(before: usize, columns: &[Column]) -> String {
    let parameters = list(columns, |index, _| format!("${}::text[]", before + 1 + index));
    let aliases = list(columns, |index, _| format!("c{index}"));
    format!("unnest(${before}::uuid[], {parameters}) AS w(clinic_id, {aliases})")
}
