//! What holds of a clinic's trial and subscription, whatever is done to it in whatever order.

use chrono::TimeDelta;
use events::{Actor, ClinicEvent, DomainEvent, StreamId};
use proptest::prelude::*;
use serde_json::json;

use super::{Clinic, ClinicCommand, CloseClinic, ExpireClinic, ResumeClinic, SetLimits, SuspendClinic};
use crate::{
    Class,
    testing::{World, body},
};

#[derive(Clone, Debug)]
enum Step {
    /// Paid for so many days from now on.
    Pay(i64),
    ChangePlan(&'static str),
    Suspend,
    Resume,
    Close,
    Limits,
    /// The scheduler comes by.
    Expire,
    /// So many hours pass; fewer than none, where a clock is set back.
    Pass(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (-2..40_i64).prop_map(Step::Pay),
        1 => prop_oneof![Just("basic"), Just("premium")].prop_map(Step::ChangePlan),
        1 => Just(Step::Suspend),
        2 => Just(Step::Resume),
        1 => Just(Step::Limits),
        6 => Just(Step::Expire),
        6 => (-72..24 * 20_i64).prop_map(Step::Pass),
    ];
    // Closed, if at all, towards the end.
    (proptest::collection::vec(step, 1..60), any::<bool>(), 0..4_usize).prop_map(|(mut steps, closes, before)| {
        if closes {
            steps.insert(steps.len().saturating_sub(before), Step::Close);
        }
        steps
    })
}

fn command(step: &Step, world: &World) -> Option<ClinicCommand> {
    Some(match step {
        Step::Pay(days) => ClinicCommand::ActivateSubscription(body(json!({
            "plan": "basic", "paid_until": world.now + TimeDelta::days(*days)
        }))),
        Step::ChangePlan(plan) => ClinicCommand::ChangePlan(body(json!({"plan": plan}))),
        Step::Suspend => body::<SuspendClinic>(json!({"reason": "unpaid"})).into(),
        Step::Resume => ResumeClinic {}.into(),
        Step::Close => CloseClinic {}.into(),
        Step::Limits => body::<SetLimits>(json!({"limits": {"doctors": 7}})).into(),
        Step::Expire => ExpireClinic {}.into(),
        Step::Pass(_) => return None,
    })
}

/// Each end of a trial or of what was paid for is recorded at most once, and only once it has come.
fn check_ends(world: &World) {
    let (mut ends, mut recorded, mut closed) = (None, false, false);
    for (_, event) in &world.log {
        let DomainEvent::Clinic(event) = event else { continue };
        match event {
            ClinicEvent::ClinicRegistered { trial_ends_at, .. } => ends = Some(*trial_ends_at),
            ClinicEvent::SubscriptionActivated { paid_until, .. } => (ends, recorded) = (Some(*paid_until), false),
            ClinicEvent::TrialExpired { ended_at: end } | ClinicEvent::SubscriptionExpired { paid_until: end, .. } => {
                assert!(!recorded && !closed && ends == Some(*end), "{event:?} after {ends:?}");
                recorded = true;
            }
            ClinicEvent::ClinicClosed { .. } => closed = true,
            _ => {}
        }
    }
    let clinic = world.state::<Clinic>(world.clinic).expect("it was registered");
    assert_eq!((clinic.expired, Some(clinic.ends_at())), (recorded, ends));
    // Who may work, may do so because nothing is over: recorded or not.
    let over = recorded || closed || clinic.suspended || ends.is_some_and(|end| world.now >= end);
    assert_eq!(clinic.standing(world.now).is_err(), over);
}

/// What the steps lead to is measured: see `crate::lives`.
pub(crate) const LIVES: &[fn()] = &[an_end_is_recorded_once_and_replays];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn an_end_is_recorded_once_and_replays(steps in steps()) {
        let mut world = World::registered();
        for step in &steps {
            if let Step::Pass(hours) = step {
                world.now += TimeDelta::hours(*hours);
            }
            let Some(command) = command(step, &world) else { continue };
            let person = world.actor.clone();
            if matches!(step, Step::Expire) {
                world.actor = Actor::system();
            }
            let outcome = world.when::<Clinic>(world.clinic, command);
            world.actor = person;
            if let Err(refusal) = outcome {
                prop_assert!(refusal.class != Class::NotFound, "{refusal}");
            }
            check_ends(&world);
        }
        // What was decided follows from the beginning, as a new process reads it.
        let stream: StreamId = world.clinic.into();
        let mut replayed = None;
        for (_, event) in world.log.iter().filter(|(of, _)| *of == stream) {
            let DomainEvent::Clinic(event) = event else { continue };
            replayed = <Clinic as crate::Aggregate>::evolve(replayed, event);
            prop_assert!(replayed.is_some(), "{event:?} cannot follow");
        }
        prop_assert_eq!(replayed.as_ref(), world.state::<Clinic>(world.clinic));
    }
}
