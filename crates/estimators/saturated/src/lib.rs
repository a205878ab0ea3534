//! Regressions with a coefficient for each cohort and period.
//!
//! | estimator | file |
//! |---|---|
//! | `sun-abraham` | [`sun_abraham`] |
//!
//! `comparison` says which rows can be compared and lays out the cells, `summary` averages cells.

mod comparison;
mod summary;
pub mod sun_abraham;
