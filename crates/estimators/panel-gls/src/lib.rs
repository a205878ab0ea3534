//! Estimators of the error-components model: each weighs variation within and between units differently.
//!
//! | estimator | file | variation used |
//! |---|---|---|
//! | `random-effects` | [`random_effects`] | within and between, by their variances |
//! | `between` | [`between`] | between only |
//! | `first-difference` | [`first_difference`] | changes between periods |

pub mod between;
pub mod first_difference;
pub mod random_effects;
mod specification_tests;
mod units;
mod variance;
