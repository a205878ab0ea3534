//! Covariance in three stages: request ([`VcovSpec`]), plan ([`VcovPlan`]), matrix ([`Vcov`]).
//!
//! The request names columns and may change the sample (rows without a cluster are out); the plan
//! holds the groups of the estimation sample; the matrix says how it was made
//! ([`Arithmetic`]). Kinds and small-sample rules are closed sets, matched exhaustively, because
//! this is where covariance meets absorbed effects.

mod arithmetic;
mod bands;
mod cluster_by;
mod error;
mod exactness;
mod influence;
mod keyed;
mod matrix;
mod multiplier;
mod plan;
mod quantile;
mod repair;
mod small_sample;
mod spec;

pub use arithmetic::{Arithmetic, EffectArithmetic, TermArithmetic};
pub use bands::simultaneous_critical;
pub use cluster_by::ClusterBy;
pub use error::VcovError;
pub use keyed::{Keyed, Sequence};
pub use matrix::{LeverageFn, LinearParts, PreparedVcov, Vcov, std_error};
pub use multiplier::{Caution, Multiplier, MultiplierBootstrap, MultiplierDraws, SupT};
pub use plan::{AbsorbedEffect, VcovPlan};
pub use quantile::normal_quantile;
pub use repair::Repair;
pub use small_sample::{ClusterScale, EffectCount, EffectDof, Preset, SampleScale, SmallSample};
pub use spec::{HcKind, VcovKind, VcovSpec};
