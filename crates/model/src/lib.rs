//! The contract: what an estimator, a step and an index method are, what they take and give back,
//! and the list of all of them.
//!
//! A plugin author needs [`Estimator`], [`Design`] and [`Estimate`], and one macro
//! ([`estimator!`]). [`regress`] joins least squares and covariance for
//! those that need it. This crate reads no files and formats no tables.

mod absorb;
mod design;
mod distribution;
mod error;
mod estimate;
pub mod formula;
mod index;
mod meta;
mod registry;
mod regression;
mod spec;
mod step;

pub use absorb::{Absorbed, AbsorptionCache};
pub use design::{Design, Effect, Regressor};
pub use distribution::{Distribution, chi2_upper, f_upper};
pub use error::{FitError, StepError};
pub use estimate::{Estimate, SampleReport, Statistics, Term, TermRow};
pub use formula::{Expr, Formula, FormulaError};
pub use index::{IndexMethod, IndexResult};
pub use inventory;
pub use meta::{Capabilities, Meta, PluginMeta, Status, Support};
pub use parallax_base::{Name, Note};
pub use parallax_linalg::{self as linalg, Mat, MatRef};
pub use parallax_panel::{self as panel, Panel};
pub use parallax_vcov::{self as vcov, SmallSample, Vcov, VcovKind, VcovPlan, VcovSpec};
pub use registry::{ColumnUse, Entry, IndexEntry, Registry, RegistryError, StepEntry};
pub use regression::{
    Constant, Regression, RegressionInput, r_squared, regress, squared_correlation, wald, weighted_mean,
};
pub use spec::{ModelSpec, SingletonPolicy};
pub use step::{Step, Stepped};

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

/// What a plugin implements: one method, typed options, constant metadata.
pub trait Estimator: Sync + 'static {
    /// Name, documentation, capabilities.
    const META: Meta;
    /// Settings as a study file or `--set` writes them; unknown keys must be refused
    /// (`#[serde(deny_unknown_fields)]`).
    type Options: Serialize + DeserializeOwned + JsonSchema + Default;

    /// Estimates on the rows of `design`. What the design asks for is within
    /// [`Meta::capabilities`]: the registry has checked it.
    ///
    /// # Errors
    /// When data or model do not allow an estimate; the message says what, where and what to do.
    fn fit(design: &Design<'_>, options: &Self::Options) -> Result<Estimate, FitError>;
}

/// Registers an estimator. Goes once in the file that implements it.
#[macro_export]
macro_rules! estimator {
    ($ty:ty) => {
        $crate::inventory::submit! { $crate::Entry::of::<$ty>(file!(), line!()) }
    };
}

/// Registers a pipeline step. Goes once in the file that implements it.
#[macro_export]
macro_rules! step {
    ($ty:ty) => {
        $crate::inventory::submit! { $crate::StepEntry::of::<$ty>(file!(), line!()) }
    };
}

/// Registers an index method. Goes once in the file that implements it.
#[macro_export]
macro_rules! index_method {
    ($ty:ty) => {
        $crate::inventory::submit! { $crate::IndexEntry::of::<$ty>(file!(), line!()) }
    };
}
