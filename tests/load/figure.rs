//! What a figure is, and what its rounds come to.

use std::fmt::Display;

/// Where the ratio of Casebook to the ceiling has to lie.
#[derive(Clone, Copy)]
pub enum Goal {
    AtLeast(f64),
    AtMost(f64),
    /// Anywhere: it only tells what something costs.
    Told,
}

impl Goal {
    pub fn is_met(self, ratio: f64) -> bool {
        match self {
            Self::AtLeast(least) => ratio >= least,
            Self::AtMost(most) => ratio <= most,
            Self::Told => true,
        }
    }
}

impl Display for Goal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "≥ {least} ×"),
            Self::AtMost(most) => write!(f, "≤ {most} ×"),
            Self::Told => write!(f, "–"),
        }
    }
}

/// One figure of a row, before it is measured.
#[derive(Clone, Copy)]
pub struct Figure {
    pub name: &'static str,
    /// `events/s`, `ms`.
    pub unit: &'static str,
    pub goal: Goal,
}

/// Of several rounds.
#[derive(Clone, Copy)]
pub struct Spread {
    pub least: f64,
    pub median: f64,
    pub most: f64,
}

impl Spread {
    /// Of at least one value.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let last = values.len() - 1;
        let median = f64::midpoint(values[last / 2], values[last.div_ceil(2)]);
        Self { least: values[0], median, most: values[last] }
    }
}

/// A figure with the values of its rounds, in pairs: ceiling, Casebook.
pub struct Measured {
    pub figure: Figure,
    pub what: What,
    pub rounds: Vec<(f64, f64)>,
}

/// In a sentence each.
#[derive(Clone, Copy)]
pub struct What {
    pub ceiling: &'static str,
    pub casebook: &'static str,
}

impl Measured {
    pub fn ceiling(&self) -> Spread {
        Spread::of(self.rounds.iter().map(|(ceiling, _)| *ceiling))
    }

    pub fn casebook(&self) -> Spread {
        Spread::of(self.rounds.iter().map(|(_, casebook)| *casebook))
    }

    /// Of the pairs: both of a pair met the same moment.
    pub fn ratio(&self) -> Spread {
        Spread::of(self.rounds.iter().map(|(ceiling, casebook)| casebook / ceiling))
    }

    pub fn is_met(&self) -> bool {
        self.figure.goal.is_met(self.ratio().median)
    }
}

/// The value below which `share` of the values lie.
pub fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (share * values.len() as f64).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        let spread = Spread::of([4.0, 1.0, 3.0, 2.0]);
        assert_eq!((spread.least, spread.median, spread.most), (1.0, 2.5, 4.0));
        assert_eq!(Spread::of([7.0]).median, 7.0);
    }

    #[test]
    fn a_percentile_is_a_value_that_was_seen() {
        let mut values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!(percentile(&mut values, 0.99), 198.0);
        assert_eq!(percentile(&mut values, 0.5), 100.0);
    }

    #[test]
    fn a_goal_is_met_at_its_edge() {
        assert!(Goal::AtLeast(3.0).is_met(3.0) && !Goal::AtLeast(3.0).is_met(2.99));
        assert!(Goal::AtMost(0.5).is_met(0.5) && !Goal::AtMost(0.5).is_met(0.51));
    }
}
