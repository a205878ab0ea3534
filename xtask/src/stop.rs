//! Why a command stopped, and the exit code that says so.

use std::{fmt, path::Path};

/// The end of a command that did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    pub code: u8,
    /// For standard error; empty when everything has been said.
    pub message: String,
}

pub type Outcome<T = ()> = Result<T, Stop>;

impl Stop {
    /// A check failed or something could not be done.
    pub fn failed(message: impl Into<String>) -> Stop {
        Stop { code: 1, message: message.into() }
    }

    /// The command line is wrong.
    pub fn usage(message: impl Into<String>) -> Stop {
        Stop { code: 2, message: message.into() }
    }

    /// A file could not be used.
    pub fn file(path: &Path, reason: impl fmt::Display) -> Stop {
        Stop::failed(format!("{}: {reason}", path.display()))
    }
}
