//! Reading one's own writes, and what one has already.

use std::time::{Duration, Instant};

use events::{PatientEvent, Role, patient::Confidentiality};

use crate::world::World;

#[tokio::test]
async fn a_query_waits_for_the_position_that_it_asks_for() {
    let world = World::new().await;
    let mut clinic = world.clinic(1).await;
    let login = world.login(&clinic, &[Role::Receptionist]).await;
    let patient = clinic.history.registered("Asha");
    let position = clinic.history.events().count().to_string();
    let path = clinic.path(&format!("/patients/{patient}"));
    assert_eq!(world.get(&login, &path).await.status, 404);
    let at_least = [("casebook-min-position", position.as_str())];
    let asked = world.ask(Some(&login.token), &path, &at_least);
    let projected = async {
        // The request is on its way when the projector arrives.
        tokio::time::sleep(Duration::from_millis(100)).await;
        world.fold(&clinic).await;
    };
    let (answer, ()) = tokio::join!(asked, projected);
    assert_eq!((answer.status.as_u16(), answer.position().to_string()), (200, position));
}

#[tokio::test]
async fn a_position_that_is_not_reached_in_time_is_503() {
    let world = World::new().await;
    let clinic = world.clinic(1).await;
    let login = world.login(&clinic, &[Role::Receptionist]).await;
    let begun = Instant::now();
    let answer = world.ask(Some(&login.token), &clinic.path("/patients"), &[("casebook-min-position", "999")]).await;
    assert_eq!(answer.code(), (503, "projection-lag"));
    assert_eq!(answer.headers["retry-after"], "1");
    assert!(begun.elapsed() >= Duration::from_secs(2));
    let malformed = world.ask(Some(&login.token), &clinic.path("/patients"), &[("casebook-min-position", "x")]).await;
    assert_eq!(malformed.code(), (400, "invalid-header"));
}

#[tokio::test]
async fn an_answer_reflects_the_least_of_the_read_models_it_shows() {
    let world = World::new().await;
    let clinic = world.clinic(1).await;
    let login = world.login(&clinic, &[Role::ClinicAdmin]).await;
    world.reached(&clinic, "clinic_1", 40).await;
    world.reached(&clinic, "usage_2", 30).await;
    world.reached(&clinic, "standing_1", 50).await;
    world.reached(&clinic, "clinic_logo_1", 60).await;
    assert_eq!(world.get(&login, &clinic.path("")).await.position(), 40);
    assert_eq!(world.get(&login, &clinic.path("/subscription")).await.position(), 30);
    world.execute(&clinic, "DELETE FROM read.checkpoint WHERE clinic_id = $1 AND projection = 'usage_2'").await;
    assert_eq!(world.get(&login, &clinic.path("/subscription")).await.position(), 0);
}

#[tokio::test]
async fn what_one_has_already_is_304_until_it_changes() {
    let world = World::new().await;
    let mut clinic = world.clinic(1).await;
    let patient = clinic.history.registered("Asha");
    let (appointment, _) = clinic.history.booked(1);
    world.publish(&clinic).await;
    let login = world.login(&clinic, &[Role::ClinicAdmin]).await;
    for path in ["", "/settings", &format!("/patients/{patient}"), &format!("/appointments/{appointment}")] {
        let path = clinic.path(path);
        let first = world.get(&login, &path).await;
        assert_eq!(first.status, 200, "{path}");
        let again = world.ask(Some(&login.token), &path, &[("if-none-match", first.etag())]).await;
        assert_eq!((again.status.as_u16(), again.etag(), again.body.is_null()), (304, first.etag(), true), "{path}");
        let head = world.send("HEAD", Some(&login.token), &path, &[]).await;
        assert_eq!((head.status.as_u16(), head.etag(), head.body.is_null()), (200, first.etag(), true), "{path}");
    }
    let path = clinic.path(&format!("/patients/{patient}"));
    let before = world.get(&login, &path).await;
    assert_eq!(before.etag(), "\"1.2\"");
    let sealed = events::Sealed::Erased;
    let confidentiality = Confidentiality::Restricted;
    clinic.history.patient(patient, PatientEvent::RecordRestricted { confidentiality, sealed });
    world.publish(&clinic).await;
    let after = world.ask(Some(&login.token), &path, &[("if-none-match", before.etag())]).await;
    assert_eq!((after.status.as_u16(), after.etag()), (200, "\"2.4\""));
}
