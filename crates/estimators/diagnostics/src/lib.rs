//! What a two-way fixed-effects coefficient is made of.
//!
//! | estimator | file | takes the coefficient apart into |
//! |---|---|---|
//! | `bacon` | [`bacon`] | comparisons of two groups that adopt at different times |
//! | `twfe-weights` | [`twfe_weights`] | effects of treated cells of group and period |

pub mod bacon;
mod cells;
mod changes;
mod comparisons;
mod sigma;
#[cfg(test)]
mod tests;
mod treatment;
pub mod twfe_weights;
