//! Why a covariance request cannot be honoured.

use parallax_base::Name;

/// A covariance request that is malformed, unsupported or impossible on this sample.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum VcovError {
    /// The text of the request is not one we know.
    #[error("covariance `{text}` is not one of iid, hc0, hc1, hc2, hc3, cluster:A, cluster:A+B{hint}")]
    Unknown {
        /// What was written.
        text: String,
        /// What to do.
        hint: String,
    },
    /// The name of a preset is not one we know.
    #[error("small-sample rules `{text}` are not one of fixest, reghdfe, xtreg, plm, none")]
    UnknownPreset {
        /// What was written.
        text: String,
    },
    /// The name of a repair is not one we know.
    #[error("`{text}` is not the repair of a multi-way covariance that we know: fixest, stata, plm")]
    UnknownRepair {
        /// What was written.
        text: String,
    },
    /// Too few clusters.
    #[error("cluster `{name}` has {groups} group in the sample; clustered errors need at least two")]
    OneCluster {
        /// The cluster variable.
        name: Name,
        /// Its groups.
        groups: usize,
    },
    /// As many parameters as rows.
    #[error("{rows} rows cannot carry {parameters} parameters ({what}); use fewer regressors or effects")]
    NoDegreesOfFreedom {
        /// Rows of the sample.
        rows: usize,
        /// Parameters counted.
        parameters: usize,
        /// How they were counted.
        what: String,
    },
    /// A row decides its own fitted value, so that HC2 and HC3 divide by zero.
    #[error(
        "row {row} of the sample has leverage one, so {kind} is not defined; drop singletons \
         (--singletons drop), remove the regressor that singles it out, or use hc1"
    )]
    FullLeverage {
        /// Row of the sample, counted from 1.
        row: usize,
        /// The covariance asked for.
        kind: String,
    },
    /// The preset's program refuses this combination, and so do we.
    #[error("small-sample rules `{preset}` do not allow {what}; {advice}")]
    PresetRefuses {
        /// The preset.
        preset: &'static str,
        /// What was asked.
        what: String,
        /// What to do.
        advice: &'static str,
    },
    /// A unit in two clusters, where the estimator adds up over units.
    #[error(
        "a unit has rows in several groups of cluster `{name}`; cluster by the unit or by groups of whole units"
    )]
    NotNested {
        /// The cluster variable.
        name: Name,
    },
    /// An estimator that adds up over units takes one cluster column.
    #[error("covariance `{spec}`: this estimator needs one cluster column, as cluster:unit")]
    OneColumn {
        /// What was asked.
        spec: String,
    },
    /// Something in linear algebra failed.
    #[error(transparent)]
    Linalg(#[from] parallax_linalg::LinalgError),
}
