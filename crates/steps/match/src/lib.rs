//! Propensity-score matching: the step `match`, which writes weights, and the estimator `propensity-match`, which gives
//! effects.
//!
//! | part | file |
//! |---|---|
//! | score | [`score`] |
//! | support by range and density | [`support`] |
//! | nearest neighbours | [`nearest`] |
//! | ties between neighbours | [`ties`] |
//! | kernels, and fast sums over windows | [`kernel`], [`sums`] |
//! | weights of one direction | [`side`], [`strata`] |
//! | both directions | [`matching`] |
//! | effects and errors | [`effects`] |
//! | balance | [`balance`] |
//! | options, and what both plugins share | [`options`], [`run`] |
//! | the plugins | [`step`], [`estimator`] |

pub mod balance;
pub mod effects;
pub mod estimator;
pub mod kernel;
pub mod matching;
pub mod nearest;
pub mod options;
pub mod run;
pub mod score;
pub mod side;
pub mod step;
pub mod strata;
pub mod sums;
pub mod support;
#[cfg(test)]
mod tests;
pub mod ties;
