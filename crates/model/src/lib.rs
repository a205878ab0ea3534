//! The contract: what an estimator, a step and an index method are, what they take and give back,
//! and the list of all of them.
//!
//! A plugin author needs [`Estimator`], [`Design`] and [`Estimate`], and one macro
//! ([`estimator!`]). [`regress`] joins least squares and covariance for
//! those that need it. This crate reads no files and formats no tables.

mod absorb;
mod adoption;
mod battery;
mod cluster_products;
mod complete;
mod design;
mod detail;
mod distribution;
mod error;
mod estimate;
mod event_study;
mod fingerprint;
pub mod formula;
mod group_time;
mod index;
mod influence;
mod joint;
pub mod limits;
mod meta;
pub mod options;
mod origin;
mod registry;
mod regression;
mod side_by_side;
mod spec;
mod statistics;
mod step;
mod time;
mod treated;
mod weights;
mod within;

pub use absorb::{Absorbed, AbsorptionCache};
pub use adoption::{Adoption, CohortDates};
pub use battery::{BatteryModel, BatteryPart, BatteryRequest};
pub use cluster_products::{ClusterProducts, Triangle, varies};
pub use design::{Design, Effect, Regressor};
pub use detail::{Detail, DetailColumn, DetailValues};
pub use distribution::{Distribution, chi2_upper, f_upper};
pub use error::{FitError, StepError};
pub use estimate::{Estimate, SampleReport, Term, TermRow};
pub use event_study::{EventPoint, EventStudy, EventWindow, JointTest};
pub use formula::{Expr, Formula, FormulaError};
pub use group_time::{Aggregate, AggregationRange, GroupTimeEffects, aggregate_covariance};
pub use index::{IndexMethod, IndexResult};
pub use influence::{InfluenceFunctions, settle};
pub use inventory;
pub use joint::{Influence, joint_covariance};
pub use meta::{Capabilities, Meta, PluginMeta, Status, Support};
pub use parallax_base::{Name, Note, counted};
pub use parallax_linalg::{self as linalg, Mat, MatRef};
pub use parallax_panel::{self as panel, Panel};
pub use parallax_vcov::{self as vcov, SmallSample, Vcov, VcovKind, VcovPlan, VcovSpec};
pub use registry::{ColumnUse, Entry, IndexEntry, Registry, RegistryError, StepEntry};
pub use regression::{
    Before, Constant, Regression, RegressionInput, r_squared, regress, repaired, root_mean_squares,
    squared_correlation, wald, wald_equal, weighted_mean,
};
pub use side_by_side::side_by_side;
pub use spec::{ModelSpec, SingletonPolicy, WeightKind};
pub use statistics::{Statistic, Statistics};
pub use step::{Step, Stepped};
pub use time::time_remarks;
pub use treated::{FEW_TREATED, TreatedCount, TreatedRows, TreatedSupport, Variation};
pub use weights::{WeightScale, WeightsUsed};
pub use within::{Variable, Within, spanned};

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

    /// What the size of analytic weights means.
    fn weights(_options: &Self::Options) -> WeightScale {
        WeightScale::Relative
    }

    /// Columns that options name beside the formula's.
    fn columns(_options: &Self::Options) -> OptionColumns {
        OptionColumns::default()
    }

    /// The column of zeros and ones that dates of adoption are read from, where options name one: units whose date it
    /// leaves open are left out before the fit, with a note.
    fn dated_by(_options: &Self::Options) -> Option<&Name> {
        None
    }

    /// What it contributes to a battery on one treatment (`parallax did`); nothing without.
    fn battery(_request: &BatteryRequest) -> Option<BatteryModel<Self::Options>> {
        None
    }

    /// The request with which the checks of every entry try the estimator.
    fn example() -> Example<Self::Options> {
        Example::default()
    }
}

/// Columns that an estimator's options name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OptionColumns {
    /// Rows where one of them is missing leave the sample.
    pub required: Vec<Name>,
    /// Read, and allowed to be missing: a date of adoption that never came.
    pub optional: Vec<Name>,
}

/// A request on the columns `unit`, `year`, `group`, `y`, `x1`, `x2`, `d` (a treatment that stays
/// once it came), `cohort` (its first year, 0 for never), `kind` (1 or 2, fixed for a unit) of a seeded panel.
#[derive(Clone, Debug, Default)]
pub struct Example<O> {
    /// `None` is `y ~ x1 + x2 + d`, with `| unit + year` where effects are required.
    pub formula: Option<&'static str>,
    /// Options with which the estimator can run there.
    pub options: O,
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
