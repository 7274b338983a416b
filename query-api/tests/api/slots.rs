//! Free slots.

use chrono::{Datelike, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::{Europe::Berlin, Tz};
use events::{
    AppointmentEvent, AppointmentId, ClinicEvent, ClosureId, DoctorEvent, DoctorId, LeaveId, Number, OfficeId, Role,
    Sealed,
    appointment::{AppointmentStatus, Slot},
    calendar::{WorkingHours, day_of, whole_day},
    clinic::{ClinicProfile, Closure, Overbooking, Settings},
    values::Span,
};
use serde_json::json;

use crate::world::{Clinic, Login, World};

struct Practice {
    world: World,
    clinic: Clinic,
    office: OfficeId,
    doctor: DoctorId,
    login: Login,
}

impl Practice {
    /// A doctor who works in one office, every day from `from` to `to`, in slots of an hour.
    async fn open(zone: Tz, from: &str, to: &str) -> Self {
        let world = World::new().await;
        let mut clinic = world.clinic(1).await;
        let profile = ClinicProfile { time_zone: zone, ..clinic.history.profile("Praxis") };
        clinic.history.clinic(ClinicEvent::ClinicProfileUpdated { profile });
        let office = clinic.history.office_added("Mitte");
        let doctor = clinic.history.doctor_registered(&[office]);
        let hours = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|weekday| {
            let hours = json!({"office_id": office, "weekday": weekday, "from": from, "to": to, "slot_minutes": 60});
            serde_json::from_value::<WorkingHours>(hours).unwrap()
        });
        clinic.history.doctor(doctor, DoctorEvent::WorkingHoursSet { hours: hours.to_vec() });
        let login = world.login(&clinic, &[Role::Receptionist]).await;
        world.publish(&clinic).await;
        Self { world, clinic, office, doctor, login }
    }

    /// The starts of the free slots of a day, as UTC times of day.
    async fn free(&self, date: NaiveDate) -> Vec<String> {
        self.world.publish(&self.clinic).await;
        let path = self.clinic.path(&format!("/doctors/{}/slots?date={date}", self.doctor));
        let answer = self.world.get(&self.login, &path).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.items().iter().map(|slot| slot["start"].as_str().unwrap()[11..16].to_owned()).collect()
    }

    fn book(&mut self, start: chrono::DateTime<Utc>, minutes: i64, lane: i16) -> (AppointmentId, Slot) {
        let (doctor, office) = (self.doctor, self.office);
        let day = day_of(start, Berlin);
        let slot = Slot { doctor, office, start, day, minutes, lane, ..self.clinic.history.slot(1) };
        let id = AppointmentId(self.clinic.history.fresh());
        let booked = AppointmentEvent::AppointmentBooked {
            number: Number::Given(format!("APT-{id}")),
            slot,
            kind: Default::default(),
            status: AppointmentStatus::Booked,
            overbooked: lane > 0,
            sealed: Sealed::Erased,
        };
        self.clinic.history.appointment(id, booked);
        (id, slot)
    }
}

/// The next day, after this week, on which clocks are put forward, and the next on which they are put back.
fn changes_of_clocks() -> [NaiveDate; 2] {
    let from = Utc::now().date_naive() + Days::new(7);
    [23, 25].map(|hours| {
        let lasts =
            |date: &NaiveDate| (whole_day(*date, Berlin).to - whole_day(*date, Berlin).from).num_hours() == hours;
        from.iter_days().find(lasts).unwrap()
    })
}

#[tokio::test]
async fn a_night_of_changing_clocks_has_an_hour_less_or_more() {
    let practice = Practice::open(Berlin, "00:00", "06:00").await;
    let [forward, back] = changes_of_clocks();
    assert_eq!(practice.free(forward).await, ["23:00", "00:00", "01:00", "02:00", "03:00"]);
    assert_eq!(practice.free(back).await, ["22:00", "23:00", "00:00", "01:00", "02:00", "03:00", "04:00"]);
}

