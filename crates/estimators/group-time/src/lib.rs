//! Estimators of effects by cohort and period.
//!
//! | estimator | file |
//! |---|---|
//! | `callaway-santanna` | [`callaway_santanna`] |

pub mod callaway_santanna;
