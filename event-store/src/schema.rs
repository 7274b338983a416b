//! The schema `log`: its migrations, and the roles as which services connect.

use std::time::Duration;

use sqlx::{
    Executor, PgPool,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
};

static MIGRATOR: Migrator = sqlx::migrate!();

const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Brings the schema `log` up to date; at once if it is already. Safe to run from several processes.
///
/// The pool belongs to the owner of the database: no superuser, but it may make roles.
pub async fn migrate(owner: &PgPool) -> Result<(), MigrateError> {
    let mut migrator = Migrator { migrations: MIGRATOR.migrations.clone(), ..Migrator::DEFAULT };
    migrator.create_schema("log");
    migrator.dangerous_set_table_name("log.migration");
    migrator.run(owner).await
}

/// As what a service works. The role says which tables it may touch, and whether it sees all clinics or
/// only the one that the statement is scoped to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DbRole {
    /// The scoped clinic only.
    Reader,
    /// Appends, for all clinics.
    Writer,
    /// Reads events of all clinics, sealed.
    Relay,
    /// Reads and opens events of all clinics.
    Projector,
    /// Reads events of all clinics, sealed, to verify them.
    Auditor,
}

impl DbRole {
    pub(crate) fn set_role(self) -> &'static str {
        match self {
            Self::Reader => "SET ROLE casebook_reader",
            Self::Writer => "SET ROLE casebook_writer",
            Self::Relay => "SET ROLE casebook_relay",
            Self::Projector => "SET ROLE casebook_projector",
            Self::Auditor => "SET ROLE casebook_auditor",
        }
    }

    /// A pool whose connections have this role. Nothing is connected before the first use.
    pub fn pool(self, options: PgConnectOptions, max_connections: u32) -> PgPool {
        PgPoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .after_connect(move |connection, _| {
                Box::pin(async move { connection.execute(self.set_role()).await.map(|_| ()) })
            })
            .connect_lazy_with(options)
    }
}
