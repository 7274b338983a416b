//! What corresponds to what in two clinics to which the same happened: ids, hashes and times, as their logs pair them.

use std::{collections::HashMap, ops::Range};

const UUID_CHARS: usize = 36;
const HASH_DIGITS_MIN: usize = 32;
/// `2026-11-21T09:00:00`
const INSTANT: &[u8] = b"dddd-dd-ddTdd:dd:dd";

/// Words of the first clinic, and those that stand for them in the second.
#[derive(Default)]
pub(super) struct Pairs {
    /// The slugs, which stand within other words.
    slugs: (String, String),
    there: HashMap<String, String>,
    back: HashMap<String, String>,
}

impl Pairs {
    pub(super) fn of(first_slug: &str, second_slug: &str) -> Self {
        Self { slugs: (first_slug.to_owned(), second_slug.to_owned()), ..Self::default() }
    }

    /// Two words that mean the same.
    pub(super) fn meet(&mut self, first: &str, second: &str) {
        let known = self.there.insert(first.to_owned(), second.to_owned());
        assert!(known.as_deref().is_none_or(|known| known == second), "{first} is {known:?} and {second}");
        self.back.insert(second.to_owned(), first.to_owned());
    }

    /// Two texts that say the same in other words; panics where they say something else.
    pub(super) fn meet_in(&mut self, first: &str, second: &str) {
        let first = &first.replace(&self.slugs.0, &self.slugs.1);
        let (ours, theirs) = (words(first), words(second));
        let (said, heard) = (without(first, &ours), without(second, &theirs));
        assert_eq!(said, heard, "not the same was recorded");
        for (one, other) in ours.into_iter().zip(theirs) {
            self.meet(&first[one], &second[other]);
        }
    }

    /// What was said in the first clinic, as it is said in the second.
    pub(super) fn translated(&self, first: &str) -> String {
        replaced(&first.replace(&self.slugs.0, &self.slugs.1), |word| self.there.get(word).map_or(word, String::as_str))
    }

    /// The same, with what is no event's (an id of a request, the time of day) left out.
    pub(super) fn told_by_first(&self, first: &str) -> String {
        replaced(&first.replace(&self.slugs.0, &self.slugs.1), |word| self.there.get(word).map_or("…", String::as_str))
    }

    /// What the second clinic says, so that it can be compared with that.
    pub(super) fn told_by_second(&self, second: &str) -> String {
        replaced(second, |word| if self.back.contains_key(word) { word } else { "…" })
    }
}

fn replaced<'t>(text: &'t str, with: impl Fn(&'t str) -> &'t str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for word in words(text) {
        out.push_str(&text[at..word.start]);
        at = word.end;
        out.push_str(with(&text[word]));
    }
    out + &text[at..]
}

fn without(text: &str, words: &[Range<usize>]) -> String {
    let mut kinds = String::new();
    let mut at = 0;
    for word in words {
        kinds.push_str(&text[at..word.start]);
        kinds.push('…');
        at = word.end;
    }
    kinds + &text[at..]
}

/// Where ids, hashes and instants stand in a text.
fn words(text: &str) -> Vec<Range<usize>> {
    let (bytes, mut found, mut at) = (text.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        let begins = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
        match begins.then(|| word(&bytes[at..])).flatten() {
            Some(length) => {
                found.push(at..at + length);
                at += length;
            }
            None => at += 1,
        }
    }
    found
}

fn word(bytes: &[u8]) -> Option<usize> {
    let length = uuid(bytes).or_else(|| instant(bytes)).or_else(|| hash(bytes))?;
    let ends = bytes.get(length).is_none_or(|next| !next.is_ascii_alphanumeric());
    ends.then_some(length)
}

fn uuid(bytes: &[u8]) -> Option<usize> {
    let is_digit = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    bytes.get(..UUID_CHARS)?.iter().enumerate().all(is_digit).then_some(UUID_CHARS)
}

fn hash(bytes: &[u8]) -> Option<usize> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    (digits >= HASH_DIGITS_MIN).then_some(digits)
}

fn instant(bytes: &[u8]) -> Option<usize> {
    let fits = |(byte, pattern): (&u8, &u8)| if *pattern == b'd' { byte.is_ascii_digit() } else { byte == pattern };
    let is_there = bytes.len() > INSTANT.len() && bytes.iter().zip(INSTANT).all(fits);
    let rest = is_there.then(|| &bytes[INSTANT.len()..])?;
    let fraction = match rest {
        [b'.', digits @ ..] => 1 + digits.iter().take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    };
    (rest.get(fraction) == Some(&b'Z')).then_some(INSTANT.len() + fraction + 1)
}

#[test]
fn words_of_their_own_are_found_in_a_text() {
    let text = r#"{"id":"018f0000-0000-7000-8000-000000000001","at":"2026-11-21T09:00:00.5Z","on":"2026-11-21"}"#;
    let found: Vec<&str> = words(text).into_iter().map(|word| &text[word]).collect();
    assert_eq!(found, ["018f0000-0000-7000-8000-000000000001", "2026-11-21T09:00:00.5Z"]);
}
