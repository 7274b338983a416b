use std::collections::BTreeMap;

use events::{ClinicId, PatientId, Recorded};
use projector::{past, position_at};
use read_models::{AppointmentRow, Appointments, Patients, Projection, Rows};
use uuid::Uuid;

use crate::world::{World, clinic, life};

#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_what_was_folded_then() {
    let world = World::new().await;
    let life = life(clinic(1), 300, 10);
    world.append(life.history.events()).await;
    let events: Vec<&Recorded> = life.history.events().collect();
    for upto in [0, 1, events.len() / 3, events.len() / 2, events.len()] {
        let then: Rows<Patients> = events[..upto].iter().copied().collect();
        let appointments: Rows<Appointments> = events[..upto].iter().copied().collect();
        for person in &life.patients {
            let rows = chart::<Patients>(&world, life.history.clinic, person.id, upto).await;
            assert_eq!(rows.get(&person.id.0), then.get(&person.id.0));
            let rows = chart::<Appointments>(&world, life.history.clinic, person.id, upto).await;
            let theirs = |(_, row): &(&Uuid, &AppointmentRow)| row.patient_id == person.id;
            let theirs: BTreeMap<_, _> = appointments.iter().filter(theirs).collect();
            assert_eq!(rows.iter().collect::<BTreeMap<_, _>>(), theirs);
        }
    }
}

async fn chart<P: Projection>(world: &World, clinic: ClinicId, patient: PatientId, upto: usize) -> Rows<P> {
    past(&world.log(), clinic, &[patient], upto as i64).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instant_is_the_last_position_recorded_by_then() {
    let world = World::new().await;
    let life = life(clinic(1), 50, 11);
    world.append(life.history.events()).await;
    let events = world.store().read_clinic(clinic(1), 0, 100).await.unwrap();
    let at = events[20].recorded_at;
    let log = world.log();
    assert_eq!(position_at(&log, clinic(1), at).await.unwrap(), 21);
    assert_eq!(position_at(&log, clinic(1), at - chrono::TimeDelta::microseconds(1)).await.unwrap(), 20);
    assert_eq!(position_at(&log, clinic(1), events[0].recorded_at - chrono::TimeDelta::days(1)).await.unwrap(), 0);
    assert_eq!(position_at(&log, ClinicId(Uuid::from_u128(9)), at).await.unwrap(), 0);
}
