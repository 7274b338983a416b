//! Words, in every form in which Casebook or PostgreSQL may keep or show them.

use std::{collections::BTreeSet, io::Read};

use aho_corasick::AhoCorasick;
use anyhow::{Result, ensure};
use read_models::search::{digits, fold_text};

use super::Found;

/// A shorter one is found everywhere.
const CHARS_MIN: usize = 4;
/// Of a phone number; fewer digits are found everywhere.
const DIGITS_MIN: usize = 7;

/// Words to look for, without regard to the case of Latin letters.
pub struct Markers {
    searcher: AhoCorasick,
    /// To which word each pattern belongs.
    of: Vec<usize>,
}

impl Markers {
    /// # Errors
    /// A word that is too short to mean anything.
    pub fn new(words: &[String]) -> Result<Self> {
        let (mut patterns, mut of) = (Vec::new(), Vec::new());
        for (n, word) in words.iter().enumerate() {
            ensure!(word.chars().count() >= CHARS_MIN, "{word:?} is too short: {CHARS_MIN} characters at least");
            for form in forms(word) {
                patterns.push(form);
                of.push(n);
            }
        }
        Ok(Self { searcher: AhoCorasick::builder().ascii_case_insensitive(true).build(patterns)?, of })
    }

    pub(super) fn in_bytes(&self, bytes: &[u8], seen: &mut BTreeSet<usize>) {
        // Overlapping: one word may begin with another.
        seen.extend(self.searcher.find_overlapping_iter(bytes).map(|found| self.of[found.pattern().as_usize()]));
    }

    pub(super) fn in_reader(&self, reader: impl Read, seen: &mut BTreeSet<usize>) -> std::io::Result<()> {
        for found in self.searcher.stream_find_iter(reader) {
            seen.insert(self.of[found?.pattern().as_usize()]);
        }
        Ok(())
    }
}

/// As it was typed, as the search folds it, as JSON escapes it, the digits of a phone number, and the first of these as
/// PostgreSQL shows bytes.
fn forms(word: &str) -> BTreeSet<Vec<u8>> {
    let json = serde_json::to_string(word).unwrap_or_default();
    let json = json.trim_matches('"').to_owned();
    let number = Some(digits(word)).filter(|number| number.len() >= DIGITS_MIN);
    let texts = [word.to_owned(), fold_text(word), json].into_iter().chain(number);
    texts.flat_map(|text| [hex::encode(&text).into_bytes(), text.into_bytes()]).collect()
}

pub(super) fn found(place: impl Into<String>, seen: &BTreeSet<usize>) -> Option<Found> {
    (!seen.is_empty()).then(|| Found { place: place.into(), words: seen.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(words: &[&str], text: &[u8]) -> usize {
        let markers = Markers::new(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).unwrap();
        let (mut in_bytes, mut in_reader) = (BTreeSet::new(), BTreeSet::new());
        markers.in_bytes(text, &mut in_bytes);
        markers.in_reader(text, &mut in_reader).unwrap();
        assert_eq!(in_bytes.is_empty(), in_reader.is_empty());
        in_bytes.len()
    }

    #[test]
    fn a_word_is_found_in_every_form() {
        assert_eq!(seen(&["Áshà Rao"], "… Áshà Rao …".as_bytes()), 1);
        assert_eq!(seen(&["Áshà Rao"], b" asha rao "), 1);
        assert_eq!(seen(&["Asha Rao"], b"\\x41736861205261"), 0, "cut off");
        assert_eq!(seen(&["Asha Rao"], hex::encode("{\"name\":\"Asha Rao\"}").as_bytes()), 1);
        assert_eq!(seen(&["+91 98200-12345"], b" 919820012345 "), 1);
        assert_eq!(seen(&["says \"no\""], br#"{"reason":"says \"no\""}"#), 1);
        assert_eq!(seen(&["Meera"], b"Mee ra"), 0);
    }

    #[test]
    fn a_word_that_begins_with_another_is_found_with_it() {
        assert_eq!(seen(&["marker-1", "marker-12"], b"marker-12"), 2);
    }

    #[test]
    fn a_short_word_means_nothing() {
        assert!(Markers::new(&["Rao".to_owned()]).is_err());
    }
}
