//! What somebody wishes for (whom to see, where and when), and whether it can be had.

use chrono::{DateTime, Months, TimeDelta, Timelike, Utc};
use events::{
    DoctorId, OfficeId, PatientId,
    appointment::{AppointmentKind, Slot},
    calendar::{DEFAULT_SLOT_MINUTES, WorkingHours, day_of},
    values::Span,
};

use super::lanes::Lanes;
use crate::{Clinic, Context, Doctor, Facts, Read, Refusal, doctor::who_works_in, patient::Group};

const MAX_MONTHS_AHEAD: Months = Months::new(12);
/// Whoever stands at the desk came a moment ago.
const WALK_IN_TOLERANCE: TimeDelta = TimeDelta::minutes(15);

/// How the time is to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In one of the lanes that the clinic's policy opens.
    Booked,
    /// In a further lane if need be.
    Overbooked,
    /// Not yet at all.
    Waiting,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    pub patient: PatientId,
    pub doctor: DoctorId,
    pub office: OfficeId,
    pub start: DateTime<Utc>,
    /// `None`: the length of the doctor's slots.
    pub minutes: Option<i64>,
    pub kind: AppointmentKind,
    pub place: Place,
}

impl Wish {
    /// A wish for the time that an appointment has.
    pub(super) fn for_slot(slot: &Slot, kind: AppointmentKind, place: Place) -> Self {
        let Slot { patient, doctor, office, start, minutes, .. } = *slot;
        Self { patient, doctor, office, start, minutes: Some(minutes), kind, place }
    }

    pub(super) fn reads(&self, facts: &Facts) -> Vec<Read> {
        let mut reads = vec![Read::Stream(self.doctor.into())];
        reads.extend(Group::reads(self.patient, facts));
        reads.extend(facts.clinic().and_then(|clinic| Lanes::read(self, clinic, facts.contended)));
        reads
    }

    /// The slot, in a lane that is free as far as is known.
    pub(super) fn grant(&self, facts: &Facts, context: &Context<'_>) -> Result<Slot, Refusal> {
        let clinic = context.in_clinic()?;
        let doctor = self.find_doctor(clinic, facts)?;
        self.check_patient(facts)?;
        self.check_when(context)?;
        let start = self.start();
        let minutes = self.minutes.unwrap_or_else(|| slot_minutes_at(doctor, clinic, self.office, start));
        let visit = Span { from: start, to: start + TimeDelta::minutes(minutes) };
        let hours = self.check_hours(doctor, clinic, &visit)?;
        let slot = Slot {
            patient: self.patient,
            doctor: self.doctor,
            office: self.office,
            start,
            day: day_of(start, clinic.zone()),
            minutes,
            buffer_minutes: hours.buffer_minutes,
            lane: 0,
        };
        let lane = Lanes::of(self, clinic, facts, context).choose(&slot, doctor)?;
        Ok(Slot { lane, ..slot })
    }

    /// Cut to the whole minute.
    fn start(&self) -> DateTime<Utc> {
        self.start.with_second(0).and_then(|start| start.with_nanosecond(0)).unwrap_or(self.start)
    }

