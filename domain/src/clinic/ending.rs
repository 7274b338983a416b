//! What holds of a clinic's settings, closures, holds, grants and its end, whatever is done, in whatever order.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use events::{AuditorGrantId, ClinicEvent, DomainEvent, Role, StreamId, UserId};
use proptest::prelude::*;
use serde_json::json;

use super::{Clinic, ClinicCommand, CloseClinic, ResumeClinic, ShredClinic};
use crate::{
    Refusal,
    testing::{World, body, id},
};

const AUDITOR: u128 = 2;
const NURSE: u128 = 3;
const STEPS_MAX: usize = 50;

/// A command that may name what the clinic has by now, or years that pass.
#[derive(Clone, Debug)]
enum Step {
    Retain(i64),
    Close(u8),
    CancelClosure,
    Hold,
    LiftHold,
    Grant(u128),
    RevokeGrant,
    Ends(u8),
    Years(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..12_i64).prop_map(Step::Retain),
        2 => (4..9_u8).prop_map(Step::Close),
        1 => Just(Step::CancelClosure),
        1 => Just(Step::Hold),
        2 => Just(Step::LiftHold),
        2 => prop_oneof![3 => Just(AUDITOR), 1 => Just(NURSE)].prop_map(Step::Grant),
        1 => Just(Step::RevokeGrant),
        6 => (0..5_u8).prop_map(Step::Ends),
        3 => (1..30_i64).prop_map(Step::Years),
    ]
}

fn command(world: &World, step: &Step) -> Option<ClinicCommand> {
    let clinic = world.state::<Clinic>(world.clinic).expect("a clinic");
    Some(match step {
        Step::Retain(years) => {
            let retention = json!({"clinical_years": years, "audit_years": years, "disclosure_years": years});
            ClinicCommand::UpdateSettings(body(json!({"retention": retention})))
        }
        Step::Close(day) => {
            ClinicCommand::DeclareClosure(body(json!({"from": format!("2026-03-{day:02}"), "reason": "Holi"})))
        }
        Step::CancelClosure => {
            let closure = clinic.closures.first()?.id;
            ClinicCommand::CancelClosure(body(json!({"closure_id": closure})))
        }
        Step::Hold => ClinicCommand::PlaceLegalHold(body(json!({"reason": "a complaint"}))),
        Step::LiftHold => {
            let hold = clinic.holds.keys().next()?;
            ClinicCommand::LiftLegalHold(body(json!({"hold_id": hold, "reason": "settled"})))
        }
        Step::Grant(auditor) => {
            let (from, expires) = (world.now - TimeDelta::days(30), world.now + TimeDelta::days(7));
            let grant = json!({
                "auditor_id": id::<UserId>(*auditor), "scope": ["notes"], "from": from, "to": world.now,
                "expires": expires
            });
            ClinicCommand::GrantAuditor(body(grant))
        }
        Step::RevokeGrant => {
            let grant: &AuditorGrantId = clinic.auditor_grants.keys().next()?;
            ClinicCommand::RevokeAuditorGrant(body(json!({"auditor_grant_id": grant})))
        }
        Step::Ends(0) => ClinicCommand::Suspend(body(json!({"reason": "unpaid"}))),
        Step::Ends(1) => ResumeClinic {}.into(),
        Step::Ends(2) => CloseClinic {}.into(),
        Step::Ends(_) => ShredClinic {}.into(),
        Step::Years(_) => return None,
    })
}

fn take(world: &mut World, step: &Step) -> Result<(), Refusal> {
    if let Step::Years(years) = step {
        world.now += TimeDelta::days(366 * years);
    }
    // A hold is lifted by somebody else than who placed it.
    let user = if matches!(step, Step::LiftHold) { id(0xAD) } else { world.admin() };
    world.acts(user, &[Role::ClinicAdmin]);
    match command(world, step) {
        Some(command) => world.when::<Clinic>(world.clinic, command).map(drop),
        None => Ok(()),
    }
}

/// Its end is for good, and its keys outlast its retention and every hold.
fn check_end(before: &World, after: &World) {
    let of = |world: &World| world.state::<Clinic>(world.clinic).expect("a clinic").clone();
    let (was, is) = (of(before), of(after));
    let shredded = |clinic: &Clinic| clinic.closed.is_some_and(|closed| closed.shredded);
    if let Some(closed) = was.closed {
        let still = is.closed.expect("a closed clinic stays closed");
        assert_eq!(closed.retention_until, still.retention_until);
    }
    if shredded(&is) && !shredded(&was) {
        assert!(was.holds.is_empty(), "somebody holds it");
        assert!(was.closed.is_some_and(|closed| closed.retention_until <= after.now), "it is kept still");
    }
}

/// Whoever was granted anything was an auditor; what is revoked was granted.
fn check_grants(world: &World) {
    let mut granted = BTreeSet::new();
    for (stream, event) in &world.log {
        match event {
            DomainEvent::Clinic(ClinicEvent::AuditorGranted { grant }) => {
                assert_eq!((*stream, grant.auditor), (StreamId::from(world.clinic), id(AUDITOR)));
                granted.insert(grant.id);
            }
            DomainEvent::Clinic(ClinicEvent::AuditorGrantRevoked { grant, .. }) => assert!(granted.remove(grant)),
            _ => {}
        }
    }
    let known: BTreeSet<_> =
        world.state::<Clinic>(world.clinic).expect("a clinic").auditor_grants.keys().copied().collect();
    assert_eq!(known, granted);
}

/// What the steps lead to is measured: see `crate::lives`.
pub(crate) const LIVES: &[fn()] = &[the_end_of_a_clinic_is_for_good];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn the_end_of_a_clinic_is_for_good(steps in prop::collection::vec(step(), 1..STEPS_MAX)) {
        let mut world = World::registered();
        world.given_staff(AUDITOR, &[Role::Auditor]);
        world.given_staff(NURSE, &[Role::Nurse]);
        for step in &steps {
            let before = world.clone();
            if take(&mut world, step).is_err() {
                prop_assert_eq!(world.log.len(), before.log.len(), "a refused command leaves no event");
            }
            check_end(&before, &world);
        }
        check_grants(&world);
    }
}
