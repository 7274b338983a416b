//! How values are written for people who read them on paper: days, ages, quantities, amounts of money, how a medicine is
//! taken.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use events::{
    prescription::{Amount, FoodTiming, Frequency, Period, TimeUnit},
    values::{Address, BirthDate, Gender, Money},
};

/// `21 Nov 2026`
pub fn day(day: NaiveDate) -> String {
    day.format("%-d %b %Y").to_string()
}

/// `21 Nov 2026, 14:05`, in the zone.
pub fn moment(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%-d %b %Y, %H:%M").to_string()
}

/// The same, with the zone: `21 Nov 2026, 14:05 IST`.
pub fn moment_and_zone(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%-d %b %Y, %H:%M %Z").to_string()
}

/// As exact as it is known: `12 Mar 1984`, `Mar 1984`, `1984`.
pub fn birth_date(born: BirthDate) -> String {
    match born {
        BirthDate::Day(date) => day(date),
        BirthDate::Month { .. } => born.earliest().format("%b %Y").to_string(),
        BirthDate::Year(year) => year.to_string(),
    }
}

/// Completed years on that day: `42 years`, `about 42 years` where the day of birth is not known.
pub fn age(born: BirthDate, on: NaiveDate) -> String {
    let said = match born.age_on(on) {
        (0, estimated) => ("under 1 year".to_owned(), estimated),
        (1, estimated) => ("1 year".to_owned(), estimated),
        (years, estimated) => (format!("{years} years"), estimated),
    };
    match said {
        (years, true) => format!("about {years} (estimated)"),
        (years, false) => years,
    }
}

pub fn gender(gender: Gender) -> &'static str {
    match gender {
        Gender::Male => "Male",
        Gender::Female => "Female",
        Gender::Other => "Other",
        Gender::Unknown => "Not recorded",
    }
}

/// A code of state as a word: `in-progress` is `In progress`.
pub fn code(code: &str) -> String {
    let words = code.replace(['-', '_'], " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// On one line each: the street, the town, the country.
pub fn address(address: &Address) -> Vec<String> {
    let Address { line, city, state, postal_code, country } = address;
    let town = [city, postal_code].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ");
    let region = [state, country].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(", ");
    line.iter().cloned().chain([town, region]).filter(|line| !line.is_empty()).collect()
}

/// As many decimals as it needs: `7.4`, `500`.
pub fn number(value: f64) -> String {
    let rounded = (value * 10_000.0).round() / 10_000.0;
    if rounded.abs() < 1e15 { format!("{rounded}") } else { format!("{value:e}") }
}

/// A UCUM unit as it is read: `{tablet}` is `tablet`, `Cel` is `°C`.
pub fn unit(ucum: &str) -> String {
    match ucum {
        "1" => String::new(),
        "Cel" => "°C".to_owned(),
        "[degF]" => "°F".to_owned(),
        "mm[Hg]" => "mmHg".to_owned(),
        "[in_i]" => "in".to_owned(),
        "[lb_av]" => "lb".to_owned(),
        ucum => {
            let plain = ucum.replace("10*", "10^").replace(['{', '}', '[', ']'], "");
            if let Some(rest) = ucum.strip_prefix("ug") { format!("µg{rest}") } else { plain }
        }
    }
}

/// `500 mg`, `10 tablets`: what is counted has a plural.
pub fn quantity(amount: &Amount) -> String {
    let (value, unit) = (amount.value.normalize(), unit(&amount.unit));
    let counted = amount.unit.starts_with('{') && amount.unit.ends_with('}');
    let plural = if counted && value > rust_decimal::Decimal::ONE && !unit.ends_with('s') { "s" } else { "" };
    format!("{value} {unit}{plural}").trim_end().to_owned()
}

/// `twice a day`, `3 times a day`, `every 6 hours`, `as needed, at most 4 times a day`
pub fn frequency(frequency: Frequency) -> String {
    let Frequency { times, every, as_needed } = frequency;
    let often = match (times, every.count, every.unit) {
        (1, 1, unit) => format!("once {}", a(unit)),
        (2, 1, unit) => format!("twice {}", a(unit)),
        (times, 1, unit) => format!("{times} times {}", a(unit)),
        (1, _, _) => format!("every {}", period(every)),
        (times, _, _) => format!("{times} times every {}", period(every)),
    };
    match (as_needed, times) {
        (false, _) => often,
        (true, 1) if every.count != 1 => format!("as needed, not more than once in {}", period(every)),
        (true, _) => format!("as needed, at most {often}"),
    }
}

fn a(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::H => "an hour",
        TimeUnit::D => "a day",
        TimeUnit::Wk => "a week",
        TimeUnit::Mo => "a month",
    }
}

/// `5 days`, `1 week`
pub fn period(period: Period) -> String {
    let unit = match period.unit {
        TimeUnit::H => "hour",
        TimeUnit::D => "day",
        TimeUnit::Wk => "week",
        TimeUnit::Mo => "month",
    };
    let plural = if period.count == 1 { "" } else { "s" };
    format!("{} {unit}{plural}", period.count)
}

pub fn food(timing: FoodTiming) -> &'static str {
    match timing {
        FoodTiming::BeforeFood => "before food",
        FoodTiming::WithFood => "with food",
        FoodTiming::AfterFood => "after food",
        FoodTiming::EmptyStomach => "on an empty stomach",
        FoodTiming::Bedtime => "at bedtime",
    }
}

