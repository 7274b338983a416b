//! What holds of broken glass, whoever breaks it, ends it and looks at it afterwards, and of codes at a login, in
//! whatever order.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use events::{DomainEvent, EmergencyAccessId, PatientId, Role, StaffEvent, StreamId, UserId};
use proptest::prelude::*;
use serde_json::json;

use super::{
    BreakGlass, DisableTotp, EnableTotp, EndEmergencyAccess, LockStaff, ResetTotp, ReviewEmergencyAccess, Staff,
    StaffCommand, UnlockStaff,
};
use crate::testing::{World, body, id};

/// Two nurses, and somebody who administers and reviews.
const NURSES: [u128; 2] = [2, 3];
const REVIEWER: u128 = 4;
const PATIENTS: [u128; 2] = [0xA1, 0xA2];
const STEPS_MAX: usize = 40;

#[derive(Clone, Debug)]
enum Step {
    Break { hours: i64, patient: usize },
    End(usize),
    Review(usize),
    Hours(i64),
}

/// Whose glass it is, and who acts.
fn steps() -> impl Strategy<Value = Vec<(usize, u128, Step)>> {
    let step = prop_oneof![
        3 => (1..=4_i64, 0..PATIENTS.len()).prop_map(|(hours, patient)| Step::Break { hours, patient }),
        2 => (0..3_usize).prop_map(Step::End),
        3 => (0..3_usize).prop_map(Step::Review),
        1 => (1..5_i64).prop_map(Step::Hours),
    ];
    let who = prop::sample::select(vec![NURSES[0], NURSES[1], REVIEWER]);
    prop::collection::vec((0..NURSES.len(), who, step), 1..STEPS_MAX)
}

fn command(world: &World, whose: UserId, step: &Step) -> Option<StaffCommand> {
    let broken = |n: usize| world.state::<Staff>(whose).and_then(|staff| staff.emergencies.keys().nth(n).copied());
    Some(match step {
        Step::Break { hours, patient } => {
            let patient: PatientId = id(PATIENTS[*patient]);
            BreakGlass {
                patient_id: patient,
                reason: events::staff::EmergencyReason::Other,
                text: "Unconscious, no history at hand.".parse().expect("a text"),
                hours: (*hours).try_into().expect("some hours"),
                proof: events::staff::Proof::Password,
            }
            .into()
        }
        Step::End(n) => EndEmergencyAccess { emergency_access_id: broken(*n)? }.into(),
        Step::Review(n) => {
            let review =
                json!({"emergency_access_id": broken(*n)?, "verdict": "justified", "text": "As it should be."});
            body::<ReviewEmergencyAccess>(review).into()
        }
        Step::Hours(_) => return None,
    })
}

/// What became of one access, told from the events alone.
#[derive(Clone, Copy, Debug)]
struct Told {
    expires: DateTime<Utc>,
    ended: bool,
    reviewed: bool,
}

#[derive(Default)]
struct Ledger(BTreeMap<(StreamId, EmergencyAccessId), Told>);

impl Ledger {
    /// Each is broken by oneself, ended once, before its time, by oneself or who administers, and reviewed once by somebody
    /// else, when it is over.
    fn take(&mut self, stream: StreamId, event: &StaffEvent, by: UserId, now: DateTime<Utc>) {
        let own = stream.id == by.0;
        match event {
            StaffEvent::EmergencyAccessGranted { access, expires, .. } => {
                let told = Told { expires: *expires, ended: false, reviewed: false };
                assert!(own && self.0.insert((stream, *access), told).is_none(), "broken by another");
            }
            StaffEvent::EmergencyAccessEnded { access, .. } => {
                let told = self.0.get_mut(&(stream, *access)).expect("it was broken");
                assert!(!told.ended && !told.reviewed && now < told.expires, "{told:?} ends");
                assert!(own || by == id(REVIEWER), "ended by another");
                told.ended = true;
            }
            StaffEvent::EmergencyAccessReviewed { access, .. } => {
                let told = self.0.get_mut(&(stream, *access)).expect("it was broken");
                assert!(!own && !told.reviewed && (told.ended || now >= told.expires), "{told:?} is reviewed");
                told.reviewed = true;
            }
            _ => {}
        }
    }
}

