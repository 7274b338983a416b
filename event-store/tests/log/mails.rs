//! Mails that are queued with an append, and who takes them.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use event_store::{Append, AppendError, MailKind, NewMail, Store};
use events::{
    ClinicId, PatientId, StreamId,
    claim::{ClaimChange, ClaimKey},
};
use secrecy::ExposeSecret;
use uuid::Uuid;

use crate::world::{World, append, clinic, new_patient, no_allergies, registers};

const SECRET: &str = "planted-q8Zr";
const LEASE: Duration = Duration::from_secs(60);

/// About a patient of the clinic, with a mail that goes with the patient's key.
fn mailing(clinic: ClinicId, patient: PatientId) -> Append {
    let mail = NewMail {
        id: Uuid::now_v7(),
        kind: MailKind::Activation,
        about: Uuid::now_v7(),
        patient: Some(patient),
        secret: SECRET.into(),
        not_after: Utc::now() + TimeDelta::hours(1),
    };
    Append { mails: vec![mail], ..append(clinic, [(patient.into(), no_allergies())]) }
}

async fn registered(store: &Store) -> (ClinicId, PatientId) {
    let (clinic, patient) = (clinic(store).await, new_patient());
    store.append(registers(clinic, patient)).await.unwrap();
    (clinic, patient)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_there_exactly_if_its_append_is() {
    let world = World::new().await;
    let store = world.store();
    let (clinic, patient) = registered(&store).await;
    let taken = ClaimKey::clinic("test", "taken");
    let takes = |holder: Uuid| Append {
        claims: vec![(StreamId { id: holder, ..patient.into() }, ClaimChange::Take(taken.clone()))],
        ..mailing(clinic, patient)
    };
    store.append(takes(Uuid::from_u128(1))).await.unwrap();
    let lost = store.append(takes(Uuid::from_u128(2))).await;
    assert!(matches!(lost, Err(AppendError::ClaimTaken(_))), "{lost:?}");
    let mails = store.take_mails(10, LEASE).await.unwrap();
    assert_eq!((mails.len(), mails[0].patient, mails[0].attempts), (1, Some(patient), 1));
    assert_eq!(store.open_mail(&mails[0]).await.unwrap().unwrap().expose_secret(), SECRET);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_taken_by_one_until_the_lease_runs_out() {
    let world = World::new().await;
    let (one, other) = (world.store(), world.store());
    let (clinic, patient) = registered(&one).await;
    one.append(mailing(clinic, patient)).await.unwrap();
    let first = one.take_mails(10, LEASE).await.unwrap();
    assert_eq!(other.take_mails(10, LEASE).await.unwrap(), []);
    one.put_mail_off(&first[0], "unreachable", Duration::ZERO).await.unwrap();
    let second = other.take_mails(10, Duration::ZERO).await.unwrap();
    assert_eq!((second[0].id, second[0].attempts), (first[0].id, 2));
    // Whoever took it did not say what became of it.
    let third = one.take_mails(10, LEASE).await.unwrap();
    assert_eq!((third[0].id, third[0].attempts), (first[0].id, 3));
    one.mail_is_sent(&third[0]).await.unwrap();
    other.give_mail_up(&second[0], "too-late").await.unwrap();
    assert_eq!(one.mails_standing().await.unwrap(), [], "who comes late changes nothing");
    one.put_mail_off(&third[0], "unreachable", Duration::ZERO).await.unwrap();
    assert_eq!(one.take_mails(10, LEASE).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_goes_with_the_key_and_belongs_to_its_mail_alone() {
    let world = World::new().await;
    let store = world.store();
    let (clinic, patient) = registered(&store).await;
    let other = new_patient();
    store.append(registers(clinic, other)).await.unwrap();
    for patient in [patient, other] {
        store.append(mailing(clinic, patient)).await.unwrap();
    }
    let exchange = "UPDATE log.outbox o SET sealed = x.sealed FROM log.outbox x WHERE x.mail <> o.mail";
    let mails = store.take_mails(10, Duration::ZERO).await.unwrap();
    sqlx::query(exchange).execute(&world.superuser).await.unwrap();
    for exchanged in store.take_mails(10, LEASE).await.unwrap() {
        store.open_mail(&exchanged).await.unwrap_err();
    }
    let fence = "UPDATE log.patient_key SET fenced_at = now() WHERE patient = $1";
    sqlx::query(fence).bind(patient.0).execute(&world.superuser).await.unwrap();
    let later = world.store();
    for mail in &mails {
        let opened = later.open_mail(mail).await.unwrap();
        assert_eq!(opened.is_none(), mail.patient == Some(patient));
    }
    let refused = store.append(mailing(clinic, patient)).await;
    assert!(matches!(refused, Err(AppendError::KeyDestroyed)), "{refused:?}");
}
