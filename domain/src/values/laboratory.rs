//! What a laboratory names its tests and its tubes by.

use super::{Invalid, checked_text};

checked_text! {
    /// A code of LOINC: up to seven digits, a hyphen and the check digit.
    LoincCode, check_loinc, {
        "type": "string", "pattern": "^[0-9]{1,7}-[0-9]$",
        "description": "A code of LOINC (https://loinc.org) with its check digit.", "examples": ["2345-7"]
    }
}

fn check_loinc(text: &str) -> Result<String, Invalid> {
    let code = text.trim();
    let is_code = code.split_once('-').is_some_and(|(number, check)| {
        (1..=7).contains(&number.len())
            && number.bytes().all(|b| b.is_ascii_digit())
            && check.len() == 1
            && check.parse().is_ok_and(|check: u32| check == check_digit(number))
    });
    is_code.then(|| code.to_owned()).ok_or_else(|| {
        Invalid::because("a code of LOINC ends with its check digit, like 2345-7; compare it with the list")
    })
}

/// Mod 10 (LOINC Users' Guide, "Calculating Mod 10 check digits"): every other digit counts twice, from the last on.
fn check_digit(number: &str) -> u32 {
    let digits = number.bytes().rev().map(|b| u32::from(b - b'0'));
    let sum: u32 =
        digits.zip([2, 1].into_iter().cycle()).map(|(digit, times)| digit * times).map(|n| n / 10 + n % 10).sum();
    (10 - sum % 10) % 10
}

/// Longest barcode, in characters.
const MAX_BARCODE_CHARS: usize = 64;

checked_text! {
    /// What stands on a tube: 1 to 64 visible ASCII characters.
    Barcode, check_barcode, {
        "type": "string", "pattern": "^[!-~]{1,64}$",
        "description": "1 to 64 visible ASCII characters, as a scanner reads them.", "examples": ["B-000123"]
    }
}

fn check_barcode(text: &str) -> Result<String, Invalid> {
    let barcode = text.trim();
    let fits = (1..=MAX_BARCODE_CHARS).contains(&barcode.len()) && barcode.bytes().all(|b| b.is_ascii_graphic());
    fits.then(|| barcode.to_owned())
        .ok_or_else(|| Invalid::because("a barcode has 1 to 64 letters, digits and signs, without spaces"))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_code_ends_with_its_check_digit() {
        for code in ["2345-7", "72514-3", "718-7", "4548-4", "10230-1", "36643-5"] {
            assert_eq!(code.parse::<LoincCode>().unwrap().as_str(), code);
        }
        for code in ["2345-8", "2354-7", "2345", "2345-", "-7", "12345678-1", "2345-77", "A345-7", "２345-7"] {
            assert!(code.parse::<LoincCode>().is_err(), "{code}");
        }
    }

    /// The list lies outside the repository: see the description of the data.
    #[test]
    fn every_code_of_a_real_list_is_one() {
        let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
        let data = std::env::var_os("CASEBOOK_SHARED_DATA").map_or_else(|| beside.into(), PathBuf::from);
        let file = data.join("medicines/loinc_observations_from_synthea.csv");
        let Ok(list) = std::fs::read_to_string(&file) else {
            eprintln!("skipped: {} is not there", file.display());
            return;
        };
        let codes: Vec<&str> = list.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
        assert!(codes.len() > 100, "{}", codes.len());
        for code in codes {
            assert!(code.parse::<LoincCode>().is_ok(), "{code}");
        }
    }

    #[test]
    fn a_barcode_is_what_a_scanner_reads() {
        assert_eq!(" B-000123 ".parse::<Barcode>().unwrap().as_str(), "B-000123");
        for barcode in ["", "a b", "bär", "a\nb", &"x".repeat(65)] {
            assert!(barcode.parse::<Barcode>().is_err(), "{barcode:?}");
        }
    }
}
