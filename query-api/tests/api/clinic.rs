//! The clinic, its people and its numbers.

use chrono::{TimeDelta, Utc};
use events::{
    AppointmentEvent, AppointmentId, ClinicEvent, DoctorEvent, LeaveId, Role, Sealed, StaffEvent, UserId,
    appointment::AppointmentStatus, clinic::Plan, staff::LockReason, values::Span,
};
use serde_json::json;

use crate::world::{Clinic, World};

#[tokio::test]
async fn a_clinic_s_status_follows_the_clock() {
    let world = World::new().await;
    let mut clinic = world.clinic(1).await;
    let login = world.login(&clinic, &[Role::Nurse]).await;
    let status = async |clinic: &Clinic| {
        world.publish(clinic).await;
        world.get(&login, &clinic.path("")).await.body["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status(&clinic).await, "trial");
    world
        .execute(&clinic, "UPDATE read.clinic_1 SET trial_ends_at = now() - interval '1 day' WHERE clinic_id = $1")
        .await;
    let expired = world.get(&login, &clinic.path("")).await;
    assert_eq!(expired.body["status"], "expired");
    let again = world.ask(Some(&login.token), &clinic.path(""), &[("if-none-match", expired.etag())]).await;
    assert_eq!(again.status, 200, "the copy may be of before the end of the trial");
    let paid_until = Utc::now() + TimeDelta::days(30);
    clinic.history.clinic(ClinicEvent::SubscriptionActivated { plan: Plan::Basic, paid_until });
    assert_eq!(status(&clinic).await, "active");
    clinic.history.clinic(ClinicEvent::ClinicSuspended { reason: "unpaid".into() });
    assert_eq!(status(&clinic).await, "suspended");
    clinic.history.clinic(ClinicEvent::ClinicResumed {});
    clinic.history.clinic(ClinicEvent::SubscriptionActivated { plan: Plan::Basic, paid_until: Utc::now() });
    assert_eq!(status(&clinic).await, "past_due");
    clinic.history.clinic(ClinicEvent::SubscriptionActivated { plan: Plan::Basic, paid_until });
    assert_eq!(status(&clinic).await, "active");
    clinic.history.clinic(ClinicEvent::SubscriptionExpired { plan: Plan::Basic, paid_until });
    assert_eq!(status(&clinic).await, "past_due", "what is recorded holds, whatever the clock says");
    clinic.history.clinic(ClinicEvent::ClinicClosed { retention_until: paid_until });
    assert_eq!(status(&clinic).await, "closed");
}

#[tokio::test]
async fn usage_stands_beside_the_limits() {
    let world = World::new().await;
    let mut clinic = world.clinic(1).await;
    let office = clinic.history.office_added("Andheri");
    clinic.history.doctor_registered(&[office]);
    clinic.history.registered("Asha");
    world.publish(&clinic).await;
    let login = world.login(&clinic, &[Role::ClinicAdmin]).await;
    let subscription = world.get(&login, &clinic.path("/subscription")).await.body;
    assert_eq!(
        subscription["usage"],
        json!({"doctors": 1, "patients": 1, "receptionists": 0, "offices": 1, "storage": 0})
    );
    assert_eq!((&subscription["limits"]["doctors"], &subscription["plan"]), (&json!(5), &json!("trial")));
    let dashboard = world.get(&login, &clinic.path("/dashboard")).await.body;
    assert_eq!(
        (&dashboard["plan"]["usage"], &dashboard["plan"]["limits"]),
        (&subscription["usage"], &subscription["limits"])
    );
    let offices = world.get(&login, &clinic.path("/offices")).await;
    assert_eq!(offices.items()[0]["name"], "Andheri");
    clinic.history.clinic(ClinicEvent::OfficeClosed { office });
    world.publish(&clinic).await;
    assert!(world.get(&login, &clinic.path("/offices?open=true")).await.items().is_empty());
    assert_eq!(world.get(&login, &clinic.path("/offices")).await.items()[0]["open"], false);
    let settings = world.get(&login, &clinic.path("/settings")).await.body;
    assert_eq!((&settings["no_show_grace_minutes"], &settings["version"]), (&json!(15), &json!(3)));
}

#[tokio::test]
async fn a_login_s_profile_names_its_clinic() {
    let world = World::new().await;
    let mut clinic = world.clinic(1).await;
    let user = clinic.history.invited(&[Role::Nurse]);
    world.publish(&clinic).await;
    let login = world.login_as(&clinic, user, &[Role::Nurse], None).await;
    let profile = world.get(&login, "/api/v1/auth/profile").await.body;
    assert_eq!((&profile["name"], &profile["roles"]), (&json!("Meera Iyer"), &json!(["nurse"])));
    assert_eq!(profile["clinic"], json!({"id": clinic.id(), "slug": clinic.slug, "name": "Asha Clinic"}));
}

#[tokio::test]
async fn staff_are_for_administrators_and_a_lock_ends_by_the_clock() {
    let world = World::new().await;
    let mut clinic = world.clinic(1).await;
    let (nurse, desk) = (clinic.history.invited(&[Role::Nurse]), clinic.history.invited(&[Role::Receptionist]));
    let locked =
        |until| StaffEvent::StaffLocked { patient: None, reason: LockReason::FailedLogins, until: Some(until) };
    clinic.history.staff(nurse, StaffEvent::StaffActivated { patient: None });
    clinic.history.staff(nurse, locked(Utc::now() - TimeDelta::minutes(1)));
    clinic.history.staff(desk, StaffEvent::StaffActivated { patient: None });
    clinic.history.staff(desk, locked(Utc::now() + TimeDelta::minutes(10)));
    world.publish(&clinic).await;
    let admin = world.login(&clinic, &[Role::ClinicAdmin]).await;
    let one = async |user: UserId| world.get(&admin, &clinic.path(&format!("/staff/{user}"))).await.body;
    assert_eq!((&one(nurse).await["status"], &one(nurse).await["lock_reason"]), (&json!("active"), &json!(null)));
    assert_eq!(one(desk).await["status"], "locked");
    let ids = async |query: &str| world.get(&admin, &clinic.path(query)).await.ids().join(" ");
    assert_eq!(ids("/staff?status=active").await, nurse.to_string());
    assert_eq!(ids("/staff?role=receptionist").await, desk.to_string());
    for role in [Role::Doctor, Role::Nurse, Role::Receptionist] {
        let login = world.login(&clinic, &[role]).await;
        assert_eq!(world.get(&login, &clinic.path("/staff")).await.code(), (403, "forbidden"));
    }
    assert_eq!(world.attempts.codes(), ["forbidden"; 3]);
}

#[tokio::test]
async fn a_doctor_shows_offices_and_leave() {
    let world = World::new().await;
    let mut clinic = world.clinic(1).await;
    let (first, second) = (clinic.history.office_added("Andheri"), clinic.history.office_added("Bandra"));
    let doctor = clinic.history.doctor_registered(&[first, second]);
    clinic.history.doctor(doctor, DoctorEvent::PrimaryOfficeSet { office: second });
    let other = clinic.history.doctor_registered(&[first]);
    world.publish(&clinic).await;
    let login = world.login(&clinic, &[Role::Receptionist]).await;
    let path = clinic.path(&format!("/doctors/{doctor}"));
    let shown = world.get(&login, &path).await;
    let offices = &shown.body["offices"];
    assert_eq!((&offices[0]["name"], &offices[0]["is_primary"]), (&json!("Bandra"), &json!(true)));
    assert_eq!((&offices[1]["name"], &offices[1]["is_primary"]), (&json!("Andheri"), &json!(false)));
    assert_eq!((&shown.body["status"], shown.etag()), (&json!("active"), "\"2.5\""));
    let span = Span { from: Utc::now() - TimeDelta::hours(1), to: Utc::now() + TimeDelta::hours(1) };
    let leave = LeaveId(clinic.history.fresh());
    clinic.history.doctor(doctor, DoctorEvent::LeaveDeclared { leave, span, sealed: Sealed::Erased });
    clinic.history.doctor(other, DoctorEvent::DoctorDeactivated { sealed: Sealed::Erased });
    world.publish(&clinic).await;
    let ids = async |query: &str| world.get(&login, &clinic.path(query)).await.ids().join(" ");
    assert_eq!(ids("/doctors?status=on_leave").await, doctor.to_string());
    assert_eq!(ids("/doctors?status=inactive").await, other.to_string());
    assert_eq!(ids("/doctors?status=active").await, "");
    assert_eq!(ids(&format!("/doctors?office={second}&specialisation=GENERAL")).await, doctor.to_string());
    assert_eq!(world.get(&login, &path).await.body["leaves"].as_array().unwrap().len(), 1);
    let pharmacist = world.login(&clinic, &[Role::Pharmacist]).await;
    assert!(world.get(&pharmacist, &path).await.body.get("leaves").is_none());
}

/// An appointment of a doctor on a day from now, in the clinic's zone, brought to a status.
fn booked_on(clinic: &mut Clinic, doctor: events::DoctorId, days: i64, status: AppointmentStatus) -> AppointmentId {
    let start = Utc::now() + TimeDelta::days(days);
    let day = events::calendar::day_of(start, chrono_tz::Asia::Kolkata);
    let slot = events::appointment::Slot { doctor, start, day, ..clinic.history.slot(1) };
    let id = AppointmentId(clinic.history.fresh());
    let number = events::Number::Given(format!("APT-{id}"));
    let booked = AppointmentEvent::AppointmentBooked {
        number,
        slot,
        kind: Default::default(),
        status: AppointmentStatus::Booked,
        overbooked: false,
        sealed: Sealed::Erased,
    };
    clinic.history.appointment(id, booked);
    match status {
        AppointmentStatus::Fulfilled => clinic.history.fulfilled(id, slot),
        AppointmentStatus::NoShow => {
            let was = AppointmentStatus::Booked;
            clinic.history.appointment(id, AppointmentEvent::AppointmentMarkedNoShow { slot, was });
        }
        _ => {}
    }
    id
}

#[tokio::test]
async fn numbers_are_of_the_clinic_or_of_the_doctor_who_asks() {
    let world = World::new().await;
    let mut clinic = world.clinic(1).await;
    let (mine, other) = (clinic.history.doctor_registered(&[]), clinic.history.doctor_registered(&[]));
    booked_on(&mut clinic, mine, 0, AppointmentStatus::Fulfilled);
    booked_on(&mut clinic, mine, 0, AppointmentStatus::NoShow);
    booked_on(&mut clinic, other, 0, AppointmentStatus::Fulfilled);
    booked_on(&mut clinic, other, 3, AppointmentStatus::Booked);
    booked_on(&mut clinic, other, 8, AppointmentStatus::Booked);
    world.publish(&clinic).await;
    let admin = world.login(&clinic, &[Role::ClinicAdmin]).await;
    let dashboard = world.get(&admin, &clinic.path("/dashboard")).await.body;
    assert_eq!((&dashboard["today"]["total"], &dashboard["no_show_rate"]), (&json!(3), &json!(1.0 / 3.0)));
    let ahead: Vec<i64> =
        dashboard["next_seven_days"].as_array().unwrap().iter().map(|day| day["total"].as_i64().unwrap()).collect();
    assert_eq!(ahead, [0, 0, 1, 0, 0, 0, 0]);
    let stats = world.get(&admin, &clinic.path("/stats")).await.body;
    assert_eq!((&stats["total"], &stats["by_status"]["fulfilled"]), (&json!(3), &json!(2)));
    let doctor = world.login_as(&clinic, UserId(mine.0), &[Role::Doctor], None).await;
    let own = world.get(&doctor, &clinic.path("/stats")).await.body;
    assert_eq!((&own["total"], &own["no_show_rate"]), (&json!(2), &json!(0.5)));
    assert!(own.get("by_kind").is_none());
    let foreign = world.get(&doctor, &clinic.path(&format!("/stats?doctor={other}"))).await;
    assert_eq!(foreign.code(), (403, "forbidden"));
    assert!(world.get(&doctor, &clinic.path("/dashboard")).await.body.get("plan").is_none());
    let too_long = world.get(&admin, &clinic.path("/stats?from=2020-01-01&to=2026-01-01")).await;
    assert_eq!(too_long.code(), (400, "invalid-parameter"));
    let nurse = world.login(&clinic, &[Role::Nurse]).await;
    assert_eq!(world.get(&nurse, &clinic.path("/stats")).await.code(), (403, "forbidden"));
    let patients = world.get(&admin, &clinic.path("/patients/stats")).await.body;
    assert_eq!(patients["total"], 0);
}
