//! `casebook audit` as an operator and an auditor use it, beside an installation that runs.

use std::path::Path;

use nix::sys::signal::Signal;
use serde_json::json;
use verifier::{Outcome, verify};

use super::{
    clinic::{Http, clinic, database, stop},
    started::{Started, casebook, folder, text},
};

/// Whether it ended well, and what it said.
fn audit(data_dir: &Path, arguments: &[&str]) -> (bool, String) {
    let output = casebook(data_dir, &[&["audit"], arguments].concat()).output().unwrap();
    (output.status.success(), text(output))
}

#[track_caller]
fn well(data_dir: &Path, arguments: &[&str]) -> String {
    let (is_well, said) = audit(data_dir, arguments);
    assert!(is_well, "{arguments:?}: {said}");
    said
}

async fn register(address: &str, name: &str) {
    let administrator = Http { address, token: Http::log_in(address, "first").await };
    administrator.post("/clinic/asha/api/v1/patients", json!({"first_name": name})).await;
}

#[tokio::test]
async fn an_export_is_verified_elsewhere_also_after_the_key_was_handed_on() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let up = Started::up(&data_dir);
    clinic(&up.address).await;
    let noted = well(&data_dir, &["fingerprint"]).trim().to_owned();
    well(&data_dir, &["checkpoint"]);
    let rotated = well(&data_dir, &["rotate-key"]);
    let next = well(&data_dir, &["fingerprint"]).trim().to_owned();
    assert_ne!(noted, next);
    assert!(rotated.contains(&next) && rotated.contains("hands on to the new key"), "{rotated}");
    register(&up.address, "Ravi").await;
    well(&data_dir, &["checkpoint"]);

    let out = folder.path().join("asha.zip");
    let file = out.to_str().unwrap();
    let said = well(&data_dir, &["export", "--clinic", "asha", "--with-keys", "--out", file]);
    assert!(said.contains("SHA-256"), "{said}");
    let (overwritten, _) = audit(&data_dir, &["export", "--clinic", "asha", "--out", file]);
    assert!(!overwritten, "a file that is there is kept");
    let anchors = data_dir.join("anchors");
    for fingerprint in [&noted, &next] {
        let report = verify(&out, fingerprint, Some(&anchors)).unwrap();
        assert_eq!(report.outcome, Outcome::Intact, "{report:?}");
        well(&data_dir, &["verify", "--whole", "--open", "--fingerprint", fingerprint]);
    }
    let strange = "0".repeat(64);
    let (is_well, said) = audit(&data_dir, &["verify", "--whole", "--fingerprint", &strange]);
    assert!(!is_well && said.contains("are not what was signed"), "{said}");
    assert_eq!(verify(&out, &strange, Some(&anchors)).unwrap().outcome, Outcome::NotIntact);
    stop(up);
}

/// The chain covers what is sealed, not the keys: only who opens everything sees that one was replaced.
#[tokio::test]
async fn a_patients_key_that_was_replaced_is_found_where_it_opens_nothing() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let up = Started::up(&data_dir);
    clinic(&up.address).await;
    register(&up.address, "Ravi").await;
    well(&data_dir, &["checkpoint"]);
    well(&data_dir, &["verify", "--whole", "--open", "--clinic", "asha"]);

    let pool = database(&data_dir).await;
    let exchanged = "UPDATE log.patient_key k SET wrapped = other.wrapped FROM log.patient_key other
        WHERE k.clinic = other.clinic AND k.patient <> other.patient";
    assert_eq!(sqlx::query(exchanged).execute(&pool).await.unwrap().rows_affected(), 2);
    let first = "SELECT min(e.position) FROM log.event e JOIN log.patient_key k
        ON k.clinic = e.clinic AND k.patient = e.patient WHERE e.ledger = 1 AND e.sealed IS NOT NULL";
    let position: i64 = sqlx::query_scalar(first).fetch_one(&pool).await.unwrap();
    pool.close().await;

    let (is_well, said) = audit(&data_dir, &["verify", "--whole", "--open", "--clinic", "asha"]);
    let finding = format!("record: the sealed part at position {position} does not open");
    assert!(!is_well && said.contains(&finding), "{said}");
    // The rows themselves are what they were.
    assert!(said.contains("record: intact"), "{said}");
    up.signal(Signal::SIGTERM);
    up.ended();
}
