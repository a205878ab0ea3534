//! How near is near enough: one table, each line with its reason.

/// A named tolerance: numbers agree when they differ by at most `relative` of the other program's number
/// plus `absolute`.
#[derive(Debug, PartialEq)]
pub struct Tolerance {
    /// Name used in the case tables.
    pub name: &'static str,
    /// Share of the other program's number.
    pub relative: f64,
    /// Added to it; in units of the last printed digit where a case says so.
    pub absolute: f64,
    /// Why this much and not less.
    pub reason: &'static str,
}

/// Every tolerance there is.
pub const TOLERANCES: &[Tolerance] = &[
    EXACT,
    CLOSED_FORM,
    ITERATED,
    NEAR_BANDED,
    UNCENTRED,
    SLOW_PLM,
    LOOSE_FIXEST,
    P_VALUE,
    P_OF_CLOSED_FORM,
    P_OF_ITERATED,
    P_OF_SLOW,
    P_OF_LOOSE,
    P_ROUNDED,
    PRINTED,
    STATA_LIKELIHOOD,
    FIXEST_LIKELIHOOD,
    R_SCORING,
    STATA_FLOAT,
    DID_IMPUTATION,
    DID_LOGIT,
    IMPROVED_TILTING,
    MODERNDID_TILTING,
    DIFFERENCES_LOGIT,
];

/// Counts and names.
pub const EXACT: Tolerance = Tolerance {
    name: "exact",
    relative: 0.0,
    absolute: 0.0,
    reason: "rows, degrees of freedom, levels and names of dropped columns are whole numbers and text",
};

/// Direct solutions on both sides.
pub const CLOSED_FORM: Tolerance = Tolerance {
    name: "closed form",
    relative: 1e-10,
    absolute: 1e-13,
    reason: "R prints 15 digits; normal equations of conditioned columns lose at most five of sixteen; \
             the absolute part is rounding in numbers that are differences, such as an adjusted R-squared near zero",
};

/// At least one side iterates.
pub const ITERATED: Tolerance = Tolerance {
    name: "iterated",
    relative: 1e-8,
    absolute: 1e-12,
    reason: "fixest was run at fixef.tol 1e-11 on the change between rounds, which bounds the error only up to \
             the rate of convergence; ours is bounded by 1e-10",
};

/// Workers and firms that are nearly a chain.
pub const NEAR_BANDED: Tolerance = Tolerance {
    name: "near-banded effects",
    relative: 1e-6,
    absolute: 0.0,
    reason: "alternating projections (fixest) and LSMR (linearmodels) creep on these workers and firms, so that \
             stopping at 1e-11 leaves errors of 7e-7 in clustered errors; the test \
             `iterated_effects_are_those_of_a_direct_solution` shows ours to be the direct solution",
};

/// Stata on a calendar year beside a constant.
pub const UNCENTRED: Tolerance = Tolerance {
    name: "uncentred year",
    relative: 1e-8,
    absolute: 0.0,
    reason: "years about 2005 beside a constant have a condition of 1e6, which costs a cross-product in double \
             precision this much; the test `a_calendar_year_need_not_be_centred` shows ours not to lose it",
};

/// plm's two-way within transformation of unbalanced panels.
pub const SLOW_PLM: Tolerance = Tolerance {
    name: "plm, two-way unbalanced",
    relative: 1e-7,
    absolute: 0.0,
    reason: "plm stops demeaning two ways early, which shows in clustered errors by 3e-8; fixest and pyfixest \
             agree with ours on the same model to 1e-11",
};

/// fixest at its own loose default.
pub const LOOSE_FIXEST: Tolerance = Tolerance {
    name: "fixest, default fixef.tol",
    relative: 1e-5,
    absolute: 0.0,
    reason: "the default fixef.tol 1e-6 stops early; the case exists to show by how much",
};

/// Likelihoods that Stata maximised.
pub const STATA_LIKELIHOOD: Tolerance = Tolerance {
    name: "Stata's logit and probit",
    relative: 1e-7,
    absolute: 1e-12,
    reason: "Stata ends Newton's method at a scaled gradient of 1e-5, which leaves 2e-8 in coefficients and 3e-8 in scores, and \
             kernel weights and effects with them; ours end at a decrement of 1e-24, and R's logit agrees with ours to 1e-10",
};

/// Likelihoods that fixest maximised.
pub const FIXEST_LIKELIHOOD: Tolerance = Tolerance {
    name: "fixest's feglm",
    relative: 1e-6,
    absolute: 0.0,
    reason: "feglm stops when the deviance moves by less than 1e-12 of itself and takes the information of the step before: \
             errors differ by 2e-7, and a probit's coefficients by 1e-8; R's glm agrees with ours to 1e-10",
};

/// R's `glm`: errors, and coefficients of a probit.
pub const R_SCORING: Tolerance = Tolerance {
    name: "R's glm, scoring",
    relative: 1e-7,
    absolute: 0.0,
    reason: "R takes the information of the step before the last, which moves errors by 4e-9 at epsilon 1e-14; Fisher scoring \
             converges linearly for a probit, whose coefficients are off by 1e-9; its logit coefficients agree to 1e-10",
};

