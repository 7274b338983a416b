//! An honest log raises no alarm, also while it grows.

use query_api::export::What;
use serde_json::json;

use super::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_bundle_is_intact_as_far_as_it_is_signed() {
    let mut world = World::with_history().await;
    for _ in 0..2 {
        let said = world.said_of(What::Clinic).await;
        assert_eq!(said["findings"], json!([]));
        assert_eq!(said["outcome"], "intact");
        assert_eq!((&said["record"]["covered_upto"], &said["record"]["rows"]), (&json!(8), &said["record"]["last"]));
        assert_eq!((&said["access"]["covered_upto"], &said["access"]["rows"]), (&json!(3), &json!(3)));
        world.event().await;
    }
    let said = world.said_of(What::Range { record: (4, 5), access: (2, 2) }).await;
    assert_eq!(said["findings"], json!([]));
    // As hashes up to the next size that was signed.
    let record = json!({"rows": 3, "withheld": 0, "opened": 2, "covered_upto": 6, "last": 6});
    assert_eq!(said["record"]["covered_upto"], record["covered_upto"], "{said}");
    for patient in world.patients.clone() {
        let said = world.said_of(What::Person(vec![patient])).await;
        assert_eq!(said["findings"], json!([]), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sealed_opens_for_the_verifier_until_it_is_erased() {
    let world = World::with_history().await;
    let opened = |said: &serde_json::Value| said["record"]["opened"].as_i64().expect("a number");
    let before = opened(&world.said_of(What::Clinic).await);
    assert!(before > 3, "{before}");
    let destroy = format!(
        "UPDATE log.patient_key SET wrapped = NULL, destroyed_at = now() WHERE patient = '{}'",
        world.patients[0]
    );
    world.run(destroy).await;
    let said = world.said_of(What::Clinic).await;
    assert_eq!((opened(&said), &said["outcome"]), (before - 1, &json!("intact")));
}
