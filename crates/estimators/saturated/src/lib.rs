//! Regressions with a coefficient for each cohort and period, and the Poisson regression that one of them is.
//!
//! | estimator | file |
//! |---|---|
//! | `sun-abraham` | [`sun_abraham`] |
//! | `extended-twfe` | [`extended_twfe`] |
//! | `poisson` | [`poisson`] |
//!
//! `comparison` says which rows can be compared and lays out the cells, `summary` averages cells. `saturation` has the
//! columns of the extended regression, `linear` and `counts` fit it.

mod comparison;
mod counts;
pub mod extended_twfe;
mod linear;
pub mod poisson;
mod saturation;
mod summary;
pub mod sun_abraham;
