//! Estimators that impute what treated rows would have been from rows that are not treated.
//!
//! | estimator | file |
//! |---|---|
//! | `imputation` | [`imputation`] |
//! | `two-stage` | [`two_stage`] |
//!
//! Both fit effects and controls on untreated rows (`untreated`) and average what is left of the treated ones
//! (`targets`); they differ in how the errors centre it.

pub mod imputation;
mod leads;
mod setting;
mod targets;
pub mod two_stage;
mod untreated;
