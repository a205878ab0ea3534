//! Steps for the tails of a column, by percentiles.
//!
//! | step | file | a value beyond a percentile |
//! |---|---|---|
//! | `winsorize` | [`winsorize`] | becomes the percentile |
//! | `trim` | [`trim`] | becomes missing |

mod cut;
#[cfg(test)]
mod tests;
pub mod trim;
pub mod winsorize;

pub use cut::Options;
