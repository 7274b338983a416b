//! The servers of a run: private ones, durable as by default.

use std::{fs, fs::Permissions, os::unix::fs::PermissionsExt, path::Path, str::FromStr};

use anyhow::{Result, bail, ensure};
use event_store::{DbRole, MasterKey, Store, StoreOptions};
use local_servers::{LocalNats, LocalPostgres, NatsOptions, PostgresOptions};
use sqlx::{Executor, PgPool, postgres::PgConnectOptions};
use tempfile::TempDir;
use tests::{MASTER_KEY, Stack};

use crate::raw;

/// Of the load generator, as of the program under it.
pub const THREADS: u32 = 2;
/// A fresh segment costs 50 ms: after the first checkpoint, all of them are recycled.
const MIN_WAL_SIZE_MB: u32 = 2_048;
const DURABLE: [&str; 3] = ["fsync", "synchronous_commit", "full_page_writes"];

pub struct World {
    servers: Servers,
    pub owner: PgPool,
    superuser: PgPool,
    folder: TempDir,
}

enum Servers {
    /// The log and nothing that reads it.
    Log(Box<LocalPostgres>),
    Everything(Box<Stack>),
}

impl World {
    /// A database with the log in it.
    pub async fn log(parent: &Path) -> Result<Self> {
        let (folder, postgres) = postgres(parent).await?;
        let owner = PgPool::connect(&postgres.url()).await?;
        event_store::migrate(&owner).await?;
        owner.close().await;
        Self::around(Servers::Log(Box::new(postgres)), folder).await
    }

    /// All services in this process, as `casebook up` runs them.
    pub async fn everything(parent: &Path) -> Result<Self> {
        let (folder, postgres) = postgres(parent).await?;
        let nats = LocalNats::start(NatsOptions::new(folder.path().join("nats"))).await?;
        let stack = Box::new(Stack::on(postgres, nats, true).await?);
        Self::around(Servers::Everything(stack), folder).await
    }

    async fn around(servers: Servers, folder: TempDir) -> Result<Self> {
        let owner = PgPool::connect(&servers.postgres().url()).await?;
        let superuser = PgPool::connect(&servers.postgres().superuser_url("casebook")).await?;
        for setting in DURABLE {
            let value: String =
                sqlx::query_scalar("SELECT current_setting($1)").bind(setting).fetch_one(&owner).await?;
            ensure!(value == "on", "{setting} is {value}");
        }
        let world = Self { servers, owner, superuser, folder };
        raw::prepare(&world).await?;
        Ok(world)
    }

    pub fn postgres(&self) -> &LocalPostgres {
        self.servers.postgres()
    }

    pub fn database(&self) -> Result<PgConnectOptions> {
        Ok(PgConnectOptions::from_str(&self.postgres().url())?)
    }

    /// An error where only the log is there.
    pub fn stack(&self) -> Result<&Stack> {
        match &self.servers {
            Servers::Everything(stack) => Ok(stack),
            Servers::Log(_) => bail!("this row needs all services"),
        }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn store(&self) -> Result<Store> {
        self.store_as(DbRole::Reader)
    }

    pub fn store_as(&self, role: DbRole) -> Result<Store> {
        let options = StoreOptions::new(self.database()?, MasterKey::new(MASTER_KEY));
        Ok(Store::open(StoreOptions { reads_as: role, ..options }))
    }

    /// Both sides of a round begin behind a checkpoint: each pays for its own pages alone.
    pub async fn checkpoint(&self) -> Result<()> {
        self.superuser.execute("CHECKPOINT").await?;
        Ok(())
    }

    /// The statistics of a table that was just filled, which the server would make by itself in a minute.
    pub async fn analyze(&self, table: &str) -> Result<()> {
        self.superuser.execute(sqlx::AssertSqlSafe(format!("VACUUM ANALYZE {table}"))).await?;
        Ok(())
    }

    /// On what this runs: `2 cores (…), PostgreSQL 15.4, …`.
    pub async fn describe(&self) -> Result<String> {
        let version: String = sqlx::query_scalar("SHOW server_version").fetch_one(&self.owner).await?;
        let cores = std::thread::available_parallelism()?;
        let (processor, memory_gb) = (processor()?, memory_gb()?);
        let version = version.split(' ').next().unwrap_or_default();
        Ok(format!("{cores} cores ({processor}), {memory_gb} GB, PostgreSQL {version}, {} on", DURABLE.join(", ")))
    }

    pub async fn stop(self) -> Result<()> {
        self.owner.close().await;
        self.superuser.close().await;
        match self.servers {
            Servers::Log(postgres) => postgres.stop().await,
            // Its data goes with the folder.
            Servers::Everything(_) => Ok(()),
        }
    }
}

impl Servers {
    fn postgres(&self) -> &LocalPostgres {
        match self {
            Self::Log(postgres) => postgres,
            Self::Everything(stack) => &stack.postgres,
        }
    }
}

/// A durable server, in a folder of its own.
async fn postgres(parent: &Path) -> Result<(TempDir, LocalPostgres)> {
    // The server's account must be able to pass through.
    let passable = Permissions::from_mode(0o711);
    let folder = tempfile::Builder::new().prefix("casebook-bench-").permissions(passable).tempdir_in(parent)?;
    let options =
        PostgresOptions { min_wal_size_mb: MIN_WAL_SIZE_MB, ..PostgresOptions::new(folder.path().join("postgres")) };
    let postgres = LocalPostgres::start(options).await?;
    Ok((folder, postgres))
}

fn processor() -> Result<String> {
    let description = fs::read_to_string("/proc/cpuinfo")?;
    let name = description.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    Ok(name.map_or("unknown", |(_, name)| name).to_owned())
}

fn memory_gb() -> Result<u64> {
    let description = fs::read_to_string("/proc/meminfo")?;
    let total = description.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().split(' ').next());
    Ok(total.unwrap_or("0").parse::<u64>()?.div_ceil(1 << 20))
}
