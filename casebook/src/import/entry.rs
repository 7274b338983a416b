//! One line of the book: what it says, or why it cannot be understood.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use csv::StringRecord;
use domain::values::{Name, Phone, folded};
use events::values::{BirthDate, Gender};

use super::mapping::{Mapping, Moment, Outcome, Words};

/// Nobody has grown older.
const AGES: std::ops::RangeInclusive<i32> = 0..=130;

/// A line that could be understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Of the file, from 1; the header is line 1. Of a record over several lines the first.
    pub line: u64,
    pub clinic: Name,
    /// The patient's id in the book: a text.
    pub patient: String,
    /// A label with the id where the book has no names.
    pub first_name: Name,
    pub last_name: Option<Name>,
    pub gender: Gender,
    pub birth_date: Option<BirthDate>,
    pub phone: Option<Phone>,
    /// The appointment's id in the book: a text.
    pub appointment: String,
    pub scheduled_at: DateTime<Utc>,
    pub day: NaiveDate,
    /// `None` where the book has no time of day.
    pub start: Option<DateTime<Utc>>,
    pub doctor: Option<Name>,
    pub outcome: Outcome,
}

impl Entry {
    /// Equal for two lines of one clinic: capitals and spaces make no other clinic.
    pub fn clinic_key(&self) -> String {
        folded(self.clinic.as_str())
    }
}

/// Knows where each column is.
pub(super) struct Columns<'m> {
    mapping: &'m Mapping,
    places: HashMap<String, usize>,
    count: usize,
}

impl<'m> Columns<'m> {
    /// # Errors
    /// When a column that the mapping names is absent, or there twice.
    pub fn find(header: &StringRecord, mapping: &'m Mapping) -> anyhow::Result<Self> {
        let names: Vec<&str> = header.iter().map(str::trim).collect();
        for column in mapping.columns() {
            let found = names.iter().filter(|name| **name == column).count();
            anyhow::ensure!(found > 0, "the file has no column `{column}`");
            anyhow::ensure!(found == 1, "the file has {found} columns `{column}`");
        }
        let places = names.iter().enumerate().map(|(place, name)| ((*name).to_owned(), place)).collect();
        Ok(Self { mapping, places, count: names.len() })
    }

    /// What the line says.
    ///
    /// # Errors
    /// The reason for which it cannot be understood. It repeats no value: reports are read by people who may not
    /// see them.
    pub fn entry(&self, line: u64, record: &StringRecord) -> Result<Entry, String> {
        if record.len() != self.count {
            return Err(format!("the line has {} fields and the header {}", record.len(), self.count));
        }
        let (patient, appointment) = (&self.mapping.patient, &self.mapping.appointment);
        let (id, (day, start)) = (self.required(record, &patient.id)?, self.when(record)?);
        let status = &appointment.status;
        Ok(Entry {
            line,
            clinic: value(self.required(record, &self.mapping.clinic.column)?, &self.mapping.clinic.column)?,
            patient: id.to_owned(),
            first_name: self.first_name(record, id)?,
            last_name: self.optional(record, patient.last_name.as_deref())?,
            gender: self.gender(record)?,
            birth_date: self.birth_date(record, day)?,
            phone: self.optional(record, patient.phone.as_deref())?,
            appointment: self.required(record, &appointment.id)?.to_owned(),
            scheduled_at: self.instant(record, &appointment.scheduled_at)?,
            day,
            start,
            doctor: self.optional(record, appointment.doctor.as_deref())?,
            outcome: known(status, self.required(record, &status.column)?)?,
        })
    }

    fn first_name(&self, record: &StringRecord, id: &str) -> Result<Name, String> {
        let named = self.optional(record, self.mapping.patient.first_name.as_deref())?;
        named.map_or_else(|| value(&format!("Patient {id}"), &self.mapping.patient.id), Ok)
    }

    fn when(&self, record: &StringRecord) -> Result<(NaiveDate, Option<DateTime<Utc>>), String> {
        let appointment = &self.mapping.appointment;
        if let Some(moment) = &appointment.start {
            let start = self.instant(record, moment)?;
            return Ok((start.with_timezone(&self.mapping.clinic.time_zone).date_naive(), Some(start)));
        }
        let moment = appointment.day.as_ref().ok_or("the mapping names neither a day nor a start")?;
        let day = moment.day(self.required(record, &moment.column)?);
        Ok((day.ok_or_else(|| no_date(moment))?, None))
    }

    fn instant(&self, record: &StringRecord, moment: &Moment) -> Result<DateTime<Utc>, String> {
        let instant = moment.instant(self.required(record, &moment.column)?, self.mapping.clinic.time_zone);
        instant.ok_or_else(|| no_date(moment))
    }

    fn gender(&self, record: &StringRecord) -> Result<Gender, String> {
        let Some(gender) = &self.mapping.patient.gender else { return Ok(Gender::Unknown) };
        self.cell(record, &gender.column).map_or(Ok(Gender::Unknown), |word| known(gender, word))
    }

    /// As it is written; else the year that the age on the day of the appointment leads to.
    fn birth_date(&self, record: &StringRecord, day: NaiveDate) -> Result<Option<BirthDate>, String> {
        let patient = &self.mapping.patient;
        if let Some(moment) = &patient.birth_date {
            let Some(text) = self.cell(record, &moment.column) else { return Ok(None) };
            return moment.day(text).map(|day| Some(BirthDate::Day(day))).ok_or_else(|| no_date(moment));
        }
        let age = patient.age.as_deref().and_then(|column| self.cell(record, column));
        let Some(age) = age else { return Ok(None) };
        match age.parse::<i32>() {
            Ok(age) if AGES.contains(&age) => Ok(Some(BirthDate::Year(day.year() - age))),
            _ => Err(format!("the age is not a whole number from {} to {}", AGES.start(), AGES.end())),
        }
    }

    fn required<'r>(&self, record: &'r StringRecord, column: &str) -> Result<&'r str, String> {
        self.cell(record, column).ok_or_else(|| format!("`{column}` is empty"))
    }

    fn optional<T>(&self, record: &StringRecord, column: Option<&str>) -> Result<Option<T>, String>
    where
        T: std::str::FromStr<Err = domain::values::Invalid>,
    {
        let Some(column) = column else { return Ok(None) };
        self.cell(record, column).map(|text| value(text, column)).transpose()
    }

    fn cell<'r>(&self, record: &'r StringRecord, column: &str) -> Option<&'r str> {
        let text = self.places.get(column).and_then(|place| record.get(*place)).map(str::trim);
        text.filter(|text| !text.is_empty())
    }
}

fn value<T: std::str::FromStr<Err = domain::values::Invalid>>(text: &str, column: &str) -> Result<T, String> {
    text.parse().map_err(|invalid| format!("`{column}`: {invalid}"))
}

fn known<T: Copy>(words: &Words<T>, word: &str) -> Result<T, String> {
    let meaning = words.words.get(word).copied();
    meaning.ok_or_else(|| format!("the mapping does not know this word in `{}`", words.column))
}

fn no_date(moment: &Moment) -> String {
    format!("`{}` is not a date in the form {}", moment.column, moment.format)
}
