//! The validated unit x period table that flows through the system.
//!
//! [`Panel`] holds columns behind `Arc`, so that steps share what they do not change.
//! [`Sample`] is the immutable set of rows one model uses, with a ledger of the rest.
//! This crate reads no files and fits no models.

mod calendar;
mod codes;
mod disguise;
mod error;
mod labels;
mod looks;
mod panel;
mod sample;
mod shift;
mod structure;
mod summary;

pub use calendar::{Calendar, TimeFormat, distinct};
pub use codes::{Codes, MISSING};
pub use disguise::Disguise;
pub use error::PanelError;
pub use labels::Labels;
pub use looks::{Dress, NumberText, number_text};
pub use panel::{Column, Panel, PanelBuilder};
pub use sample::{Dropped, Rows, Sample, SampleBuilder};
pub use shift::{difference, shift};
pub use structure::{Balance, CohortSize, adoption_cohorts, balance};
pub use summary::{Summary, percentile, summarize};
