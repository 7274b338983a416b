//! Doses: between what the catalogue says is usual at a time and in 24 hours, where it says so.

use events::{
    medicine::{DoseRange, MedicineEntry},
    prescription::{AlertCause, AlertKind, AlertSeverity, Amount, Frequency},
};
use rust_decimal::Decimal;

use super::{Candidate, Found};

/// What is wrong with the dose of an item. Nothing, where the catalogue has no range, or the dose cannot be brought into
/// its unit.
pub(super) fn alert(candidate: Candidate<'_>) -> Option<Found<'_>> {
    let range = candidate.entry.doses.as_ref()?;
    let dose = candidate.regimen.dose.as_ref()?;
    let single = in_unit(dose, &range.unit, candidate.entry)?;
    let daily = single * doses_in_a_day(candidate.regimen.frequency.as_ref());
    let (severity, wrong) = wrong(range, single, daily)?;
    let (medicine, unit) = (&candidate.entry.name, &range.unit);
    Some(Found {
        kind: AlertKind::DoseOutOfRange,
        severity,
        candidate,
        cause: AlertCause::Dose {},
        about: format!("{single}\n{daily}\n{unit}\n{wrong}"),
        text: format!("{medicine}: {wrong} {unit}."),
    })
}

fn wrong(range: &DoseRange, single: Decimal, daily: Decimal) -> Option<(AlertSeverity, String)> {
    let (single, daily) = (single.normalize(), daily.round_dp(4).normalize());
    if let Some(most) = range.max_single.filter(|most| single > *most) {
        return Some((AlertSeverity::Severe, format!("{single} at a time is more than the usual {most}")));
    }
    if let Some(most) = range.max_daily.filter(|most| daily > *most) {
        return Some((AlertSeverity::Severe, format!("{daily} in 24 hours is more than the usual {most}")));
    }
    let least = range.min_single.filter(|least| single < *least)?;
    Some((AlertSeverity::Moderate, format!("{single} at a time is less than the usual {least}")))
}

/// How many doses may fall into 24 hours.
fn doses_in_a_day(frequency: Option<&Frequency>) -> Decimal {
    let Some(Frequency { times, every, .. }) = frequency else { return Decimal::ONE };
    let hours = Decimal::from(every.count * every.unit.hours());
    let spread = Decimal::from(*times) * Decimal::from(24) / hours;
    // Less often than daily, a dose still falls into some day.
    spread.max(Decimal::ONE)
}

/// The dose in another unit; by the strength, where it counts tablets or measures a syrup.
fn in_unit(dose: &Amount, unit: &str, entry: &MedicineEntry) -> Option<Decimal> {
    if let Some(value) = convert(dose.value, &dose.unit, unit) {
        return Some(value);
    }
    let [ingredient] = entry.ingredients.as_slice() else { return None };
    let strength = Strength::parse(ingredient.strength.as_deref().or(entry.strength.as_deref())?)?;
    let in_strength = convert(strength.amount, &strength.unit, unit)?;
    let counted = match &strength.per {
        Some((per, of)) => convert(dose.value, &dose.unit, of)? / per,
        None if dose.unit.starts_with('{') || entry.unit.as_ref() == Some(&dose.unit) => dose.value,
        None => return None,
    };
    Some(in_strength * counted)
}

/// Between units of mass, or of volume.
fn convert(value: Decimal, from: &str, to: &str) -> Option<Decimal> {
    if from == to {
        return Some(value);
    }
    let ((kind, from), (other, to)) = (scale(from)?, scale(to)?);
    (kind == other).then(|| value * from / to)
}

/// What a unit measures, and how many of the smallest it is.
fn scale(unit: &str) -> Option<(char, Decimal)> {
    Some(match unit {
        "ng" => ('m', Decimal::ONE),
        "ug" => ('m', Decimal::from(1_000)),
        "mg" => ('m', Decimal::from(1_000_000)),
        "g" => ('m', Decimal::from(1_000_000_000)),
        "uL" => ('v', Decimal::ONE),
        "mL" => ('v', Decimal::from(1_000)),
        "L" => ('v', Decimal::from(1_000_000)),
        _ => return None,
    })
}

/// `500mg`, `125mg/5ml`, as a pack says it.
#[derive(Debug, PartialEq)]
struct Strength {
    amount: Decimal,
    unit: String,
    per: Option<(Decimal, String)>,
}

impl Strength {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(2, '/').map(measure);
        let (amount, unit) = parts.next()??;
        let per = match parts.next() {
            Some(per) => Some(per?),
            None => None,
        };
        Some(Self { amount: amount?, unit, per: per.map(|(count, of)| (count.unwrap_or(Decimal::ONE), of)) })
    }
}

