//! What is said of bytes before they come.

use super::{Invalid, checked_text};

const SHA256_HEX_CHARS: usize = 64;
const MAX_MEDIA_TYPE_CHARS: usize = 127;

checked_text! {
    /// A media type without parameters, such as `application/pdf`; capitals are folded.
    MediaType, check_media_type, {
        "type": "string", "pattern": "^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+$", "maxLength": MAX_MEDIA_TYPE_CHARS,
        "examples": ["application/pdf"]
    }
}

checked_text! {
    /// A SHA-256 in 64 hexadecimal digits; capitals are folded.
    Sha256, check_sha256, {
        "type": "string", "pattern": "^[0-9A-Fa-f]{64}$",
        "examples": ["2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"]
    }
}

fn check_media_type(text: &str) -> Result<String, Invalid> {
    let media_type = text.trim().to_ascii_lowercase();
    // The characters of a restricted name (RFC 6838, 4.2).
    let named =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b));
    let is_one = media_type.split_once('/').is_some_and(|(kind, subtype)| named(kind) && named(subtype));
    match is_one && media_type.len() <= MAX_MEDIA_TYPE_CHARS {
        true => Ok(media_type),
        false => Err(Invalid::because("a media type such as application/pdf is expected, without parameters")),
    }
}

fn check_sha256(text: &str) -> Result<String, Invalid> {
    match text.len() == SHA256_HEX_CHARS && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(Invalid::because("a SHA-256 has 64 hexadecimal digits")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_has_two_names_and_no_parameters() {
        assert_eq!("Application/PDF".parse::<MediaType>().unwrap().as_str(), "application/pdf");
        for text in ["pdf", "a/", "/b", "text/plain; charset=utf-8", "a/b/c", "text/\u{e4}"] {
            assert!(text.parse::<MediaType>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_hash_has_all_its_digits() {
        assert_eq!("AB".repeat(32).parse::<Sha256>().unwrap().as_str(), "ab".repeat(32));
        for text in ["ab".repeat(31), "ag".repeat(32), "ab".repeat(33)] {
            assert!(text.parse::<Sha256>().is_err(), "{text:?}");
        }
    }
}
