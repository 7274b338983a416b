//! Ends of a prescription. None of them changes what was prescribed.

use events::{
    ActorKind, PrescriptionEvent, Sealed,
    prescription::{PrescriptionReason, PrescriptionStatus, StatusReason},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::case::Case;
use crate::{Decision, Refusal, values::Reason};

/// Ends a prescription before its time.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StopPrescription {
    pub reason: StatusReason,
    #[serde(default)]
    pub text: Option<Reason>,
}

/// Withdraws a draft, or a prescription of which nothing was handed out.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelPrescription {
    pub reason: StatusReason,
    #[serde(default)]
    pub text: Option<Reason>,
}

/// Says that the course is over, as it was meant to be.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompletePrescription {}

/// Ends a prescription whose last day has passed: completed, where all of it was handed out. Only the program itself
/// does so.
#[derive(Clone, Debug)]
pub struct ExpirePrescription {}

/// Strikes a prescription out that should never have been entered. It stays on record.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterPrescriptionInError {
    pub reason: Reason,
}

/// A reason's words, sealed.
pub(super) fn sealed(text: Option<Reason>) -> Sealed<PrescriptionReason> {
    PrescriptionReason { text: text.map(Into::into) }.into()
}

impl StopPrescription {
    pub(super) fn decide(self, case: &Case<'_>) -> Result<Decision, Refusal> {
        let was = case.prescription.status;
        if !was.is_current() {
            return Err(case.wrong_status("stopped"));
        }
        let (patient, reason, sealed) = (case.patient(), self.reason, sealed(self.text));
        case.record(PrescriptionEvent::PrescriptionStopped { patient, was, reason, sealed })
    }
}

impl CancelPrescription {
    pub(super) fn decide(self, case: &Case<'_>) -> Result<Decision, Refusal> {
        let was = case.prescription.status;
        if !(case.prescription.is_draft() || was.is_current()) {
            return Err(case.wrong_status("cancelled"));
        }
        if !case.prescription.nothing_dispensed() {
            let detail = "Something of it was handed out already: stop it instead.";
            return Err(Refusal::conflict("already-dispensed", detail));
        }
        let (patient, reason, sealed) = (case.patient(), self.reason, sealed(self.text));
        case.record(PrescriptionEvent::PrescriptionCancelled { patient, was, reason, sealed })
    }
}

impl CompletePrescription {
    pub(super) fn decide(self, case: &Case<'_>) -> Result<Decision, Refusal> {
        let was = case.prescription.status;
        match was {
            PrescriptionStatus::Active => {
                case.record(PrescriptionEvent::PrescriptionCompleted { patient: case.patient(), was })
            }
            _ => Err(case.wrong_status("completed")),
        }
    }
}

impl ExpirePrescription {
    pub(super) fn decide(self, case: &Case<'_>) -> Result<Decision, Refusal> {
        if case.context.actor.kind != ActorKind::System {
            return Err(Refusal::forbidden("system-only", "A prescription expires by itself."));
        }
        let was = case.prescription.status;
        if !was.is_current() {
            return Ok(Decision::already_so());
        }
        if case.prescription.expires_at.is_some_and(|end| case.context.now < end) {
            return Err(Refusal::rule("too-early", "The prescription's last day has not passed."));
        }
        let patient = case.patient();
        case.record(match case.prescription.is_exhausted() {
            true => PrescriptionEvent::PrescriptionCompleted { patient, was },
            false => PrescriptionEvent::PrescriptionExpired { patient, was },
        })
    }
}

impl EnterPrescriptionInError {
    pub(super) fn decide(self, case: &Case<'_>) -> Result<Decision, Refusal> {
        let was = case.prescription.status;
        if was == PrescriptionStatus::EnteredInError {
            return Err(case.wrong_status("struck out again"));
        }
        let (patient, sealed) = (case.patient(), sealed(Some(self.reason)));
        case.record(PrescriptionEvent::PrescriptionEnteredInError { patient, was, sealed })
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use events::Actor;
    use serde_json::json;

    use super::{
        super::{
            AuthoriseRefill, DispensePrescription, HoldPrescription, IssuePrescription, PrescriptionCommand,
            PrintPrescription, ReleasePrescription, RemovePrescriptionItem, ReplacePrescription, UseRefill,
            sample::{AMOXICILLIN, code, give, given_draft, given_issued, line, room, status},
        },
        *,
    };
    use crate::testing::{World, body};

    fn stop() -> PrescriptionCommand {
        body::<StopPrescription>(json!({"reason": "adverse_reaction", "text": "a rash"})).into()
    }

    fn cancel() -> PrescriptionCommand {
        body::<CancelPrescription>(json!({"reason": "no_longer_needed"})).into()
    }

    fn hold() -> PrescriptionCommand {
        body::<HoldPrescription>(json!({"reason": "procedure"})).into()
    }

    fn strike_out() -> PrescriptionCommand {
        body::<EnterPrescriptionInError>(json!({"reason": "another patient's"})).into()
    }

    /// A prescription that has come as far as the status.
    fn given(wanted: PrescriptionStatus) -> World {
        use PrescriptionStatus as Is;
        let mut world = room();
        match wanted {
            Is::Draft => drop(given_draft(&mut world, 1, &[AMOXICILLIN])),
            _ => drop(given_issued(&mut world, 1, &[AMOXICILLIN])),
        }
        let way: Vec<PrescriptionCommand> = match wanted {
            Is::Draft | Is::Active => vec![],
            Is::OnHold => vec![hold()],
            Is::Completed => vec![CompletePrescription {}.into()],
            Is::Stopped => vec![stop()],
            Is::Cancelled => vec![cancel()],
            Is::EnteredInError => vec![strike_out()],
            Is::Expired => {
                expire(&mut world).unwrap();
                vec![]
            }
        };
        for command in way {
            give(&mut world, 1, command).unwrap();
        }
        assert_eq!(status(&world, 1), wanted);
        world
    }

    /// The program says that time has passed; the doctor goes on as before.
    fn expire(world: &mut World) -> Result<usize, &'static str> {
        let (actor, now) = (std::mem::replace(&mut world.actor, Actor::system()), world.now);
        world.now += TimeDelta::days(31);
        let expired = give(world, 1, ExpirePrescription {});
        (world.actor, world.now) = (actor, now);
        expired.map(|events| events.len()).map_err(|refusal| refusal.code)
    }