/// A number, if any, and a unit in UCUM's form.
fn measure(text: &str) -> Option<(Option<Decimal>, String)> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number = match &text[..digits] {
        "" => None,
        number => Some(number.parse().ok().filter(|number| *number > Decimal::ZERO)?),
    };
    let unit = match text[digits..].trim().to_lowercase().as_str() {
        "mcg" | "µg" | "ug" => "ug",
        "mg" => "mg",
        "g" | "gm" => "g",
        "ml" => "mL",
        "l" => "L",
        _ => return None,
    };
    Some((number, unit.to_owned()))
}

#[cfg(test)]
mod tests {
    use events::prescription::{Period, TimeUnit};
    use serde_json::{Value, json};

    use super::*;

    fn amount(value: &str, unit: &str) -> Amount {
        Amount { value: value.parse().unwrap(), unit: unit.to_owned() }
    }

    fn entry(strength: Value) -> MedicineEntry {
        serde_json::from_value(json!({
            "name": "Dolo", "unit": "{tablet}", "ingredients": [{"name": "paracetamol", "strength": strength}]
        }))
        .unwrap()
    }

    fn number(text: &str) -> Option<Decimal> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn a_dose_is_brought_into_the_unit_of_the_range() {
        let none = entry(Value::Null);
        assert_eq!(in_unit(&amount("0.5", "g"), "mg", &none), number("500"));
        assert_eq!(in_unit(&amount("500", "ug"), "mg", &none), number("0.5"));
        assert_eq!(in_unit(&amount("5", "mL"), "mg", &none), None);
        assert_eq!(in_unit(&amount("2", "{tablet}"), "mg", &none), None, "of what, nobody knows");
        let tablet = entry(json!("650mg"));
        assert_eq!(in_unit(&amount("1.5", "{tablet}"), "mg", &tablet), number("975"));
        assert_eq!(in_unit(&amount("5", "mL"), "mg", &tablet), None);
        let syrup = entry(json!("125 mg/5ml"));
        assert_eq!(in_unit(&amount("7.5", "mL"), "mg", &syrup), number("187.5"));
        assert_eq!(in_unit(&amount("1", "{tablet}"), "mg", &syrup), None);
    }

    #[test]
    fn a_strength_is_read_as_packs_write_it() {
        let (amount, unit) = ("2.5".parse().unwrap(), "mg".to_owned());
        let per = Some((Decimal::ONE, "mL".to_owned()));
        assert_eq!(Strength::parse("2.5mg/ml"), Some(Strength { amount, unit, per }));
        for text in ["", "mg", "10%", "1000 IU", "5mg/", "0mg/5ml", "about 5mg"] {
            assert_eq!(Strength::parse(text), None, "{text}");
        }
    }

    #[test]
    fn most_doses_of_a_day() {
        let every = |times, count, unit| Frequency { times, every: Period { count, unit }, as_needed: false };
        let day = |frequency| doses_in_a_day(Some(&frequency));
        assert_eq!(day(every(3, 1, TimeUnit::D)), Decimal::from(3));
        assert_eq!(day(every(1, 6, TimeUnit::H)), Decimal::from(4));
        assert_eq!(day(every(1, 1, TimeUnit::Wk)), Decimal::ONE);
        assert_eq!(doses_in_a_day(None), Decimal::ONE);
    }
}