    fn find_doctor<'f>(&self, clinic: &Clinic, facts: &'f Facts) -> Result<&'f Doctor, Refusal> {
        clinic.open_office(self.office).map_err(|refusal| refusal.at("/office_id"))?;
        who_works_in(self.doctor, self.office, facts).map_err(|refusal| match refusal.code {
            "doctor-not-in-office" => refusal.at("/office_id"),
            _ => refusal.at("/doctor_id"),
        })
    }

    fn check_patient(&self, facts: &Facts) -> Result<(), Refusal> {
        let group = Group::known(self.patient, facts).ok_or_else(|| Refusal::not_found("patient"));
        group.and_then(|group| group.may_come()).map_err(|refusal| refusal.at("/patient_id"))
    }

    fn check_when(&self, context: &Context<'_>) -> Result<(), Refusal> {
        let tolerance = match self.kind {
            AppointmentKind::WalkIn | AppointmentKind::Emergency => WALK_IN_TOLERANCE,
            AppointmentKind::Routine | AppointmentKind::CheckUp | AppointmentKind::FollowUp => TimeDelta::zero(),
        };
        if self.start + tolerance < context.now && !context.is_import() {
            return Err(Refusal::rule("in-the-past", "An appointment begins in the future.").at("/start"));
        }
        let last = context.now.checked_add_months(MAX_MONTHS_AHEAD).unwrap_or(context.now);
        if self.start > last {
            let detail = "An appointment begins within a year from now.";
            return Err(Refusal::rule("too-far-ahead", detail).at("/start"));
        }
        Ok(())
    }

    /// The working hours that the visit lies in.
    fn check_hours(&self, doctor: &Doctor, clinic: &Clinic, visit: &Span) -> Result<WorkingHours, Refusal> {
        if clinic.closure_over(self.office, visit).is_some() {
            return Err(Refusal::rule("office-closed", "The office is closed then.").at("/start"));
        }
        if doctor.leave_overlapping(visit).is_some() {
            return Err(Refusal::rule("doctor-on-leave", "The doctor is on leave then.").at("/start"));
        }
        doctor.hours_over(clinic, self.office, visit).ok_or_else(|| {
            Refusal::rule("outside-working-hours", "The doctor does not work in this office then.").at("/start")
        })
    }
}

