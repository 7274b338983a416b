//! Ends of an appointment that nobody hoped for. Each gives the doctor's time back.

use chrono::TimeDelta;
use events::{
    AppointmentEvent, Role,
    appointment::{AppointmentReason, AppointmentStatus, CancelledBy},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Appointment, wrong_status};
use crate::{Context, Refusal, values::Reason};

/// Cancels an appointment that is not over.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelAppointment {
    #[serde(default)]
    pub reason: Option<Reason>,
    /// Who cancels: the clinic, unless it says the patient. Whoever cancels in the portal is the patient.
    #[serde(default)]
    pub by: Option<CancelledBy>,
}

/// Says that the patient did not come, or did not wait. Not before the clinic's grace time after the
/// start has passed; an import knows that it has.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkNoShow {}

/// Strikes an appointment out that should never have been entered. It stays on record.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterAppointmentInError {
    pub reason: Reason,
}

impl CancelAppointment {
    pub(super) fn decide(self, state: &Appointment, context: &Context<'_>) -> Result<AppointmentEvent, Refusal> {
        if state.status.is_final() {
            return Err(wrong_status(state, "cancelled"));
        }
        let by = if context.actor.has(Role::Patient) { Some(CancelledBy::Patient) } else { self.by };
        Ok(AppointmentEvent::AppointmentCancelled {
            slot: state.slot,
            was: state.status,
            by: by.unwrap_or(CancelledBy::Clinic),
            sealed: AppointmentReason { reason: self.reason.map(Into::into) }.into(),
        })
    }
}

impl MarkNoShow {
    pub(super) fn decide(self, state: &Appointment, context: &Context<'_>) -> Result<AppointmentEvent, Refusal> {
        if !matches!(state.status, AppointmentStatus::Booked | AppointmentStatus::Arrived) {
            return Err(wrong_status(state, "marked as a no-show"));
        }
        let grace = TimeDelta::minutes(context.in_clinic()?.settings.no_show_grace_minutes);
        let earliest = state.slot.start + grace;
        if context.now < earliest && !context.is_import() {
            let detail = "It is too early to say that the patient does not come.";
            return Err(Refusal::rule("too-early", detail).with("earliest", earliest.to_rfc3339()));
        }
        Ok(AppointmentEvent::AppointmentMarkedNoShow { slot: state.slot, was: state.status })
    }
}

