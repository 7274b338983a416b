//! Keys: who can read what was sealed, and who no more.

use std::time::Duration;

use event_store::{AppendError, DbRole, HandedKey, MasterKey, Store, StoreError, StoreOptions, VaultError};
use events::{
    ClinicId, DomainEvent, Ledger, PatientEvent, PatientId, Sealed, StaffEvent, UserId, claim::KeyedHash,
    staff::StaffIdentity,
};
use proof::seal::{NotOpened, Place};
use sqlx::PgPool;
use uuid::Uuid;

use crate::world::{World, append, clinic, new_patient, no_allergies, registered, registers};

async fn run(superuser: &PgPool, statement: &'static str, patient: PatientId) {
    assert_eq!(sqlx::query(statement).bind(patient.0).execute(superuser).await.unwrap().rows_affected(), 1);
}

const DESTROY: &str = "UPDATE log.patient_key SET wrapped = NULL, destroyed_at = now() WHERE patient = $1";
const FENCE: &str = "UPDATE log.patient_key SET fenced_at = now() WHERE patient = $1";

fn sealed_event(clinic: ClinicId, patient: PatientId) -> event_store::Append {
    let contact = events::patient::EmergencyContact { name: "Ravi".into(), relationship: None, phone: None };
    append(clinic, [(patient.into(), PatientEvent::EmergencyContactSet { sealed: contact.into() }.into())])
}

