//! The five renderings, and how they are named on a command line.

mod csv;
mod json;
pub(crate) mod latex;
mod markdown;
pub(crate) mod tex;
mod tex_symbols;
mod text;

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::{layout::Layout, table::Table};

/// What a table is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Format {
    /// For a terminal: aligned, with rules as in a journal.
    Text,
    /// A GitHub table.
    Markdown,
    /// A floating table with the rules of `booktabs`.
    Latex,
    /// The printed layout for a spreadsheet; lines whose first field is `#` are title and notes.
    Csv,
    /// Typed cells in full precision.
    Json,
}

/// The table as text in this format, with a line break at the end.
pub fn render(table: &Table, format: Format) -> String {
    match format {
        Format::Text => text::render(&Layout::new(table)),
        Format::Markdown => markdown::render(&Layout::new(table)),
        Format::Latex => latex::render(&Layout::new(table), &table.id),
        Format::Csv => csv::render(&Layout::new(table)),
        Format::Json => json::render(table),
    }
}

/// A format that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown format `{wanted}`; there is {}", listed())]
pub struct UnknownFormat {
    /// What was asked for.
    pub wanted: String,
}

impl Format {
    /// Every format, in the order of the manual.
    pub const ALL: [Format; 5] = [Format::Text, Format::Markdown, Format::Latex, Format::Csv, Format::Json];

    /// The name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Markdown => "markdown",
            Format::Latex => "latex",
            Format::Csv => "csv",
            Format::Json => "json",
        }
    }

    /// The end of a file name, without the point.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Text => "txt",
            Format::Markdown => "md",
            Format::Latex => "tex",
            Format::Csv => "csv",
            Format::Json => "json",
        }
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Format, UnknownFormat> {
        let found = Format::ALL.into_iter().find(|it| it.name() == text);
        found.ok_or_else(|| UnknownFormat { wanted: text.to_owned() })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

fn listed() -> String {
    Format::ALL.map(|it| format!("`{it}`")).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_found_by_name_and_listed_otherwise() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        let error = "word".parse::<Format>().map_err(|it| it.to_string());
        let listed = "unknown format `word`; there is `text`, `markdown`, `latex`, `csv`, `json`";
        assert_eq!(error, Err(listed.to_owned()));
    }
}
