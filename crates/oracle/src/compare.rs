//! One number of ours beside one of another program.

use crate::Tolerance;

/// A pair of numbers and how near they have to be.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Program and version.
    pub program: String,
    /// The stored case.
    pub case: String,
    /// Our estimator.
    pub estimator: &'static str,
    /// Our covariance request, or `-` for numbers that do not depend on one.
    pub covariance: String,
    /// What is compared.
    pub quantity: String,
    /// Our number.
    pub ours: f64,
    /// Theirs.
    pub theirs: f64,
    /// How near.
    pub tolerance: &'static Tolerance,
    /// What the absolute part of the tolerance is counted in: 1, or a unit of the last printed digit.
    pub unit: f64,
}

/// A stored number that is not compared, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// The file.
    pub source: String,
    /// The case.
    pub case: String,
    /// Covariance or statistic; empty for a whole case.
    pub what: String,
    /// Why.
    pub reason: String,
}

/// Everything one run found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Numbers compared.
    pub comparisons: Vec<Comparison>,
    /// Numbers that are not, with reasons.
    pub left_out: Vec<LeftOut>,
    /// What could not be compared though it should: unclassified names, terms that are missing, fits that fail.
    pub errors: Vec<String>,
    /// Sources that are not on this machine, and what would be needed.
    pub skipped: Vec<String>,
}

impl Comparison {
    /// The difference as a share of their number (the difference itself where theirs is zero).
    pub fn gap(&self) -> f64 {
        let difference = (self.ours - self.theirs).abs();
        if self.theirs == 0.0 { difference } else { difference / self.theirs.abs() }
    }

    /// Near enough. Never for a number that is missing.
    pub fn agrees(&self) -> bool {
        let allowed = self.tolerance.relative * self.theirs.abs() + self.tolerance.absolute * self.unit;
        (self.ours - self.theirs).abs() <= allowed
    }
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Comparison { program, case, estimator, covariance, quantity, ours, theirs, tolerance, .. } = self;
        write!(
            f,
            "{case} ({program}) {estimator} {covariance} {quantity}: ours {ours}, theirs {theirs}, gap {:.1e}, \
             tolerance `{}`",
            self.gap(),
            tolerance.name
        )
    }
}

impl Report {
    /// Adds what another run found.
    pub fn extend(&mut self, other: Report) {
        self.comparisons.extend(other.comparisons);
        self.left_out.extend(other.left_out);
        self.errors.extend(other.errors);
        self.skipped.extend(other.skipped);
    }

    /// Comparisons that are not near enough.
    pub fn disagreements(&self) -> Vec<&Comparison> {
        self.comparisons.iter().filter(|it| !it.agrees()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tolerances::{CLOSED_FORM, EXACT, PRINTED};

    fn pair(ours: f64, theirs: f64, tolerance: &'static Tolerance, unit: f64) -> Comparison {
        Comparison {
            program: "p".into(),
            case: "c".into(),
            estimator: "e",
            covariance: "iid".into(),
            quantity: "coef x".into(),
            ours,
            theirs,
            tolerance,
            unit,
        }
    }

    #[test]
    fn near_is_near_and_far_is_far() {
        assert!(pair(1.0 + 9e-11, 1.0, &CLOSED_FORM, 1.0).agrees());
        assert!(!pair(1.0 + 2e-10, 1.0, &CLOSED_FORM, 1.0).agrees());
        assert!(!pair(f64::NAN, 1.0, &CLOSED_FORM, 1.0).agrees());
        assert!(!pair(1.0, f64::NAN, &CLOSED_FORM, 1.0).agrees());
        assert!(pair(3.0, 3.0, &EXACT, 1.0).agrees() && !pair(3.0, 4.0, &EXACT, 1.0).agrees());
    }

    #[test]
    fn printed_digits_count_in_units_of_the_last_one() {
        assert!(pair(0.18254, 0.1825, &PRINTED, 1e-4).agrees());
        assert!(!pair(0.18256, 0.1825, &PRINTED, 1e-4).agrees());
    }
}
