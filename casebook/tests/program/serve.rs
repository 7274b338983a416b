//! `casebook serve`: the services apart, on given servers.

use local_servers::{LocalNats, LocalPostgres};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use super::started::{Started, casebook, folder, ready, serve, text};

const SLUG: &str = "asha";

async fn register(commands: &Started) -> Value {
    let body = json!({
        "name": "Asha", "slug": SLUG, "email": "desk@asha.example",
        "admin": {"username": "asha", "password": "correct horse battery", "name": "Asha", "email": "asha@asha.example"}
    });
    let answer = Client::new().post(format!("{}/api/v1/clinics", commands.address)).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    answer.json().await.unwrap()
}

#[tokio::test]
async fn three_processes_do_what_one_does() {
    let (postgres, nats) = tokio::try_join!(LocalPostgres::start_temporary(), LocalNats::start_temporary()).unwrap();
    let folder = folder();
    let data_dir = folder.path().join("data");
    let setup = casebook(&data_dir, &["setup"]).env("DATABASE_URL", postgres.url()).output().unwrap();
    assert!(text(setup).contains("`admin`"));
    let commands = serve(&data_dir, "command-api", &postgres, &nats);
    let projector = serve(&data_dir, "projector", &postgres, &nats);
    let queries = serve(&data_dir, "query-api", &postgres, &nats);
    for service in [&commands, &projector, &queries] {
        assert!(ready(service).await);
        let metrics = reqwest::get(format!("{}/metrics", service.address)).await.unwrap();
        assert_eq!(metrics.status(), StatusCode::OK);
    }
    let clinic = register(&commands).await;
    let patients = format!("/clinic/{SLUG}/api/v1/patients");
    let token = clinic["access_token"].as_str().unwrap();
    let ask = Client::new().get(format!("{}{patients}", queries.address)).bearer_auth(token);
    let ask = ask.header("Casebook-Min-Position", clinic["position"].as_i64().unwrap());
    assert_eq!(ask.send().await.unwrap().status(), StatusCode::OK);
    // Each takes what is its own, and the whole is documented by the one that is asked.
    assert!(reqwest::get(format!("{}{patients}", commands.address)).await.unwrap().status().is_client_error());
    let document: Value =
        reqwest::get(format!("{}/openapi.json", queries.address)).await.unwrap().json().await.unwrap();
    assert!(document["paths"]["/clinic/{slug}/api/v1/patients"]["post"].is_object());
    for service in [commands, projector, queries] {
        service.signal(nix::sys::signal::Signal::SIGTERM);
        let (well, said) = service.ended();
        assert!(well && said.ends_with(" has stopped.\n"), "{said}");
    }
}

#[tokio::test]
async fn probes_have_an_address_of_their_own_where_one_is_given() {
    let (postgres, nats) = tokio::try_join!(LocalPostgres::start_temporary(), LocalNats::start_temporary()).unwrap();
    let folder = folder();
    let data_dir = folder.path().join("data");
    let probes = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().to_string()
    };
    let mut up = casebook(&data_dir, &["up", "--probe-listen", &probes]);
    let up = Started::spawn(up.env("DATABASE_URL", postgres.url()).env("NATS_URL", nats.url()));
    assert!(!ready(&up).await);
    for path in ["/healthz", "/readyz", "/metrics"] {
        let answer = reqwest::get(format!("http://{probes}{path}")).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
    assert!(casebook(&data_dir, &["probe", "--probe-listen", &probes]).status().unwrap().success());
    assert_eq!(reqwest::get(format!("{}/openapi.json", up.address)).await.unwrap().status(), StatusCode::OK);
}

#[test]
fn a_service_without_servers_says_what_it_needs() {
    let folder = folder();
    let refused = casebook(&folder.path().join("data"), &["serve", "query-api"]).output().unwrap();
    assert!(!refused.status.success());
    assert!(text(refused).contains("needs DATABASE_URL and NATS_URL"));
}
