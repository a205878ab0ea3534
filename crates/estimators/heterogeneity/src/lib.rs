//! Heterogeneity: effects of a treatment by group.
//!
//! | estimator | file |
//! |---|---|
//! | `group-effects` | [`group_effects`] |
//!
//! `groups` reads the groups, `models` has the three ways to estimate, `equality` the tests that effects are equal.

mod equality;
pub mod group_effects;
mod groups;
mod models;
