//! The ceiling of the writing rows: an event's bytes, one `INSERT` and one transaction each, by pgbench.

use std::{fs, path::Path, process::Stdio, time::Duration};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::{
    figure::percentile,
    patients::{PAYLOAD_BYTES, SEALED_BYTES},
    world::{self, World},
};

/// The columns of `log.event`, and no index but the primary key, whose values only ever grow: no look-up, no
/// constraint and no policy stands between the bytes and the disk.
const TABLE: &str = "CREATE SCHEMA raw;
    CREATE TABLE raw.event (LIKE log.event);
    ALTER TABLE raw.event ALTER position ADD GENERATED ALWAYS AS IDENTITY, ADD PRIMARY KEY (position);";

/// As many bytes in every column as an event of the append rows has.
const INSERT: &str =
    "INSERT INTO raw.event (clinic, ledger, stream_kind, stream_id, stream_version, event_id, event_type,
 schema_version, patient, patient_version, occurred_at, recorded_at, actor_kind, actor_user, actor_name, actor_roles,
 actor_session, purpose, command, correlation_id, causation_id, client_address, client_agent, payload, payload_hash,
 sealed, sealed_hash, previous_hash, hash) VALUES ('0198b7a4-1111-7000-8000-000000000001', 1, 'patient',
 '0198b7a4-1111-7000-8000-000000000002', 1, '0198b7a4-1111-7000-8000-000000000003', 'ProblemAdded', 1,
 '0198b7a4-1111-7000-8000-000000000002', 1, '2026-03-14 09:00:00+00', '2026-03-14 09:00:00+00', 'person',
 '0198b7a4-1111-7000-8000-000000000004', 'asha.verma', 'doctor', '0198b7a4-1111-7000-8000-000000000005', 'TREAT',
 'AddProblem', '0198b7a4-1111-7000-8000-000000000006', '0198b7a4-1111-7000-8000-000000000007', '192.0.2.7',
 'casebook-bench/1', :payload, '0123456789abcdef0123456789abcdef', :sealed, '0123456789abcdef0123456789abcdef',
 '0123456789abcdef0123456789abcdef', '0123456789abcdef0123456789abcdef');\n";

pub async fn prepare(world: &World) -> Result<()> {
    sqlx::raw_sql(TABLE).execute(&world.owner).await?;
    Ok(())
}

/// Inserts per second.
pub async fn inserts_per_second(world: &World, clients: u32, turn: Duration) -> Result<f64> {
    let said = pgbench(world, clients, turn, None).await?;
    let line = said.lines().find(|line| line.starts_with("tps = ")).context("pgbench names no rate")?;
    Ok(line["tps = ".len()..].split(' ').next().context("pgbench names no rate")?.parse()?)
}

/// How long an insert takes: the 50th and the 99th percentile, in milliseconds.
pub async fn insert_latency(world: &World, clients: u32, turn: Duration) -> Result<(f64, f64)> {
    let logs = tempfile::tempdir()?;
    pgbench(world, clients, turn, Some(logs.path())).await?;
    let mut latencies = Vec::new();
    for log in fs::read_dir(logs.path())? {
        let log = fs::read_to_string(log?.path())?;
        // client, number, microseconds, …
        latencies.extend(log.lines().filter_map(|line| line.split(' ').nth(2)?.parse::<f64>().ok()).map(|us| us / 1e3));
    }
    ensure!(!latencies.is_empty(), "pgbench logged nothing");
    Ok((percentile(&mut latencies, 0.5), percentile(&mut latencies, 0.99)))
}

async fn pgbench(world: &World, clients: u32, turn: Duration, log: Option<&Path>) -> Result<String> {
    let script = world.folder().join("insert.sql");
    fs::write(&script, INSERT)?;
    let program = world.postgres().programs_dir().join("pgbench");
    let mut command = Command::new(&program);
    command.args(["--no-vacuum", "--protocol=prepared", "--file"]).arg(&script);
    command.arg(format!("--client={clients}")).arg(format!("--jobs={}", clients.min(world::THREADS)));
    command.arg(format!("--time={}", turn.as_secs()));
    command.args(["-D", &format!("payload={}", "p".repeat(PAYLOAD_BYTES))]);
    command.args(["-D", &format!("sealed={}", "s".repeat(SEALED_BYTES))]);
    if let Some(folder) = log {
        command.arg("--log").arg("--log-prefix").arg(folder.join("latency"));
    }
    let output = command.arg(world.postgres().url()).stdin(Stdio::null()).kill_on_drop(true).output().await;
    let output = output.with_context(|| format!("{} cannot be started", program.display()))?;
    ensure!(output.status.success(), "pgbench failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
