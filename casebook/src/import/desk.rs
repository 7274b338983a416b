//! Who sees whom when: gives every appointment of a clinic its doctor and its start, the same at every run.
//!
//! Where the book has no time of day, the appointments of a day are taken in the order in which they were booked
//! (then by their ids), and given one after another to the slots of the first doctor, then of the second, and so on.
//! Where it has no doctors either, there are as many as the fullest day needs.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::values::{Name, folded};
use events::{
    OfficeId,
    calendar::{WeeklyHours, WorkingHours, free_slots, instant},
};
use uuid::Uuid;

use super::{entry::Entry, mapping::Mapping};

/// A doctor, by the place in [`Desk::doctors`], and when the appointment begins.
pub type Place = (usize, DateTime<Utc>);

pub struct Desk {
    zone: Tz,
    minutes: i64,
    /// In the order in which they are registered.
    pub doctors: Vec<Name>,
    named: HashMap<String, usize>,
    /// Those without a name in the book.
    numbered: Vec<usize>,
    /// Slots that are given, by doctor and day.
    given: HashMap<(usize, NaiveDate), usize>,
    /// When a doctor has seen the last one so far.
    busy_until: HashMap<usize, DateTime<Utc>>,
    slots: HashMap<NaiveDate, Vec<DateTime<Utc>>>,
}

impl Desk {
    /// An empty desk.
    pub fn new(mapping: &Mapping) -> Self {
        Self {
            zone: mapping.clinic.time_zone,
            minutes: mapping.appointment.minutes.get(),
            doctors: Vec::new(),
            named: HashMap::new(),
            numbered: Vec::new(),
            given: HashMap::new(),
            busy_until: HashMap::new(),
            slots: HashMap::new(),
        }
    }

    /// The place of each entry, in the order of the entries.
    pub fn seat(&mut self, entries: &[Entry]) -> Vec<Place> {
        let mut order: Vec<usize> = (0..entries.len()).collect();
        order.sort_by_key(|place| {
            let entry = &entries[*place];
            (entry.day, entry.start, entry.scheduled_at, &entry.appointment, entry.line)
        });
        let mut places = vec![(0, DateTime::UNIX_EPOCH); entries.len()];
        for place in order {
            places[place] = self.place(&entries[place]);
        }
        places
    }

    fn place(&mut self, entry: &Entry) -> Place {
        match (&entry.doctor, entry.start) {
            (Some(name), Some(start)) => (self.named(name), start),
            (Some(name), None) => {
                let doctor = self.named(name);
                (doctor, self.next_slot(doctor, entry.day))
            }
            (None, Some(start)) => (self.free_at(start), start),
            (None, None) => {
                let doctor = self.with_a_slot_on(entry.day);
                (doctor, self.next_slot(doctor, entry.day))
            }
        }
    }

    fn named(&mut self, name: &Name) -> usize {
        *self.named.entry(folded(name.as_str())).or_insert_with(|| {
            self.doctors.push(name.clone());
            self.doctors.len() - 1
        })
    }

    /// The `n`-th doctor without a name, from 0.
    fn numbered(&mut self, n: usize) -> usize {
        while self.numbered.len() <= n {
            let label = format!("Doctor {}", self.numbered.len() + 1);
            self.doctors.push(label.parse().expect("the label is a name"));
            self.numbered.push(self.doctors.len() - 1);
        }
        self.numbered[n]
    }

    /// The first doctor whose last appointment is over by then.
    fn free_at(&mut self, start: DateTime<Utc>) -> usize {
        let mut n = 0;
        loop {
            let doctor = self.numbered(n);
            if self.busy_until.get(&doctor).is_none_or(|until| *until <= start) {
                self.busy_until.insert(doctor, start + TimeDelta::minutes(self.minutes));
                return doctor;
            }
            n += 1;
        }
    }

    /// The first doctor who has a slot left that day.
    fn with_a_slot_on(&mut self, day: NaiveDate) -> usize {
        let slots = self.slots_on(day).len();
        let mut n = 0;
        loop {
            let doctor = self.numbered(n);
            // No doctor has a slot on a day of rest: the first one's will be refused as outside working hours.
            if slots == 0 || self.given.get(&(doctor, day)).is_none_or(|given| *given < slots) {
                return doctor;
            }
            n += 1;
        }
    }

