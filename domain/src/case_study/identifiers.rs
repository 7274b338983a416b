//! What in a text may tell who it is about: those of the eighteen identifiers of 45 CFR 164.514(b)(2) that have a form.
//! Names have none; they are for whoever approves the study to see.

/// Fewest digits in a row that are taken for the number of a telephone, a record or an account.
const NUMBER_DIGITS: usize = 7;
/// Ages over this one are told as "90 or older".
const AGE_MAX: u32 = 89;
const OLDEST: u32 = 130;
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The kinds of identifier in a text, each at most once for a word of it.
pub(super) fn found_in(text: &str) -> Vec<&'static str> {
    let words: Vec<&str> = text.split_whitespace().map(|word| word.trim_matches(is_wrapping)).collect();
    let mut found: Vec<&'static str> = words.iter().filter_map(|word| of_word(word)).collect();
    let pairs = || words.windows(2).map(|pair| (pair[0], pair[1]));
    if pairs().any(|(one, other)| is_month(one) && has_digit(other) || has_digit(one) && is_month(other)) {
        found.push("date");
    }
    if pairs().any(|(one, other)| is_old(one) && other.to_lowercase().starts_with("year")) {
        found.push("age over 89");
    }
    if has_telephone_number(text) {
        found.push("telephone number");
    }
    found
}

fn of_word(word: &str) -> Option<&'static str> {
    let lower = word.to_lowercase();
    let age = lower.split_once("-year").is_some_and(|(age, _)| is_old(age));
    if lower.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.')) {
        Some("address of mail")
    } else if lower.contains("://") || lower.starts_with("www.") {
        Some("address of the web")
    } else if is_date(word) {
        Some("date")
    } else if age {
        Some("age over 89")
    } else if longest_number(word) >= NUMBER_DIGITS || is_record_number(word) {
        Some("number")
    } else {
        None
    }
}

fn is_wrapping(c: char) -> bool {
    matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | '(' | ')' | '[' | ']' | '"' | '\'' | '“' | '”')
}

fn has_digit(word: &str) -> bool {
    word.contains(|c: char| c.is_ascii_digit())
}

/// With a capital: what may be is not the month of May.
fn is_month(word: &str) -> bool {
    let lower = word.to_lowercase();
    let is_short = |month: &&str| lower.len() >= 3 && lower.len() <= 4 && month.starts_with(&lower);
    word.starts_with(char::is_uppercase) && (MONTHS.contains(&&*lower) || MONTHS.iter().any(is_short))
}

fn is_old(age: &str) -> bool {
    age.parse::<u32>().is_ok_and(|age| age > AGE_MAX && age <= OLDEST)
}

/// `2026-03-14`, `14/03/2026`, `14.3.26`: a year of four digits first or of two or four last, a day and a month.
fn is_date(word: &str) -> bool {
    let in_a_year = |part: &str| part.parse::<u32>().is_ok_and(|n| (1..=31).contains(&n));
    ['-', '/', '.'].into_iter().any(|separator| {
        let parts: Vec<&str> = word.split(separator).collect();
        let [one, two, three] = parts[..] else { return false };
        let year_first = one.len() == 4 && one.parse::<u32>().is_ok() && in_a_year(two) && in_a_year(three);
        let year_last =
            matches!(three.len(), 2 | 4) && three.parse::<u32>().is_ok() && in_a_year(one) && in_a_year(two);
        year_first || year_last
    })
}

/// `PT-2026-00001`, `APT-20260314-001`
fn is_record_number(word: &str) -> bool {
    let mut parts = word.split('-');
    let is_prefix = |prefix: &str| prefix.len() >= 2 && prefix.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_number = |part: &str| part.len() >= 3 && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.next().is_some_and(is_prefix) && parts.clone().count() == 2 && parts.all(is_number)
}

fn longest_number(word: &str) -> usize {
    word.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0)
}

/// A plus, and as many digits as a telephone number has, with spaces and dashes between them.
fn has_telephone_number(text: &str) -> bool {
    text.split('+').skip(1).any(|rest| {
        let number = rest.chars().take_while(|c| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '(' | ')'));
        number.filter(char::is_ascii_digit).count() >= NUMBER_DIGITS
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_the_form_of_an_identifier_is_found() {
        for (text, expected) in [
            ("Seen on 2026-03-14.", "date"),
            ("Seen on 14/03/2026", "date"),
            ("(14.3.26)", "date"),
            ("on 14 March", "date"),
            ("in March 2026", "date"),
            ("Mar 14", "date"),
            ("Write to asha@example.org.", "address of mail"),
            ("See https://example.org/x", "address of the web"),
            ("www.example.org", "address of the web"),
            ("Call +91 98765-43210 at night", "telephone number"),
            ("Call 9876543210", "number"),
            ("PT-2026-00001", "number"),
            ("a 92-year-old man", "age over 89"),
            ("she was 93 years old", "age over 89"),
        ] {
            assert!(found_in(text).contains(&expected), "{text}: {:?}", found_in(text));
        }
    }

    #[test]
    fn findings_and_doses_are_no_identifiers() {
        for text in [
            "A 40-year-old with 120/80 mmHg, 37.5 degrees, pulse 98.",
            "Platelets 250,000; 500 mg 1-0-1 for 5 days; he may need 3 more.",
            "In 2019 an X-ray was clear; COVID-19 was ruled out.",
            "89 years old, T4-T6 dermatome, ratio 1.5.2",
        ] {
            assert_eq!(found_in(text), Vec::<&str>::new(), "{text}");
        }
    }
}
