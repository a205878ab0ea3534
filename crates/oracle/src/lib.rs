//! Stored answers of other programs, and the comparison of every estimator with them.
//!
//! | to do | start at |
//! |---|---|
//! | see which case becomes which request, and what is left out with its reason | [`programs`], [`stata`], [`published`], [`matching`] |
//! | see how near is near enough, and why | [`TOLERANCES`] |
//! | run everything | [`compare_all`] |
//! | print one table of all comparisons | [`summary`] |
//!
//! A case of a file that no table names, a covariance or a statistic that is neither compared nor listed
//! with a reason, and a listed one that does not occur are all errors: nothing is skipped silently.
//! Answers on synthetic data are in `data/open`; those on real data and Stata's lie outside the repository,
//! in the folder that the environment variable `PARALLAX_DATA` names, and are skipped with a message when it
//! is not set.

mod answers;
mod compare;
mod data;
mod error;
pub mod matching;
pub mod programs;
pub mod published;
mod request;
mod run;
pub mod stata;
mod summary;
mod tolerances;

pub use answers::{Answer, AnswerFile, Errors, Numbers, Test};
pub use compare::{Comparison, LeftOut, Report};
pub use data::{DataSet, Store, open_answers, private_data};
pub use error::OracleError;
pub use request::{Request, Rules};
pub use run::compare_all;
pub use summary::{left_out, summary};
pub use tolerances::{TOLERANCES, Tolerance};
