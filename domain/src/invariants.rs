//! What holds in a clinic whatever its people do, in any order. The clinic in memory also checks, at each
//! event, that it follows with its sealed part open and erased, and that only what is held is freed.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use events::{
    ClinicEvent, DoctorEvent, DoctorId, DomainEvent, OfficeId, PatientId, Role, StreamId, UserId, claim::ClaimKey,
    clinic::Plan, values::Span,
};
use proptest::prelude::*;
use serde_json::json;

use crate::{
    Appointment, Clinic, ClinicCommand, Doctor, DoctorCommand, Refusal, Staff, StaffCommand, State, Usage,
    appointment::BookAppointment,
    clinic::{
        ActivateSubscription, AddOffice, ChangePlan, CloseOffice, DeclareClosure, RemoveLogo, ResumeClinic, SetLimits,
        SetLogo, SetOfficeHours, SuspendClinic, UpdateProfile,
    },
    doctor::{
        AssignOffice, CancelLeave, DeactivateDoctor, DeclareLeave, RecordLicence, RegisterDoctor, SetFee,
        SetPrimaryOffice, SetWorkingHours, UnassignOffice,
    },
    staff::{
        ActivateStaff, ChangePassword, DeactivateStaff, GrantRole, InviteStaff, LockAfterFailedLogins, LockStaff,
        RenewActivation, RequestPasswordReset, RevokeRole, UnlockStaff,
    },
    testing::{World, body, id},
};

/// The ids that a clinic in memory gives to its first office and its first administrator.
const FIRST_OFFICE: u128 = 1 << 32;
const FIRST_ADMIN: u128 = FIRST_OFFICE ^ 1;
const PATIENT: u128 = 0xA1;
/// Longest history that is tried.
const MAX_STEPS: usize = 80;

#[derive(Clone, Debug)]
enum Step {
    Clinic(ClinicCommand),
    Staff(u128, StaffCommand),
    Doctor(u128, DoctorCommand),
    Book(u128, BookAppointment),
    /// A doctor comes back from the first leave that is declared, or before it begins.
    ComesBack(u128),
    /// Somebody logs in and gives the next commands, with the roles that they have.
    Act(u128),
    /// The platform, or the program itself, gives the next commands.
    PlatformActs,
    ProgramActs,
    /// Time passes.
    Hours(i64),
}

fn office() -> impl Strategy<Value = OfficeId> {
    prop_oneof![Just(FIRST_OFFICE), 0x100..0x102_u128].prop_map(id)
}

fn login() -> impl Strategy<Value = u128> {
    prop_oneof![1 => Just(FIRST_ADMIN), 3 => 2..7_u128]
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![
        Just(Role::ClinicAdmin),
        Just(Role::Receptionist),
        Just(Role::Nurse),
        Just(Role::Doctor),
        Just(Role::Patient),
        Just(Role::PlatformAdmin)
    ]
}

/// One of two pictures of 16 by 16 pixels, as far as their heads go.
fn logo(n: u8) -> SetLogo {
    let rest = ["", "AAAA"][usize::from(n)];
    body(json!({"picture": format!("iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAYAAAAf8/9h{rest}")}))
}

fn clinic_command() -> impl Strategy<Value = ClinicCommand> {
    let plan = || prop_oneof![Just("basic"), Just("premium"), Just("enterprise")];
    prop_oneof![
        office().prop_map(|office| body::<AddOffice>(json!({"id": office, "name": "An office"})).into()),
        office().prop_map(|office_id| CloseOffice { office_id }.into()),
        office().prop_map(|office| body::<SetOfficeHours>(json!({"office_id": office, "hours": []})).into()),
        (0..3_u8).prop_map(|n| body::<UpdateProfile>(json!({"name": format!("Clinic {n}")})).into()),
        (0..3_u8).prop_map(|n| body::<UpdateProfile>(json!({"registration_number": n.to_string()})).into()),
        Just(body::<UpdateProfile>(json!({"registration_number": null})).into()),
        plan().prop_map(|plan| {
            body::<ActivateSubscription>(json!({"plan": plan, "paid_until": "2026-03-20T00:00:00Z"})).into()
        }),
        plan().prop_map(|plan| body::<ChangePlan>(json!({"plan": plan})).into()),
        (0..4_i64).prop_map(|n| {
            body::<SetLimits>(json!({"limits": {"offices": n, "doctors": n, "receptionists": n}})).into()
        }),
        Just(body::<SetLimits>(json!({"limits": null})).into()),
        (4..6_u8, prop_oneof![Just("refuse"), Just("cancel")], prop::option::of(office())).prop_map(
            |(day, appointments, office)| {
                let (day, reason) = (format!("2026-03-0{day}"), "Holi");
                let closure = json!({"from": day, "reason": reason, "office_id": office, "appointments": appointments});
                body::<DeclareClosure>(closure).into()
            }
        ),
        (0..2_u8).prop_map(|n| logo(n).into()),
        Just(RemoveLogo {}.into()),
        Just(body::<SuspendClinic>(json!({"reason": "unpaid"})).into()),
        Just(ResumeClinic {}.into()),
    ]
}

