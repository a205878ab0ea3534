//! Reading, joining and writing files, one module a subject.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail like tests, and say when they skip"
)]

mod arrow_files;
mod csv_files;
mod damage;
mod errors;
mod hostile;
mod joins;
mod parquet_files;
mod real_data;
mod round_trips;
mod support;
mod text_columns;
mod time_columns;
