//! Codes of diagnoses.

use super::{Invalid, checked_text};

checked_text! {
    /// A code of ICD-10 or one of its national editions, by its form alone: a letter, a digit, a digit or letter, and up
    /// to four more after the dot. Capitals and the dot are put in.
    Icd10, check_icd10, {
        "type": "string", "pattern": "^[A-Za-z][0-9][0-9A-Za-z](\\.?[0-9A-Za-z]{1,4})?$", "maxLength": 8,
        "description": "An ICD-10 code, checked by its form.", "examples": ["J45.9"]
    }
}

/// Characters before the dot, and after it.
const CATEGORY_CHARS: usize = 3;
const MAX_MORE_CHARS: usize = 4;

fn check_icd10(text: &str) -> Result<String, Invalid> {
    let code = text.trim().to_ascii_uppercase();
    let wrong = || Invalid::because("an ICD-10 code is like J45 or J45.9");
    if !code.is_ascii() || code.len() < CATEGORY_CHARS {
        return Err(wrong());
    }
    let (category, rest) = code.split_at(CATEGORY_CHARS);
    let more = rest.strip_prefix('.').unwrap_or(rest);
    let dot_alone = more.is_empty() && !rest.is_empty();
    let bytes = category.as_bytes();
    let is_category = bytes[0].is_ascii_uppercase() && bytes[1].is_ascii_digit() && bytes[2].is_ascii_alphanumeric();
    let is_more = more.len() <= MAX_MORE_CHARS && more.bytes().all(|b| b.is_ascii_alphanumeric());
    match is_category && is_more && !dot_alone {
        true if more.is_empty() => Ok(category.to_owned()),
        true => Ok(format!("{category}.{more}")),
        false => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_brought_into_one_form() {
        for (text, code) in [("j45", "J45"), (" J45.9 ", "J45.9"), ("j45909", "J45.909"), ("S72.001A", "S72.001A")] {
            assert_eq!(text.parse::<Icd10>().unwrap().as_str(), code);
        }
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for text in ["", "J4", "J45.", "45.9", "J4é", "JJ5", "J45.90909", "J45.9.9", "asthma"] {
            assert!(text.parse::<Icd10>().is_err(), "{text}");
        }
    }
}
