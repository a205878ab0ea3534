//! One module a command.

pub mod convert;
pub mod describe;
pub mod did;
pub mod explain_se;
pub mod fit;
mod printed;
pub mod registry;
pub mod reproduce;
mod sample_flow;
pub mod schema;
pub mod simulate;
mod study_report;
