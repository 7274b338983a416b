//! The language that somebody is spoken to in.

use super::{Invalid, checked_text};

checked_text! {
    /// A language (BCP 47): `hi`, `en-IN`.
    LanguageTag, check_language, {
        "type": "string", "pattern": "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", "maxLength": MAX_TAG_CHARS,
        "examples": ["hi", "en-IN"]
    }
}

/// RFC 5646, 4.4.1: what must at least be supported.
const MAX_TAG_CHARS: usize = 35;

fn check_language(text: &str) -> Result<String, Invalid> {
    let tag = text.trim();
    let mut parts = tag.split('-');
    let first = parts.next().unwrap_or_default();
    let begins = (2..=8).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_alphabetic());
    let goes_on = parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    if begins && goes_on && tag.len() <= MAX_TAG_CHARS {
        Ok(tag.to_owned())
    } else {
        Err(Invalid::because("a language is written as hi or en-IN (BCP 47)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_may_name_its_country() {
        assert!("hi".parse::<LanguageTag>().is_ok() && "zh-Hant-TW".parse::<LanguageTag>().is_ok());
        for text in ["", "h", "hindi language", "en_", "en-", "9x"] {
            assert!(text.parse::<LanguageTag>().is_err(), "{text}");
        }
    }
}
