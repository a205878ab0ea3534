//! Composite indices: several indicators in, one score out, with the weights as a table.
//!
//! | index | weights | file |
//! |---|---|---|
//! | `entropy-weights` | information entropy of each indicator | [`entropy_weights`] |
//! | `coefficient-of-variation` | standard deviation over mean | [`coefficient_of_variation`] |
//! | `principal-components` | loadings, by share of variance | [`principal_components`] |
//! | `min-max-average` | equal | [`min_max_average`] |
//! | `topsis` | entropy, equal or given; distance from best and worst | [`topsis`] |
//!
//! What they share, rows, directions and norms, is in `indicators`.

pub mod coefficient_of_variation;
pub mod entropy_weights;
mod indicators;
pub mod min_max_average;
pub mod principal_components;
#[cfg(test)]
mod tests;
pub mod topsis;

pub use indicators::Standardise;
