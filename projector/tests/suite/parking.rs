use events::{PatientEvent, Sealed, patient::Reason};
use projector::{parked, rebuild, retry, status};

use crate::world::{World, clinic, life, lives};

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_read_stops_its_clinic_alone() {
    let world = World::new().await;
    let mut lives = lives(3, 60, 7);
    for life in &lives {
        world.append(life.history.events()).await;
    }
    let sick = &mut lives[1];
    sick.history.registered("Asha");
    let position = sick.history.events().count() as i64;
    world.append(sick.history.events()).await;
    world.age_last_event(clinic(1)).await;
    let running = world.start();
    for life in &mut lives {
        life.history.registered("Ravi");
        world.append(life.history.events()).await;
    }
    world.caught_up().await;
    let all = read_models::registry::NAMES.len();
    world.until("all are parked", async || parked(&world.projector).await.unwrap().len() == all).await;
    for one in parked(&world.projector).await.unwrap() {
        assert_eq!((one.clinic_id, one.position), (clinic(1), position));
        assert!(one.error.contains("schema version"), "{}", one.error);
    }
    let status = status(&world.projector).await.unwrap();
    assert!(status.iter().all(|one| one.clinics_behind == 1 && one.behind == 2 && one.parked.len() == 1));
    // What is served is still true, as far as it goes.
    world.assert_true().await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_database_refuses_is_parked_and_retried_once_it_can_be_stored() {
    let world = World::new().await;
    let mut sick = life(clinic(1), 60, 8);
    let well = life(clinic(2), 60, 9);
    let running = world.start();
    let patient = sick.history.registered("Asha");
    // PostgreSQL stores no NUL in a text, so this row cannot be written; the fold itself is fine.
    let reason = Some("a \0 b, which is nobody's business".to_owned());
    let event =
        PatientEvent::AllergyRefuted { allergy: uuid::Uuid::nil().into(), sealed: Sealed::Open(Reason { reason }) };
    sick.history.patient(patient, event);
    let allergy = uuid::Uuid::from_u128(5).into();
    let substance = "penicillin \0 G".to_owned();
    let allergy = PatientEvent::AllergyRecorded {
        allergy,
        sealed: Sealed::Open(events::patient::Allergy {
            substance,
            code: None,
            class: None,
            category: None,
            criticality: None,
            reaction: None,
        }),
    };
    sick.history.patient(patient, allergy);
    let position = sick.history.events().count() as i64;
    sick.history.registered("Ravi");
    world.append(sick.history.events()).await;
    world.append(well.history.events()).await;
    world.caught_up().await;
    world.until("it is parked", async || !parked(&world.projector).await.unwrap().is_empty()).await;
    let all = parked(&world.projector).await.unwrap();
    assert_eq!(all.len(), 1, "only the read model that stores the text: {all:?}");
    assert_eq!((all[0].projection.as_str(), all[0].clinic_id, all[0].position), ("patient_1", clinic(1), position));
    assert!(all[0].error.contains("SQLSTATE 22"), "{}", all[0].error);
    assert!(!all[0].error.contains("penicillin"), "{}", all[0].error);

    // Once its sealed part is gone, it can be stored.
    running.stop().await;
    world.destroy_key(patient).await;
    let again = world.start();
    assert_eq!(retry(&world.projector, Some("patient_1"), Some(clinic(1))).await.unwrap(), 1);
    world.caught_up().await;
    assert!(parked(&world.projector).await.unwrap().is_empty());
    again.stop().await;
    // What was projected before the erasure goes with a rebuild.
    rebuild(&world.log(), "patient", Some(clinic(1)), &mut |_| ()).await.unwrap();
    world.assert_true().await;
}
