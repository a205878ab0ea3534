//! Difference-in-differences against other programs: one module a family of estimators.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests stand outside the functions the lint exempts, and say what they skip"
)]

mod clean_controls;
mod diagnostics;
mod dcdh;
mod callaway_santanna;
mod event_study;
mod imputation;
mod extended_twfe;
mod poisson;
mod sun_abraham;
mod support;
