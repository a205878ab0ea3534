//! The whole program in process: what it writes, prints and refuses.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests stand outside the functions the lint exempts"
)]

mod browser;
mod cases;
mod check_exit_code;
mod contract;
mod did;
mod docs;
mod errors;
mod help;
mod known_effect;
mod periods;
mod printed;
mod reading;
mod registry;
mod replica_file;
mod rounding;
mod safety;
mod strict;
mod support;
mod tables;
mod threads;
mod words;
