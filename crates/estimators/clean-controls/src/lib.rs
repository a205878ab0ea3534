//! Estimators that compare each cohort of adopters with clean controls only: units that no effect has reached within
//! the window of the comparison.
//!
//! | estimator | file | regression |
//! |---|---|---|
//! | `lp-did` | [`lp_did`] | one of long differences for each event time |
//! | `stacked` | [`stacked`] | one on a stack of sub-experiments, a cohort each |

mod adjustment;
mod effects;
mod horizons;
pub mod lp_did;
mod options;
mod stack;
pub mod stacked;
mod subsample;
mod weights;
mod window;
mod windows;