impl EnterAppointmentInError {
    pub(super) fn decide(self, state: &Appointment) -> Result<AppointmentEvent, Refusal> {
        if state.status == AppointmentStatus::EnteredInError {
            return Err(wrong_status(state, "struck out again"));
        }
        Ok(AppointmentEvent::AppointmentEnteredInError {
            slot: state.slot,
            was: state.status,
            kind: state.kind,
            sealed: AppointmentReason { reason: Some(self.reason.into()) }.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use events::{ActorKind, DomainEvent};
    use serde_json::json;

    use super::{
        super::{
            AppointmentCommand, CheckIn, CompleteAppointment, ConfirmAppointment, RescheduleAppointment,
            StartAppointment, WaitlistAppointment,
            sample::{TEN, booking, code, desk, given_booked, status},
        },
        *,
    };
    use crate::testing::{World, at, body, id};

    /// An appointment that has come as far as the status.
    fn given(wanted: AppointmentStatus) -> World {
        let mut world = desk();
        world.given_settings(json!({"confirm_bookings": wanted == AppointmentStatus::Pending}));
        if wanted == AppointmentStatus::Waitlist {
            world.appointment(id(1), body::<WaitlistAppointment>(booking(json!({})))).unwrap();
        } else {
            given_booked(&mut world, 1, json!({}));
        }
        world.now = at("2026-03-02T04:45:00Z");
        let check_in = || CheckIn {}.into();
        let way: Vec<AppointmentCommand> = match wanted {
            AppointmentStatus::Pending | AppointmentStatus::Booked | AppointmentStatus::Waitlist => vec![],
            AppointmentStatus::Arrived => vec![check_in()],
            AppointmentStatus::CheckedIn => vec![check_in(), StartAppointment {}.into()],
            AppointmentStatus::Fulfilled => vec![check_in(), StartAppointment {}.into(), CompleteAppointment {}.into()],
            AppointmentStatus::Cancelled => vec![cancel()],
            AppointmentStatus::NoShow => vec![MarkNoShow {}.into()],
            AppointmentStatus::EnteredInError => vec![strike_out()],
        };
        for command in way {
            world.appointment(id(1), command).unwrap();
        }
        assert_eq!(status(&world, 1), wanted);
        world
    }

    fn cancel() -> AppointmentCommand {
        body::<CancelAppointment>(json!({"reason": "ill", "by": "patient"})).into()
    }

    fn strike_out() -> AppointmentCommand {
        body::<EnterAppointmentInError>(json!({"reason": "wrong patient"})).into()
    }

    /// Which status each command allows, and what comes of it.
    #[test]
    fn the_way_of_an_appointment_is_a_table() {
        use AppointmentStatus::{
            Arrived, Booked, Cancelled, CheckedIn, EnteredInError, Fulfilled, NoShow, Pending, Waitlist,
        };
        let later = body::<RescheduleAppointment>(json!({"start": "2026-03-02T08:30:00Z"}));
        let table: [(AppointmentCommand, &[(AppointmentStatus, AppointmentStatus)]); 8] = [
            (ConfirmAppointment {}.into(), &[(Pending, Booked)]),
            (later.into(), &[(Pending, Pending), (Booked, Booked), (Arrived, Booked), (Waitlist, Waitlist)]),
            (CheckIn {}.into(), &[(Booked, Arrived)]),
            (StartAppointment {}.into(), &[(Arrived, CheckedIn)]),
            (CompleteAppointment {}.into(), &[(CheckedIn, Fulfilled)]),
            (MarkNoShow {}.into(), &[(Booked, NoShow), (Arrived, NoShow)]),
            (
                cancel(),
                &[
                    (Pending, Cancelled),
                    (Booked, Cancelled),
                    (Arrived, Cancelled),
                    (CheckedIn, Cancelled),
                    (Waitlist, Cancelled),
                ],
            ),
            (
                strike_out(),
                &[
                    (Pending, EnteredInError),
                    (Booked, EnteredInError),
                    (Arrived, EnteredInError),
                    (CheckedIn, EnteredInError),
                    (Fulfilled, EnteredInError),
                    (Cancelled, EnteredInError),
                    (NoShow, EnteredInError),
                    (Waitlist, EnteredInError),
                ],
            ),
        ];
        let all = <AppointmentStatus as strum::VariantArray>::VARIANTS;
        for (command, ways) in table {
            for from in all {
                // From the waiting list a confirmation chooses the time anew: its own test.
                if *from == Waitlist && matches!(command, AppointmentCommand::Confirm(_)) {
                    continue;
                }
                let mut world = given(*from);
                let result = world.appointment(id(1), command.clone());
                match ways.iter().find(|(allowed, _)| allowed == from) {
                    Some((_, to)) => {
                        result.unwrap();
                        assert_eq!(status(&world, 1), *to, "{command:?} from {from}");
                        assert_eq!(world.times.len(), usize::from(to.holds_time()), "{command:?} from {from}");
                    }
                    None => assert_eq!(code(result), "wrong-status", "{command:?} from {from}"),
                }
            }
        }
    }

    #[test]
    fn a_no_show_is_known_after_the_grace_time_or_from_an_import() {
        let mut world = desk();
        given_booked(&mut world, 1, json!({}));
        world.now = at("2026-03-02T04:44:59Z");
        assert_eq!(code(world.appointment(id(1), MarkNoShow {})), "too-early");
        let mut import = world.clone();
        import.actor.kind = ActorKind::Import;
        import.appointment(id(1), MarkNoShow {}).unwrap();
        world.now = at("2026-03-02T04:45:00Z");
        world.appointment(id(1), MarkNoShow {}).unwrap();
    }

    #[test]
    fn the_clinic_says_how_long_the_grace_time_is() {
        let mut world = desk();
        world.given_settings(json!({"no_show_grace_minutes": 0}));
        given_booked(&mut world, 1, json!({}));
        world.now = at(TEN);
        world.appointment(id(1), MarkNoShow {}).unwrap();
    }

    #[test]
    fn the_clinic_cancels_unless_it_is_the_patient() {
        let cases = [
            (vec![], json!({}), CancelledBy::Clinic),
            (vec![Role::Receptionist], json!({"by": "patient"}), CancelledBy::Patient),
            (vec![Role::Patient], json!({}), CancelledBy::Patient),
            (vec![Role::Patient], json!({"by": "clinic"}), CancelledBy::Patient),
        ];
        for (roles, content, expected) in cases {
            let mut world = desk();
            given_booked(&mut world, 1, json!({}));
            world.actor.roles = roles;
            let events = world.appointment(id(1), body::<CancelAppointment>(content)).unwrap();
            let DomainEvent::Appointment(AppointmentEvent::AppointmentCancelled { by, .. }) = &events[0] else {
                panic!("a cancellation was recorded");
            };
            assert_eq!(*by, expected);
        }
    }
}
