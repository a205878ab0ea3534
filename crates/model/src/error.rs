//! Why a model cannot be fitted or a step cannot be applied.

use parallax_base::Name;
use parallax_linalg::LinalgError;
use parallax_panel::PanelError;
use parallax_vcov::VcovError;

use crate::FormulaError;

/// Data or model say no.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// The panel or the sample.
    #[error(transparent)]
    Panel(#[from] PanelError),
    /// The formula.
    #[error(transparent)]
    Formula(#[from] FormulaError),
    /// The covariance.
    #[error(transparent)]
    Vcov(#[from] VcovError),
    /// Linear algebra.
    #[error(transparent)]
    Linalg(#[from] LinalgError),
    /// A request outside an estimator's capabilities.
    #[error("`{estimator}` does not support {what}; {advice}")]
    Unsupported {
        /// The estimator.
        estimator: &'static str,
        /// What was asked.
        what: String,
        /// What to do.
        advice: String,
    },
    /// Options that do not fit.
    #[error("options of `{plugin}`: {reason}")]
    Options {
        /// The plugin.
        plugin: &'static str,
        /// What is wrong with them.
        reason: String,
    },
    /// No regressor is left.
    #[error("no regressor is left to estimate: {reason}")]
    NoRegressor {
        /// The dropped names with the reason, or that there is none.
        reason: String,
    },
    /// The outcome does not vary.
    #[error("the outcome `{outcome}` {how}; there is nothing to estimate")]
    ConstantOutcome {
        /// The outcome.
        outcome: Name,
        /// Constant, or spanned by the effects.
        how: &'static str,
    },
    /// The estimator's own reason.
    #[error("{0}")]
    Model(String),
}

/// A pipeline step or index says no.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// The panel.
    #[error(transparent)]
    Panel(#[from] PanelError),
    /// An expression.
    #[error(transparent)]
    Formula(#[from] FormulaError),
    /// Options that do not fit.
    #[error("options of `{plugin}`: {reason}")]
    Options {
        /// The plugin.
        plugin: &'static str,
        /// What is wrong with them.
        reason: String,
    },
    /// A column that cannot serve.
    #[error("column `{column}`: {reason}")]
    Column {
        /// The column.
        column: Name,
        /// What is wrong with it, where, and what to do.
        reason: String,
    },
    /// The step's own reason.
    #[error("{0}")]
    Step(String),
}