/// Propensity scores of R did and of its ports, inside of effects and errors.
pub const DID_LOGIT: Tolerance = Tolerance {
    name: "R's logit in did",
    relative: 1e-8,
    absolute: 1e-9,
    reason: "fastglm, glm and statsmodels stop when the deviance moves by less than 1e-8 of itself, which leaves effects off by \
             up to 1e-9; ours end at a decrement of 1e-18 and a last step from there",
};

/// Inverse probability tilting by R's `trust` and Stata's drdid.
pub const IMPROVED_TILTING: Tolerance = Tolerance {
    name: "drdid's tilting",
    relative: 1e-8,
    absolute: 1e-12,
    reason: "both sides iterate; Stata's ml ends at a scaled gradient of 1e-5, whose square is left in the effect",
};

/// Propensity scores of Python's `differences`.
pub const DIFFERENCES_LOGIT: Tolerance = Tolerance {
    name: "logit of differences",
    relative: 1e-7,
    absolute: 1e-9,
    reason: "errors of its doubly robust cells are off by 5e-8, while those of R did, csdid and moderndid for the same cells agree \
             with ours to 1e-8",
};

/// Inverse probability tilting by moderndid.
pub const MODERNDID_TILTING: Tolerance = Tolerance {
    name: "moderndid's tilting",
    relative: 1e-6,
    absolute: 1e-8,
    reason: "its trust-region search leaves covariates of controls 6e-7 of 43 treated rows away from balance, which is what the \
             estimator sets to zero; ours are balanced to 1e-12, and Stata's drdid agrees with ours to 1e-9",
};

/// Numbers that Stata kept in a `float`.
pub const STATA_FLOAT: Tolerance = Tolerance {
    name: "stored as float",
    relative: 1e-7,
    absolute: 0.0,
    reason: "pstest adds up mean and median bias in a float variable, which has 24 bits",
};

/// did_imputation in Stata and its Python namesake.
pub const DID_IMPUTATION: Tolerance = Tolerance {
    name: "did_imputation",
    relative: 1e-6,
    absolute: 0.0,
    reason: "both end their iterations when weights or residuals move by less than 1e-6; R didimputation and diff-diff agree with \
             ours on the same panels to 1e-8",
};

/// p-values of chi-squared and F tests.
pub const P_VALUE: Tolerance = Tolerance {
    name: "p-value of a test",
    relative: 1e-8,
    absolute: 0.0,
    reason: "d log p is about the statistic times its relative error: 1e-12 times 1e3, and tails near 1e-300",
};

/// p-values of t statistics, see [`p_value_unit`].
pub const P_OF_CLOSED_FORM: Tolerance = Tolerance {
    name: "p-value, closed form",
    relative: 0.0,
    absolute: 2e-10,
    reason: "in units of p (1 + t^2), which is what a relative error of one in t changes p by; that error is the \
             one of coefficient and standard error together",
};

/// The same where coefficients are iterated.
pub const P_OF_ITERATED: Tolerance =
    Tolerance { name: "p-value, iterated", absolute: 2e-8, ..P_OF_CLOSED_FORM };

/// The same for the slow designs.
pub const P_OF_SLOW: Tolerance = Tolerance { name: "p-value, slow", absolute: 2e-6, ..P_OF_CLOSED_FORM };

/// The same for fixest's default.
pub const P_OF_LOOSE: Tolerance =
    Tolerance { name: "p-value, default fixef.tol", absolute: 2e-5, ..P_OF_CLOSED_FORM };

/// p-values of the Python programs.
pub const P_ROUNDED: Tolerance = Tolerance {
    name: "p-value by 1 - F",
    relative: 1e-8,
    absolute: 1e-14,
    reason: "pyfixest computes 2 (1 - F(|t|)), which is rounded to multiples of 2.2e-16",
};

/// What [`P_OF_CLOSED_FORM`] and its kin are counted in: p (1 + t^2).
pub fn p_value_unit(p: f64, t: f64) -> f64 {
    p * (1.0 + t * t)
}

impl Tolerance {
    /// The tolerance of p-values of statistics that are as near as this one says.
    pub fn of_p_values(&self) -> &'static Tolerance {
        match self.name {
            "iterated" => &P_OF_ITERATED,
            "near-banded effects" | "plm, two-way unbalanced" => &P_OF_SLOW,
            "fixest, default fixef.tol" => &P_OF_LOOSE,
            _ => &P_OF_CLOSED_FORM,
        }
    }
}

/// Numbers rounded for print.
pub const PRINTED: Tolerance = Tolerance {
    name: "printed digits",
    relative: 0.0,
    absolute: 0.5 + 1e-6,
    reason: "half a unit of the last printed digit, and a millionth for the halfway case in binary",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_reasons_given() {
        for (at, it) in TOLERANCES.iter().enumerate() {
            assert!(TOLERANCES[..at].iter().all(|other| other.name != it.name), "{}", it.name);
            assert!(20 < it.reason.len(), "{}", it.name);
        }
    }
}
