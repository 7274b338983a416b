//! What an operator does with a Casebook that runs.

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use super::started::{Started, casebook, folder, text};

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
    let (well, said) = run(&["parked"]);
    assert!(well && said == "Nothing is parked.\n", "{said}");
    assert!(run(&["parked", "retry"]).1.contains("0 are tried again"));
}