/// A Monday in winter, when Berlin is an hour ahead of UTC.
fn winter_monday() -> NaiveDate {
    let [_, back] = changes_of_clocks();
    let from = Utc::now().date_naive() + Days::new(7);
    let winter =
        if whole_day(from, Berlin).from.time().to_string().starts_with("23") { from } else { back + Days::new(1) };
    winter.iter_days().find(|date| date.weekday() == chrono::Weekday::Mon).unwrap()
}

#[tokio::test]
async fn what_is_taken_left_or_closed_is_not_free() {
    let mut practice = Practice::open(Berlin, "09:00", "13:00").await;
    let monday = winter_monday();
    assert_eq!(practice.free(monday).await, ["08:00", "09:00", "10:00", "11:00"]);
    let nine = whole_day(monday, Berlin).from + TimeDelta::hours(9);
    let (booked, slot) = practice.book(nine + TimeDelta::minutes(30), 60, 0);
    assert_eq!(practice.free(monday).await, ["10:00", "11:00"]);
    let was = AppointmentStatus::Booked;
    practice.clinic.history.appointment(booked, AppointmentEvent::AppointmentMarkedNoShow { slot, was });
    assert_eq!(practice.free(monday).await.len(), 4);
    let span = Span { from: nine, to: nine + TimeDelta::hours(2) };
    let leave = LeaveId(practice.clinic.history.fresh());
    practice.clinic.history.doctor(practice.doctor, DoctorEvent::LeaveDeclared { leave, span, sealed: Sealed::Erased });
    assert_eq!(practice.free(monday).await, ["10:00", "11:00"]);
    let closure = Closure {
        id: ClosureId(practice.clinic.history.fresh()),
        office: Some(practice.office),
        from: monday,
        to: monday,
        reason: "paint".to_owned(),
    };
    practice.clinic.history.clinic(ClinicEvent::ClosureDeclared { closure });
    assert!(practice.free(monday).await.is_empty());
    assert_eq!(practice.free(monday + Days::new(1)).await.len(), 4);
    practice.clinic.history.doctor(practice.doctor, DoctorEvent::DoctorDeactivated { sealed: Sealed::Erased });
    assert!(practice.free(monday + Days::new(1)).await.is_empty());
}

#[tokio::test]
async fn with_several_places_a_slot_is_free_while_one_is() {
    let mut practice = Practice::open(Berlin, "09:00", "11:00").await;
    let monday = winter_monday();
    let nine = whole_day(monday, Berlin).from + TimeDelta::hours(9);
    practice.book(nine, 60, 0);
    assert_eq!(practice.free(monday).await, ["09:00"]);
    let settings = Settings { overbooking: Overbooking::Capacity { places: 2 }, ..Settings::default() };
    practice.clinic.history.clinic(ClinicEvent::SettingsChanged { settings });
    assert_eq!(practice.free(monday).await, ["08:00", "09:00"]);
    practice.book(nine, 60, 1);
    assert_eq!(practice.free(monday).await, ["09:00"]);
}

#[tokio::test]
async fn nothing_is_free_in_the_past_or_more_than_a_year_ahead() {
    let practice = Practice::open(Berlin, "00:00", "23:00").await;
    let today = Utc::now().date_naive();
    assert!(practice.free(today - Days::new(2)).await.is_empty());
    assert!(practice.free(today + Days::new(400)).await.is_empty());
    assert!(!practice.free(today + Days::new(2)).await.is_empty());
    let unknown = practice.clinic.path(&format!("/doctors/{}/slots?date=2027-01-04", practice.office));
    assert_eq!(practice.world.get(&practice.login, &unknown).await.status, 404);
    let without = practice.clinic.path(&format!("/doctors/{}/slots", practice.doctor));
    assert_eq!(practice.world.get(&practice.login, &without).await.code(), (400, "invalid-parameter"));
}