const LOGINS: [u128; 3] = [NURSES[0], NURSES[1], REVIEWER];

/// On whose login, by whom.
fn steps_of_codes() -> impl Strategy<Value = Vec<(usize, usize, StaffCommand)>> {
    let command = prop_oneof![
        4 => Just(EnableTotp {}.into()),
        2 => Just(DisableTotp {}.into()),
        3 => Just(ResetTotp {}.into()),
        1 => Just(LockStaff {}.into()),
        1 => Just(UnlockStaff {}.into()),
    ];
    prop::collection::vec((0..LOGINS.len(), 0..LOGINS.len(), command), 1..STEPS_MAX)
}

fn acts(world: &mut World, who: UserId) {
    let role = if who == id(REVIEWER) { Role::ClinicAdmin } else { Role::Nurse };
    world.acts(who, &[role]);
}

/// What the steps lead to is measured: see `crate::lives`.
pub(crate) const LIVES: &[fn()] = &[nobody_reviews_their_own_emergency, a_code_is_asked_for_by_whose_login_it_is];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn nobody_reviews_their_own_emergency(steps in steps()) {
        let mut world = World::registered();
        for nurse in NURSES {
            world.given_staff(nurse, &[Role::Nurse]);
        }
        world.given_staff(REVIEWER, &[Role::ClinicAdmin]);
        for patient in PATIENTS {
            world.given_patient(patient);
        }
        let mut ledger = Ledger::default();
        for (whose, who, step) in &steps {
            let (whose, who): (UserId, UserId) = (id(NURSES[*whose]), id(*who));
            acts(&mut world, who);
            if let Step::Hours(hours) = step {
                world.now += TimeDelta::hours(*hours);
            }
            let Some(command) = command(&world, whose, step) else { continue };
            // Refused or not: the rule holds either way.
            for event in world.when::<Staff>(whose, command).unwrap_or_default() {
                let DomainEvent::Staff(event) = event else { continue };
                ledger.take(whose.into(), &event, who, world.now);
            }
        }
    }

    #[test]
    fn a_code_is_asked_for_by_whose_login_it_is(steps in steps_of_codes()) {
        let mut world = World::registered();
        for nurse in NURSES {
            world.given_staff(nurse, &[Role::Nurse]);
        }
        world.given_staff(REVIEWER, &[Role::ClinicAdmin]);
        let mut asked: BTreeMap<UserId, bool> = LOGINS.map(|login| (id(login), false)).into();
        for (whose, who, command) in steps {
            let (whose, who): (UserId, UserId) = (id(LOGINS[whose]), id(LOGINS[who]));
            acts(&mut world, who);
            // One's own is taken off with a code alone, which is what disabling asks for.
            let is_reset = matches!(command, StaffCommand::ResetTotp(_));
            let in_use = world.state::<Staff>(whose).expect("a login").is_in_use();
            // Refused or not: the rule holds either way.
            for event in world.when::<Staff>(whose, command).unwrap_or_default() {
                match event {
                    DomainEvent::Staff(StaffEvent::TotpEnabled { .. }) => {
                        prop_assert!(whose == who && in_use, "set up by another, or for nobody");
                        prop_assert_eq!(asked.insert(whose, true), Some(false));
                    }
                    DomainEvent::Staff(StaffEvent::TotpDisabled { .. }) => {
                        let may = if is_reset { whose != who && who == id(REVIEWER) } else { whose == who };
                        prop_assert!(may, "{who} takes off the code of {whose}");
                        prop_assert_eq!(asked.insert(whose, false), Some(true));
                    }
                    _ => {}
                }
            }
            prop_assert_eq!(world.state::<Staff>(whose).expect("a login").totp, asked[&whose]);
        }
    }
}