/// Hundredths of a percent: `18 %`, `2.5 %`.
pub fn percent(basis_points: i64) -> String {
    format!("{} %", rust_decimal::Decimal::new(basis_points, 2).normalize())
}

/// An amount without its currency, digits in groups as the currency's people write them: `1,23,456.00` rupees,
/// `123,456.00` of others, none after the point where the currency has no smaller unit. A currency that nobody knows has its
/// minor units counted.
pub fn amount(minor: i64, currency: &str) -> String {
    let places = Money::places(currency).unwrap_or(0);
    let scale = 10_u64.pow(places);
    let (whole, rest) = (minor.unsigned_abs() / scale, minor.unsigned_abs() % scale);
    let sign = if minor < 0 { "−" } else { "" };
    let whole = grouped(whole, if currency == "INR" { 2 } else { 3 });
    match places {
        0 => format!("{sign}{whole}"),
        places => format!("{sign}{whole}.{rest:0width$}", width = places as usize),
    }
}

/// The same with the currency: `₹ 500.00`, `USD 12.50`.
pub fn money(minor: i64, currency: &str) -> String {
    match (currency, Money::places(currency)) {
        ("INR", _) => format!("₹\u{a0}{}", amount(minor, currency)),
        (currency, Some(_)) => format!("{currency}\u{a0}{}", amount(minor, currency)),
        (currency, None) => format!("{currency}\u{a0}{} minor units", amount(minor, currency)),
    }
}

/// The last three digits together, and those before in groups of so many.
fn grouped(value: u64, size: usize) -> String {
    let digits = value.to_string();
    let (mut before, last) = digits.split_at(digits.len().saturating_sub(3));
    let mut groups = vec![last];
    while !before.is_empty() {
        let (rest, group) = before.split_at(before.len().saturating_sub(size));
        groups.insert(0, group);
        before = rest;
    }
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_come_from_minor_units() {
        let table = [
            (50_000, "INR", "₹\u{a0}500.00"),
            (12_345_678_905, "INR", "₹\u{a0}12,34,56,789.05"),
            (123_456_705, "USD", "USD\u{a0}1,234,567.05"),
            (-1, "EUR", "EUR\u{a0}−0.01"),
            (1_500, "JPY", "JPY\u{a0}1,500"),
            (1_500, "KWD", "KWD\u{a0}1.500"),
            (1_500, "QQQ", "QQQ\u{a0}1,500 minor units"),
            (i64::MIN, "USD", "USD\u{a0}−92,233,720,368,547,758.08"),
        ];
        for (minor, currency, written) in table {
            assert_eq!(money(minor, currency), written);
        }
        assert_eq!((percent(1_800), percent(250), percent(0)), ("18 %".into(), "2.5 %".into(), "0 %".into()));
    }

    #[test]
    fn how_often_is_said_as_people_say_it() {
        let often =
            |times, count, unit, as_needed| frequency(Frequency { times, every: Period { count, unit }, as_needed });
        assert_eq!(often(1, 1, TimeUnit::D, false), "once a day");
        assert_eq!(often(2, 1, TimeUnit::D, false), "twice a day");
        assert_eq!(often(3, 1, TimeUnit::D, false), "3 times a day");
        assert_eq!(often(1, 6, TimeUnit::H, false), "every 6 hours");
        assert_eq!(often(1, 6, TimeUnit::H, true), "as needed, not more than once in 6 hours");
        assert_eq!(often(4, 1, TimeUnit::D, true), "as needed, at most 4 times a day");
    }

    #[test]
    fn quantities_have_units_that_people_read() {
        let said = |value: &str, unit: &str| quantity(&Amount { value: value.parse().unwrap(), unit: unit.into() });
        assert_eq!(said("10.0", "{tablet}"), "10 tablets");
        assert_eq!(said("1", "{tablet}"), "1 tablet");
        assert_eq!(said("0.5", "{tablet}"), "0.5 tablet");
        assert_eq!(said("500", "mg"), "500 mg");
        assert_eq!((unit("Cel"), unit("mm[Hg]"), unit("10*3/uL")), ("°C".into(), "mmHg".into(), "10^3/uL".into()));
        assert_eq!((number(7.40), number(500.0), number(0.1 + 0.2)), ("7.4".into(), "500".into(), "0.3".into()));
    }

    #[test]
    fn an_age_that_is_not_known_exactly_says_so() {
        let on = NaiveDate::from_ymd_opt(2026, 11, 21).unwrap();
        let said = |born: &str| (birth_date(born.parse().unwrap()), age(born.parse().unwrap(), on));
        assert_eq!(said("1984-03-12"), ("12 Mar 1984".into(), "42 years".into()));
        assert_eq!(said("1984-12"), ("Dec 1984".into(), "about 41 years (estimated)".into()));
        assert_eq!(said("1984"), ("1984".into(), "about 41 years (estimated)".into()));
        assert_eq!(said("2026-05-01").1, "under 1 year");
    }

    #[test]
    fn an_address_has_no_empty_lines() {
        let place = Address { city: Some("Pune".into()), country: Some("IN".into()), ..Address::default() };
        assert_eq!(address(&place), ["Pune", "IN"]);
        assert_eq!((code("in-progress"), code("")), ("In progress".into(), String::new()));
    }
}
