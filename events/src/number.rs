//! Numbers that people say aloud: `PT-2026-00001`, `APT-20260314-001`, token 7.
//!
//! `decide` leaves [`Number::Next`]; the log's writer gives the number inside the append, from a counter
//! that moves with the clinic's head, so a series has no gaps and no number is given twice.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{OfficeId, calendar::day_of, claim::CounterKey};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Number {
    /// As it lies in the log.
    Given(String),
    /// Not yet given. Never encoded: the writer replaces it first.
    #[serde(skip)]
    Next(Series),
}

/// Which counter a number comes from and how it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Series {
    /// `PT-2026-00001`, by the year of `recorded_at` in the clinic's zone.
    Patient { zone: Tz },
    /// `APT-20260314-001`, by the day of the first booked start in the clinic's zone.
    Appointment { day: NaiveDate },
    /// `INV-2026-00001`, by the year of `recorded_at` in the clinic's zone.
    Invoice { zone: Tz },
    /// `CN-2026-00001`, likewise.
    CreditNote { zone: Tz },
    /// `LAB-20260314-001`, by the day of `recorded_at` in the clinic's zone.
    LabOrder { zone: Tz },
    /// `LR-20260314-001`, likewise.
    LabReport { zone: Tz },
    /// `RX-20260314-001`, by the day of `recorded_at` in the clinic's zone.
    Prescription { zone: Tz },
    /// `CS-20260314-001`, by the day of `recorded_at` in the clinic's zone.
    CaseStudy { zone: Tz },
    /// `1`, `2`, `3`, … per office and day.
    QueueToken { office: OfficeId, day: NaiveDate },
    /// `VIS-20260314-001`, by the day of `recorded_at` in the clinic's zone.
    Visit { zone: Tz },
}

impl Series {
    /// The counter that the series draws from.
    pub fn counter(&self, recorded_at: DateTime<Utc>) -> CounterKey {
        CounterKey::new(match self {
            Self::Patient { zone } => format!("number/patient/{}", year(recorded_at, *zone)),
            Self::Appointment { day } => format!("number/appointment/{day}"),
            Self::Invoice { zone } => format!("number/invoice/{}", year(recorded_at, *zone)),
            Self::CreditNote { zone } => format!("number/credit-note/{}", year(recorded_at, *zone)),
            Self::LabOrder { zone } => format!("number/lab-order/{}", day_of(recorded_at, *zone)),
            Self::LabReport { zone } => format!("number/lab-report/{}", day_of(recorded_at, *zone)),
            Self::Prescription { zone } => format!("number/prescription/{}", day_of(recorded_at, *zone)),
            Self::CaseStudy { zone } => format!("number/case-study/{}", day_of(recorded_at, *zone)),
            Self::QueueToken { office, day } => format!("number/queue-token/{office}/{day}"),
            Self::Visit { zone } => format!("number/visit/{}", day_of(recorded_at, *zone)),
        })
    }

    /// The `n`-th number of the series, from 1.
    pub fn write(&self, n: i64, recorded_at: DateTime<Utc>) -> String {
        match self {
            Self::Patient { zone } => format!("PT-{}-{n:05}", year(recorded_at, *zone)),
            Self::Appointment { day } => format!("APT-{}-{n:03}", day.format("%Y%m%d")),
            Self::Invoice { zone } => format!("INV-{}-{n:05}", year(recorded_at, *zone)),
            Self::CreditNote { zone } => format!("CN-{}-{n:05}", year(recorded_at, *zone)),
            Self::LabOrder { zone } => format!("LAB-{}-{n:03}", day_of(recorded_at, *zone).format("%Y%m%d")),
            Self::LabReport { zone } => format!("LR-{}-{n:03}", day_of(recorded_at, *zone).format("%Y%m%d")),
            Self::Prescription { zone } => format!("RX-{}-{n:03}", day_of(recorded_at, *zone).format("%Y%m%d")),
            Self::CaseStudy { zone } => format!("CS-{}-{n:03}", day_of(recorded_at, *zone).format("%Y%m%d")),
            Self::QueueToken { .. } => n.to_string(),
            Self::Visit { zone } => format!("VIS-{}-{n:03}", day_of(recorded_at, *zone).format("%Y%m%d")),
        }
    }
}

fn year(at: DateTime<Utc>, zone: Tz) -> i32 {
    at.with_timezone(&zone).year()
}

impl Number {
    /// The number as people read it; empty while it is not given.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Given(number) => number,
            Self::Next(_) => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_year_of_a_patient_number_is_cut_in_the_clinics_zone() {
        let series = Series::Patient { zone: chrono_tz::Asia::Kolkata };
        let at: DateTime<Utc> = "2026-12-31T19:00:00Z".parse().unwrap();
        assert_eq!(series.write(1, at), "PT-2027-00001");
        assert_eq!(series.counter(at).as_str(), "number/patient/2027");
    }

    #[test]
    fn the_day_of_a_visits_number_is_cut_in_the_clinics_zone() {
        let series = Series::Visit { zone: chrono_tz::Asia::Kolkata };
        let at: DateTime<Utc> = "2026-03-13T19:00:00Z".parse().unwrap();
        assert_eq!(series.write(1, at), "VIS-20260314-001");
        assert_eq!(series.counter(at).as_str(), "number/visit/2026-03-14");
    }
}
