//! Commands that are given twice, and answers that were lost on the way.

use std::sync::Arc;

use event_store::{AppendError, Idempotency};
use events::{ClinicId, UserId};
use uuid::Uuid;

use crate::{
    proxy::Proxy,
    world::{World, append, clinic, new_patient, no_allergies, registers},
};

const ANSWER_KEY: [u8; 32] = [9; 32];

fn remember(clinic: ClinicId, user: Option<UserId>, key: u8) -> Idempotency {
    let answer = |events: &[events::Recorded]| format!("{} at {}", events.len(), events[0].position).into_bytes();
    Idempotency {
        clinic,
        user,
        key_hash: [key; 32],
        fingerprint: [1; 32],
        answer_key: ANSWER_KEY,
        answer: Arc::new(answer),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_given_twice_at_once_happens_once_and_has_one_answer() {
    let world = World::new().await;
    let stores = [world.store(), world.store(), world.store()];
    let clinic = clinic(&stores[0]).await;
    for (key, user) in [(1, None), (2, Some(UserId(Uuid::now_v7())))] {
        let given = |n: usize| {
            let mut append = registers(clinic, new_patient());
            append.idempotency = Some(remember(clinic, user, key));
            stores[n % 3].append(append)
        };
        let answers = futures::future::join_all((0..9).map(given)).await;
        let mut first = None;
        for answer in answers {
            match answer {
                Ok(appended) => assert!(first.replace(appended.answer.unwrap()).is_none(), "it happened twice"),
                Err(AppendError::KeyRecorded) => {}
                Err(other) => panic!("{other}"),
            }
        }
        let stored = stores[1].stored_answer(clinic, user, &[key; 32]).await.unwrap().unwrap();
        assert_eq!(stored.open(&ANSWER_KEY), first);
        assert_eq!(stored.fingerprint, [1; 32]);
        assert_eq!(stored.open(&[8; 32]), None);
    }
    assert!(stores[0].stored_answer(clinic, None, &[2; 32]).await.unwrap().is_none(), "another user's key");
    let patients: i64 = sqlx::query_scalar("SELECT count(*) FROM log.event WHERE stream_kind = 'patient'")
        .fetch_one(&world.superuser)
        .await
        .unwrap();
    assert_eq!(patients, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_free_again_once_its_answer_has_expired() {
    let world = World::new().await;
    let store = world.store();
    let clinic = clinic(&store).await;
    let given = || {
        let mut append = registers(clinic, new_patient());
        append.idempotency = Some(remember(clinic, None, 1));
        store.append(append)
    };
    given().await.unwrap();
    assert!(matches!(given().await, Err(AppendError::KeyRecorded)));
    let expire = "UPDATE log.idempotency SET expires_at = now() - interval '1 second'";
    sqlx::query(expire).execute(&world.superuser).await.unwrap();
    assert!(store.stored_answer(clinic, None, &[1; 32]).await.unwrap().is_none());
    let again = given().await.unwrap();
    let stored = store.stored_answer(clinic, None, &[1; 32]).await.unwrap().unwrap();
    assert_eq!(stored.open(&ANSWER_KEY), again.answer);
    sqlx::query(expire).execute(&world.superuser).await.unwrap();
    assert_eq!(store.forget_expired_answers().await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_command_is_not_remembered() {
    let world = World::new().await;
    let store = world.store();
    let clinic = clinic(&store).await;
    let mut refused = append(clinic, [(new_patient().into(), crate::world::registered("Asha"))]);
    refused.about.reason = Some("\0".into());
    refused.idempotency = Some(remember(clinic, None, 1));
    assert!(matches!(store.append(refused).await, Err(AppendError::Refused(_))));
    assert!(store.stored_answer(clinic, None, &[1; 32]).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_whose_answer_or_request_was_lost_happens_once() {
    let world = World::new().await;
    let proxy = Proxy::before(&world.options).await;
    let store = world.store_at(proxy.options.clone());
    let (clinic, patient) = (clinic(&store).await, new_patient());
    store.append(registers(clinic, patient)).await.unwrap();
    for n in 3..9 {
        // By turns: the server has committed and nobody heard of it; or it never heard of the append.
        if n % 2 == 0 {
            proxy.cut_next_answer()
        } else {
            proxy.cut_next_request()
        }
        let appended = store.append(append(clinic, [(patient.into(), no_allergies())])).await.unwrap();
        assert_eq!(appended.position, n);
        assert!(proxy.has_cut(), "the connection was cut");
    }
    let events = store.read_clinic(clinic, 0, 100).await.unwrap();
    assert_eq!(events.len(), 8);
    world.assert_intact().await;
}
