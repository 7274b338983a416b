//! An honest bundle raises no alarm.

use proptest::prelude::*;
use serde_json::json;

use crate::{
    files::Files,
    python::Bench,
    world::{Step, World, patient},
};

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..4_u8).prop_map(Step::Event),
        3 => Just(Step::Access),
        2 => Just(Step::Elsewhere),
        3 => Just(Step::Checkpoint),
        1 => Just(Step::Rotation),
    ];
    proptest::collection::vec(step, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn an_honest_bundle_is_intact(steps in steps(), from in 2..20_usize, after in 0..4_u8) {
        let mut world = World::after(&steps);
        // What nobody has signed yet.
        (0..after).for_each(|n| world.take(Step::Event(n)));
        let mut bench = Bench::of(&world);
        bench.add(&Files::of_clinic(&world, 1));
        bench.add(&Files::of_clinic(&world, from));
        bench.add(&Files::of_patients(&world, &[patient(0)]));
        let known: Vec<_> = (0..4).map(patient).filter(|id| world.ours[0].iter().any(|row| row.patient == Some(*id))).collect();
        bench.add(&Files::of_patients(&world, &known));
        for said in bench.verify().into_iter().flatten() {
            prop_assert_eq!(&said["outcome"], &json!("intact"), "{}", said);
            prop_assert_eq!(&said["findings"], &json!([]));
        }
    }
}

#[test]
fn a_verdict_says_how_far_it_reaches() {
    let mut world = World::after(&[Step::Event(1), Step::Event(2), Step::Access]);
    world.take(Step::Event(3));
    let mut bench = Bench::of(&world);
    bench.add(&Files::of_clinic(&world, 1));
    let [alone, anchored] = bench.verify().remove(0);
    let record = json!({"rows": 4, "withheld": 0, "opened": 1, "covered_upto": 3, "last": 4});
    assert_eq!((&alone["record"], &alone["anchors_compared"]), (&record, &json!(null)));
    assert_eq!((&anchored["record"], &anchored["anchors_compared"]), (&record, &json!(1)));
}
