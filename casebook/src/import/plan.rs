//! From the entries of a book to clinics with their doctors and rows: the same at every run.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use domain::values::{Name, Slug};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::{desk::Desk, entry::Entry, mapping::Mapping};

/// Leaves room for a number behind it; a slug has 63 characters at most.
const SLUG_CHARS_MAX: usize = 48;
const SLUG_CHARS_MIN: usize = 3;

/// Where something stands in the book for the first time: what its id is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct First {
    pub line: u64,
    pub at: DateTime<Utc>,
}

impl From<&Entry> for First {
    fn from(entry: &Entry) -> Self {
        Self { line: entry.line, at: entry.scheduled_at }
    }
}

/// A clinic of the book.
#[derive(Debug)]
pub struct ClinicPlan {
    /// As its first line writes it.
    pub name: Name,
    pub slug: Slug,
    pub first: First,
    /// In the order in which they are registered.
    pub doctors: Vec<Name>,
    /// In the order of the lines.
    pub rows: Vec<Row>,
}

/// A line with everything that is to be done for it.
#[derive(Debug)]
pub struct Row {
    pub entry: Entry,
    /// Whose first line this is, or another one: see [`Row::registers`].
    pub patient: First,
    /// A place in the clinic's doctors.
    pub doctor: usize,
    pub start: DateTime<Utc>,
}

impl Row {
    /// Whether the patient is registered with this line.
    pub fn registers(&self) -> bool {
        self.patient.line == self.entry.line
    }
}

/// Plans every clinic of the book. The entries are in the order of the lines.
pub fn plan(entries: Vec<Entry>, mapping: &Mapping) -> Vec<ClinicPlan> {
    let mut clinics: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for entry in entries {
        clinics.entry(entry.clinic_key()).or_default().push(entry);
    }
    let mut slugs: HashSet<String> = mapping.clinic.slugs.values().map(ToString::to_string).collect();
    clinics.into_values().map(|entries| plan_clinic(entries, mapping, &mut slugs)).collect()
}

fn plan_clinic(entries: Vec<Entry>, mapping: &Mapping, slugs: &mut HashSet<String>) -> ClinicPlan {
    let mut desk = Desk::new(mapping);
    let places = desk.seat(&entries);
    let (name, first) = (entries[0].clinic.clone(), First::from(&entries[0]));
    let slug = mapping.clinic.slugs.get(name.as_str()).cloned().unwrap_or_else(|| free_slug(name.as_str(), slugs));
    let mut patients: HashMap<String, First> = HashMap::new();
    let rows = entries.into_iter().zip(places).map(|(entry, (doctor, start))| {
        let patient = *patients.entry(entry.patient.clone()).or_insert_with(|| First::from(&entry));
        Row { entry, patient, doctor, start }
    });
    ClinicPlan { rows: rows.collect(), name, slug, first, doctors: desk.doctors }
}

/// `FORTE SÃO JOÃO` → `forte-sao-joao`; a second clinic with the same letters gets `-2`. A name without Latin letters
/// is a `clinic` with a number.
fn free_slug(name: &str, taken: &mut HashSet<String>) -> Slug {
    let base = slug_of(name);
    let numbered = (2..).map(|n| format!("{base}-{n}"));
    let free = std::iter::once(base.clone()).chain(numbered).find(|slug| taken.insert(slug.clone()));
    free.and_then(|slug| slug.parse().ok()).expect("numbers do not end, and a slug is made of what a slug may have")
}

fn slug_of(name: &str) -> String {
    let plain = name.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect::<String>();
    let words = plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut slug = words.collect::<Vec<_>>().join("-");
    slug.truncate(SLUG_CHARS_MAX);
    match slug.trim_end_matches('-') {
        "" => "clinic".to_owned(),
        short if short.len() < SLUG_CHARS_MIN => format!("clinic-{short}"),
        long => long.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::sample;

    fn plan_of(rows: &[&str]) -> Vec<ClinicPlan> {
        let entries = rows.iter().enumerate().map(|(n, row)| sample::entry(n as u64 + 2, row)).collect();
        plan(entries, &sample::mapping())
    }

    #[test]
    fn slugs_are_made_without_collisions() {
        let mut taken = HashSet::from(["d-agua-2".to_owned()]);
        let long = "a".repeat(47) + " bc";
        let names = ["FORTE SÃO JOÃO", "Forte Sao Joao", "D'Água", "D´agua", "É", "日本", "??", long.as_str()];
        let slugs = names.map(|name| free_slug(name, &mut taken).to_string());
        let expected = ["forte-sao-joao", "forte-sao-joao-2", "d-agua", "d-agua-3", "clinic-e", "clinic", "clinic-2"];
        assert_eq!(slugs[..7], expected);
        assert_eq!(slugs[7], "a".repeat(47));
    }

    #[test]
    fn a_slug_may_be_chosen_and_is_then_nobody_elses() {
        let mut mapping = sample::mapping();
        mapping.clinic.slugs.insert("CENTRO".into(), "monte".parse().unwrap());
        let entries = vec![sample::entry(2, "clinic CENTRO"), sample::entry(3, "clinic Monte")];
        let slugs: Vec<String> = plan(entries, &mapping).iter().map(|clinic| clinic.slug.to_string()).collect();
        assert_eq!(slugs, ["monte", "monte-2"]);
    }

    #[test]
    fn capitals_and_spaces_make_no_other_clinic() {
        let clinics = plan_of(&["clinic Centro", "clinic CENTRO", "clinic  centro", "clinic Centro Novo"]);
        assert_eq!(clinics.iter().map(|clinic| clinic.name.as_str()).collect::<Vec<_>>(), ["Centro", "Centro Novo"]);
        assert_eq!((clinics[0].first.line, clinics[0].rows.len()), (2, 3));
    }

    #[test]
    fn a_patient_belongs_to_a_clinic_and_is_registered_with_the_first_line() {
        let clinics = plan_of(&["patient 1", "patient 1, booked 2016-01-01", "patient 01", "clinic Monte, patient 1"]);
        let registers: Vec<bool> = clinics[0].rows.iter().map(Row::registers).collect();
        assert_eq!(registers, [true, false, true]);
        assert_eq!(clinics[0].rows[1].patient, clinics[0].rows[0].patient);
        assert!(clinics[1].rows[0].registers());
    }
}
