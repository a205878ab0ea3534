//! Everything that ends the program with code 1.

use std::{io, path::PathBuf};

use parallax_battery::BatteryError;
use parallax_ingest::IngestError;
use parallax_model::{FitError, RegistryError};
use parallax_panel::PanelError;
use parallax_report::{DocumentError, OutputError, published::PublishedError};
use parallax_study::StudyError;

/// The data, the model or the disk say no.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DriverError {
    /// Reading or writing data.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// A panel.
    #[error(transparent)]
    Panel(#[from] PanelError),
    /// A model.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// A model that needs numbers where a file has text; says which value is in the way.
    #[error("{0}")]
    NotNumeric(String),
    /// A battery.
    #[error(transparent)]
    Battery(#[from] BatteryError),
    /// A plugin that is not there.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A study file.
    #[error("{}: {source}", path.display())]
    Study {
        /// The study file.
        path: PathBuf,
        /// What is wrong.
        source: StudyError,
    },
    /// Printed numbers.
    #[error("{}:{}: {source}", path.display(), source.line())]
    Published {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: PublishedError,
    },
    /// Results.
    #[error(transparent)]
    Write(#[from] OutputError),
    /// A report.
    #[error("the report: {0}")]
    Report(#[from] DocumentError),
    /// A file that cannot be read.
    #[error("{}: {}", path.display(), unread(source))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Standard output.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
    /// A request that cannot be met, with what to do.
    #[error("{0}")]
    Request(String),
}

/// Why a file cannot be read, in words.
fn unread(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "the permission to read it is missing".to_owned(),
        io::ErrorKind::InvalidData => "it is not text in UTF-8".to_owned(),
        _ => error.to_string().split(" (os error").next().unwrap_or_default().to_lowercase(),
    }
}
