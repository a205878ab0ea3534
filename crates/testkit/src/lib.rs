//! Seeded panels and the laws that every estimator has to keep.
//!
//! A law says how answers change when data or request change in a known way: rows in another order, other
//! names, other units of measurement. It needs no other program, and it holds for estimators nobody has
//! written yet: `tests/laws.rs` runs [`LAWS`] over the whole registry. An estimator that cannot keep a law is
//! listed with the reason in [`EXCEPTIONS`], and must then really break it.

mod close;
mod laws;
mod monte_carlo;
mod table;

pub use close::{Closeness, NEAR, REORDERED, RESCALED, SAME, compare, matrices, vectors};
pub use laws::{
    EXCEPTIONS, Exception, LAWS, Law, PATTERNS, Pattern, fit, five_from_adoption_on, noiseless, request,
    tables,
};
pub use monte_carlo::{Performance, Scenario, TARGETS, monte_carlo, scenarios};
pub use table::{Random, Shape, Table};
