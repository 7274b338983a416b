//! The access ledger: same rows, same chain, and it moves nothing of the record.

use std::collections::{BTreeMap, BTreeSet};

use event_store::{AccessRecord, AppendError, DbRole, Expectation, Store, patients};
use events::{
    AccessEvent, Actor, AggregateKind, Client, ClinicId, Ledger, PatientId, Position, Purpose, StreamId,
    access::Disclosure, claim::Fact,
};
use futures::future::join_all;
use sqlx::PgPool;
use uuid::Uuid;

use crate::world::{World, append, clinic, expects, new_patient, no_allergies, registered, registers};

fn record(event: AccessEvent, shown: &[PatientId]) -> AccessRecord {
    AccessRecord {
        actor: Actor { name: "asha".into(), roles: vec![events::Role::Doctor], ..Actor::anonymous() },
        client: Client { address: Some([192, 0, 2, 7].into()), agent: Some("nextest".into()) },
        purpose: Purpose::Treat,
        correlation_id: Uuid::now_v7(),
        operation: "GET /clinic/{slug}/api/v1/patients/{id}".into(),
        event,
        shown: shown.to_vec(),
    }
}

fn shown(patient: PatientId) -> AccessEvent {
    AccessEvent::PatientShown {
        patient,
        also: Vec::new(),
        category: "patient_read".into(),
        resource: None,
        parameters: BTreeMap::new(),
        moment: None,
        emergency: None,
    }
}

fn listed(patients: &[PatientId]) -> AccessEvent {
    AccessEvent::PatientsListed {
        category: "patient_read".into(),
        parameters: BTreeMap::new(),
        count: patients.len() as i64,
        patients_sha256: hex::encode(patients::digest(patients.iter().copied())),
        moment: None,
    }
}

fn disclosed(patient: PatientId) -> AccessEvent {
    let told = Disclosure {
        recipient: "A hospital".into(),
        address: None,
        description: "Allergies".into(),
        statement: "Emergency".into(),
    };
    AccessEvent::DisclosureRecorded { disclosure: Uuid::now_v7(), patient, suspended_until: None, sealed: told.into() }
}