    /// Which status each command allows, and what comes of it.
    #[test]
    fn the_way_of_a_prescription_is_a_table() {
        use PrescriptionStatus::{Active, Cancelled, Completed, Draft, EnteredInError, Expired, OnHold, Stopped};
        let table: [(PrescriptionCommand, &[(PrescriptionStatus, PrescriptionStatus)]); 11] = [
            (body::<IssuePrescription>(json!({})).into(), &[(Draft, Active)]),
            (hold(), &[(Active, OnHold)]),
            (ReleasePrescription {}.into(), &[(OnHold, Active)]),
            (stop(), &[(Active, Stopped), (OnHold, Stopped)]),
            (cancel(), &[(Draft, Cancelled), (Active, Cancelled), (OnHold, Cancelled)]),
            (CompletePrescription {}.into(), &[(Active, Completed)]),
            (body::<ReplacePrescription>(json!({})).into(), &[(Active, Active), (OnHold, OnHold)]),
            (body::<AuthoriseRefill>(json!({"refills": 1})).into(), &[(Active, Active), (OnHold, OnHold)]),
            (UseRefill {}.into(), &[]),
            (
                PrintPrescription {}.into(),
                &[(Active, Active), (OnHold, OnHold), (Completed, Completed), (Stopped, Stopped), (Expired, Expired)],
            ),
            (
                strike_out(),
                &[
                    (Draft, EnteredInError),
                    (Active, EnteredInError),
                    (OnHold, EnteredInError),
                    (Completed, EnteredInError),
                    (Stopped, EnteredInError),
                    (Cancelled, EnteredInError),
                    (Expired, EnteredInError),
                ],
            ),
        ];
        for (command, ways) in table {
            for from in <PrescriptionStatus as strum::VariantArray>::VARIANTS {
                let mut world = given(*from);
                let result = give(&mut world, 1, command.clone());
                match ways.iter().find(|(allowed, _)| allowed == from) {
                    Some((_, to)) => {
                        result.unwrap();
                        assert_eq!(status(&world, 1), *to, "{command:?} from {from}");
                    }
                    None => {
                        let refused = code(result);
                        let expected = matches!(refused, "wrong-status" | "no-refill-left");
                        assert!(expected, "{command:?} from {from}: {refused}");
                    }
                }
            }
        }
    }

    #[test]
    fn no_command_writes_at_what_was_issued() {
        for from in <PrescriptionStatus as strum::VariantArray>::VARIANTS {
            if *from == PrescriptionStatus::Draft {
                continue;
            }
            let mut world = given(*from);
            let remove = RemovePrescriptionItem { item_id: line(&world, 1, 0) };
            assert_eq!(code(give(&mut world, 1, remove)), "wrong-status", "{from}");
        }
    }

    fn dispense(world: &mut World, value: i64) {
        let quantity = json!({"value": value, "unit": "{tablet}"});
        let content = json!({"item_id": line(world, 1, 0), "quantity": quantity});
        give(world, 1, body::<DispensePrescription>(content)).unwrap();
    }

    #[test]
    fn what_was_handed_out_is_stopped_not_withdrawn() {
        let mut world = given(PrescriptionStatus::Active);
        dispense(&mut world, 1);
        assert_eq!(code(give(&mut world, 1, cancel())), "already-dispensed");
        give(&mut world, 1, stop()).unwrap();
    }

    #[test]
    fn time_completes_what_was_handed_out_and_ends_the_rest() {
        for (tablets, expected) in [(9, PrescriptionStatus::Expired), (10, PrescriptionStatus::Completed)] {
            let mut world = given(PrescriptionStatus::Active);
            dispense(&mut world, tablets);
            assert_eq!(code(give(&mut world, 1, ExpirePrescription {})), "system-only");
            assert_eq!(expire(&mut world), Ok(1));
            assert_eq!(status(&world, 1), expected);
            assert_eq!(expire(&mut world), Ok(0), "once is enough");
        }
    }

    #[test]
    fn nothing_expires_before_its_time() {
        let mut world = given(PrescriptionStatus::Active);
        world.actor = Actor::system();
        assert_eq!(code(give(&mut world, 1, ExpirePrescription {})), "too-early");
    }
}