async fn is_open(store: &Store, clinic: ClinicId, patient: PatientId) -> bool {
    let chart = store.read_patient(clinic, patient, None).await.unwrap();
    match &chart[0].event {
        DomainEvent::Patient(PatientEvent::PatientRegistered { number, sealed, .. }) => {
            assert!(number.as_str().starts_with("PT-"), "what is clear outlives the key");
            *sealed != Sealed::Erased
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destroyed_key_erases_and_refuses() {
    let world = World::new().await;
    let stores = [world.store(), world.store()];
    let (clinic, erased, other) = (clinic(&stores[0]).await, new_patient(), new_patient());
    for patient in [erased, other] {
        stores[0].append(registers(clinic, patient)).await.unwrap();
    }
    assert!(is_open(&stores[0], clinic, erased).await);
    run(&world.superuser, FENCE, erased).await;
    for store in &stores {
        let answer = store.append(sealed_event(clinic, erased)).await;
        assert!(matches!(answer, Err(AppendError::KeyDestroyed)), "{answer:?}");
    }
    assert!(is_open(&world.store(), clinic, erased).await, "a fenced key still opens");
    run(&world.superuser, DESTROY, erased).await;
    for store in &stores {
        let answer = store.append(sealed_event(clinic, erased)).await;
        assert!(matches!(answer, Err(AppendError::KeyDestroyed)), "{answer:?}");
        let clear = store.append(append(clinic, [(erased.into(), no_allergies())])).await;
        assert!(matches!(clear, Err(AppendError::KeyDestroyed)), "also what says nothing about a person: {clear:?}");
        store.append(sealed_event(clinic, other)).await.expect("others go on");
    }
    for store in [world.store(), world.store_as(DbRole::Projector)] {
        assert!(!is_open(&store, clinic, erased).await);
        assert!(is_open(&store, clinic, other).await);
        assert_eq!(store.read_clinic(clinic, 0, 100).await.unwrap().len(), 5, "everything can still be read");
    }
    world.assert_intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_are_sealed_with_the_clinics_key() {
    let world = World::new().await;
    let store = world.store();
    let (clinic, user) = (clinic(&store).await, UserId(Uuid::now_v7()));
    let identity = StaffIdentity { username: "asha".into(), name: "Asha".into(), email: None };
    let invited = StaffEvent::StaffInvited {
        roles: vec![events::Role::Nurse],
        patient: None,
        username_hash: KeyedHash("00".into()),
        email_hash: None,
        sealed: identity.into(),
    };
    let appended = store.append(append(clinic, [(user.into(), invited.into())])).await.unwrap();
    assert_eq!(world.store().read_clinic(clinic, 1, 10).await.unwrap(), appended.events);
    let destroy = "UPDATE log.clinic_key SET wrapped = NULL, destroyed_at = now()";
    sqlx::query(destroy).execute(&world.superuser).await.unwrap();
    let later = world.store().read_clinic(clinic, 1, 10).await.unwrap();
    let DomainEvent::Staff(StaffEvent::StaffInvited { sealed, .. }) = &later[0].event else { panic!("{later:?}") };
    assert_eq!(*sealed, Sealed::Erased);
    let answer = store.append(registers(clinic, new_patient())).await;
    assert!(matches!(answer, Err(AppendError::KeyDestroyed)), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_of_a_clinic_are_the_same_before_and_after_it_registers() {
    let world = World::new().await;
    let store = world.store();
    let clinic = ClinicId(Uuid::now_v7());
    let before = store.vault().registering(clinic);
    assert!(matches!(store.vault().clinic(clinic).await, Err(VaultError::NoClinicKey)));
    store.append(crate::world::registration(clinic, "asha")).await.unwrap();
    for store in [&store, &world.store()] {
        let after = store.vault().clinic(clinic).await.unwrap();
        assert_eq!(after.pseudonym_secret, before.pseudonym_secret);
        assert_eq!(after.idempotency_secret, before.idempotency_secret);
        assert_eq!(after.search_secret, before.search_secret);
    }
    assert_ne!(before.pseudonym_secret, before.search_secret);
    let other = crate::world::clinic(&store).await;
    assert_ne!(store.vault().clinic(other).await.unwrap().pseudonym_secret, before.pseudonym_secret);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_has_a_key_from_its_first_use() {
    let world = World::new().await;
    let stores = [world.store(), world.store()];
    let keys = futures::future::join_all(stores.iter().map(|store| store.vault().clinic(ClinicId::PLATFORM))).await;
    let secrets: Vec<_> = keys.into_iter().map(|keys| keys.unwrap().pseudonym_secret.clone()).collect();
    assert_eq!(secrets[0], secrets[1]);
    let world = World::new().await;
    let user = UserId(Uuid::now_v7());
    let deactivated = StaffEvent::StaffDeactivated {
        patient: None,
        roles: Vec::new(),
        sealed: events::staff::StaffReason { reason: "left".into() }.into(),
    };
    let store = world.store();
    let appended = store.append(append(ClinicId::PLATFORM, [(user.into(), deactivated.into())])).await.unwrap();
    assert_eq!(store.read_clinic(ClinicId::PLATFORM, 0, 9).await.unwrap(), appended.events);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_master_key_opens_nothing_and_says_so() {
    let world = World::new().await;
    let store = world.store();
    let (clinic, patient) = (clinic(&store).await, new_patient());
    store.append(registers(clinic, patient)).await.unwrap();
    let stranger = Store::open(StoreOptions::new(world.options.clone(), MasterKey::random()));
    let answer = stranger.read_patient(clinic, patient, None).await;
    assert!(matches!(answer, Err(StoreError::Vault(VaultError::WrongKey))), "{answer:?}");
    assert!(matches!(stranger.append(sealed_event(clinic, patient)).await, Err(AppendError::Unavailable(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_sealed_who_was_never_registered() {
    let world = World::new().await;
    let store = world.store();
    let clinic = clinic(&store).await;
    let answer = store.append(sealed_event(clinic, new_patient())).await;
    // The patient's first event makes the key, whatever it is; a later one finds none.
    assert!(answer.is_ok());
    let nowhere = ClinicId(Uuid::now_v7());
    let answer = store.append(append(nowhere, [(new_patient().into(), registered("Asha"))])).await;
    assert!(matches!(answer, Err(AppendError::Refused(_))), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_an_event_opens_it_for_an_outsider_and_is_given_while_the_patients_lives() {
    let world = World::new().await;
    let store = world.store();
    let (clinic, [living, fenced, erased, exchanged]) = (clinic(&store).await, [(); 4].map(|()| new_patient()));
    for patient in [living, fenced, erased, exchanged] {
        store.append(registers(clinic, patient)).await.unwrap();
    }
    store.append(append(clinic, [(living.into(), no_allergies())])).await.unwrap();
    run(&world.superuser, FENCE, fenced).await;
    run(&world.superuser, DESTROY, erased).await;
    let of_another = "UPDATE log.patient_key k SET wrapped = o.wrapped FROM log.patient_key o
                      WHERE k.patient = $1 AND o.patient <> k.patient AND o.wrapped IS NOT NULL";
    run(&world.superuser, of_another, exchanged).await;
    let store = world.store();
    let rows = store.read_rows(clinic, Ledger::Record, 1, 10).await.unwrap();
    let keys = store.vault().event_keys(&rows).await.unwrap();
    let [HandedKey::Good(key), HandedKey::Destroyed, HandedKey::Destroyed, HandedKey::Lost, HandedKey::NotSealed] =
        &keys[..]
    else {
        panic!("one for each row")
    };
    let opened = |n: usize| key.open(Place::of(&rows[n]), rows[n].sealed.as_deref().unwrap());
    assert!(String::from_utf8(opened(0).unwrap()).unwrap().contains("Asha"));
    assert_eq!(opened(1), Err(NotOpened), "it opens its own event alone");
}

/// How often the keys of clinics were looked at by backends that have ended.
async fn looks(superuser: &PgPool) -> i64 {
    const LOOKS: &str = "SELECT coalesce(seq_scan, 0) + coalesce(idx_scan, 0) FROM pg_stat_user_tables
        WHERE relname = 'clinic_key'";
    sqlx::query_scalar(LOOKS).fetch_one(superuser).await.unwrap()
}

/// A book with more patients than are remembered must not ask for each event by itself.
#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_many_rows_are_read_together_also_where_none_of_them_stays_remembered() {
    const PATIENTS: i64 = 200;
    let world = World::new().await;
    let store = world.store();
    let clinic = clinic(&store).await;
    for _ in 0..PATIENTS {
        store.append(registers(clinic, new_patient())).await.unwrap();
    }
    let rows = store.read_rows(clinic, Ledger::Record, 1, 1_000).await.unwrap();
    let before = looks(&world.superuser).await;

    let forgetful = world.forgetful(world.options.clone().application_name("forgetful"));
    let opened = forgetful.vault().open_all(&rows).await.unwrap();
    assert_eq!(opened.iter().flatten().count() as i64, PATIENTS);
    drop(forgetful);
    // What a backend has counted is there once it has ended.
    const THERE: &str = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'forgetful'";
    while sqlx::query_scalar::<_, i64>(THERE).fetch_one(&world.superuser).await.unwrap() > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let looks = looks(&world.superuser).await - before;
    assert!((1..PATIENTS / 4).contains(&looks), "{looks} looks");
}
