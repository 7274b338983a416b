//! What a line costs, exactly: whole minor units, no floating point anywhere.

use events::{charge::ChargeAmount, values::Money};

use crate::Refusal;

/// The largest amount of a line or of an invoice, in minor units: every JSON reader takes it exactly.
pub const MAX_MINOR: i64 = 1_000_000_000_000_000;
/// Hundredths of a percent in a whole.
const WHOLE_BASIS_POINTS: i128 = 10_000;

/// The price times the quantity, the tax on that, rounded once, and both together.
pub(super) fn of_line(unit_price: Money, quantity: i64, tax_basis_points: i64) -> Result<ChargeAmount, Refusal> {
    let net = i128::from(unit_price.minor) * i128::from(quantity);
    let tax = divided(net * i128::from(tax_basis_points), WHOLE_BASIS_POINTS);
    let total = net + tax;
    if total > i128::from(MAX_MINOR) {
        let detail = format!("A charge comes to at most {MAX_MINOR} minor units.");
        return Err(Refusal::rule("too-large", detail).at("/unit_price").with("limit", MAX_MINOR));
    }
    let minor = |amount: i128| i64::try_from(amount).unwrap_or(MAX_MINOR);
    let (net, tax, total) = (minor(net), minor(tax), minor(total));
    Ok(ChargeAmount { unit_price, quantity, tax_basis_points, net, tax, total })
}

/// Rounded to the nearest, half away from zero.
fn divided(amount: i128, by: i128) -> i128 {
    (amount + amount.signum() * by / 2) / by
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inr(minor: i64) -> Money {
        Money { minor, currency: "INR".into() }
    }

    #[test]
    fn half_a_paisa_is_a_paisa() {
        let tax = |minor, quantity, basis_points| of_line(inr(minor), quantity, basis_points).unwrap().tax;
        // 18 % of 0.25 rupees are 4.5 paise; of 0.24 rupees 4.32.
        assert_eq!((tax(25, 1, 1800), tax(24, 1, 1800)), (5, 4));
        // Once on the line, not once for each piece.
        assert_eq!(tax(25, 10, 1800), 45);
        assert_eq!((tax(0, 5, 1800), tax(99_999, 3, 0)), (0, 0));
        assert_eq!((divided(-5, 10), divided(-4, 10), divided(5, 10)), (-1, 0, 1));
    }

    #[test]
    fn what_is_too_large_is_refused_and_not_cut() {
        let largest = of_line(inr(1_000_000_000_000), 1_000, 0).unwrap();
        assert_eq!(largest.total, MAX_MINOR);
        assert_eq!(of_line(inr(1_000_000_000_000), 1_000, 1).unwrap_err().code, "too-large");
        assert_eq!(of_line(inr(1_000_000_000_000), 10_000, 10_000).unwrap_err().code, "too-large");
    }
}
