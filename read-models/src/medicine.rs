//! Medicines: the entries of a catalogue, and what a clinic says of the platform's.

use events::{DomainEvent, MedicineEvent, MedicineId, Recorded, medicine::MedicineEntry};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Projection, search::fold_text};

/// `read.medicine_1`: one row per medicine and ledger. Those of the platform lie under the nil clinic, and every
/// clinic sees them.
pub struct Medicines;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MedicineRow {
    pub id: MedicineId,
    /// It belongs to the catalogue of this ledger; else it is what a clinic says of one of the platform's.
    pub is_own: bool,
    pub retired: bool,
    pub hidden: bool,
    /// `None`: as the platform says.
    pub entry: Option<MedicineEntry>,
    /// The words of the name, each behind a space: ` augmentin 625 duo tablet`.
    pub name_text: Option<String>,
    /// The same with the words of the generic name, of the ingredients under all their names, and of strengths.
    pub search_text: Option<String>,
    pub version: i64,
    pub position: i64,
}

impl Projection for Medicines {
    const NAME: &'static str = "medicine";
    const REVISION: i32 = 1;
    const TABLE: &'static str = "read.medicine_1";
    const ONE_STREAM: bool = true;
    type Key = Uuid;
    type Row = MedicineRow;

    fn keys(event: &Recorded) -> Vec<Uuid> {
        match event.event {
            DomainEvent::Medicine(_) => vec![event.stream.id],
            _ => Vec::new(),
        }
    }

    fn fold(row: Option<MedicineRow>, _: &Uuid, event: &Recorded) -> Option<MedicineRow> {
        let DomainEvent::Medicine(change) = &event.event else { return row };
        let mut row = match (row, change) {
            (None, MedicineEvent::MedicineAdded { .. }) => empty(event, true),
            (None, MedicineEvent::MedicineOverridden { .. } | MedicineEvent::MedicineHidden {}) => empty(event, false),
            (row, _) => row?,
        };
        row.take(change);
        row.version = event.version;
        row.position = event.position;
        Some(row)
    }
}

fn empty(event: &Recorded, is_own: bool) -> MedicineRow {
    MedicineRow {
        id: MedicineId(event.stream.id),
        is_own,
        retired: false,
        hidden: false,
        entry: None,
        name_text: None,
        search_text: None,
        version: event.version,
        position: event.position,
    }
}

impl MedicineRow {
    fn take(&mut self, change: &MedicineEvent) {
        match change {
            MedicineEvent::MedicineAdded { entry }
            | MedicineEvent::MedicineUpdated { entry }
            | MedicineEvent::MedicineOverridden { entry } => self.set(Some(entry)),
            MedicineEvent::MedicineOverrideLifted {} => self.set(None),
            MedicineEvent::MedicineRetired {} => self.retired = true,
            MedicineEvent::MedicineHidden {} => self.hidden = true,
            MedicineEvent::MedicineShown {} => self.hidden = false,
        }
    }

    fn set(&mut self, entry: Option<&MedicineEntry>) {
        self.entry = entry.cloned();
        self.name_text = entry.map(|entry| spaced(words(&entry.name)));
        self.search_text = entry.map(search_text);
    }
}

/// The words of a name as the search compares them: lower case, without accents, cut at all that is neither letter
/// nor digit. The same is done with what somebody types.
pub fn words(text: &str) -> Vec<String> {
    let folded = fold_text(text);
    folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn search_text(entry: &MedicineEntry) -> String {
    let ingredients = entry.ingredients.iter().flat_map(|ingredient| {
        let names = std::iter::once(&ingredient.name).chain(&ingredient.also);
        names.chain(&ingredient.strength)
    });
    let texts = std::iter::once(&entry.name).chain(&entry.generic_name).chain(ingredients).chain(&entry.strength);
    let mut seen = Vec::new();
    for word in texts.flat_map(|text| words(text)) {
        if !seen.contains(&word) {
            seen.push(word);
        }
    }
    spaced(seen)
}

/// A space comes before each word, so that the beginning of a word is found by `% begin%`.
fn spaced(words: Vec<String>) -> String {
    words.into_iter().map(|word| format!(" {word}")).collect()
}

#[cfg(test)]
mod tests {
    use events::medicine::Ingredient;

    use super::*;
    use crate::sample::History;

    fn entry(name: &str) -> MedicineEntry {
        MedicineEntry {
            name: name.to_owned(),
            generic_name: None,
            ingredients: vec![Ingredient {
                name: "amoxicillin".into(),
                rxnorm: None,
                strength: Some("500mg".into()),
                also: vec!["amoxycillin".into()],
            }],
            classes: Vec::new(),
            form: None,
            route: None,
            unit: None,
            strength: Some("500mg".into()),
            manufacturer: None,
            pack: None,
            price: None,
            codes: Vec::new(),
            doses: None,
        }
    }

    #[test]
    fn a_medicine_is_found_by_its_name_and_by_what_is_in_it() {
        let mut history = History::new();
        let medicine = history.medicine(MedicineEvent::MedicineAdded { entry: entry("Mox-500 Cápsule") });
        let row = history.row::<Medicines>(medicine.0).unwrap();
        assert_eq!(row.name_text.as_deref(), Some(" mox 500 capsule"));
        assert_eq!(row.search_text.as_deref(), Some(" mox 500 capsule amoxicillin amoxycillin 500mg"));
        assert!(row.is_own && !row.retired);
    }

    #[test]
    fn what_a_clinic_says_of_the_platforms_comes_and_goes() {
        let mut history = History::new();
        let medicine = history.medicine(MedicineEvent::MedicineHidden {});
        let row = history.row::<Medicines>(medicine.0).unwrap();
        assert!(row.hidden && !row.is_own && row.search_text.is_none());
        history.of_medicine(medicine, MedicineEvent::MedicineShown {});
        history.of_medicine(medicine, MedicineEvent::MedicineOverridden { entry: entry("Ours") });
        let row = history.row::<Medicines>(medicine.0).unwrap();
        assert_eq!((row.hidden, row.name_text.as_deref(), row.version), (false, Some(" ours"), 3));
        history.of_medicine(medicine, MedicineEvent::MedicineOverrideLifted {});
        let row = history.row::<Medicines>(medicine.0).unwrap();
        assert_eq!((row.entry, row.name_text, row.search_text), (None, None, None));
    }
}
