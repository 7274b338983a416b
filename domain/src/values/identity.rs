//! What names something once and for all: slugs, user names, numbers of documents.

use super::{Invalid, checked_text};

/// A label of a host name has at most 63 octets (RFC 1035), so that a slug may become one.
const SLUG_CHARS: std::ops::RangeInclusive<usize> = 3..=63;
const USERNAME_CHARS: std::ops::RangeInclusive<usize> = 3..=64;
const MAX_DOCUMENT_NUMBER_CHARS: usize = 64;
const TAX_ID_CHARS: std::ops::RangeInclusive<usize> = 3..=30;

const SHORT_CODE_CHARS_MAX: usize = 20;

checked_text! {
    /// An abbreviation that somebody types: 1 to 20 letters, digits, `-` and `_`, kept in capitals.
    ShortCode, check_short_code, {
        "type": "string", "pattern": "^[A-Za-z0-9_-]{1,20}$", "examples": ["FEVER"]
    }
}

fn check_short_code(text: &str) -> Result<String, Invalid> {
    let code = text.trim();
    let fits = (1..=SHORT_CODE_CHARS_MAX).contains(&code.len());
    match fits && code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
        true => Ok(code.to_ascii_uppercase()),
        false => Err(Invalid::because("a short key has 1 to 20 letters, digits, hyphens and underscores")),
    }
}

checked_text! {
    /// The name of a clinic in addresses: 3 to 63 of `a-z`, `0-9` and `-`, not at either end.
    Slug, check_slug, {
        "type": "string", "pattern": "^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", "minLength": 3, "maxLength": 63,
        "examples": ["asha-clinic"]
    }
}

checked_text! {
    /// What somebody logs in with: 3 to 64 of letters `a-z`, digits and `. _ - + @`. Capitals are folded.
    Username, check_username, {
        "type": "string", "pattern": "^[A-Za-z0-9._+@-]{3,64}$", "minLength": 3, "maxLength": 64,
        "description": "Letters, digits and . _ - + @; capitals are folded.", "examples": ["asha.rao"]
    }
}

checked_text! {
    /// The number of a licence, a registration or another paper: up to 64 letters, digits and signs.
    DocumentNumber, check_document_number, {
        "type": "string", "minLength": 1, "maxLength": MAX_DOCUMENT_NUMBER_CHARS, "examples": ["MH-2019/12345"]
    }
}

checked_text! {
    /// A tax id, such as a GSTIN in India; capitals, digits, `-` and `/`.
    TaxId, check_tax_id, {
        "type": "string", "pattern": "^[A-Za-z0-9/ -]{3,30}$", "examples": ["27AAPFU0939F1ZV"]
    }
}

fn check_slug(text: &str) -> Result<String, Invalid> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let edges = text.starts_with('-') || text.ends_with('-');
    if SLUG_CHARS.contains(&text.len()) && text.bytes().all(allowed) && !edges {
        Ok(text.to_owned())
    } else {
        Err(Invalid::because("a slug has 3 to 63 of a-z, 0-9 and -, and neither begins nor ends with -"))
    }
}

fn check_username(text: &str) -> Result<String, Invalid> {
    let username = text.trim().to_ascii_lowercase();
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-+@".contains(&b);
    if USERNAME_CHARS.contains(&username.len()) && username.bytes().all(allowed) {
        Ok(username)
    } else {
        Err(Invalid::because("a user name has 3 to 64 of a-z, 0-9 and . _ - + @"))
    }
}

fn check_document_number(text: &str) -> Result<String, Invalid> {
    let number = text.trim();
    let plain = number.chars().count() <= MAX_DOCUMENT_NUMBER_CHARS && !number.chars().any(char::is_control);
    if plain && number.chars().any(char::is_alphanumeric) {
        Ok(number.to_owned())
    } else {
        Err(Invalid::because("a number of a document has up to 64 letters, digits and signs"))
    }
}

fn check_tax_id(text: &str) -> Result<String, Invalid> {
    let id: String = text.trim().to_ascii_uppercase().chars().filter(|c| *c != ' ').collect();
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-/".contains(&b);
    if TAX_ID_CHARS.contains(&id.len()) && id.bytes().all(allowed) {
        Ok(id)
    } else {
        Err(Invalid::because("a tax id has 3 to 30 letters, digits, - and /"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_fits_into_an_address() {
        assert!("asha-clinic-2".parse::<Slug>().is_ok());
        for text in ["ab", "Asha", "-asha", "asha-", "asha clinic", "aśha", &"a".repeat(64)] {
            assert!(text.parse::<Slug>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_user_name_is_folded() {
        assert_eq!(" Asha.Rao ".parse::<Username>().unwrap().as_str(), "asha.rao");
        for text in ["ab", "asha rao", "आशा", "a/b/c"] {
            assert!(text.parse::<Username>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_number_of_a_document_has_a_letter_or_digit() {
        assert_eq!(" MH-2019/12345 ".parse::<DocumentNumber>().unwrap().as_str(), "MH-2019/12345");
        assert!("--".parse::<DocumentNumber>().is_err());
    }

    #[test]
    fn a_tax_id_is_written_without_spaces() {
        assert_eq!("27 aapfu0939f1zv".parse::<TaxId>().unwrap().as_str(), "27AAPFU0939F1ZV");
        assert!("a_b".parse::<TaxId>().is_err());
    }
}
