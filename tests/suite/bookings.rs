//! One doctor's time is never given to two people, whoever asks at once.

use std::collections::BTreeMap;

use futures::future::join_all;
use serde_json::json;
use tests::{Stack, TestClinic, working_time};

const RIVALS: usize = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_people_want_one_slot_and_one_gets_it() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let (doctor, patient) = (clinic.doctor().await, clinic.patient("Asha").await);
    let start = working_time(1, 10, 0);
    let path = clinic.path("/appointments");
    let rivals = (0..RIVALS).map(|_| clinic.admin.post(&path, clinic.booking(&patient, &doctor, start)));
    let answers = join_all(rivals).await;
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    for answer in &answers {
        *statuses.entry(answer.status.as_u16()).or_default() += 1;
    }
    assert_eq!(statuses, BTreeMap::from([(201, 1), (409, RIVALS - 1)]));
    let lost = answers.iter().find(|answer| answer.status == 409).unwrap();
    assert_eq!(lost.code(), "slot-taken");
    assert!(!lost.json()["alternatives"].as_array().unwrap().is_empty(), "{}", lost.text);
    assert_eq!(stack.count_events(&clinic.id, "AppointmentBooked").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_one_database_give_a_slot_once() {
    let stack = Stack::start().await;
    let second = stack.second_command_api().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let (doctor, patient) = (clinic.doctor().await, clinic.patient("Asha").await);
    let elsewhere = second.with_token(clinic.admin.token().unwrap());
    let path = clinic.path("/appointments");
    for round in 0..20 {
        let body = clinic.booking(&patient, &doctor, working_time(2, 9 + round / 4, (round % 4) * 15));
        let rivals = (0..20).map(|n| {
            let client = if n % 2 == 0 { &clinic.admin } else { &elsewhere };
            client.post(&path, body.clone())
        });
        let booked = join_all(rivals).await.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(booked, 1, "in round {round}");
    }
    assert_eq!(stack.count_events(&clinic.id, "AppointmentBooked").await, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leave_and_a_booking_at_once_never_both_stand() {
    let stack = Stack::start().await;
    let clinic = TestClinic::register(&stack.client()).await;
    let (doctor, patient) = (clinic.doctor().await, clinic.patient("Asha").await);
    for round in 0..20 {
        let start = working_time(round, 11, 0);
        let booking = clinic.post("/appointments", clinic.booking(&patient, &doctor, start));
        let leave_path = format!("/doctors/{doctor}/leave");
        let leave = clinic.post(&leave_path, json!({"from": start, "to": start + chrono::TimeDelta::hours(2)}));
        let (booked, left) = futures::join!(booking, leave);
        let stand = [booked.status.as_u16() == 201, left.status.as_u16() == 200];
        assert_eq!(stand.iter().filter(|stands| **stands).count(), 1, "{} / {}", booked.text, left.text);
    }
}
