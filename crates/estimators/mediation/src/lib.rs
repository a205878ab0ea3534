//! Mediation: which part of an effect goes through another variable.
//!
//! | estimator | file |
//! |---|---|
//! | `mediation` | [`mediation`] |
//!
//! `equations` has the three regressions, `effects` the indirect effect with its errors, `bootstrap` the draws of clusters.

mod bootstrap;
mod effects;
mod equations;
pub mod mediation;
