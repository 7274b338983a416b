//! What must be unique, must not overlap, or must stay within a bound.

use event_store::{Append, AppendError, Appended, Store};
use events::{
    AggregateKind, ClinicId, DoctorId, OfficeId, PatientId, StreamId,
    claim::{Bound, ClaimChange, ClaimKey, CounterChange, CounterKey, DoctorTime, Fact},
    values::Span,
};
use futures::future::join_all;
use uuid::Uuid;

use crate::world::{World, append, at, clinic, expects, new_patient, no_allergies, registers, registration};

fn takes(clinic: ClinicId, patient: PatientId, claim: &ClaimKey) -> Append {
    let mut append = registers(clinic, patient);
    append.claims.push((patient.into(), ClaimChange::Take(claim.clone())));
    append
}

/// Something that happens to a patient, and what it does to the claims.
fn changes(clinic: ClinicId, patient: PatientId, claims: impl IntoIterator<Item = ClaimChange>) -> Append {
    let mut append = append(clinic, [(patient.into(), no_allergies())]);
    append.claims.extend(claims.into_iter().map(|change| (patient.into(), change)));
    append
}

fn time(doctor: DoctorId, from: i64, to: i64) -> DoctorTime {
    DoctorTime { doctor, office: OfficeId(Uuid::from_u128(5)), lane: 0, from: at(from), to: at(to) }
}

fn doctor() -> DoctorId {
    DoctorId(Uuid::now_v7())
}

async fn holder(store: &Store, clinic: ClinicId, claim: &ClaimKey) -> Option<StreamId> {
    store.claims(clinic, std::slice::from_ref(claim)).await.unwrap().read.get(claim).copied()
}

