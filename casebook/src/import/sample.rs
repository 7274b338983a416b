//! Entries for tests.

use super::{
    entry::Entry,
    mapping::{Mapping, Outcome},
};

pub(super) fn mapping() -> Mapping {
    Mapping::parse(include_str!("../../mappings/medical-appointment-no-shows.toml")).unwrap()
}

/// `day 2016-05-02, booked 2016-04-20, doctor Ana, start 2016-05-02T12:00:00Z, clinic CENTRO, patient 1`, each of
/// which may be left out.
pub(super) fn entry(line: u64, says: &str) -> Entry {
    let part = |name: &str| says.split(", ").find_map(|part| part.strip_prefix(name)?.strip_prefix(' '));
    let start = part("start").map(|start| start.parse().unwrap());
    let day = part("day").unwrap_or("2016-05-02").parse().unwrap();
    Entry {
        line,
        clinic: part("clinic").unwrap_or("CENTRO").parse().unwrap(),
        patient: part("patient").unwrap_or("1").to_owned(),
        first_name: "Patient".parse().unwrap(),
        last_name: None,
        gender: events::values::Gender::Unknown,
        birth_date: None,
        phone: None,
        appointment: format!("{line:06}"),
        scheduled_at: format!("{}T08:00:00Z", part("booked").unwrap_or("2016-04-20")).parse().unwrap(),
        day: start.map_or(day, |start: chrono::DateTime<chrono::Utc>| start.date_naive()),
        start,
        doctor: part("doctor").map(|name| name.parse().unwrap()),
        outcome: Outcome::Fulfilled,
    }
}