/// The patients of the lists, by the position of their record.
async fn listed_at(pool: &PgPool, position: Position) -> BTreeSet<PatientId> {
    let ids: Vec<Uuid> = sqlx::query_scalar("SELECT patient FROM log.access_patient WHERE position = $1")
        .bind(position)
        .fetch_all(pool)
        .await
        .unwrap();
    ids.into_iter().map(PatientId).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_a_stream_of_its_own_and_moves_neither_record_nor_chart() {
    let world = World::new().await;
    let store = world.store();
    let (clinic, patient, other) = (clinic(&store).await, new_patient(), new_patient());
    store.append(registers(clinic, patient)).await.unwrap();
    let chart = store.read_patient(clinic, patient, None).await.unwrap();

    assert_eq!(store.record_access(clinic, record(shown(patient), &[other, other])).await.unwrap(), 1);
    let both = [patient, other];
    assert_eq!(store.record_access(clinic, record(listed(&both), &both)).await.unwrap(), 2);
    assert_eq!(store.record_access(clinic, record(disclosed(patient), &[])).await.unwrap(), 3);

    let rows = store.read_rows(clinic, Ledger::Access, 0, 10).await.unwrap();
    let named: Vec<_> = rows.iter().map(|row| row.patient).collect();
    assert_eq!(named, [Some(patient), None, Some(patient)]);
    for row in &rows {
        assert_eq!((row.stream_kind.as_ref(), row.stream_version, row.patient_version), ("access", 1, None));
        assert_eq!(row.command, "GET /clinic/{slug}/api/v1/patients/{id}");
    }
    let sealed: Vec<_> = rows.iter().map(|row| row.sealed.is_some()).collect();
    assert_eq!(sealed, [false, false, true]);
    let opened = store.open_rows(&rows).await.unwrap();
    assert_eq!(opened[0].event, shown(patient).into());
    assert_eq!(listed_at(&world.superuser, 1).await, BTreeSet::from([other]));
    assert_eq!(listed_at(&world.superuser, 2).await, BTreeSet::from(both));

    assert_eq!(store.read_patient(clinic, patient, None).await.unwrap(), chart);
    assert_eq!(store.chart_version(clinic, patient).await.unwrap().read, 1);
    assert_eq!(store.head(clinic, Ledger::Record).await.unwrap().position, 2);
    let mut next = append(clinic, [(patient.into(), no_allergies())]);
    next.expectations.push(expects(Fact::Chart(patient), Some(1), 2));
    assert_eq!(store.append(next).await.unwrap().events[0].patient_version, Some(2));
    world.assert_intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_ledger_takes_its_own_events_alone() {
    let world = World::new().await;
    let store = world.store();
    let (clinic, patient) = (clinic(&store).await, new_patient());
    let stream = StreamId { kind: AggregateKind::Access, id: Uuid::now_v7() };
    let on_record = append(clinic, [(stream, shown(patient).into())]);
    let mut on_access = append(clinic, [(patient.into(), registered("Asha"))]);
    on_access.ledger = Ledger::Access;
    let mut with_patients = registers(clinic, patient);
    with_patients.shown.push(patient);
    for wrong in [on_record, on_access, with_patients] {
        let answer = store.append(wrong).await;
        assert!(matches!(answer, Err(AppendError::Refused(_))), "{answer:?}");
    }
    // A record is begun once, whoever remembers it or not.
    let begun = || {
        let mut append = append(clinic, [(stream, shown(patient).into())]);
        append.ledger = Ledger::Access;
        append.expectations.push(Expectation::new_stream(stream));
        append
    };
    store.append(begun()).await.unwrap();
    for store in [&store, &world.store()] {
        let answer = store.append(begun()).await;
        assert!(matches!(answer, Err(AppendError::Refused(_) | AppendError::Moved(_))), "{answer:?}");
    }
    world.assert_intact().await;
}

const DESTROY: &str = "UPDATE log.patient_key SET wrapped = NULL, destroyed_at = now() WHERE patient = $1";

/// Seals something for the patient, so that the store remembers the key; then destroys it.
async fn erase(world: &World, store: &Store, clinic: ClinicId, patient: PatientId) {
    store.append(registers(clinic, patient)).await.unwrap();
    sqlx::query(DESTROY).bind(patient.0).execute(&world.superuser).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_somebody_erased_is_still_recorded_and_nothing_is_sealed_for_them() {
    let world = World::new().await;
    let store = world.store();
    let (clinic, patient) = (clinic(&store).await, new_patient());
    // The first record of this clinic comes after the key has moved its epoch.
    erase(&world, &store, clinic, patient).await;
    for store in [&store, &world.store()] {
        let answer = store.record_access(clinic, record(disclosed(patient), &[])).await;
        assert!(matches!(answer, Err(AppendError::KeyDestroyed)), "{answer:?}");
        store.record_access(clinic, record(shown(patient), &[patient])).await.unwrap();
    }
    world.assert_intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_reads_and_commands_of_two_processes_leaves_both_chains_whole() {
    const TASKS: usize = 16;
    const EACH: usize = 10;
    let world = World::new().await;
    let stores = [world.store(), world.store()];
    let clinic = clinic(&stores[0]).await;
    let tasks = (0..TASKS).map(|n| {
        let store = stores[n % 2].clone();
        tokio::spawn(async move {
            let mut positions = Vec::new();
            for _ in 0..EACH {
                let patient = new_patient();
                store.append(registers(clinic, patient)).await.unwrap();
                positions.push(store.record_access(clinic, record(shown(patient), &[])).await.unwrap());
                positions.push(store.record_access(clinic, record(listed(&[patient]), &[patient])).await.unwrap());
            }
            positions
        })
    });
    let positions: BTreeSet<Position> = join_all(tasks).await.into_iter().flat_map(|task| task.unwrap()).collect();
    let all = (TASKS * EACH) as Position;
    assert_eq!(positions, (1..=2 * all).collect());
    assert_eq!(stores[0].head(clinic, Ledger::Record).await.unwrap().position, 1 + all);
    let lists: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM log.access_patient a JOIN log.event e USING (clinic, position)
                                         WHERE e.ledger = 2 AND e.event_type = 'PatientsListed'",
    )
    .fetch_one(&world.superuser)
    .await
    .unwrap();
    assert_eq!(lists, all);
    world.assert_intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_patients_of_a_list_are_shown_to_their_clinic_alone() {
    let world = World::new().await;
    let store = world.store();
    for _ in 0..2 {
        let (clinic, patient) = (clinic(&store).await, new_patient());
        store.record_access(clinic, record(listed(&[patient]), &[patient])).await.unwrap();
    }
    let clinic: Uuid =
        sqlx::query_scalar("SELECT clinic FROM log.access_patient LIMIT 1").fetch_one(&world.superuser).await.unwrap();
    let reader = DbRole::Reader.pool(world.options.clone(), 1);
    let unscoped = sqlx::query("SELECT FROM log.access_patient").fetch_all(&reader).await.unwrap();
    assert!(unscoped.is_empty());
    let scoped = "SELECT a.clinic FROM log.scope($1) AS s(clinic)
                  CROSS JOIN LATERAL (SELECT * FROM log.access_patient OFFSET 0) AS a";
    let scoped: Vec<Uuid> = sqlx::query_scalar(scoped).bind(clinic).fetch_all(&reader).await.unwrap();
    assert_eq!(scoped, [clinic]);
    for role in [DbRole::Projector, DbRole::Auditor] {
        let all = sqlx::query("SELECT FROM log.access_patient").fetch_all(&role.pool(world.options.clone(), 1)).await;
        assert_eq!(all.unwrap().len(), 2, "{role:?}");
    }
}
