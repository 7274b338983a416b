//! What the columns of a legacy appointment book mean: a TOML file that the operator writes.
//!
//! `casebook/mappings/` has one for the public "Medical Appointment No Shows" set, with a comment on every line.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use derive_more::Display;
use domain::values::{Slug, VisitMinutes};
use events::{calendar::DEFAULT_SLOT_MINUTES, values::Gender};
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// What stands between two fields of a line.
    #[serde(default = "comma")]
    pub delimiter: char,
    pub clinic: ClinicColumns,
    pub patient: PatientColumns,
    pub appointment: AppointmentColumns,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClinicColumns {
    /// Its value is the clinic's name.
    pub column: String,
    /// Of every clinic in the book; times without an offset are meant in it.
    pub time_zone: Tz,
    /// Where the made-up addresses of the clinics lie: `{slug}@{mail_domain}`.
    #[serde(default = "no_mail")]
    pub mail_domain: String,
    /// Slugs of clinics by name, where the one that is made of the name will not do.
    #[serde(default)]
    pub slugs: BTreeMap<String, Slug>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatientColumns {
    pub id: String,
    /// Without it a label is made of the id.
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub gender: Option<Words<Gender>>,
    pub birth_date: Option<Moment>,
    /// Completed years on the day of the appointment: gives a birth year, which is an estimate.
    pub age: Option<String>,
    pub phone: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppointmentColumns {
    pub id: String,
    /// When it was booked.
    pub scheduled_at: Moment,
    /// The day, where the book has no time of day: times are then given by a rule, see [`super::desk`].
    pub day: Option<Moment>,
    /// Day and time of day, where the book has them.
    pub start: Option<Moment>,
    /// Whose it is. Without it as many doctors are made as the fullest day needs.
    pub doctor: Option<String>,
    #[serde(default = "default_minutes")]
    pub minutes: VisitMinutes,
    pub status: Words<Outcome>,
}

fn comma() -> char {
    ','
}

/// A domain that never receives mail (RFC 2606).
fn no_mail() -> String {
    "import.invalid".to_owned()
}

fn default_minutes() -> VisitMinutes {
    DEFAULT_SLOT_MINUTES.try_into().expect("the default length is an allowed one")
}

/// A column, and what its words mean here.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words<T> {
    pub column: String,
    pub words: BTreeMap<String, T>,
}

/// What became of an appointment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Display)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    #[display("booked")]
    Booked,
    #[display("fulfilled")]
    Fulfilled,
    #[display("noshow")]
    NoShow,
    #[display("cancelled")]
    Cancelled,
}

/// A column with a date or a time, and its form in the words of `strftime`; `%+` is RFC 3339.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    pub column: String,
    pub format: String,
}

impl Moment {
    /// The day as it is written, whatever its offset.
    pub fn day(&self, text: &str) -> Option<NaiveDate> {
        let instant = DateTime::parse_from_str(text, &self.format).map(|at| at.date_naive());
        let local = || NaiveDateTime::parse_from_str(text, &self.format).map(|at| at.date());
        instant.or_else(|_| local()).or_else(|_| NaiveDate::parse_from_str(text, &self.format)).ok()
    }

    /// The instant; a text without an offset is meant in the zone, one without a time is its first moment.
    pub fn instant(&self, text: &str, zone: Tz) -> Option<DateTime<Utc>> {
        if let Ok(at) = DateTime::parse_from_str(text, &self.format) {
            return Some(at.to_utc());
        }
        let local = NaiveDateTime::parse_from_str(text, &self.format);
        let local = local.or_else(|_| NaiveDate::parse_from_str(text, &self.format).map(NaiveDateTime::from)).ok()?;
        zone.from_local_datetime(&local).earliest().map(|at| at.to_utc())
    }
}

