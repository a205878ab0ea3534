//! What can be wrong with a study file, said with the place in it.

use parallax_model::{FormulaError, RegistryError, StepError};

/// Why a study cannot be read, planned or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudyError {
    /// The file is not TOML, or a key is unknown.
    #[error("{0}")]
    Toml(String),
    /// Something contradicts itself.
    #[error("{place}: {message}")]
    Entry {
        /// Table, model or step in the file.
        place: String,
        /// What is wrong and what to do.
        message: String,
    },
    /// A plugin that is not there.
    #[error("{place}: {source}")]
    Registry {
        /// Model or step in the file.
        place: String,
        /// What the registry says.
        source: RegistryError,
    },
    /// A formula.
    #[error("{place}: {source}")]
    Formula {
        /// Model in the file.
        place: String,
        /// What the formula says.
        source: FormulaError,
    },
    /// A step's options, or a step that failed on the data.
    #[error("{place}: {source}")]
    Step {
        /// Step in the file.
        place: String,
        /// What the step says.
        source: StepError,
    },
}

impl StudyError {
    pub(crate) fn entry(place: impl Into<String>, message: impl Into<String>) -> StudyError {
        StudyError::Entry { place: place.into(), message: message.into() }
    }
}