fn staff_command() -> impl Strategy<Value = StaffCommand> {
    let invite = |name: u8, roles: Vec<Role>| {
        let email = format!("u{}@asha.example", name % 2);
        body::<InviteStaff>(json!({"name": "U", "username": format!("user{name}"), "email": email, "roles": roles}))
    };
    prop_oneof![
        4 => (0..6_u8, prop::collection::vec(role(), 1..3)).prop_map(move |(name, roles)| invite(name, roles).into()),
        4 => Just(ActivateStaff {}.into()),
        1 => Just(RenewActivation {}.into()),
        4 => role().prop_map(|role| GrantRole { role }.into()),
        4 => role().prop_map(|role| RevokeRole { role }.into()),
        1 => Just(ChangePassword {}.into()),
        1 => Just(RequestPasswordReset {}.into()),
        2 => Just(LockStaff {}.into()),
        2 => Just(UnlockStaff {}.into()),
        2 => Just(LockAfterFailedLogins {}.into()),
        2 => Just(body::<DeactivateStaff>(json!({"reason": "left"})).into()),
    ]
}

fn doctor_command() -> impl Strategy<Value = DoctorCommand> {
    let register = |name: u8, licence: u8, office: OfficeId| {
        body::<RegisterDoctor>(json!({
            "name": "Dr", "username": format!("user{name}"), "licence_number": licence.to_string(),
            "office_ids": [office]
        }))
    };
    let hours = |office: OfficeId| {
        let block = |day: &str| json!({"office_id": office, "weekday": day, "from": "09:00", "to": "12:00"});
        body::<SetWorkingHours>(json!({"hours": [block("wed"), block("thu")]}))
    };
    prop_oneof![
        3 => (0..6_u8, 0..4_u8, office()).prop_map(move |(name, licence, office)| register(name, licence, office).into()),
        2 => office().prop_map(|office_id| AssignOffice { office_id }.into()),
        3 => office().prop_map(|office_id| UnassignOffice { office_id }.into()),
        3 => office().prop_map(|office_id| SetPrimaryOffice { office_id }.into()),
        2 => office().prop_map(move |office| hours(office).into()),
        3 => (4..6_u8, settling()).prop_map(|(day, appointments)| {
            let day = format!("2026-03-0{day}");
            body::<DeclareLeave>(json!({"from": day, "to": day, "appointments": appointments})).into()
        }),
        1 => (0..3_i64).prop_map(|n| {
            body::<SetFee>(json!({"fee": {"minor": n, "currency": "INR"}})).into()
        }),
        2 => (0..4_u8).prop_map(|n| body::<RecordLicence>(json!({"number": n.to_string()})).into()),
        2 => settling().prop_map(|appointments| {
            body::<DeactivateDoctor>(json!({"reason": "left", "appointments": appointments})).into()
        }),
    ]
}

/// What becomes of the appointments of a doctor.
fn settling() -> impl Strategy<Value = serde_json::Value> {
    let other = (2..5_u128).prop_map(|other| json!({"reschedule_to": id::<DoctorId>(other)}));
    prop_oneof![Just(json!("refuse")), Just(json!("cancel")), other]
}