impl Mapping {
    /// # Errors
    /// When the file cannot be read, is no TOML, or says something that cannot be meant.
    pub fn open(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("reading the mapping {path:?}"))?;
        Self::parse(&text).with_context(|| format!("in the mapping {path:?}"))
    }

    pub fn parse(text: &str) -> Result<Self> {
        let mapping: Self = toml::from_str(text)?;
        let appointment = &mapping.appointment;
        ensure!(appointment.day.is_some() != appointment.start.is_some(), "[appointment] has either `day` or `start`");
        ensure!(mapping.delimiter.is_ascii(), "`delimiter` is one ASCII character");
        Ok(mapping)
    }

    /// The columns that the file must have.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let (patient, appointment) = (&self.patient, &self.appointment);
        let needed = [&self.clinic.column, &patient.id, &appointment.id];
        let texts = [&patient.first_name, &patient.last_name, &patient.age, &patient.phone, &appointment.doctor];
        let moments = [&patient.birth_date, &appointment.day, &appointment.start].into_iter().flatten();
        let moments = moments.chain([&appointment.scheduled_at]).map(|moment| &moment.column);
        let words =
            patient.gender.as_ref().map(|gender| &gender.column).into_iter().chain([&appointment.status.column]);
        needed.into_iter().chain(texts.into_iter().flatten()).chain(moments).chain(words).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_SHOWS: &str = include_str!("../../mappings/medical-appointment-no-shows.toml");

    #[test]
    fn the_mapping_that_comes_along_can_be_read() {
        let mapping = Mapping::parse(NO_SHOWS).unwrap();
        assert_eq!(mapping.clinic.time_zone, Tz::America__Sao_Paulo);
        assert_eq!(mapping.appointment.status.words["No"], Outcome::Fulfilled);
        assert_eq!(mapping.columns().count(), 8);
    }

    #[test]
    fn a_mapping_that_cannot_be_meant_is_refused() {
        let both = NO_SHOWS
            .replace("[appointment.day]", "[appointment.start]\ncolumn = \"x\"\nformat = \"%+\"\n[appointment.day]");
        for (changed, says) in [
            (both, "either `day` or `start`"),
            (NO_SHOWS.replace("minutes = 15", "minutes = 3"), "5 to 480"),
            (NO_SHOWS.replace("noshow", "vanished"), "vanished"),
            (NO_SHOWS.replace("America/Sao_Paulo", "America/Nowhere"), "America/Nowhere"),
            (NO_SHOWS.replace("[patient]", "[patient]\nshoe_size = 3"), "shoe_size"),
            (NO_SHOWS.replace("delimiter = \",\"", "delimiter = \"→\""), "ASCII"),
        ] {
            let error = format!("{:#}", Mapping::parse(&changed).unwrap_err());
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_moment_is_read_in_its_form_and_nothing_else() {
        let moment = |format: &str| Moment { column: String::new(), format: format.to_owned() };
        let zone = Tz::America__Sao_Paulo;
        let rfc3339 = moment("%+");
        assert_eq!(rfc3339.instant("2016-04-27T15:05:12Z", zone).unwrap().to_rfc3339(), "2016-04-27T15:05:12+00:00");
        assert_eq!(rfc3339.day("2016-04-29T00:00:00Z"), NaiveDate::from_ymd_opt(2016, 4, 29));
        let local = moment("%d.%m.%Y %H:%M");
        assert_eq!(local.instant("27.04.2016 15:05", zone).unwrap().to_rfc3339(), "2016-04-27T18:05:00+00:00");
        assert_eq!(local.day("27.04.2016 15:05"), NaiveDate::from_ymd_opt(2016, 4, 27));
        let day = moment("%d/%m/%Y");
        assert_eq!(day.day("29/04/2016"), NaiveDate::from_ymd_opt(2016, 4, 29));
        assert_eq!(day.instant("29/04/2016", zone).unwrap().to_rfc3339(), "2016-04-29T03:00:00+00:00");
        for text in ["2016-13-01T00:00:00Z", "2016-04-31T00:00:00Z", "29/04/2016", "", "yesterday"] {
            assert_eq!((rfc3339.day(text), rfc3339.instant(text, zone)), (None, None), "{text}");
        }
    }
}