/// The length of the doctor's slots at that time.
fn slot_minutes_at(doctor: &Doctor, clinic: &Clinic, office: OfficeId, start: DateTime<Utc>) -> i64 {
    let moment = Span { from: start, to: start };
    doctor.hours_over(clinic, office, &moment).map_or(DEFAULT_SLOT_MINUTES, |hours| hours.slot_minutes)
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;
    use events::{ActorKind, ClinicEvent, DoctorEvent, Sealed, clinic::Closure};
    use serde_json::{Value, json};

    use super::super::sample::{DOCTOR, PATIENT, book, code, desk, state};
    use crate::{
        Class,
        patient::{DeactivatePatient, RecordDeath},
        testing::{World, at, body, id},
    };

    fn refused(world: &mut World, others: Value) -> (&'static str, Option<&'static str>) {
        let refusal = book(world, 1, others).unwrap_err();
        (refusal.code, refusal.pointer)
    }

    #[test]
    fn whoever_and_whatever_is_named_exists() {
        let nobody = uuid::Uuid::from_u128(0xBAD);
        for field in ["patient_id", "doctor_id", "office_id"] {
            let refusal = book(&mut desk(), 1, json!({ field: nobody })).unwrap_err();
            assert_eq!(refusal.class, Class::NotFound);
            assert_eq!(refusal.pointer.unwrap().strip_prefix('/'), Some(field));
        }
    }

    #[test]
    fn a_visit_lies_inside_the_hours() {
        let cases = [
            ("2026-03-02T03:29:00Z", 15, false),
            ("2026-03-02T03:30:00Z", 15, true),
            ("2026-03-02T12:15:00Z", 15, true),
            ("2026-03-02T12:15:00Z", 20, false),
            ("2026-03-08T05:00:00Z", 15, false),
        ];
        for (start, minutes, inside) in cases {
            let result = book(&mut desk(), 1, json!({"start": start, "minutes": minutes}));
            assert_eq!(result.is_ok(), inside, "{start}");
            let expected = if inside { None } else { Some("outside-working-hours") };
            assert_eq!(result.err().map(|refusal| refusal.code), expected);
        }
    }

    #[test]
    fn a_doctors_own_hours_say_how_long_a_slot_is() {
        let mut world = desk();
        let hours = json!([{"office_id": World::OFFICE, "weekday": "mon", "from": "10:00", "to": "12:00",
            "slot_minutes": 40, "buffer_minutes": 5}]);
        world.given_hours(id(DOCTOR), hours);
        book(&mut world, 1, json!({})).unwrap();
        assert_eq!((state(&world, 1).slot.minutes, state(&world, 1).slot.buffer_minutes), (40, 5));
        // The buffer belongs to it.
        assert_eq!(code(book(&mut world, 2, json!({"start": "2026-03-02T05:14:00Z"}))), "slot-taken");
        book(&mut world, 2, json!({"start": "2026-03-02T05:15:00Z"})).unwrap();
        assert_eq!(refused(&mut world, json!({"start": "2026-03-03T04:30:00Z"})).0, "duplicate");
        let tuesday = book(&mut world, 3, json!({"start": "2026-03-03T04:30:00Z"}));
        assert_eq!(code(tuesday), "outside-working-hours");
    }

    #[test]
    fn hours_without_a_gap_are_one() {
        let mut world = desk();
        let block = |weekday: &str, from: &str, to: &str| json!({"office_id": World::OFFICE, "weekday": weekday, "from": from, "to": to});
        let hours = json!([
            block("mon", "11:00", "12:00"),
            block("mon", "09:00", "11:00"),
            block("mon", "12:15", "13:00"),
            block("mon", "20:00", "23:59"),
            block("tue", "00:00", "02:00")
        ]);
        world.given_hours(id(DOCTOR), hours);
        // 10:30 to 12:00, and to 12:05; 23:30 to 01:30, and to 02:15.
        for (start, minutes, inside) in [
            ("2026-03-02T05:00:00Z", 90, true),
            ("2026-03-02T05:00:00Z", 95, false),
            ("2026-03-02T18:00:00Z", 120, true),
            ("2026-03-02T18:00:00Z", 165, false),
        ] {
            let result = book(&mut world.clone(), 1, json!({"start": start, "minutes": minutes}));
            assert_eq!(result.is_ok(), inside, "{start} {minutes}");
        }
    }

    #[test]
    fn nobody_comes_while_the_doctor_is_on_leave() {
        let mut world = desk();
        let span = super::Span { from: at("2026-03-02T04:40:00Z"), to: at("2026-03-02T08:00:00Z") };
        let declared = DoctorEvent::LeaveDeclared { leave: id(7), span, sealed: Sealed::Erased };
        world.given(id::<events::DoctorId>(DOCTOR), declared);
        assert_eq!(refused(&mut world, json!({})), ("doctor-on-leave", Some("/start")));
        book(&mut world, 1, json!({"minutes": 10})).unwrap();
    }

    #[test]
    fn nobody_comes_while_the_office_is_closed() {
        let day = "2026-03-02".parse().unwrap();
        for (office, code) in [(None, "office-closed"), (Some(World::OFFICE), "office-closed"), (Some(id(9)), "")] {
            let mut world = desk();
            let closure = Closure { id: id(7), office, from: day, to: day, reason: "Holi".into() };
            world.given(world.clinic, ClinicEvent::ClosureDeclared { closure });
            let found = book(&mut world, 1, json!({})).err().map_or("", |refusal| refusal.code);
            assert_eq!(found, code);
        }
    }

    #[test]
    fn a_doctor_works_and_works_there() {
        let mut world = desk();
        world.given_office(id(9));
        assert_eq!(refused(&mut world, json!({"office_id": id::<events::OfficeId>(9)})).0, "doctor-not-in-office");
        world.given(id::<events::DoctorId>(DOCTOR), DoctorEvent::DoctorDeactivated { sealed: Sealed::Erased });
        assert_eq!(refused(&mut world, json!({})), ("doctor-inactive", Some("/doctor_id")));
    }

    #[test]
    fn a_patient_is_active() {
        let mut world = desk();
        world.patient(id(PATIENT), DeactivatePatient { reason: None }).unwrap();
        assert_eq!(refused(&mut world, json!({})), ("patient-inactive", Some("/patient_id")));
        let mut world = desk();
        world.patient(id(PATIENT), body::<RecordDeath>(json!({}))).unwrap();
        assert_eq!(refused(&mut world, json!({})), ("patient-deceased", Some("/patient_id")));
    }

    #[test]
    fn a_merged_patient_is_booked_under_that_very_id_and_as_the_person() {
        let mut world = desk();
        let survivor = world.given_patient(2);
        world.given_merge(id(PATIENT), survivor);
        book(&mut world, 1, json!({})).unwrap();
        assert_eq!(state(&world, 1).slot.patient, id(PATIENT));
        world.patient(survivor, body::<RecordDeath>(json!({}))).unwrap();
        assert_eq!(code(book(&mut world, 2, json!({"start": "2026-03-02T06:30:00Z"}))), "patient-deceased");
    }

    #[test]
    fn a_booking_lies_between_now_and_a_year_from_now() {
        let mut world = desk();
        world.now = at("2026-03-02T04:31:00Z");
        assert_eq!(refused(&mut world, json!({})), ("in-the-past", Some("/start")));
        world.now = at("2026-03-02T04:30:00Z");
        book(&mut world, 1, json!({})).unwrap();
        assert_eq!(code(book(&mut world, 2, json!({"start": "2027-03-02T04:31:00Z"}))), "too-far-ahead");
        book(&mut world, 2, json!({"start": "2027-03-02T04:30:00Z"})).unwrap();
    }

    #[test]
    fn who_walks_in_came_a_moment_ago() {
        for kind in ["walk-in", "emergency"] {
            let mut world = desk();
            world.now = at("2026-03-02T04:45:00Z");
            book(&mut world, 1, json!({"kind": kind})).unwrap();
            world.now = at("2026-03-02T04:46:00Z");
            assert_eq!(code(book(&mut world, 2, json!({"kind": kind}))), "in-the-past");
        }
    }

    #[test]
    fn an_import_lies_in_the_past_and_never_on_another() {
        let mut world = desk();
        world.actor.kind = ActorKind::Import;
        world.now = at("2026-06-01T00:00:00Z");
        book(&mut world, 1, json!({})).unwrap();
        assert_eq!(code(book(&mut world, 2, json!({}))), "slot-taken");
    }

    #[test]
    fn a_start_is_cut_to_the_minute() {
        let mut world = desk();
        book(&mut world, 1, json!({"start": "2026-03-02T04:30:59.5Z"})).unwrap();
        assert_eq!(state(&world, 1).slot.start, at("2026-03-02T04:30:00Z"));
    }

    #[test]
    fn hours_are_cut_in_the_clinics_zone_on_the_days_that_clocks_change() {
        // (zone, now, opening at 09:00 local, the hour before it)
        let cases: [(Tz, &str, &str, &str); 4] = [
            (chrono_tz::Europe::Berlin, "2026-03-20T00:00:00Z", "2026-03-28T08:00:00Z", "2026-03-28T07:00:00Z"),
            (chrono_tz::Europe::Berlin, "2026-03-20T00:00:00Z", "2026-03-30T07:00:00Z", "2026-03-30T06:00:00Z"),
            (chrono_tz::America::Sao_Paulo, "2018-11-01T00:00:00Z", "2018-11-03T12:00:00Z", "2018-11-03T11:00:00Z"),
            (chrono_tz::America::Sao_Paulo, "2018-11-01T00:00:00Z", "2018-11-05T11:00:00Z", "2018-11-05T10:00:00Z"),
        ];
        for (zone, now, opens, before) in cases {
            let mut world = World::with_clinic(zone);
            world.now = at(now);
            world.given_patient(PATIENT);
            world.given_doctor(DOCTOR);
            assert_eq!(code(book(&mut world, 1, json!({"start": before}))), "outside-working-hours", "{before}");
            book(&mut world, 1, json!({"start": opens})).unwrap();
        }
    }

    #[test]
    fn a_day_that_begins_at_one_is_a_day() {
        // In Sao Paulo 4 November 2018 had no midnight.
        let mut world = World::with_clinic(chrono_tz::America::Sao_Paulo);
        world.now = at("2018-11-01T00:00:00Z");
        world.given_patient(PATIENT);
        let doctor = world.given_doctor(DOCTOR);
        let hours = json!([{"office_id": World::OFFICE, "weekday": "sun", "from": "00:00", "to": "23:59"}]);
        world.given_hours(doctor, hours);
        assert_eq!(code(book(&mut world, 1, json!({"start": "2018-11-04T02:59:00Z"}))), "outside-working-hours");
        book(&mut world, 1, json!({"start": "2018-11-04T03:00:00Z"})).unwrap();
        assert_eq!(state(&world, 1).slot.day, "2018-11-04".parse().unwrap());
        book(&mut world, 2, json!({"start": "2018-11-05T01:45:00Z"})).unwrap();
        assert_eq!(code(book(&mut world, 3, json!({"start": "2018-11-05T01:50:00Z", "minutes": 10}))), "slot-taken");
    }
}
