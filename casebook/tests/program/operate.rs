//! What an operator does with a Casebook that runs.

use std::time::{Duration, Instant};

use local_servers::{LocalNats, LocalPostgres};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::started::{Started, casebook, folder, ready, text};

const LOOKED_WITHIN: Duration = Duration::from_secs(60);

/// The line after the announcement.
fn activation(said: &str) -> String {
    let mut lines = said.lines().skip_while(|line| !line.contains("first administrator"));
    lines.nth(1).unwrap().to_owned()
}

async fn activate(up: &Started, activation: &str) -> StatusCode {
    let body = json!({"username": "admin", "activation": activation, "password": "correct horse battery"});
    let to = format!("{}/api/v1/auth/activate", up.address);
    Client::new().post(to).json(&body).send().await.unwrap().status()
}

async fn log_in(up: &Started) -> StatusCode {
    let body = json!({"username": "admin", "password": "correct horse battery"});
    let to = format!("{}/api/v1/auth/login", up.address);
    Client::new().post(to).json(&body).send().await.unwrap().status()
}

#[tokio::test]
async fn an_administrator_who_has_lost_the_secret_gets_another() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let up = Started::up(&data_dir);
    let reset = || text(casebook(&data_dir, &["admin", "reset"]).output().unwrap());
    let second = activation(&reset());
    assert_eq!(activate(&up, &activation(&up.said)).await, StatusCode::UNAUTHORIZED, "the first one is worth nothing");
    assert_eq!(activate(&up, &second).await, StatusCode::OK);
    assert_eq!(activate(&up, &second).await, StatusCode::UNAUTHORIZED, "and the second one only once");
    assert_eq!(log_in(&up).await, StatusCode::OK);
    assert_eq!(activate(&up, &activation(&reset())).await, StatusCode::OK, "a password that was lost is no hindrance");
}

#[tokio::test]
async fn read_models_are_rebuilt_and_compared_while_all_goes_on() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let up = Started::up(&data_dir);
    let body = json!({
        "name": "Asha", "slug": "asha", "email": "desk@asha.example",
        "admin": {"username": "asha", "password": "correct horse battery", "name": "Asha", "email": "asha@asha.example"}
    });
    let to = format!("{}/api/v1/clinics", up.address);
    let clinic: Value = Client::new().post(to).json(&body).send().await.unwrap().json().await.unwrap();
    let ask = Client::new().get(format!("{}/clinic/asha/api/v1/staff", up.address));
    let ask = ask.bearer_auth(clinic["access_token"].as_str().unwrap());
    let ask = ask.header("Casebook-Min-Position", clinic["position"].as_i64().unwrap());
    let staff = || async { ask.try_clone().unwrap().send().await.unwrap().text().await.unwrap() };
    let before = staff().await;
    assert!(before.contains("asha@asha.example"), "{before}");

    let run = |arguments: &[&str]| {
        let output = casebook(&data_dir, arguments).output().unwrap();
        (output.status.success(), text(output))
    };
    let (well, said) = run(&["rebuild", "--all"]);
    assert!(
        well && read_models::registry::NAMES.iter().all(|name| said.contains(&format!("{name}: rebuilt"))),
        "{said}"
    );
    let (well, said) = run(&["rebuild", "staff", "--clinic", "asha"]);
    assert!(well && said.contains("staff: rebuilt"), "{said}");
    assert_eq!(staff().await, before);
    let (well, said) = run(&["rebuild", "--all", "--compare"]);
    assert!(well && said.contains("as the log says"), "{said}");
    let (well, said) = run(&["rebuild", "staff", "--clinic", "nobody"]);
    assert!(!well && said.contains("there is no clinic nobody"), "{said}");
    let until = clinic["position"].to_string();
    let (well, said) = run(&["replay", "--clinic", "asha", "--until", &until]);
    assert!(well && said.contains(&format!("position {until}")), "{said}");
    let replay = said.trim().rsplit("?replay=").next().unwrap();
    let past = ask.try_clone().unwrap().query(&[("replay", replay)]).send().await.unwrap();
    assert_eq!(past.text().await.unwrap(), before);
    let (well, said) = run(&["replay", "--clinic", "asha", "--until", "9999"]);
    assert!(!well && said.contains("has not reached"), "{said}");
    let (well, said) = run(&["replay", "--clinic", "asha", "--until", "yesterday"]);
    assert!(!well && said.contains("an instant such as"), "{said}");
    let (well, said) = run(&["parked"]);
    assert!(well && said == "Nothing is parked.\n", "{said}");
    assert!(run(&["parked", "retry"]).1.contains("0 are tried again"));
}

#[tokio::test]
async fn the_status_says_who_does_scheduled_work_and_how_it_stands() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let up = Started::up(&data_dir);
    let since = Instant::now();
    let said = loop {
        let said = text(casebook(&data_dir, &["status"]).output().unwrap());
        if said.contains("0 done, 0 waiting") {
            break said;
        }
        assert!(since.elapsed() < LOOKED_WITHIN, "nobody looks: {said}");
    };
    assert!(said.contains("Scheduled work is done by casebook (connection "), "{said}");
    for job in ["uploads", "prescriptions"] {
        assert!(said.lines().any(|line| line.starts_with(job) && !line.contains("fails")), "{job}: {said}");
    }
    let metrics = reqwest::get(format!("{}/metrics", up.address)).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("casebook_schedule_leading 1"), "{metrics}");
    assert!(metrics.contains("casebook_schedule_last_success_seconds{job=\"uploads\"}"), "{metrics}");
}

#[tokio::test]
async fn what_is_parked_is_listed_until_it_is_tried_again() {
    let (postgres, nats) = tokio::try_join!(LocalPostgres::start_temporary(), LocalNats::start_temporary()).unwrap();
    let folder = folder();
    let run = |arguments: &[&str]| {
        let mut command = casebook(&folder.path().join("data"), arguments);
        command.env("DATABASE_URL", postgres.url()).env("NATS_URL", nats.url());
        command
    };
    assert!(run(&["setup"]).status().unwrap().success());
    let database = PgPool::connect(&postgres.url()).await.unwrap();
    sqlx::query(
        "INSERT INTO read.parked (clinic_id, projection, position, error, attempts)
         VALUES (gen_random_uuid(), 'patient_1', 7, 'numeric_value_out_of_range', 3)",
    )
    .execute(&database)
    .await
    .unwrap();
    let projector = Started::spawn(&mut run(&["serve", "projector"]));
    assert!(!ready(&projector).await);
    let said = |arguments: &[&str]| text(run(arguments).output().unwrap());
    for command in ["parked", "status"] {
        let said = said(&[command]);
        assert!(said.contains("before position 7") && said.contains("numeric_value_out_of_range"), "{said}");
    }
    assert_eq!(said(&["parked", "retry", "--projection", "staff_1"]), "0 are tried again.\n");
    assert_eq!(said(&["parked", "retry", "--projection", "patient_1"]), "1 are tried again.\n");
    assert_eq!(said(&["parked"]), "Nothing is parked.\n");
    assert!(ready(&projector).await);
}
