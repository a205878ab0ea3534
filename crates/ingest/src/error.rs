//! What can be wrong with data files, said with file, column and row, and with what to do about it.

use std::{fmt, io};

use parallax_base::{Name, shown, with_suggestion};
use parallax_panel::PanelError;

/// How a file counts its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowNumber {
    /// A line of a text file; the header is line 1.
    Line(u64),
    /// A data row of a Parquet or Arrow file, counted from 1.
    Row(u64),
}

/// A row of a file, as a user finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as it was named.
    pub file: Name,
    /// The row in it.
    pub row: RowNumber,
}

/// Why data could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// The request contradicts itself.
    #[error("{0}")]
    Request(String),
    /// The path does not exist.
    #[error("{file}: no such file or folder{hint}")]
    NotFound {
        /// The path.
        file: Name,
        /// A near file name of that folder.
        hint: String,
    },
    /// The operating system refused.
    #[error("{file}: cannot {action}: {}", reason(source))]
    Io {
        /// The path.
        file: Name,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Neither content nor extension tells a supported format.
    #[error("{file}: {problem}")]
    Format {
        /// The path.
        file: Name,
        /// What it is instead, and what to do.
        problem: String,
    },
    /// The file is of a known format but cannot be decoded.
    #[error("{file}: damaged or truncated {format} file: {}; copy or export it again", shown(reason))]
    Damaged {
        /// The path.
        file: Name,
        /// The format.
        format: &'static str,
        /// What the decoder said.
        reason: String,
    },
    /// More memory than may be used.
    #[error("{file}: {problem}")]
    Memory {
        /// The path.
        file: Name,
        /// What takes how much, what the limit is, and how to raise it.
        problem: String,
    },
    /// There is nothing to read.
    #[error("{file}: {what}")]
    Empty {
        /// The path.
        file: Name,
        /// What is absent.
        what: String,
    },
    /// Files of one folder have different columns.
    #[error(
        "{file}: has not the same columns as {first}: {difference}; all files of a folder are appended and need \
         the same columns"
    )]
    FolderColumns {
        /// The file that differs.
        file: Name,
        /// The first file of the folder.
        first: Name,
        /// The difference in words.
        difference: String,
    },
    /// One column has types that do not go together.
    #[error(
        "{file}: column `{}` holds {met} here, but {held} before; make it one type in all files",
        shown(column)
    )]
    TypeConflict {
        /// The file where the second type was met.
        file: Name,
        /// The column in the panel.
        column: Name,
        /// What the column held before.
        held: &'static str,
        /// What was met.
        met: String,
    },
    /// A column that was asked for is not there.
    #[error("{file}: no column `{}`{hint}", shown(name))]
    NoColumn {
        /// The file or files searched.
        file: Name,
        /// The column asked for.
        name: Name,
        /// "did you mean" or the list of columns.
        hint: String,
    },
    /// One file has two columns of one name.
    #[error(
        "{file}: column `{}` is there twice (columns {first} and {second}); rename one of them",
        shown(name)
    )]
    TwiceInFile {
        /// The file.
        file: Name,
        /// The name, after renaming.
        name: Name,
        /// Position of the first, from 1.
        first: usize,
        /// Position of the second, from 1.
        second: usize,
    },
    /// Two files have a column of one name.
    #[error(
        "column `{}` is in {first} and in {second}; rename one of them (`rename`), or select the columns to \
         read so that only one file gives it",
        shown(name)
    )]
    TwoFiles {
        /// The name.
        name: Name,
        /// The first file.
        first: Name,
        /// The second file.
        second: Name,
    },
    /// A selected column has a type that cannot be a panel column.
    #[error(
        "{file}: column `{}` is {type_text}, which cannot be a panel column; flatten it or leave it out",
        shown(column)
    )]
    Unsupported {
        /// The file.
        file: Name,
        /// The column.
        column: Name,
        /// Its type.
        type_text: String,
    },
    /// A text file is not UTF-8.
    #[error("{file}: not UTF-8 at byte {byte} (line {line}); {advice}")]
    NotUtf8 {
        /// The file.
        file: Name,
        /// Byte offset from 0.
        byte: usize,
        /// Line from 1.
        line: u64,
        /// How to convert it.
        advice: String,
    },
    /// A text row has more or fewer fields than the header.
    #[error(
        "{place}: {got} fields where the header has {expected}; look for a missing quote or an unquoted delimiter \
         (`{delimiter}`) in that line"
    )]
    Ragged {
        /// The row.
        place: Place,
        /// Fields found.
        got: u64,
        /// Fields of the header.
        expected: u64,
        /// The delimiter that was detected.
        delimiter: char,
    },
    /// A number is infinite.
    #[error(
        "{place}: column `{}` is infinite; only finite numbers and missing values can be used",
        shown(column)
    )]
    Infinite {
        /// The row.
        place: Place,
        /// The column.
        column: Name,
    },
    /// A period is not a whole number or date.
    #[error(
        "{place}: time `{}` is `{}`; it must be a whole number or a date (YYYY-MM-DD)",
        shown(column),
        shown(value)
    )]
    BadTime {
        /// The row.
        place: Place,
        /// The time column.
        column: Name,
        /// The value found.
        value: String,
    },
    /// Unit or time is missing.
    #[error(
        "{place}: {what} `{}` is missing; a row without it cannot be placed in the panel{hint}",
        shown(column)
    )]
    MissingKey {
        /// The row.
        place: Place,
        /// `unit` or `time`.
        what: &'static str,
        /// The column.
        column: Name,
        /// Which word was read as missing, if one was.
        hint: String,
    },
    /// Two rows have one key.
    #[error("{first} and {second}: two rows for {key}; {advice}")]
    DuplicateKey {
        /// The key in words.
        key: String,
        /// The first row.
        first: Box<Place>,
        /// The second row.
        second: Box<Place>,
        /// What to do.
        advice: &'static str,
    },
    /// Two files have units that cannot be compared.
    #[error("unit `{unit}` is {left} in {first} and {right} in {second}; make it one type in both files")]
    UnitTypes {
        /// The unit column.
        unit: Name,
        /// The spine.
        first: Name,
        /// Its unit type.
        left: &'static str,
        /// The joined file.
        second: Name,
        /// Its unit type, with an example.
        right: String,
    },
    /// Two files count time differently.
    #[error("time `{time}` is {left} in {first} and {right} in {second}; write it alike in both files")]
    TimeScales {
        /// The time column.
        time: Name,
        /// The spine.
        first: Name,
        /// How it counts.
        left: &'static str,
        /// The joined file.
        second: Name,
        /// How it counts.
        right: &'static str,
    },
    /// A table cannot be written as asked.
    #[error("{file}: {problem}")]
    Write {
        /// The path.
        file: Name,
        /// Why, and what to do.
        problem: String,
    },
    /// The panel itself refused.
    #[error(transparent)]
    Panel(#[from] PanelError),
}

impl IngestError {
    pub(crate) fn no_column<'a>(
        file: &Name,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> IngestError {
        IngestError::NoColumn { file: file.clone(), name: name.into(), hint: with_suggestion(name, known) }
    }

    pub(crate) fn io(file: &Name, action: &'static str) -> impl FnOnce(io::Error) -> IngestError {
        let file = file.clone();
        move |source| IngestError::Io { file, action, source }
    }
}

/// What the system said, without its numbers.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "the folder is not there".to_owned(),
        io::ErrorKind::PermissionDenied => "permission is denied".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or_default().to_lowercase()
        }
    }
}

impl fmt::Display for RowNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RowNumber::Line(it) => write!(f, "line {it}"),
            RowNumber::Row(it) => write!(f, "row {it}"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.file, self.row)
    }
}
