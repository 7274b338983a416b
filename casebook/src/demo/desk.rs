//! A week of appointments.

use anyhow::Result;
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Utc, Weekday};
use chrono_tz::Asia::Kolkata;
use events::calendar::instant;
use rand::{Rng, rngs::StdRng};
use serde_json::json;

use super::{http::Http, people::pick};

const APPOINTMENTS: usize = 60;
const DAYS_AHEAD: u64 = 7;
const OPENS_AT_HOUR: u32 = 9;
/// 09:00 to 18:00.
const QUARTERS_A_DAY: u32 = 36;

/// Whose appointments are made, and under which address.
pub(super) struct Desk<'a> {
    pub http: &'a Http,
    /// `/clinic/{slug}/api/v1`
    pub home: &'a str,
    pub office: &'a str,
    pub doctors: &'a [String],
    pub patients: &'a [String],
}

impl Desk<'_> {
    /// Books; how many found a place. A time that is taken is not booked, as at any desk.
    pub async fn book(&self, random: &mut StdRng) -> Result<usize> {
        let (path, days) = (format!("{}/appointments", self.home), open_days());
        let mut booked = 0;
        for _ in 0..APPOINTMENTS {
            let (doctor, patient) =
                (random.random_range(0..self.doctors.len()), random.random_range(0..self.patients.len()));
            let body = json!({
                "patient_id": self.patients[patient], "doctor_id": self.doctors[doctor], "office_id": self.office,
                "start": start(pick(random, &days), random), "minutes": 15,
                "kind": pick(random, &["routine", "follow-up", "check-up"])
            });
            booked += usize::from(self.http.try_post(&path, &body).await?);
        }
        Ok(booked)
    }
}

/// From tomorrow; a new office is closed on Sundays.
fn open_days() -> Vec<NaiveDate> {
    let today = Utc::now().with_timezone(&Kolkata).date_naive();
    (1..=DAYS_AHEAD).map(|days| today + Days::new(days)).filter(|day| day.weekday() != Weekday::Sun).collect()
}

fn start(day: NaiveDate, random: &mut StdRng) -> DateTime<Utc> {
    let quarter = random.random_range(0..QUARTERS_A_DAY);
    let time = NaiveTime::from_hms_opt(OPENS_AT_HOUR + quarter / 4, quarter % 4 * 15, 0);
    instant(day, time.expect("it lies within the day"), Kolkata)
}
