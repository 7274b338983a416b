//! A composition as lists write it, taken apart: `Amoxycillin (500mg) + Clavulanic Acid (125mg)`, or in RxNorm's way
//! `10 ML Furosemide 10 MG/ML Injection`. What cannot be understood stays a name.

use events::medicine::Ingredient;

/// What RxNorm counts before the name: hours of release, the volume of an ampoule, the doses of an inhaler.
const COUNTED: [&str; 5] = ["hr", "ml", "actuat", "day", "mg"];
/// What RxNorm says of a form before the name.
const BEFORE_NAME: [&str; 1] = ["abuse-deterrent"];

/// The ingredients, each under the name that is written.
pub fn parse(text: &str) -> Vec<Ingredient> {
    let without_brand = text.split('[').next().unwrap_or(text);
    let parts = without_brand.split('+').flat_map(|part| part.split(" / "));
    parts.filter_map(ingredient).collect()
}

fn ingredient(part: &str) -> Option<Ingredient> {
    let part = part.trim();
    let (name, strength) = in_brackets(part).unwrap_or_else(|| in_words(part));
    let name = name.trim().trim_end_matches(',').trim();
    let has_a_name = name.chars().any(char::is_alphabetic);
    has_a_name.then(|| Ingredient { name: name.to_owned(), rxnorm: None, strength, also: Vec::new() })
}

/// `Amoxycillin  (500mg)`: the last brackets hold a strength if there is a digit in them, or that none is known.
fn in_brackets(part: &str) -> Option<(String, Option<String>)> {
    let (name, inside) = part.strip_suffix(')')?.rsplit_once('(')?;
    let (inside, is_unknown) = (inside.trim(), inside.trim().eq_ignore_ascii_case("na"));
    let is_strength = inside.contains(|c: char| c.is_ascii_digit());
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    (is_strength || is_unknown).then(|| (name, is_strength.then(|| inside.to_owned())))
}

/// `24 HR metoprolol succinate 100 MG Extended Release Oral Tablet`: the name ends where its strength begins, and the
/// form comes after it.
fn in_words(part: &str) -> (String, Option<String>) {
    let words: Vec<&str> = part.split_whitespace().collect();
    let words = after_count(&words);
    let Some(at) = words.iter().position(|word| begins_strength(word)) else { return (words.join(" "), None) };
    let (name, rest) = words.split_at(at);
    let with_unit = rest.len() > 1 && !rest[0].contains(char::is_alphabetic);
    (name.join(" "), Some(rest[..1 + usize::from(with_unit)].join(" ")))
}

fn begins_strength(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
}

/// Without `10 ML`, `24 HR`, `24hr`, `NDA020800`, `Abuse-Deterrent` in front.
fn after_count<'w, 't>(words: &'w [&'t str]) -> &'w [&'t str] {
    match words {
        [first, rest @ ..] if BEFORE_NAME.iter().any(|word| first.eq_ignore_ascii_case(word)) => after_count(rest),
        [first, rest @ ..] if first.starts_with("NDA") && first[3..].bytes().all(|b| b.is_ascii_digit()) => {
            after_count(rest)
        }
        [number, unit, rest @ ..] if begins_strength(number) && is_counted(unit) => after_count(rest),
        [both, rest @ ..] if begins_strength(both) && !rest.is_empty() => after_count(rest),
        words => words,
    }
}

fn is_counted(unit: &str) -> bool {
    COUNTED.iter().any(|counted| unit.eq_ignore_ascii_case(counted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<(String, Option<String>)> {
        parse(text).into_iter().map(|ingredient| (ingredient.name, ingredient.strength)).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, Option<String>)> {
        let strength = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        expected.iter().map(|(name, text)| ((*name).to_owned(), strength(text))).collect()
    }

    #[test]
    fn a_composition_in_brackets_is_taken_apart() {
        for (text, expected) in [
            (
                "Amoxycillin  (500mg) +  Clavulanic Acid (125mg)",
                &[("Amoxycillin", "500mg"), ("Clavulanic Acid", "125mg")][..],
            ),
            (
                "Ambroxol (30mg/5ml) + Levosalbutamol (1mg/5ml)",
                &[("Ambroxol", "30mg/5ml"), ("Levosalbutamol", "1mg/5ml")],
            ),
            ("Progesterone (Natural Micronized) (200mg)", &[("Progesterone (Natural Micronized)", "200mg")]),
            ("Standard Cobra Venom (Naja naja)", &[("Standard Cobra Venom (Naja naja)", "")]),
            ("Alpha Ketoanalogue (NA)", &[("Alpha Ketoanalogue", "")]),
            ("Paracetamol/Acetaminophen (500mg)", &[("Paracetamol/Acetaminophen", "500mg")]),
            ("Caffeine", &[("Caffeine", "")]),
        ] {
            assert_eq!(parsed(text), pairs(expected), "{text}");
        }
    }

    #[test]
    fn a_composition_in_rxnorms_words_is_taken_apart() {
        for (text, expected) in [
            ("Acetaminophen 325 MG Oral Tablet", &[("Acetaminophen", "325 MG")][..]),
            (
                "Amoxicillin 250 MG / Clavulanate 125 MG Oral Tablet",
                &[("Amoxicillin", "250 MG"), ("Clavulanate", "125 MG")],
            ),
            ("10 ML Furosemide 10 MG/ML Injection", &[("Furosemide", "10 MG/ML")]),
            ("NDA020800 0.3 ML Epinephrine 1 MG/ML Auto-Injector", &[("Epinephrine", "1 MG/ML")]),
            (
                "Abuse-Deterrent 12 HR Oxycodone Hydrochloride 15 MG Extended Release Oral Tablet",
                &[("Oxycodone Hydrochloride", "15 MG")],
            ),
            ("24 HR metoprolol succinate 100 MG Oral Tablet [Toprol]", &[("metoprolol succinate", "100 MG")]),
            ("Mestranol / Norethynodrel [Enovid]", &[("Mestranol", ""), ("Norethynodrel", "")]),
            ("NITROFURANTOIN, MACROCRYSTALS 50 MG Oral Capsule", &[("NITROFURANTOIN, MACROCRYSTALS", "50 MG")]),
            ("Sertraline 100MG", &[("Sertraline", "100MG")]),
            ("Clonazepam [Klonopin]", &[("Clonazepam", "")]),
        ] {
            assert_eq!(parsed(text), pairs(expected), "{text}");
        }
    }

    #[test]
    fn what_has_no_name_is_no_ingredient() {
        for text in ["", " + ", "(5mg)", "5", "[Klonopin]"] {
            assert_eq!(parsed(text), [], "{text}");
        }
    }
}
