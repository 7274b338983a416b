//! The tables of schema `read`.

use sqlx::{PgPool, migrate::Migrator};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Brings schema `read` to what this program expects. The pool's role must be allowed to make schemas,
/// roles and the (trusted) extensions `pg_trgm` and `btree_gin`.
///
/// # Errors
/// The migration that failed, or one that was changed after it had run.
pub async fn migrate(pool: &PgPool) -> Result<(), sqlx::migrate::MigrateError> {
    // Schema `log` keeps a table of its own.
    let mut migrator = Migrator { locking: true, ..Migrator::DEFAULT };
    migrator.migrations = MIGRATIONS.migrations.clone();
    migrator.create_schema("read");
    migrator.dangerous_set_table_name("read.migration");
    migrator.run(pool).await
}
