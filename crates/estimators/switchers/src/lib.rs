//! Estimators for treatments that may switch on and off and take any value.
//!
//! | estimator | file |
//! |---|---|
//! | `dcdh` | [`dcdh`] |

pub mod dcdh;
