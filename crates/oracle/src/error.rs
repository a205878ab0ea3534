//! What can go wrong before a number is compared.

use std::path::PathBuf;

/// A stored file that is absent or not as expected.
#[derive(Debug, thiserror::Error)]
pub enum OracleError {
    /// A file cannot be read.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A case is not in its file.
    #[error("no case `{id}` in {}", path.display())]
    NoCase {
        /// The file.
        path: PathBuf,
        /// The case.
        id: String,
    },
    /// A case that Parallax cannot fit or a registry that does not load.
    #[error("{what}: {reason}")]
    Fit {
        /// The case.
        what: String,
        /// The message.
        reason: String,
    },
}
