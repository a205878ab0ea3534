//! Regressions with a coefficient for each cohort and period.
//!
//! | estimator | file |
//! |---|---|
//! | `sun-abraham` | [`sun_abraham`] |
//! | `extended-twfe` | [`extended_twfe`] |
//!
//! `comparison` says which rows can be compared and lays out the cells, `summary` averages cells. `saturation` has the columns of
//! the extended regression, `linear` and `counts` fit it.

mod comparison;
mod counts;
pub mod extended_twfe;
mod linear;
mod saturation;
mod summary;
pub mod sun_abraham;
