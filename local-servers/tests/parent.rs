//! The servers end with the process that started them, also when it gets no chance to end them.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use local_servers::{LocalNats, LocalPostgres, NatsOptions, PostgresOptions};
use tokio::time::{sleep, timeout};

/// Tells this program, run again by the test, where to hold servers.
const HOLD_IN: &str = "LOCAL_SERVERS_HOLD_IN";
const BOUND: Duration = Duration::from_secs(60);

fn options(folder: &Path) -> (PostgresOptions, NatsOptions) {
    let postgres = PostgresOptions { min_wal_size_mb: 32, ..PostgresOptions::new(folder.join("postgres")) };
    (postgres, NatsOptions::new(folder.join("nats")))
}

/// Not a test: the process that the test kills. Starts servers from a thread that ends, then waits to be killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test below"]
async fn hold() {
    let Ok(folder) = env::var(HOLD_IN) else { return };
    let folder = Path::new(&folder);
    let (postgres, nats) = options(folder);
    let short_lived = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { tokio::try_join!(LocalPostgres::start(postgres), LocalNats::start(nats)).unwrap() })
    });
    let (postgres, nats) = short_lived.join().unwrap();
    // The servers must live on after the thread that asked for them.
    async_nats::connect(nats.url()).await.unwrap();
    fs::write(folder.join("pids.new"), format!("{} {}", postgres.pid(), nats.pid())).unwrap();
    fs::rename(folder.join("pids.new"), folder.join("pids")).unwrap();
    std::future::pending::<()>().await;
}

fn start_holder(folder: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "hold"])
        .env(HOLD_IN, folder)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

async fn until(mut condition: impl FnMut() -> bool) {
    let wait = async {
        while !condition() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(BOUND, wait).await.expect("it did not come true in time");
}

fn runs(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test]
async fn servers_end_with_their_parent_and_start_again() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
    let mut holder = start_holder(folder.path());
    until(|| folder.path().join("pids").exists()).await;
    let pids = fs::read_to_string(folder.path().join("pids")).unwrap();
    assert!(pids.split(' ').all(runs));

    holder.kill().unwrap();
    holder.wait().unwrap();
    let (postgres, nats) = options(folder.path());
    // At once, while the first ones are still ending.
    let (postgres, nats) = tokio::try_join!(LocalPostgres::start(postgres), LocalNats::start(nats)).unwrap();
    until(|| !pids.split(' ').any(runs)).await;
    async_nats::connect(nats.url()).await.unwrap();
    postgres.stop().await.unwrap();
}
