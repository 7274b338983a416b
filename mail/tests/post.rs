//! Mails on their way: to a real server, and into a folder.

use std::os::unix::fs::PermissionsExt;

use local_servers::{LocalSmtp, Manner};
use mail::{House, Letter, Mail, OneTime, Place, Post, Sender, Undelivered};
use uuid::Uuid;

fn letter(id: u128) -> Letter {
    let sender = Sender { from: "no-reply@casebook.example".parse().unwrap(), public_url: None };
    let zone = chrono_tz::Asia::Kolkata;
    let house = House { name: "Asha Clinic".into(), slug: Some("asha".into()), email: None, zone };
    let mail = Mail::Activation(OneTime {
        name: "Ravi".into(),
        username: "ravi".into(),
        secret: "q8Zr".into(),
        until: "2026-03-05T04:30:00Z".parse().unwrap(),
        is_portal: false,
    });
    Letter::write(&sender, &house, "ravi@asha.example", &mail, Uuid::from_u128(id), None).unwrap()
}

fn post(place: &str) -> Post {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Post::open(&place.parse::<Place>().unwrap()).unwrap()
}

#[tokio::test]
async fn a_server_takes_a_mail() {
    let server = LocalSmtp::start(None).await.unwrap();
    post(&server.url()).send(&letter(1)).await.unwrap();
    let taken = server.taken();
    assert_eq!(
        (taken[0].from.as_str(), taken[0].to.as_slice()),
        ("no-reply@casebook.example", &["ravi@asha.example".to_owned()][..])
    );
    assert!(taken[0].content.contains("multipart/alternative"), "{}", taken[0].content);
}

#[tokio::test]
async fn what_a_server_says_decides_whether_it_is_asked_again() {
    let server = LocalSmtp::start(None).await.unwrap();
    let post = post(&server.url());
    for (code, expected) in [
        (550, Undelivered { code: "refused", is_final: true }),
        (450, Undelivered { code: "refused-for-now", is_final: false }),
        (535, Undelivered { code: "server-refuses-us", is_final: false }),
    ] {
        server.behaves(Manner::Refuses(code));
        assert_eq!(post.send(&letter(1)).await, Err(expected), "{code}");
    }
    server.behaves(Manner::TakesAndHangsUp);
    assert!(!post.send(&letter(1)).await.unwrap_err().is_final);
    assert_eq!(server.taken().len(), 1, "it was taken, and nobody can know");
}

#[tokio::test]
async fn a_server_that_is_away_is_asked_again() {
    let url = LocalSmtp::start(None).await.unwrap().url();
    let unreachable = Undelivered { code: "unreachable", is_final: false };
    assert_eq!(post(&url).send(&letter(1)).await, Err(unreachable));
}

#[tokio::test]
async fn a_folder_keeps_a_mail_once_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("mail");
    let post = post(place.to_str().unwrap());
    for _ in 0..2 {
        post.send(&letter(1)).await.unwrap();
    }
    post.send(&letter(2)).await.unwrap();
    let names = || {
        let entries = std::fs::read_dir(&place).unwrap().map(|entry| entry.unwrap());
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let file = |n: u128| format!("{}.eml", Uuid::from_u128(n));
    assert_eq!(names(), [file(1), file(2)]);
    let mode = |path: std::path::PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(place.clone()), mode(place.join(file(1)))), (0o700, 0o600));
    post.forget(Uuid::from_u128(1)).await.unwrap();
    post.forget(Uuid::from_u128(1)).await.unwrap();
    assert_eq!(names(), [file(2)]);
}
