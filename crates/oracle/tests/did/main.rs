//! Difference-in-differences against other programs: one module a family of estimators.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests stand outside the functions the lint exempts, and say what they skip"
)]

mod callaway_santanna;
mod clean_controls;
mod dcdh;
mod diagnostics;
mod event_study;
mod extended_twfe;
mod imputation;
mod poisson;
mod sun_abraham;
mod support;
