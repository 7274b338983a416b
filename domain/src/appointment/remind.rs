//! Reminding the patient of an appointment. Whether somebody is reminded is decided here, when a reminder is found to be
//! due and again when it is written; what came of it is recorded.

use chrono::{DateTime, TimeDelta, Utc};
use events::{
    AppointmentEvent, PatientId,
    appointment::{AppointmentStatus, ReminderChannel, ReminderFailure},
    patient::ConsentScope,
};

use super::{Appointment, wrong_status};
use crate::{Clinic, Context, Facts, Read, Refusal, patient::Group};

/// Of which start, and how long before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reminding {
    pub for_start: DateTime<Utc>,
    pub hours_before: i64,
}

/// What came of a reminder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReminderOutcome {
    Sent,
    Failed(ReminderFailure),
}

/// What came of a reminder, by the program alone. It is said once, however often it is told; only that one was sent is
/// said after that it failed.
#[derive(Clone, Debug)]
pub struct RecordReminder {
    pub reminding: Reminding,
    pub outcome: ReminderOutcome,
}

impl RecordReminder {
    /// What [`Appointment::may_be_reminded`] rests on.
    pub(super) fn reads(state: &Appointment, facts: &Facts) -> Vec<Read> {
        Group::reads(state.slot.patient, facts)
    }

    /// `None`: it is said already.
    pub(super) fn decide(self, state: &Appointment) -> Option<AppointmentEvent> {
        let Reminding { for_start, hours_before } = self.reminding;
        let (slot, was, channel) = (state.slot, state.status, ReminderChannel::Email);
        match (self.outcome, state.reminders.get(&self.reminding)) {
            (_, Some(ReminderOutcome::Sent)) | (ReminderOutcome::Failed(_), Some(_)) => None,
            (ReminderOutcome::Sent, _) => {
                Some(AppointmentEvent::ReminderSent { slot, was, channel, for_start, hours_before })
            }
            (ReminderOutcome::Failed(failure), None) => {
                Some(AppointmentEvent::ReminderFailed { slot, was, channel, for_start, hours_before, failure })
            }
        }
    }
}

impl Appointment {
    /// The reminder for which it is time now: of several whose time has come, the one nearest to the start.
    pub fn due_reminder(&self, clinic: &Clinic, now: DateTime<Utc>) -> Option<Reminding> {
        let for_start = self.slot.start;
        let hours = clinic.settings.reminders.hours_before.iter().copied();
        let hours_before = hours.filter(|hours| for_start - TimeDelta::hours(*hours) <= now).min()?;
        (now < for_start).then_some(Reminding { for_start, hours_before })
    }

    /// Who is to be reminded, by the id under which the person's contacts are kept; or why nobody is.
    pub fn may_be_reminded(
        &self,
        reminding: Reminding,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<PatientId, Refusal> {
        match self.status {
            AppointmentStatus::Pending | AppointmentStatus::Booked => {}
            AppointmentStatus::Arrived
            | AppointmentStatus::CheckedIn
            | AppointmentStatus::Fulfilled
            | AppointmentStatus::Cancelled
            | AppointmentStatus::NoShow
            | AppointmentStatus::EnteredInError
            | AppointmentStatus::Waitlist => return Err(wrong_status(self, "reminded of")),
        }
        let clinic = context.in_clinic()?;
        clinic.standing(context.now)?;
        let is_asked_for = clinic.settings.reminders.hours_before.contains(&reminding.hours_before);
        if !is_asked_for || reminding.for_start != self.slot.start || context.now >= self.slot.start {
            return Err(Refusal::rule("not-due", "There is nothing to remind of at this time."));
        }
        if self.reminders.get(&reminding) == Some(&ReminderOutcome::Sent) {
            return Err(Refusal::rule("reminded", "The patient was reminded already."));
        }
        let person = Group::find(self.slot.patient, facts)?;
        person.may_come()?;
        match person.members().any(|(_, member)| member.objections.contains(&ConsentScope::Reminders)) {
            true => Err(Refusal::rule("objection", "The patient has withdrawn the consent to reminders.")),
            false => Ok(person.survivor().0),
        }
    }
}

#[cfg(test)]
mod tests {
    use events::{
        AppointmentId, DomainEvent, PatientEvent, Sealed,
        patient::{ConsentText, PatientStatus},
    };
    use serde_json::json;

    use super::{
        super::{
            CancelAppointment, RescheduleAppointment,
            sample::{PATIENT, TEN, desk, given_booked, state},
        },
        *,
    };
    use crate::testing::{World, at, body, id};

