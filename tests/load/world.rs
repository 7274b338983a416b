//! The servers of a run: private ones, durable as by default.

use std::{fs, fs::Permissions, os::unix::fs::PermissionsExt, path::Path, str::FromStr};

use anyhow::{Result, ensure};
use event_store::{DbRole, MasterKey, Store, StoreOptions};
use local_servers::{LocalPostgres, PostgresOptions};
use sqlx::{Executor, PgPool, postgres::PgConnectOptions};
use tempfile::TempDir;

use crate::raw;

/// Of the load generator, as of the program under it.
pub const THREADS: u32 = 2;
/// A fresh segment costs 50 ms: after the first checkpoint, all of them are recycled.
const MIN_WAL_SIZE_MB: u32 = 2_048;
const DURABLE: [&str; 3] = ["fsync", "synchronous_commit", "full_page_writes"];

pub struct World {
    pub postgres: LocalPostgres,
    pub owner: PgPool,
    superuser: PgPool,
    master_key: MasterKey,
    folder: TempDir,
}

impl World {
    pub async fn start(parent: &Path) -> Result<Self> {
        // The server's account must be able to pass through.
        let passable = Permissions::from_mode(0o711);
        let folder = tempfile::Builder::new().prefix("casebook-bench-").permissions(passable).tempdir_in(parent)?;
        let options = PostgresOptions {
            min_wal_size_mb: MIN_WAL_SIZE_MB,
            ..PostgresOptions::new(folder.path().join("postgres"))
        };
        let postgres = LocalPostgres::start(options).await?;
        let owner = PgPool::connect(&postgres.url()).await?;
        let superuser = PgPool::connect(&postgres.superuser_url("casebook")).await?;
        for setting in DURABLE {
            let value: String =
                sqlx::query_scalar("SELECT current_setting($1)").bind(setting).fetch_one(&owner).await?;
            ensure!(value == "on", "{setting} is {value}");
        }
        event_store::migrate(&owner).await?;
        let world = Self { postgres, owner, superuser, master_key: MasterKey::random(), folder };
        raw::prepare(&world).await?;
        Ok(world)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn store(&self) -> Result<Store> {
        self.store_as(DbRole::Reader)
    }

    pub fn store_as(&self, role: DbRole) -> Result<Store> {
        let database = PgConnectOptions::from_str(&self.postgres.url())?;
        let options = StoreOptions::new(database, MasterKey::new(*self.master_key.expose()));
        Ok(Store::open(StoreOptions { reads_as: role, ..options }))
    }

    /// Both sides of a round begin behind a checkpoint: each pays for its own pages alone.
    pub async fn checkpoint(&self) -> Result<()> {
        self.superuser.execute("CHECKPOINT").await?;
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
        self.postgres.stop().await
    }
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
