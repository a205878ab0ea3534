//! The errors of this crate.
//!
//! | category | variants | who can act |
//! |---|---|---|
//! | validation | `DimensionMismatch`, `NonFinite`, `InvalidWeight`, `CodeOutOfRange`, `TooManyRows`, `InvalidOption`, `MethodNotApplicable` | the caller |
//! | size | `TooLarge` | the user, by choosing another method |
//! | runtime | `NotConverged`, `NotPositiveDefinite`, `EigenFailed`, `NoColumns`, `NotBinary`, `OneOutcome`, `Separated`, `NegativeOutcome`, `NoPositiveOutcome`, `SeparatedZeros`, `LikelihoodNotConverged` | the user, by changing the model |

/// What can go wrong in least squares and in absorption.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LinalgError {
    /// Two inputs that describe the same rows or columns have different lengths.
    #[error("{what} has length {found}, expected {expected}")]
    DimensionMismatch {
        /// The input that does not fit.
        what: &'static str,
        /// Length that the other inputs imply.
        expected: usize,
        /// Length found.
        found: usize,
    },
    /// A value is NaN or infinite; rows with missing values must leave the sample before estimation.
    #[error("column {column} is not finite in row {row}; drop rows with missing values first")]
    NonFinite {
        /// Index of the column in the call; the outcome counts after the regressors.
        column: usize,
        /// Index of the first offending row.
        row: usize,
    },
    /// A weight is zero, negative or not finite.
    #[error(
        "weight {value} in row {row}: weights must be positive and finite; drop rows of weight zero first"
    )]
    InvalidWeight {
        /// Row of the weight.
        row: usize,
        /// The weight.
        value: f64,
    },
    /// A group code is not below the declared number of groups.
    #[error("factor {factor}: code {code} in row {row} is not below n_groups = {n_groups}")]
    CodeOutOfRange {
        /// Index of the factor.
        factor: usize,
        /// Row of the code.
        row: usize,
        /// The code.
        code: u32,
        /// Declared number of groups.
        n_groups: usize,
    },
    /// Row numbers are held as `u32`.
    #[error("{rows} rows; absorption holds row numbers in 32 bits, at most 4294967294")]
    TooManyRows {
        /// Number of rows.
        rows: usize,
    },
    /// An option has a value outside its range.
    #[error("option {option} = {value} is out of range: {advice}")]
    InvalidOption {
        /// Name of the option.
        option: &'static str,
        /// Its value.
        value: f64,
        /// The accepted range.
        advice: &'static str,
    },
    /// A forced absorption method cannot give exact results for these factors.
    #[error("absorption method {method} does not apply: {reason}")]
    MethodNotApplicable {
        /// The method asked for.
        method: &'static str,
        /// Why it does not apply.
        reason: &'static str,
    },
    /// An exact computation would need a dense matrix that is too large.
    #[error("{what} needs a dense matrix of order {order}, above the limit {limit}; {advice}")]
    TooLarge {
        /// The quantity asked for.
        what: &'static str,
        /// Order of the matrix.
        order: usize,
        /// Largest order allowed.
        limit: usize,
        /// What to do instead.
        advice: &'static str,
    },
    /// The iteration stopped before the effects were absorbed to the tolerance.
    #[error(
        "fixed effects of column {column} are not absorbed after {iterations} iterations: estimated relative error \
         {error:.1e}, tolerance {tolerance:.1e}. The groups are only weakly connected: raise max_iterations, \
         restrict the sample to the largest connected set, or loosen the tolerance"
    )]
    NotConverged {
        /// Index of the column in the call.
        column: usize,
        /// Iterations done.
        iterations: usize,
        /// Estimated error of the residualised column, relative to the column.
        error: f64,
        /// The tolerance asked for.
        tolerance: f64,
    },
    /// A matrix that must be positive definite is not, to working precision.
    #[error("matrix of order {order} is not positive definite (pivot {pivot})")]
    NotPositiveDefinite {
        /// Order of the matrix.
        order: usize,
        /// Index of the failing pivot.
        pivot: usize,
    },
    /// The symmetric eigenvalue iteration failed.
    #[error("eigenvalues of a symmetric matrix of order {order} did not converge")]
    EigenFailed {
        /// Order of the matrix.
        order: usize,
    },
    /// Every regressor is collinear with the fixed effects or zero.
    #[error("no regressor is left: all {columns} columns are zero or collinear with the fixed effects")]
    NoColumns {
        /// Number of columns given.
        columns: usize,
    },
    /// The outcome of a binary response model is neither 0 nor 1.
    #[error("outcome {value} in row {row} is neither 0 nor 1")]
    NotBinary {
        /// Row of the value.
        row: usize,
        /// The value.
        value: f64,
    },
    /// The outcome of a binary response model does not vary.
    #[error("every outcome is {value}; a binary response needs both 0 and 1")]
    OneOutcome {
        /// The only outcome; NaN without rows.
        value: f64,
    },
    /// Some outcomes are predicted perfectly, so that the likelihood has no maximum.
    #[error(
        "column {column} and those beside it predict {rows} outcomes perfectly (separation), so that no maximum of the \
         likelihood exists; leave the column out, or the rows that it decides"
    )]
    Separated {
        /// Index of the column that moves most along the separating direction.
        column: usize,
        /// Rows predicted perfectly.
        rows: usize,
    },
    /// The outcome of a Poisson model is negative.
    #[error(
        "outcome {value} in row {row} is negative; a Poisson model needs counts or other outcomes from zero on"
    )]
    NegativeOutcome {
        /// Row of the value.
        row: usize,
        /// The value.
        value: f64,
    },
    /// The outcome of a Poisson model is zero everywhere.
    #[error("all {rows} outcomes are zero; a Poisson model needs a positive one")]
    NoPositiveOutcome {
        /// Rows.
        rows: usize,
    },
    /// Some zeros are predicted perfectly, so that the likelihood has no maximum.
    #[error(
        "{rows} outcomes of zero, the first in row {first}, are predicted perfectly by columns and effects (separation), so \
         that no maximum of the likelihood exists; leave these rows out, or the column or effect that decides them"
    )]
    SeparatedZeros {
        /// Rows predicted perfectly.
        rows: usize,
        /// The first of them.
        first: usize,
    },
    /// Newton's method did not reach the maximum of a likelihood.
    #[error(
        "no maximum of the likelihood after {iterations} steps (Newton decrement {decrement:.1e}); rescale the columns"
    )]
    LikelihoodNotConverged {
        /// Steps done.
        iterations: usize,
        /// g'H^{-1}g at the last step.
        decrement: f64,
    },
}
