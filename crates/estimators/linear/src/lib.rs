//! Least squares with and without absorbed effects.
//!
//! | estimator | file |
//! |---|---|
//! | `pooled-ols` | [`pooled_ols`] |
//! | `fixed-effects` | [`fixed_effects`] |

pub mod fixed_effects;
pub mod pooled_ols;
