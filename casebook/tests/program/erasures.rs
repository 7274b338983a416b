//! A database of yesterday, put back, meets the list of erasures of today.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sqlx::PgPool;

use super::{
    clinic::{Http, WORD, clinic, database, stop},
    started::{Started, casebook, folder, text},
};

const DONE_WITHIN: Duration = Duration::from_secs(30);

async fn erase(address: &str, patient: &str) {
    for (username, action) in [("first", "request-erasure"), ("second", "approve-erasure")] {
        let administrator = Http { address, token: Http::log_in(address, username).await };
        administrator.post(&format!("/clinic/asha/api/v1/patients/{patient}/{action}"), json!({})).await;
    }
}

async fn count(pool: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

/// With owners and modes, as a backup has them.
fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

#[tokio::test]
async fn a_backup_from_before_an_erasure_does_not_bring_the_person_back() {
    let folder = folder();
    let (data_dir, backup) = (folder.path().join("data"), folder.path().join("backup"));
    let up = Started::up(&data_dir);
    let patient = clinic(&up.address).await;
    stop(up);
    copy(&data_dir.join("postgres"), &backup);

    let up = Started::up(&data_dir);
    erase(&up.address, &patient).await;
    let (pool, since) = (database(&data_dir).await, Instant::now());
    const LEFT: &str = "SELECT count(*) FROM log.patient_key WHERE wrapped IS NOT NULL";
    while count(&pool, LEFT).await > 0 {
        assert!(since.elapsed() < DONE_WITHIN, "the key is never destroyed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    pool.close().await;
    stop(up);

    std::fs::remove_dir_all(data_dir.join("postgres")).unwrap();
    copy(&backup, &data_dir.join("postgres"));
    let again = Started::up(&data_dir);
    assert!(again.said.contains("1 erasures were done again"), "{}", again.said);
    let pool = database(&data_dir).await;
    assert_eq!(count(&pool, LEFT).await, 0);
    const READABLE: &str = "SELECT count(*) FROM read.patient_1 p WHERE p::text ILIKE '%zarathustrina%'";
    assert_eq!(count(&pool, READABLE).await, 0);
    pool.close().await;
    let first = Http { address: &again.address, token: Http::log_in(&again.address, "first").await };
    let path = format!("/clinic/asha/api/v1/patients/{patient}");
    let (status, gone) = first.send(reqwest::Method::GET, &path, Value::Null).await;
    assert_eq!((status, gone["code"].as_str()), (410, Some("erased")), "{gone}");
    let (_, list) = first.send(reqwest::Method::GET, "/clinic/asha/api/v1/erasures", Value::Null).await;
    assert_eq!(list["items"][0]["cause"], "listed", "{list}");

    let look = ["audit", "verify-erasure", "--vacuum", "--clinic", "asha", "--patient", &patient, "--marker", WORD];
    let verified = text(casebook(&data_dir, &look).output().unwrap());
    assert!(verified.contains("ok      the patient's key is destroyed"), "{verified}");
    assert!(!verified.contains("FOUND"), "{verified}");
    stop(again);
    let third = Started::up(&data_dir);
    assert_eq!(third.said.lines().count(), 1, "done once: {}", third.said);
}
