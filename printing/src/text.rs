//! What people typed, made fit for paper: nothing that could hide or turn round what stands there, no word wider than a
//! column, and nothing left out without a sign.

use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

/// Of one text, in characters; what goes beyond is cut off, and says so.
pub const CHARS_MAX: usize = 20_000;
/// A word that is longer may be broken anywhere, in characters as people see them.
const WORD_MAX: usize = 18;
/// How many of them stay together then.
const PIECE: usize = 6;
const BREAK: &str = "\u{200b}";
/// Marks that one letter may have.
const MARKS_MAX: usize = 6;
const CIRCLE: char = '\u{25cc}';
const CUT: &str = " […]";
/// Of a text that stands on every page, so that there is room for the rest.
const HEAD_CHARS_MAX: usize = 240;
/// The member of a document's data that holds them, and what in it stands on the first page alone.
const HEAD: &str = "sheet";
const MARKS: &str = "marks";

/// The data of a document with every text in it made fit.
pub(crate) fn fit(data: Value) -> Value {
    each_member(data, CHARS_MAX, |name, value| match name {
        HEAD => each_member(value, HEAD_CHARS_MAX, |name, value| {
            fit_within(value, if name == MARKS { CHARS_MAX } else { HEAD_CHARS_MAX })
        }),
        _ => fit_within(value, CHARS_MAX),
    })
}

fn each_member(value: Value, room: usize, fit: impl Fn(&str, Value) -> Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| {
                let value = fit(&name, value);
                (name, value)
            })
            .collect(),
        other => fit_within(other, room),
    }
}

fn fit_within(value: Value, room: usize) -> Value {
    match value {
        Value::String(text) => Value::String(fit_text(&text, room)),
        Value::Array(items) => items.into_iter().map(|item| fit_within(item, room)).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, fit_within(value, room))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

fn fit_text(text: &str, room: usize) -> String {
    let plain: String = text.replace("\r\n", "\n").chars().take(room).map(shown).collect();
    let lines: Vec<String> = anchored(&plain).split('\n').map(breakable).collect();
    let cut = if text.chars().count() > room { CUT } else { "" };
    lines.join("\n") + cut
}

/// Control characters and those that turn the direction of what follows are shown as the sign for "no character".
fn shown(c: char) -> char {
    match c {
        '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
        '\t' => ' ',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

/// Marks that stand on nothing, and heaps of them, get the circle on which they are usually shown: each is seen, and none
/// joins what a template has written before it.
fn anchored(text: &str) -> String {
    let mut anchored = String::with_capacity(text.len());
    // How many marks the last letter has; `None`: there is no letter.
    let mut marks = None;
    for c in text.chars() {
        marks = match marks {
            _ if !joins(c) => (!c.is_whitespace()).then_some(0),
            Some(marks) if marks < MARKS_MAX => Some(marks + 1),
            _ => {
                anchored.push(CIRCLE);
                Some(1)
            }
        };
        anchored.push(c);
    }
    anchored
}

/// Whether it is shown together with the letter before it.
fn joins(c: char) -> bool {
    !c.is_ascii() && ['a', c].iter().collect::<String>().graphemes(true).count() == 1
}

/// With places at which its long words may be broken.
fn breakable(line: &str) -> String {
    let words: Vec<String> = line.split(' ').map(broken).collect();
    words.join(" ")
}

fn broken(word: &str) -> String {
    if word.len() <= WORD_MAX {
        return word.to_owned();
    }
    let letters: Vec<&str> = word.graphemes(true).collect();
    if letters.len() <= WORD_MAX {
        return word.to_owned();
    }
    letters.chunks(PIECE).map(<[&str]>::concat).collect::<Vec<_>>().join(BREAK)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_would_hide_or_turn_text_is_shown_as_a_sign() {
        assert_eq!(fit_text("5\u{202e}00\u{0}\tmg", CHARS_MAX), "5\u{fffd}00\u{fffd} mg");
        assert_eq!(fit_text("a\r\nb\rc\u{2028}d", CHARS_MAX), "a\nb\nc\nd");
    }

    #[test]
    fn a_long_word_may_be_broken_between_what_people_see_as_letters() {
        let word = "क्षि".repeat(20);
        let fitted = fit_text(&word, CHARS_MAX);
        assert_eq!(fitted.replace(BREAK, ""), word);
        let pieces: Vec<&str> = fitted.split(BREAK).collect();
        assert!(pieces.len() > 2 && pieces.iter().all(|piece| piece.starts_with('क')), "{pieces:?}");
        assert_eq!(fit_text("Diphenhydramine, please", CHARS_MAX), "Diphenhydramine, please");
    }

    #[test]
    fn a_mark_without_a_letter_stands_on_a_circle() {
        assert_eq!(anchored("e\u{301} \u{301}x"), "e\u{301} ◌\u{301}x");
        assert_eq!(anchored("\u{93f}"), "◌\u{93f}");
        assert_eq!(anchored("श्रीमती अनिता कुलकर्णी, Łukasik 👩‍👩‍👧"), "श्रीमती अनिता कुलकर्णी, Łukasik 👩‍👩‍👧");
        assert_eq!(anchored(&"\u{301}".repeat(60)).matches(CIRCLE).count(), 10);
    }

    #[test]
    fn a_text_that_goes_on_for_ever_says_that_it_was_cut() {
        let fitted = fit_text(&"a b ".repeat(CHARS_MAX), CHARS_MAX);
        assert!(fitted.ends_with(CUT));
        assert_eq!(fitted.chars().count(), CHARS_MAX + CUT.chars().count());
    }

    #[test]
    fn every_text_of_a_value_is_made_fit() {
        assert_eq!(fit(json!({"a": ["\u{7}", 1], "b": null})), json!({"a": ["\u{fffd}", 1], "b": null}));
        let long = "a b ".repeat(100);
        let fitted = fit(json!({"sheet": {"clinic": {"name": long}, "marks": [{"text": long}]}, "text": long}));
        let name = fitted["sheet"]["clinic"]["name"].as_str().unwrap();
        assert_eq!(name.chars().count(), HEAD_CHARS_MAX + CUT.chars().count());
        assert_eq!((&fitted["text"], &fitted["sheet"]["marks"][0]["text"]), (&json!(long), &json!(long)));
    }
}