fn split(answers: Vec<Result<Appended, AppendError>>) -> (Vec<Appended>, Vec<AppendError>) {
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for answer in answers {
        match answer {
            Ok(appended) => done.push(appended),
            Err(error) => failed.push(error),
        }
    }
    (done, failed)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_take_a_claim_one_has_it() {
    let world = World::new().await;
    let stores = [world.store(), world.store()];
    let clinic = clinic(&stores[0]).await;
    let claim = ClaimKey::clinic("identifier", "passport");
    let answers = join_all((0..40).map(|n| stores[n % 2].append(takes(clinic, new_patient(), &claim)))).await;
    let (done, failed) = split(answers);
    assert_eq!(done.len(), 1);
    assert!(failed.iter().all(|error| matches!(error, AppendError::ClaimTaken(taken) if *taken == claim)));
    assert_eq!(holder(&stores[1], clinic, &claim).await, Some(done[0].events[0].stream));
    world.assert_intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_clinics_that_take_a_slug_one_has_it() {
    let world = World::new().await;
    let stores = [world.store(), world.store()];
    let answers = (0..30).map(|n| stores[n % 2].append(registration(ClinicId(Uuid::now_v7()), "asha-clinic")));
    let (done, failed) = split(join_all(answers).await);
    assert_eq!(done.len(), 1);
    let slug = ClaimKey::platform("slug", "asha-clinic");
    assert!(failed.iter().all(|error| matches!(error, AppendError::ClaimTaken(taken) if *taken == slug)), "{failed:?}");
    let winner = done[0].events[0].clinic;
    assert_eq!(stores[0].clinic_by_slug("asha-clinic").await.unwrap(), Some(winner));
    assert_eq!(stores[0].clinic_by_slug("ravi-clinic").await.unwrap(), None);
    // Another clinic sees that it is taken.
    let other = clinic(&stores[0]).await;
    assert_eq!(holder(&stores[0], other, &slug).await, Some(winner.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_can_be_freed_handed_over_and_taken_again() {
    let world = World::new().await;
    let store = world.store();
    let (clinic, first, second) = (clinic(&store).await, new_patient(), new_patient());
    let claim = ClaimKey::clinic("visit", "1");
    store.append(takes(clinic, first, &claim)).await.unwrap();
    store.append(changes(clinic, first, [ClaimChange::Take(claim.clone())])).await.expect("it is its own");
    // Freeing what somebody else holds does nothing.
    store.append(registers(clinic, second)).await.unwrap();
    store.append(changes(clinic, second, [ClaimChange::Free(claim.clone())])).await.unwrap();
    assert_eq!(holder(&store, clinic, &claim).await, Some(first.into()));
    let mut hands_over = append(clinic, [(first.into(), no_allergies()), (second.into(), no_allergies())]);
    hands_over.claims.push((first.into(), ClaimChange::Free(claim.clone())));
    hands_over.claims.push((second.into(), ClaimChange::Take(claim.clone())));
    store.append(hands_over).await.unwrap();
    assert_eq!(holder(&store, clinic, &claim).await, Some(second.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_and_freed_at_once_is_free_in_the_end() {
    let world = World::new().await;
    let store = world.store();
    let (clinic, patient, doctor) = (clinic(&store).await, new_patient(), doctor());
    store.append(registers(clinic, patient)).await.unwrap();
    let claim = ClaimKey::clinic("visit", "1");
    for _ in 0..10 {
        let take = [ClaimChange::Take(claim.clone()), ClaimChange::TakeTime(time(doctor, 0, 15))];
        let free = [ClaimChange::Free(claim.clone()), ClaimChange::FreeTime(doctor)];
        let both = [changes(clinic, patient, take), changes(clinic, patient, free)];
        let answers = join_all(both.map(|append| store.append(append))).await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(holder(&store, clinic, &claim).await, None);
    }
    let span = Span { from: at(0), to: at(60) };
    assert!(store.doctor_times(clinic, doctor, span).await.unwrap().read.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_two_overlap_in_a_doctors_time() {
    let world = World::new().await;
    let stores = [world.store(), world.store()];
    let (clinic, doctor) = (clinic(&stores[0]).await, doctor());
    let books = |n: i64| {
        let patient = new_patient();
        let mut append = registers(clinic, patient);
        // Each overlaps the next and the one before it.
        append.claims.push((patient.into(), ClaimChange::TakeTime(time(doctor, n * 10, n * 10 + 15))));
        append
    };
    let answers = join_all((0..30).map(|n| stores[n % 2].append(books(i64::try_from(n).unwrap())))).await;
    let (done, failed) = split(answers);
    assert!(failed.iter().all(|error| matches!(error, AppendError::TimeTaken)), "{failed:?}");
    let held = stores[0].doctor_times(clinic, doctor, Span { from: at(0), to: at(1_000) }).await.unwrap();
    assert_eq!(held.read.len(), done.len());
    assert!(held.read.windows(2).all(|pair| pair[0].time.to <= pair[1].time.from));
    // Nobody could have been put in between: each that failed overlaps one that holds.
    assert!(done.len() >= 10);
    world.assert_intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lanes_touching_times_and_other_doctors_do_not_overlap() {
    let world = World::new().await;
    let store = world.store();
    let (clinic, mine, other) = (clinic(&store).await, doctor(), doctor());
    let lane_1 = DoctorTime { lane: 1, ..time(mine, 0, 15) };
    for time in [time(mine, 0, 15), lane_1, time(mine, 15, 30), time(other, 0, 15)] {
        let patient = new_patient();
        store.append(registers(clinic, patient)).await.unwrap();
        store.append(changes(clinic, patient, [ClaimChange::TakeTime(time)])).await.unwrap();
    }
    let overlapping = |from, to| Span { from: at(from), to: at(to) };
    assert_eq!(store.doctor_times(clinic, mine, overlapping(14, 15)).await.unwrap().read.len(), 2);
    assert_eq!(store.doctor_times(clinic, mine, overlapping(15, 16)).await.unwrap().read.len(), 1);
    assert_eq!(store.clinic_times(clinic, None, overlapping(0, 1)).await.unwrap().read.len(), 3);
    let office = OfficeId(Uuid::from_u128(6));
    assert!(store.clinic_times(clinic, Some(office), overlapping(0, 1)).await.unwrap().read.is_empty());
    let holder = store.doctor_times(clinic, other, overlapping(0, 1)).await.unwrap().read[0].holder;
    assert_eq!(holder.kind, AggregateKind::Patient);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_time_is_refused_and_a_moved_one_seen() {
    let world = World::new().await;
    let store = world.store();
    let (clinic, patient, doctor) = (clinic(&store).await, new_patient(), doctor());
    store.append(registers(clinic, patient)).await.unwrap();
    for empty in [time(doctor, 5, 5), time(doctor, 5, 4)] {
        let answer = store.append(changes(clinic, patient, [ClaimChange::TakeTime(empty)])).await;
        assert!(matches!(answer, Err(AppendError::Refused(_))), "{answer:?}");
    }
    let read_at = store.doctor_times(clinic, doctor, Span { from: at(0), to: at(9) }).await.unwrap().read_at;
    let facts = [Fact::DoctorTime(doctor), Fact::ClinicTime, Fact::Claim(ClaimKey::clinic("visit", "1"))];
    let decided = |fact: &Fact| {
        let mut append = append(clinic, [(patient.into(), no_allergies())]);
        append.expectations.push(expects(fact.clone(), None, read_at));
        append
    };
    for fact in &facts {
        store.append(decided(fact)).await.expect("nothing has moved");
    }
    let moves = [ClaimChange::TakeTime(time(doctor, 0, 5)), ClaimChange::Take(ClaimKey::clinic("visit", "1"))];
    store.append(changes(clinic, patient, moves)).await.unwrap();
    for fact in &facts {
        let answer = store.append(decided(fact)).await;
        assert!(matches!(&answer, Err(AppendError::Moved(moved)) if moved == fact), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_is_exact_however_many_come_at_once() {
    const LIMIT: i64 = 57;
    let world = World::new().await;
    let stores = [world.store(), world.store()];
    let clinic = clinic(&stores[0]).await;
    let usage = CounterKey::new("usage/patients");
    let counted = |delta, bounded: bool| {
        let mut append = registers(clinic, new_patient());
        append.counters.push(CounterChange { counter: usage.clone(), delta });
        let bound = Bound { counter: usage.clone(), at_least: Some(0), at_most: Some(LIMIT) };
        append.bounds.extend(bounded.then_some(bound));
        append
    };
    let (done, failed) = split(join_all((0..200).map(|n| stores[n % 2].append(counted(1, true)))).await);
    assert_eq!(done.len(), usize::try_from(LIMIT).unwrap());
    assert!(failed.iter().all(|error| matches!(error, AppendError::BoundPassed { value, .. } if *value == LIMIT + 1)));
    // A place that another process frees is found at once, though this one remembers that all are taken.
    stores[0].append(counted(1, true)).await.unwrap_err();
    stores[1].append(counted(-1, true)).await.unwrap();
    stores[0].append(counted(1, true)).await.unwrap();
    // Nothing is checked where nothing is asked.
    stores[1].append(counted(3, false)).await.unwrap();
    let standing = stores[0].counters(clinic, &[usage.clone(), CounterKey::new("other")]).await.unwrap();
    assert_eq!(standing.read, [(usage, LIMIT + 3), (CounterKey::new("other"), 0)].into());
    world.assert_intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_that_are_forgotten_are_read_again() {
    const PATIENTS: usize = 700; // more than a writer remembers of one clinic
    let world = World::new().await;
    let store = world.store();
    let clinic = clinic(&store).await;
    let patients: Vec<_> = (0..PATIENTS).map(|_| new_patient()).collect();
    let registered = join_all(patients.iter().map(|patient| store.append(registers(clinic, *patient)))).await;
    assert!(registered.iter().all(Result::is_ok));
    for (patient, version) in [(patients[0], 1), (patients[PATIENTS - 1], 1)] {
        let registered_at = store.load_stream(clinic, patient.into(), 0).await.unwrap().events[0].position;
        let decided = || {
            let mut append = append(clinic, [(patient.into(), no_allergies())]);
            append.expectations.push(expects(Fact::Stream(patient.into()), Some(version), registered_at));
            append.expectations.push(expects(Fact::Chart(patient), Some(version), registered_at));
            append
        };
        store.append(decided()).await.expect("it stands as it was read long ago");
        assert!(matches!(store.append(decided()).await, Err(AppendError::Moved(_))));
    }
    world.assert_intact().await;
}