    /// The doctor's next slot of the day; past the last one times go on, to be refused as outside working hours.
    fn next_slot(&mut self, doctor: usize, day: NaiveDate) -> DateTime<Utc> {
        let given = self.given.entry((doctor, day)).or_default();
        let n = *given;
        *given += 1;
        let (length, zone) = (TimeDelta::minutes(self.minutes), self.zone);
        let slots = self.slots_on(day);
        slots.get(n).copied().unwrap_or_else(|| {
            let (last, beyond) = match slots.last() {
                Some(last) => (*last, n + 1 - slots.len()),
                None => (instant(day, NaiveTime::MIN, zone), n),
            };
            last + length * i32::try_from(beyond).unwrap_or(i32::MAX)
        })
    }

    fn slots_on(&mut self, day: NaiveDate) -> &[DateTime<Utc>] {
        let (minutes, zone) = (self.minutes, self.zone);
        self.slots.entry(day).or_insert_with(|| slots(day, minutes, zone))
    }
}

/// The slots of a day within the hours of a new office, which an imported clinic has.
fn slots(day: NaiveDate, minutes: i64, zone: Tz) -> Vec<DateTime<Utc>> {
    let hours = WorkingHours::of_office(OfficeId(Uuid::nil()), &WeeklyHours::default());
    let hours = hours.into_iter().map(|hours| WorkingHours { slot_minutes: minutes, ..hours });
    let blocks = hours.filter_map(|hours| Some((hours, hours.on(day, zone)?)));
    blocks.flat_map(|(hours, block)| free_slots(&hours, block, &[], block.from)).map(|slot| slot.from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::sample;

    fn seat(rows: &[&str]) -> (Vec<String>, Vec<(usize, String)>) {
        let mut desk = Desk::new(&sample::mapping());
        let entries: Vec<Entry> = rows.iter().enumerate().map(|(n, row)| sample::entry(n as u64 + 2, row)).collect();
        let places = desk.seat(&entries).into_iter().map(|(doctor, at)| (doctor, at.format("%d %H:%M").to_string()));
        let places = places.collect();
        (desk.doctors.iter().map(ToString::to_string).collect(), places)
    }

    #[test]
    fn a_day_is_filled_in_the_order_of_booking_over_as_many_doctors_as_it_needs() {
        let mut rows = vec!["day 2016-05-02, booked 2016-04-20"; 38];
        rows.push("day 2016-05-02, booked 2016-04-19");
        rows.push("day 2016-05-03");
        let (doctors, places) = seat(&rows);
        assert_eq!(doctors, ["Doctor 1", "Doctor 2"]);
        // 09:00 in Sao Paulo; the one that was booked first has it, though its line comes last.
        assert_eq!(places[38], (0, "02 12:00".to_owned()));
        assert_eq!(places[0], (0, "02 12:15".to_owned()));
        assert_eq!(places[34], (0, "02 20:45".to_owned()));
        assert_eq!(places[35], (1, "02 12:00".to_owned()));
        assert_eq!(places[39], (0, "03 12:00".to_owned()));
    }

    #[test]
    fn a_day_of_rest_makes_no_doctors() {
        let (doctors, places) = seat(&["day 2016-05-01"; 3]);
        assert_eq!(doctors.len(), 1);
        assert_eq!(places[1].1, "01 03:15");
    }

    #[test]
    fn doctors_of_the_book_keep_their_own() {
        let rows = ["day 2016-05-02, doctor Ana", "day 2016-05-02, doctor  ANA", "day 2016-05-02, doctor Rui"];
        let (doctors, places) = seat(&rows);
        assert_eq!(doctors, ["Ana", "Rui"]);
        assert_eq!(places.iter().map(|(doctor, _)| *doctor).collect::<Vec<_>>(), [0, 0, 1]);
        let (_, overfull) = seat(&["day 2016-05-02, doctor Ana"; 38]);
        assert_eq!(overfull[37].1, "02 21:15", "past the end, for the domain to refuse");
    }

    #[test]
    fn times_of_the_book_stay_and_two_at_once_need_two_doctors() {
        let rows = ["start 2016-05-02T12:00:00Z", "start 2016-05-02T12:10:00Z", "start 2016-05-02T12:15:00Z"];
        let (doctors, places) = seat(&rows);
        assert_eq!(doctors.len(), 2);
        assert_eq!(places[1], (1, "02 12:10".to_owned()));
        assert_eq!(places[2], (0, "02 12:15".to_owned()));
    }
}
