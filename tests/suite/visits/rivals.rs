//! Nobody is with two doctors, whoever is quicker.

use futures::future::join_all;
use serde_json::json;
use tests::Answer;

use super::{Ward, ids, practitioner};

const ROUNDS: usize = 8;

/// One of two, who both wished for the same, had it; the other is told who.
fn one_of(answers: &[Answer]) -> (usize, &Answer) {
    let won: Vec<usize> = (0..answers.len()).filter(|n| answers[*n].status == 200).collect();
    assert_eq!(won.len(), 1, "{answers:?}");
    let lost = answers.iter().find(|answer| answer.status != 200).expect("another");
    (won[0], lost)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_start_at_once_one_wins_and_the_other_is_told_which() {
    let ward = Ward::open().await;
    let (_, colleague) = practitioner(&ward.clinic).await;
    let patient = ward.clinic.patient("Asha").await;
    for _ in 0..ROUNDS {
        let visits = [ward.walk_in(&patient).await, ward.walk_in(&patient).await];
        let both = [(&ward.doctor, &visits[0]), (&colleague, &visits[1])];
        let answers = join_all(both.map(|(who, visit)| ward.act(who, visit, "start", json!({})))).await;
        let (won, lost) = one_of(&answers);
        assert_eq!((lost.status.as_u16(), lost.code().as_str()), (409, "visit-in-progress"));
        assert_eq!(lost.json()["visit_id"], json!(visits[won]));
        ward.finish(&visits[won]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_one_under_two_records_at_once() {
    let ward = Ward::open().await;
    let (_, colleague) = practitioner(&ward.clinic).await;
    let (survivor, double) = (ward.clinic.patient("Asha").await, ward.clinic.patient("Asha").await);
    let merge = format!("/patients/{double}/merge");
    ward.clinic.post(&merge, json!({"survivor_id": survivor})).await.expect(200);
    for _ in 0..ROUNDS {
        let visits = [ward.walk_in(&survivor).await, ward.walk_in(&double).await];
        let both = [(&ward.doctor, &visits[0]), (&colleague, &visits[1])];
        let answers = join_all(both.map(|(who, visit)| ward.act(who, visit, "start", json!({})))).await;
        let (won, lost) = one_of(&answers);
        assert_eq!((lost.status.as_u16(), lost.code().as_str()), (409, "visit-in-progress"));
        assert_eq!(lost.json()["visit_id"], json!(visits[won]));
        ward.finish(&visits[won]).await;
    }
    // Each visit stays under the record that it was opened for, and the person has them all.
    let unmerge = ward.clinic.post(&format!("/patients/{double}/unmerge"), json!({})).await.expect(200);
    for patient in [&survivor, &double] {
        let list =
            ward.sees(&ward.doctor, unmerge.position(), &format!("/patients/{patient}/visits")).await.expect(200);
        assert_eq!(ids(&list).len(), ROUNDS);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_and_a_start_never_bring_two_visits_in_progress_under_one_person() {
    let ward = Ward::open().await;
    for _ in 0..ROUNDS {
        let (survivor, double) = (ward.clinic.patient("Asha").await, ward.clinic.patient("Asha").await);
        let visits = [ward.walk_in(&survivor).await, ward.walk_in(&double).await];
        ward.start(&visits[0]).await.expect(200);
        let merge = format!("/patients/{double}/merge");
        let merges = ward.clinic.post(&merge, json!({"survivor_id": survivor}));
        let (merged, started) = futures::join!(merges, ward.start(&visits[1]));
        match (merged.status.as_u16(), started.status.as_u16()) {
            (200, 409) => assert_eq!(started.json()["visit_id"], json!(visits[0])),
            (409, 200) => {
                assert_eq!(merged.code(), "visits-in-progress");
                assert_eq!(merged.json()["visits"].as_array().map(Vec::len), Some(2), "{}", merged.text);
            }
            _ => panic!("{} {}", merged.text, started.text),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_starts_once_and_an_appointment_has_one_visit_however_often_they_are_asked_for() {
    let ward = Ward::open().await;
    let patient = ward.clinic.patient("Asha").await;
    let booking = ward.clinic.booking(&patient, &ward.doctor_id, tests::working_time(1, 10, 0));
    let appointment = ward.clinic.post("/appointments", booking).await.expect(201).id();
    let path = ward.clinic.path("/visits");
    let tries = (0..6).map(|_| ward.desk.post(&path, json!({"appointment_id": appointment})));
    let answers = join_all(tries).await;
    let made: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(made.len(), 1);
    let visit = made[0].id();
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!((answer.code().as_str(), answer.json()["visit_id"].clone()), ("visit-exists", json!(visit)));
    }
    ward.act(&ward.desk, &visit, "arrive", json!({})).await.expect(200);
    let starts = join_all((0..6).map(|_| ward.start(&visit))).await;
    assert_eq!(starts.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(starts.iter().filter(|answer| answer.status != 200).all(|answer| answer.code() == "wrong-status"));
    assert_eq!(ward.stack.count_events(&ward.clinic.id, "AppointmentStarted").await, 1);
}
