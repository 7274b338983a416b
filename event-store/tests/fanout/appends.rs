//! From an append by the real writer to a follower that opens what was sealed.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, TimeDelta};
use event_store::{
    Append, Circumstances, DbRole, NewEvent,
    feed::{Feed, FeedEvent, News},
    publish::Publisher,
};
use events::{
    Actor, Client, ClinicEvent, ClinicId, DomainEvent, Ledger, PatientEvent, PatientId, Purpose, Sealed, StreamId,
    clinic::ClinicProfile, patient::Demographics, values::Gender,
};
use tokio::time::timeout;
use uuid::Uuid;

use crate::world::{PATIENCE, World};

fn append(clinic: ClinicId, stream: StreamId, event: DomainEvent) -> Append {
    Append {
        clinic,
        ledger: Ledger::Record,
        about: Circumstances {
            actor: Actor::system(),
            purpose: Purpose::Treat,
            reason: None,
            command: "Test".into(),
            correlation_id: Uuid::now_v7(),
            causation_id: Uuid::now_v7(),
            client: Client::default(),
            occurred_at: None,
        },
        events: vec![NewEvent { stream, event }],
        expectations: Vec::new(),
        claims: Vec::new(),
        counters: Vec::new(),
        bounds: Vec::new(),
        idempotency: None,
        credentials: Vec::new(),
        mails: Vec::new(),
        shown: Vec::new(),
    }
}

fn registration() -> DomainEvent {
    let profile = ClinicProfile {
        name: "Asha's".into(),
        email: "office@example.org".into(),
        phone: None,
        website: None,
        address: None,
        registration_number: None,
        tax_id: None,
        logo: None,
        time_zone: chrono_tz::Asia::Kolkata,
    };
    let trial_ends_at = DateTime::UNIX_EPOCH + TimeDelta::days(40_000);
    ClinicEvent::ClinicRegistered { slug: "ashas".into(), profile, trial_ends_at }.into()
}

fn patient_registered() -> DomainEvent {
    PatientEvent::PatientRegistered {
        number: events::Number::Given("PT-1".into()),
        gender: Gender::Unknown,
        birth_year: None,
        sealed: Sealed::Open(Demographics { first_name: "Asha".into(), ..Demographics::default() }),
    }
    .into()
}

/// The feed of a process that starts now.
fn new_feed(world: &World, nats: Option<async_nats::Client>) -> Feed {
    Feed::start(&world.ingest(nats), |_| true, HashMap::new())
}

async fn given(feed: &mut Feed, count: usize) -> Vec<Arc<FeedEvent>> {
    let mut given = Vec::new();
    while given.len() < count {
        match timeout(PATIENCE, feed.next(10)).await.expect("there is news in time") {
            News::Events(events) => given.extend(events),
            other => panic!("{other:?}"),
        }
    }
    given
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_appended_comes_opened_and_erased_where_the_key_is_gone() {
    let world = World::new().await;
    let (clinic, patient) = (ClinicId(Uuid::now_v7()), PatientId(Uuid::now_v7()));
    let publisher = Publisher::start(world.client().await);
    let store = world.store(DbRole::Reader, Some(Arc::new(publisher)));
    let mut feed = new_feed(&world, Some(world.client().await));
    let mut appended = Vec::new();
    for (stream, event) in [(clinic.into(), registration()), (patient.into(), patient_registered())] {
        appended.extend(store.append(append(clinic, stream, event)).await.unwrap().events);
    }
    let given_events = given(&mut feed, 2).await;
    let recorded: Vec<_> = given_events.iter().map(|event| event.recorded.as_ref().unwrap().clone()).collect();
    assert_eq!(recorded, appended);

    let erase = "UPDATE log.patient_key SET wrapped = NULL, destroyed_at = now()";
    sqlx::query(erase).execute(&world.superuser).await.unwrap();
    let erased = given(&mut new_feed(&world, None), 2).await;
    let DomainEvent::Patient(PatientEvent::PatientRegistered { sealed, .. }) =
        &erased[1].recorded.as_ref().unwrap().event
    else {
        panic!("a patient was registered")
    };
    assert_eq!(*sealed, Sealed::Erased);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_does_not_open_is_one_that_cannot_be_read() {
    let world = World::new().await;
    let (clinic, patients) = (ClinicId(Uuid::now_v7()), [Uuid::now_v7(), Uuid::now_v7()].map(PatientId));
    let store = world.store(DbRole::Reader, None);
    store.append(append(clinic, clinic.into(), registration())).await.unwrap();
    for patient in patients {
        store.append(append(clinic, patient.into(), patient_registered())).await.unwrap();
    }
    let tamper = "ALTER TABLE log.event DISABLE TRIGGER event_is_only_added;
                  UPDATE log.event SET sealed = sealed || '\\x00' WHERE position = 2";
    sqlx::raw_sql(tamper).execute(&world.superuser).await.unwrap();
    let events = given(&mut new_feed(&world, None), 3).await;
    assert!(events[1].recorded.as_ref().unwrap_err().to_string().starts_with("position 2: "));
    assert!(events[0].recorded.is_ok() && events[2].recorded.is_ok());
}
