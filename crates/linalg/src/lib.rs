//! Numerical core of Parallax: rank-revealing weighted least squares and fixed-effect absorption.
//!
//! This is the only crate that names faer. Everything is `f64`. No result depends on the number of threads, and no
//! column's result depends on the other columns of a call: work is cut into fixed blocks whose partial results are added
//! in order, and faer itself always runs sequentially.
//!
//! | to do | start at |
//! |---|---|
//! | fit a regression | [`least_squares`] |
//! | fit a logit or a probit | [`binary_response`] |
//! | fit a Poisson model with absorbed effects | [`poisson`] |
//! | take out fixed effects | [`Absorber`] |
//! | stream batches that do not fit in memory | [`CrossProducts`] |
//! | count effects, find singletons, check nesting | [`EffectRanks`], [`singletons`], [`connected_components`], [`is_nested`] |
//! | ask whether a number is rounding | [`rounding`] |
//! | invert or repair a covariance, Wald and Hausman forms | [`symmetric_inverse`], [`nearest_psd`], [`quadratic_form_inverse`] |

mod absorb;
mod check;
mod cross_products;
mod dense;
mod error;
mod glm;
mod gram;
mod graph;
mod least_squares;
pub mod rounding;
mod twice;

pub use absorb::{AbsorbMethod, AbsorbOptions, AbsorbReport, Absorber};
pub use cross_products::{CrossProductSolution, CrossProducts};
pub use dense::{nearest_psd, quadratic_form_inverse, solve_spd, symmetric_eigen, symmetric_inverse};
pub use error::LinalgError;
pub use faer::{Mat, MatRef};
pub use glm::{
    BinaryResponse, Information, Link, Poisson, PoissonInput, binary_response, normal_cdf, poisson,
    zero_groups,
};
pub use gram::{column_norms, gram};
pub use graph::{EffectRanks, Factor, Singletons, connected_components, is_nested, singletons};
pub use least_squares::{LeastSquares, LeastSquaresOptions, Method, least_squares};