    fn reminding(hours_before: i64) -> Reminding {
        Reminding { for_start: at(TEN), hours_before }
    }

    /// With an appointment at ten, of which the clinic reminds a day and an hour before.
    fn given() -> World {
        let mut world = desk();
        world.given_settings(json!({"reminders": {"hours_before": [24, 1]}}));
        given_booked(&mut world, 1, json!({}));
        world
    }

    fn may(world: &World, reminding: Reminding) -> Result<PatientId, &'static str> {
        let facts = world.facts(RecordReminder::reads(state(world, 1), &Facts::default()));
        let context = world.context(id::<AppointmentId>(1).into());
        state(world, 1).may_be_reminded(reminding, &facts, &context).map_err(|refusal| refusal.code)
    }

    fn record(world: &mut World, hours_before: i64, outcome: ReminderOutcome) -> Vec<&'static str> {
        let record = RecordReminder { reminding: reminding(hours_before), outcome };
        let events = world.appointment(id(1), record).unwrap();
        events.iter().map(DomainEvent::event_type).collect()
    }

    #[test]
    fn the_nearest_reminder_whose_time_has_come_is_due_until_the_start() {
        let world = given();
        let due = |now: &str| {
            let clinic = world.state::<Clinic>(world.clinic).unwrap();
            state(&world, 1).due_reminder(clinic, at(now)).map(|due| due.hours_before)
        };
        assert_eq!(due("2026-03-01T04:29:59Z"), None);
        assert_eq!(due("2026-03-01T04:30:00Z"), Some(24));
        assert_eq!(due("2026-03-02T03:30:00Z"), Some(1));
        assert_eq!(due(TEN), None);
    }

    #[test]
    fn each_reminder_is_recorded_once_and_a_new_start_is_reminded_of_anew() {
        let mut world = given();
        assert_eq!(may(&world, reminding(24)), Ok(id(PATIENT)));
        assert_eq!(record(&mut world, 24, ReminderOutcome::Sent), ["ReminderSent"]);
        assert_eq!(record(&mut world, 24, ReminderOutcome::Sent), [""; 0]);
        assert_eq!(record(&mut world, 24, ReminderOutcome::Failed(ReminderFailure::TooLate)), [""; 0]);
        assert_eq!(may(&world, reminding(24)), Err("reminded"));
        let failed = ReminderOutcome::Failed(ReminderFailure::Refused);
        assert_eq!(record(&mut world, 1, failed), ["ReminderFailed"]);
        assert_eq!(record(&mut world, 1, failed), [""; 0]);
        assert_eq!(record(&mut world, 1, ReminderOutcome::Sent), ["ReminderSent"], "somebody had it tried again");
        let later = at("2026-03-02T05:30:00Z");
        world.appointment(id(1), body::<RescheduleAppointment>(json!({"start": later}))).unwrap();
        assert_eq!(may(&world, reminding(24)), Err("not-due"));
        assert_eq!(may(&world, Reminding { for_start: later, hours_before: 24 }), Ok(id(PATIENT)));
    }

    #[test]
    fn nobody_is_reminded_who_does_not_come_or_does_not_want_it() {
        assert_eq!(may(&given(), reminding(5)), Err("not-due"));
        let mut late = given();
        late.now = at(TEN);
        assert_eq!(may(&late, reminding(1)), Err("not-due"));
        let mut cancelled = given();
        cancelled.appointment(id(1), body::<CancelAppointment>(json!({}))).unwrap();
        assert_eq!(may(&cancelled, reminding(24)), Err("wrong-status"));
        assert_eq!(record(&mut cancelled, 24, ReminderOutcome::Sent), ["ReminderSent"], "what has happened is told");
        let mut died = given();
        let death = PatientEvent::DeathRecorded { was: PatientStatus::Active, sealed: Sealed::Erased };
        died.given(id::<PatientId>(PATIENT), death);
        assert_eq!(may(&died, reminding(24)), Err("patient-deceased"));
        let mut objects = given();
        let (patient, consent, scope) = (id::<PatientId>(PATIENT), id(7), ConsentScope::Reminders);
        let given_consent = PatientEvent::ConsentGiven { consent, scope, sealed: ConsentText { text: None }.into() };
        objects.given(patient, given_consent.clone());
        assert_eq!(may(&objects, reminding(24)), Ok(patient));
        objects.given(patient, PatientEvent::ConsentWithdrawn { consent, scope, sealed: Sealed::Erased });
        assert_eq!(may(&objects, reminding(24)), Err("objection"));
        objects.given(patient, given_consent);
        assert_eq!(may(&objects, reminding(24)), Ok(patient));
    }
}
