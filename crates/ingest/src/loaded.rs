//! What reading returns: the panel, a report for each file, and what a reader of results has to know.

use std::{fmt, path::PathBuf};

use parallax_base::{Name, Note, shown};
use parallax_panel::{Codes, Column, MISSING, Panel, number_text};

use crate::{IngestError, RowNumber, sha256};

/// A panel and how it came to be.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Loaded {
    /// The data.
    pub panel: Panel,
    /// One report for each file read, folders file by file.
    pub files: Vec<FileReport>,
    /// Conversions, columns left out, unmatched keys.
    pub notes: Vec<Note>,
    /// Text columns of CSV files that hold numbers but for a few values.
    pub mixed: Vec<MixedColumn>,
}

/// What was read from one file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FileReport {
    /// The file.
    pub path: PathBuf,
    /// Its format, by content.
    pub format: Format,
    /// Rows read from it that are in the panel or could be joined to it.
    pub rows: usize,
    /// Columns the file has.
    pub columns_in_file: usize,
    /// Columns that were read.
    pub columns_read: usize,
    /// Row groups (Parquet) or record batches (Arrow): read and in the file. A CSV file is one.
    pub row_groups: (usize, usize),
    /// True when the file says of itself that its numbers are simulated.
    pub simulated: bool,
}

/// The supported formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// Arrow IPC file (Feather version 2).
    ArrowFile,
    /// Arrow IPC stream.
    ArrowStream,
    /// Text with a delimiter.
    Csv,
    /// The same, compressed with gzip.
    CsvGz,
}

/// A CSV column that became text because of few values that are not numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MixedColumn {
    /// The file.
    pub file: Name,
    /// The column in the panel.
    pub column: Name,
    /// Where the first such value is.
    pub row: RowNumber,
    /// The first such value.
    pub value: String,
    /// How many values are not numbers.
    pub count: usize,
    /// How many are.
    pub numbers: usize,
}

impl Loaded {
    /// Why a column that a model needs as numbers is text, in one sentence; `None` when it has numbers.
    pub fn explain_not_numeric(&self, name: &Name) -> Option<String> {
        if self.panel.real(name).is_ok() {
            return None;
        }
        if let Some(it) = self.mixed.iter().find(|it| it.column == *name) {
            return Some(it.to_string());
        }
        let Ok(Column::Codes(codes)) = self.panel.column(name) else { return None };
        let (row, value, hint) = match number_text(codes) {
            Some(it) => (it.row, it.example.clone(), it.advice()),
            None => {
                let (row, value) = first_text(codes)?;
                (row, value, "a column of numbers is needed here".to_owned())
            }
        };
        let (place, name, value) = (self.panel.place(row), shown(name), shown(&value));
        Some(format!("column `{name}` holds text, for instance `{value}` ({place}); {hint}"))
    }

    /// True when any file says that its numbers are simulated.
    pub fn simulated(&self) -> bool {
        self.files.iter().any(|it| it.simulated)
    }
}

impl FileReport {
    /// The SHA-256 of the file, computed when asked for.
    ///
    /// # Errors
    /// [`IngestError::Io`] when the file cannot be read any more.
    pub fn sha256(&self) -> Result<String, IngestError> {
        sha256(&self.path)
    }
}

impl Format {
    /// The name of the format.
    pub fn name(self) -> &'static str {
        match self {
            Format::Parquet => "Parquet",
            Format::ArrowFile => "Arrow",
            Format::ArrowStream => "Arrow stream",
            Format::Csv => "CSV",
            Format::CsvGz => "gzipped CSV",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for MixedColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MixedColumn { file, column, row, value, count, numbers } = self;
        let (column, value) = (shown(column), shown(value));
        write!(f, "column `{column}` in {file} has text `{value}` in {row}")?;
        match count {
            0 | 1 => write!(f, ", while its other {numbers} values are numbers")?,
            _ => write!(f, " ({count} such values), while its other {numbers} values are numbers")?,
        }
        f.write_str("; correct it, leave it empty if it is missing, or name the word with --missing")
    }
}

/// The first label in row order that is not a number, or else the first label.
fn first_text(codes: &Codes) -> Option<(usize, String)> {
    let text = |row: usize| {
        codes.code.get(row).filter(|it| **it != MISSING).map(|it| codes.labels.text(*it as usize))
    };
    let mut first = None;
    for row in 0..codes.len() {
        let Some(text) = text(row) else { continue };
        if text.trim().parse::<f64>().is_err() {
            return Some((row, text));
        }
        first.get_or_insert((row, text));
    }
    first
}
