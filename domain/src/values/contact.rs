//! How somebody is reached.

use super::{Invalid, checked_text};

/// RFC 5321: a path has at most 256 octets with its brackets.
const MAX_EMAIL_BYTES: usize = 254;
/// RFC 5321, 4.5.3.1.1.
const MAX_LOCAL_PART_BYTES: usize = 64;
const MAX_URL_BYTES: usize = 2_048;
/// E.164: 15 digits with the country code; no country has numbers of fewer than 7.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

checked_text! {
    /// An e-mail address. Kept as it was written; compared by [`super::folded`].
    Email, check_email, {
        "type": "string", "format": "email", "maxLength": MAX_EMAIL_BYTES, "examples": ["asha@example.org"]
    }
}

checked_text! {
    /// A phone number in E.164. Spaces, dashes, dots and brackets are dropped: `+91 98765-43210`.
    Phone, check_phone, {
        "type": "string", "pattern": r"^\+[ ().0-9-]{7,30}$",
        "description": "E.164, with the country code; spaces, dashes, dots and brackets are dropped.",
        "examples": ["+919876543210"]
    }
}

checked_text! {
    /// An absolute `http` or `https` address.
    Url, check_url, {
        "type": "string", "format": "uri", "pattern": "^https?://", "maxLength": MAX_URL_BYTES,
        "examples": ["https://asha.example.org"]
    }
}

checked_text! {
    /// A country: ISO 3166-1 alpha-2, in capitals.
    CountryCode, check_country, { "type": "string", "pattern": "^[A-Za-z]{2}$", "examples": ["IN"] }
}

fn check_email(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    let plain = |part: &str| !part.is_empty() && part.chars().all(|c| !c.is_whitespace() && !c.is_control());
    let host = |part: &str| {
        part.contains('.') && part.split('.').all(|label| !label.is_empty() && label.len() <= 63 && is_label(label))
    };
    match text.rsplit_once('@') {
        Some((local, domain))
            if text.len() <= MAX_EMAIL_BYTES
                && local.len() <= MAX_LOCAL_PART_BYTES
                && plain(local)
                && !local.contains('@')
                && host(domain) =>
        {
            Ok(text.to_owned())
        }
        _ => Err(Invalid::because("an e-mail address is written as name@example.org")),
    }
}

/// A label of a host name; letters of other scripts stand for themselves.
fn is_label(label: &str) -> bool {
    label.chars().all(|c| c.is_alphanumeric() || c == '-') && !label.starts_with('-') && !label.ends_with('-')
}

fn check_phone(text: &str) -> Result<String, Invalid> {
    let wrong = || Invalid::because("a phone number has its country code and 7 to 15 digits: +919876543210");
    let digits = text.trim().strip_prefix('+').ok_or_else(wrong)?;
    let digits: String = digits.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
    let is_number = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    if is_number && PHONE_DIGITS.contains(&digits.len()) { Ok(format!("+{digits}")) } else { Err(wrong()) }
}

fn check_url(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let clean = text.len() <= MAX_URL_BYTES && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    // A name and password in an address would be kept and shown.
    if clean && !host.is_empty() && !host.contains('@') {
        Ok(text.to_owned())
    } else {
        Err(Invalid::because("an address on the web is written as https://example.org/path"))
    }
}

fn check_country(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    if text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic()) {
        Ok(text.to_ascii_uppercase())
    } else {
        Err(Invalid::because("a country has two letters (ISO 3166-1): IN"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_number_is_normalised_to_e164() {
        assert_eq!("+91 98765-43210".parse::<Phone>().unwrap().as_str(), "+919876543210");
        for text in ["9876543210", "+0123456789", "+12", "+1234567890123456", "+91 98765x43210", ""] {
            assert!(text.parse::<Phone>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_email_address_has_a_name_and_a_host() {
        for text in ["asha@example.org", " a.b+c@sub.example.co.in ", "jörg@müller.example"] {
            assert!(text.parse::<Email>().is_ok(), "{text}");
        }
        for text in ["asha", "@example.org", "a@b", "a b@example.org", "a@-x.org", "a@@example.org", "a@example..org"] {
            assert!(text.parse::<Email>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_on_the_web_holds_no_password() {
        assert!("https://asha.example.org/a?b#c".parse::<Url>().is_ok());
        for text in ["javascript:alert(1)", "https://", "https://u:p@example.org", "ftp://example.org", "https://a b"] {
            assert!(text.parse::<Url>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_country_is_written_in_capitals() {
        assert_eq!("in".parse::<CountryCode>().unwrap().as_str(), "IN");
        assert!("IND".parse::<CountryCode>().is_err());
    }
}
