//! Text as the patient search compares it. The same folding is applied to what is stored and to what
//! is asked, so "JOSÉ" is found by "jose".

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Lower case, without accents, single spaces. Marks of other scripts than Latin, Greek and Cyrillic
/// (vowel signs of Devanagari, say) are letters to their readers and stay.
pub fn fold_text(text: &str) -> String {
    let folded: String = text.nfkd().filter(|c| !is_accent(*c)).flat_map(char::to_lowercase).nfkc().collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Combining Diacritical Marks.
fn is_accent(c: char) -> bool {
    is_combining_mark(c) && ('\u{300}'..='\u{36f}').contains(&c)
}

/// The digits of a phone number, as it is stored or as somebody types it: `+91 98200-12345` → `919820012345`.
pub fn digits(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).collect()
}

/// What a patient is found by: names, number, digits of the phone. A space comes before each word, so
/// that the beginning of a word is found by `% begin%`.
pub fn search_text(first: Option<&str>, last: Option<&str>, number: &str, phone: Option<&str>) -> String {
    let names = [first, last].into_iter().flatten().map(fold_text);
    let words = names.chain([fold_text(number)]).chain(phone.map(digits));
    words.filter(|word| !word.is_empty()).map(|word| format!(" {word}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_and_case_do_not_matter() {
        assert_eq!(fold_text("  José   ÁLVAREZ "), "jose alvarez");
        assert_eq!(fold_text("Ｄｒ"), "dr");
        assert_eq!(fold_text("अंजलि"), "अंजलि");
    }

    #[test]
    fn the_text_holds_names_number_and_phone() {
        let text = search_text(Some("Ánna"), None, "PT-2026-00007", Some("+91 98200-12345"));
        assert_eq!(text, " anna pt-2026-00007 919820012345");
        assert_eq!(search_text(None, None, "PT-1", None), " pt-1");
    }
}