/// On one of the days and at one of the hours on which somebody may be away.
fn booking() -> impl Strategy<Value = BookAppointment> {
    (2..5_u128, office(), 4..6_u8, 4..7_u8).prop_map(|(doctor, office, day, hour)| {
        body(json!({
            "patient_id": id::<PatientId>(PATIENT), "doctor_id": id::<DoctorId>(doctor), "office_id": office,
            "start": format!("2026-03-0{day}T0{hour}:30:00Z"), "minutes": 30
        }))
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => clinic_command().prop_map(Step::Clinic),
        6 => (login(), staff_command()).prop_map(|(login, command)| Step::Staff(login, command)),
        8 => (2..5_u128, doctor_command()).prop_map(|(doctor, command)| Step::Doctor(doctor, command)),
        12 => (0x200..0x240_u128, booking()).prop_map(|(n, booking)| Step::Book(n, booking)),
        1 => (2..5_u128).prop_map(Step::ComesBack),
        4 => Just(Step::Act(FIRST_ADMIN)),
        1 => login().prop_map(Step::Act),
        1 => Just(Step::PlatformActs),
        1 => Just(Step::ProgramActs),
        1 => (1..12_i64).prop_map(Step::Hours),
    ]
}

/// A clinic with room to grow and a second office, two doctors in its first one, two who nurse and sit at the desk, and a patient. The
/// first doctor works in both offices.
fn start() -> World {
    let mut world = World::registered();
    assert_eq!((world.admin(), world.office()), (id(FIRST_ADMIN), id(FIRST_OFFICE)));
    let unlimited = Some(Plan::Enterprise.limits());
    world.given(world.clinic, ClinicEvent::LimitsSet { limits: unlimited });
    world.given_office(id(0x100));
    for nurse in [5, 6] {
        world.given_staff(nurse, &[Role::Nurse, Role::Receptionist]);
    }
    let doctor = world.given_doctor(2);
    world.given(doctor, DoctorEvent::OfficeAssigned { office: id(0x100) });
    world.given_doctor(3);
    world.given_patient(PATIENT);
    world
}

fn take(world: &mut World, step: Step) -> Result<(), Refusal> {
    match step {
        Step::Clinic(command) => world.when::<Clinic>(world.clinic, command).map(drop),
        Step::Staff(login, command) => world.when::<Staff>(id::<UserId>(login), command).map(drop),
        Step::Doctor(doctor, command) => world.when::<Doctor>(id::<DoctorId>(doctor), command).map(drop),
        Step::Book(n, booking) => world.appointment(id(n), booking).map(drop),
        Step::ComesBack(doctor) => {
            let leaves = world.state::<Doctor>(id::<DoctorId>(doctor)).map(|doctor| doctor.leaves.clone());
            let Some((leave_id, _)) = leaves.unwrap_or_default().first().copied() else { return Ok(()) };
            world.when::<Doctor>(id::<DoctorId>(doctor), CancelLeave { leave_id }).map(drop)
        }
        Step::Act(login) => {
            let roles = world.state::<Staff>(id::<UserId>(login)).filter(|staff| staff.may_log_in(world.now));
            let roles = roles.map(|staff| staff.roles.clone()).unwrap_or_default();
            world.acts(id(login), &roles);
            Ok(())
        }
        Step::PlatformActs => {
            world.acts(id(0xFFFF), &[Role::PlatformAdmin]);
            Ok(())
        }
        Step::ProgramActs => {
            world.actor = events::Actor::system();
            Ok(())
        }
        Step::Hours(hours) => {
            world.now += TimeDelta::hours(hours);
            Ok(())
        }
    }
}

fn counted(world: &World, usage: Usage) -> i64 {
    world.counter(usage.counter().as_str())
}

/// Each counter is what a count of the states gives.
fn counters_are_right(world: &World) {
    let count = |counts: &dyn Fn(&State) -> bool| world.states().filter(|(_, state)| counts(state)).count() as i64;
    let is_receptionist =
        |staff: &Staff| staff.status != crate::staff::Status::Deactivated && staff.roles.contains(&Role::Receptionist);
    let admins = count(&|state| matches!(state, State::Staff(staff) if staff.is_administrator()));
    let doctors = count(&|state| matches!(state, State::Doctor(doctor) if doctor.is_active()));
    let receptionists = count(&|state| matches!(state, State::Staff(staff) if is_receptionist(staff)));
    let offices = world.state::<Clinic>(world.clinic).unwrap().offices.len() as i64;
    assert_eq!(counted(world, Usage::Admins), admins);
    assert_eq!(counted(world, Usage::Doctors), doctors);
    assert_eq!(counted(world, Usage::Receptionists), receptionists);
    assert_eq!(counted(world, Usage::Offices), offices);
}

/// What is claimed is what the states hold: nothing is left behind, nothing is missing.
fn claims_are_right(world: &World) {
    let held = |state: &State| match state {
        State::Clinic(clinic) => clinic.held(),
        State::Staff(staff) => staff.held(),
        State::Doctor(doctor) => doctor.held(),
        State::Patient(_)
        | State::Appointment(_)
        | State::Document(_)
        | State::DentalChart(_)
        | State::DentalTemplate(_)
        | State::Charge(_)
        | State::Invoice(_)
        | State::Note(_)
        | State::CaseStudy(_) => Vec::new(),
        State::Medicine(_) | State::Substance(_) | State::Catalogue(_) => Vec::new(),
        State::ShortKey(key) => key.held(),
        State::LabOrder(_) | State::LabReport(_) => Vec::new(),
        State::Visit(visit) => visit.held(),
        State::Department(department) => department.held(),
        State::Prescription(_) => Vec::new(),
    };
    let all: BTreeMap<ClaimKey, StreamId> =
        world.states().flat_map(|(stream, state)| held(state).into_iter().map(|claim| (claim, *stream))).collect();
    assert_eq!(world.claims, all);
}

/// Whoever is booked finds the office open and the doctor there.
fn bookings_stand(world: &World) {
    let clinic = world.state::<Clinic>(world.clinic).unwrap();
    for held in &world.times {
        let slot = &world.state::<Appointment>(events::AppointmentId(held.holder.id)).unwrap().slot;
        let visit = Span { from: slot.start, to: slot.end() };
        let doctor = world.state::<Doctor>(slot.doctor).unwrap();
        if visit.to > world.now {
            assert!(doctor.is_active() && doctor.works_in(slot.office), "{slot:?}");
            assert!(doctor.leave_overlapping(&visit).is_none(), "{slot:?}");
            assert!(clinic.office(slot.office).is_some() && clinic.closure_over(slot.office, &visit).is_none());
        }
    }
}

/// Nothing grows past its limit; what was there before a limit shrank may stay.
fn limits_hold(before: &World, after: &World) {
    let limits = after.state::<Clinic>(after.clinic).unwrap().limits();
    for usage in Usage::LIMITED {
        let (earlier, now) = (counted(before, usage), counted(after, usage));
        let within = usage.limit(&limits).is_none_or(|limit| now <= limit);
        assert!(now <= earlier || within, "{usage:?}: {now} of {limits:?}");
    }
}

/// A logo is never set in its own place, and what is removed was there.
fn logos_change(world: &World) {
    let mut printed = None;
    for (_, event) in &world.log {
        match event {
            DomainEvent::Clinic(ClinicEvent::ClinicLogoSet { logo }) => {
                assert_ne!(printed.replace(&logo.sha256), Some(&logo.sha256));
            }
            DomainEvent::Clinic(ClinicEvent::ClinicLogoRemoved {}) => assert!(printed.take().is_some()),
            _ => {}
        }
    }
    assert_eq!(world.state::<Clinic>(world.clinic).unwrap().logo_sha256.as_ref(), printed);
}

/// What the steps lead to is measured: see `crate::lives`.
pub(crate) const LIVES: &[fn()] = &[a_clinic_is_sound_whatever_its_people_do];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_clinic_is_sound_whatever_its_people_do(steps in prop::collection::vec(step(), 1..MAX_STEPS)) {
        let mut world = start();
        for step in steps {
            let before = world.clone();
            if take(&mut world, step).is_err() {
                prop_assert_eq!(world.log.len(), before.log.len(), "a refused command leaves no event");
            }
            prop_assert!(counted(&world, Usage::Admins) >= 1, "somebody administers the clinic");
            prop_assert!(counted(&world, Usage::Offices) >= 1, "an office is open");
            counters_are_right(&world);
            claims_are_right(&world);
            bookings_stand(&world);
            limits_hold(&before, &world);
        }
        logos_change(&world);
    }

    #[test]
    fn a_clinic_read_from_its_log_is_the_clinic_that_wrote_it(steps in prop::collection::vec(step(), 1..MAX_STEPS)) {
        let mut world = start();
        for step in steps {
            let _refused_or_not = take(&mut world, step);
        }
        let mut again: BTreeMap<StreamId, State> = BTreeMap::new();
        for (stream, event) in &world.log {
            let before = again.remove(stream);
            again.insert(*stream, State::evolve(before, event).expect("an event of the log follows"));
        }
        prop_assert_eq!(again, world.states().map(|(stream, state)| (*stream, state.clone())).collect());
    }
}

#[test]
fn a_plan_never_allows_less_than_the_one_below_it() {
    for usage in Usage::LIMITED {
        let limit = |plan: Plan| usage.limit(&plan.limits()).unwrap_or(i64::MAX);
        let limits = [Plan::Trial, Plan::Basic, Plan::Premium, Plan::Enterprise].map(limit);
        assert!(limits.is_sorted(), "{usage:?}");
    }
}
