//! Turns what serde says about a body into a problem that points at the place and repeats no value.

use serde_json::{Value, error::Category};
use serde_path_to_error::Segment;

use crate::problem::{FieldError, INVALID, MALFORMED, Problem};

/// Field names longer than this, or of other characters than a name has, are not repeated.
const NAME_CHARS_MAX: usize = 64;

/// Where in the document: a JSON pointer (RFC 6901), empty for the whole.
pub(crate) fn pointer(path: &serde_path_to_error::Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", escape(key))),
            // An enum's variant is no place of its own, and an unknown place ends the path.
            Segment::Enum { .. } => {}
            Segment::Unknown => break,
        }
    }
    pointer
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// 400 for what cannot be read as the documented shape, 422 for what a value type refused.
pub(crate) fn body_refusal(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let inner = error.inner();
    match inner.classify() {
        Category::Data => data_refusal(pointer(error.path()), &without_place(&inner.to_string())),
        Category::Syntax | Category::Eof => {
            Problem::malformed(format!("The body is not JSON: line {}, column {}.", inner.line(), inner.column()))
        }
        Category::Io => Problem::malformed("The body could not be read."),
    }
}

/// serde_json adds where it was in the text; the pointer says it better.
fn without_place(message: &str) -> String {
    message.rsplit_once(" at line ").map_or(message, |(text, _)| text).to_owned()
}

fn data_refusal(pointer: String, message: &str) -> Problem {
    match Complaint::read(message) {
        Complaint::Malformed { code, detail, field } => {
            let pointer = field.map_or_else(|| pointer.clone(), |name| at_field(&pointer, &name));
            Problem::new(MALFORMED).error(FieldError::new(pointer, code, detail))
        }
        Complaint::Refused(detail) => Problem::new(INVALID).error(FieldError::new(pointer, "invalid", detail)),
    }
}

/// The path of a missing field ends at its parent, that of an unknown one may already name it.
fn at_field(pointer: &str, name: &str) -> String {
    let last = format!("/{}", escape(name));
    if pointer.ends_with(&last) { pointer.to_owned() } else { format!("{pointer}{last}") }
}

/// What serde complains about, without the value that it complains about.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Complaint {
    /// serde's own words: the shape is wrong.
    Malformed { code: &'static str, detail: String, field: Option<String> },
    /// A value type's words.
    Refused(String),
}

impl Complaint {
    pub(crate) fn read(message: &str) -> Self {
        let shape = |code, detail: String, field| Self::Malformed { code, detail, field };
        if let Some(rest) = message.strip_prefix("missing field ") {
            return shape("missing", "This field is required.".to_owned(), quoted(rest));
        }
        if let Some(rest) = message.strip_prefix("unknown field ") {
            return shape("unknown-field", format!("This field is not known{}.", known(rest)), quoted(rest));
        }
        if let Some(rest) = message.strip_prefix("duplicate field ") {
            return shape("repeated", "This field is given twice.".to_owned(), quoted(rest));
        }
        if message.starts_with("invalid value: ") {
            return Self::Refused(format!("Expected {}.", expected(message)));
        }
        let wrong = ["invalid type: ", "invalid length ", "unknown variant "];
        match wrong.iter().find(|prefix| message.starts_with(**prefix)) {
            Some(&"unknown variant ") => shape("unknown-value", format!("Expected {}.", expected(message)), None),
            Some(_) => shape("wrong-type", format!("Expected {}.", expected(message)), None),
            None => Self::Refused(sentence(message)),
        }
    }
}

/// serde's expectation is its own words or the program's names, and comes last; what comes before it repeats
/// the value.
fn expected(message: &str) -> &str {
    match message.rsplit_once(", expected ") {
        Some((_, expectation)) => expectation,
        None => "another value",
    }
}

fn known(rest: &str) -> String {
    match rest.rsplit_once(", expected ") {
        Some((_, names)) => format!("; expected {names}"),
        None => String::new(),
    }
}

/// The name in backticks, if it looks like a name.
fn quoted(rest: &str) -> Option<String> {
    let name = rest.strip_prefix('`')?.split('`').next()?;
    let plain = name.len() <= NAME_CHARS_MAX && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    (plain && !name.is_empty()).then(|| name.to_owned())
}

fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if message.ends_with('.') { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}

/// Where the first string with a NUL is: PostgreSQL's text holds none, and none is ever meant.
pub(crate) fn nul_pointer(body: &[u8]) -> Option<String> {
    if !may_hold_nul(body) {
        return None;
    }
    let value: Value = serde_json::from_slice(body).ok()?;
    find_nul(&value, String::new())
}

/// Cheap, and true for every body with a NUL: one can only be written as `\u0000`.
fn may_hold_nul(body: &[u8]) -> bool {
    body.windows(6).any(|window| window == b"\\u0000")
}

fn find_nul(value: &Value, at: String) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then_some(at),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| find_nul(item, format!("{at}/{index}")))
        }
        Value::Object(fields) => fields.iter().find_map(|(key, field)| match key.contains('\0') {
            true => Some(at.clone()),
            false => find_nul(field, format!("{at}/{}", escape(key))),
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}
