//! What can be wrong with a formula, and the drawing of the place in it.

use std::fmt;

use parallax_base::{Name, shown};
use parallax_panel::{PanelError, TimeFormat};

/// Why a formula could not be read, or its columns not be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FormulaError {
    /// The text is not a formula or an expression.
    #[error("{message}\n{place}")]
    Syntax {
        /// What was expected, or what is not supported and how to say it instead.
        message: String,
        /// Where.
        place: Place,
    },
    /// A column is not there, or holds text, or a lag was asked of a panel without units and periods.
    #[error(transparent)]
    Panel(#[from] PanelError),
    /// A transformation gave an infinite number.
    #[error(
        "`{expr}` is infinite for {place}; infinite values cannot enter a model, so make them missing first, \
         for example with ifelse(..., NA, ...)"
    )]
    Infinite {
        /// The transformation, as written.
        expr: String,
        /// Unit and period, or the row.
        place: String,
    },
    /// Codes of a calendar were used as a quantity.
    #[error(
        "`{expr}` uses `{time}` as a quantity, and codes of {format} jump from year to year; compare it, take it apart with \
         %/% and %%, write i({time}) for dummies, or use a column that counts periods for a trend"
    )]
    TimeCodes {
        /// The time column.
        time: Name,
        /// The expression, as written.
        expr: String,
        /// What was declared.
        format: TimeFormat,
    },
    /// `ref =` names a value that no row has.
    #[error(
        "`{level}` in `{term}` is not a value of `{variable}` in the rows that are used; its values there are {levels}"
    )]
    AbsentLevel {
        /// The value.
        level: String,
        /// The term.
        term: String,
        /// The variable.
        variable: String,
        /// The values there are, shortened when they are many.
        levels: String,
    },
    /// `ref =` names a value the variable does not take.
    #[error("`{level}` in `{term}` is not a value of `{variable}`; its values are {levels}")]
    UnknownLevel {
        /// The value.
        level: String,
        /// The term.
        term: String,
        /// The variable.
        variable: String,
        /// The values there are, shortened when they are many.
        levels: String,
    },
    /// Text was used where a number or a condition is needed.
    #[error("`{expr}` is text, not numbers")]
    Text {
        /// The part of the expression.
        expr: String,
    },
    /// Text was compared with a number, or ordered.
    #[error("`{expr}` compares {left} with {right}; {advice}")]
    Comparison {
        /// The comparison.
        expr: String,
        /// What is on the left.
        left: &'static str,
        /// What is on the right.
        right: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// A factor has no level left to make a column of.
    #[error(
        "`{term}` makes no column: the reference is left out, and beside it `{variable}` has no value here (values: {n}); take \
         it out of the formula"
    )]
    NoLevel {
        /// The term.
        term: String,
        /// The variable.
        variable: String,
        /// Its values.
        n: usize,
    },
    /// A factor would fill the memory or take minutes.
    #[error("`{term}` would make {columns} columns of {rows} rows; {advice}")]
    TooManyColumns {
        /// The term.
        term: Name,
        /// Columns.
        columns: usize,
        /// Rows.
        rows: usize,
        /// What to do.
        advice: String,
    },
    /// A column of text that looks like numbers stands alone among the regressors.
    #[error(
        "`{column}` is text, not numbers, for instance `{}` ({place}): {advice}; or write i({column}) if its values are \
         categories",
        shown(example)
    )]
    TextNumbers {
        /// The column.
        column: Name,
        /// One of its texts.
        example: String,
        /// Unit and period, or the row.
        place: String,
        /// What it looks like and what to do.
        advice: String,
    },
    /// A column of text with many values stands alone among the regressors.
    #[error(
        "`{column}` is text with {levels} values, for instance `{}`; text of more than {most} values is made into dummies \
         only where the formula says so: absorb it as an effect (`| {column}`), or write i({column})",
        shown(example)
    )]
    TextLevels {
        /// The column.
        column: Name,
        /// Its values.
        levels: usize,
        /// Values up to which a text stands for dummies.
        most: usize,
        /// One of its texts.
        example: String,
    },
}

impl FormulaError {
    pub(super) fn syntax(text: &str, span: Span, message: impl Into<String>) -> FormulaError {
        let place = Place { text: text.to_owned(), start: span.start, end: span.end };
        FormulaError::Syntax { message: message.into(), place }
    }
}

/// A range of bytes in the text being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    /// From the start of one to the end of the other.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start, end: other.end.max(self.start) }
    }
}

/// A place in a formula; prints as the formula with marks under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The whole text.
    pub text: String,
    /// First byte of the place.
    pub start: usize,
    /// The byte after it.
    pub end: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A formula of a study file may run over several lines; the marks need it in one.
        let flat: String = self.text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect();
        let (mut before, mut under) = (0, 0);
        for (at, character) in self.text.char_indices() {
            if at < self.start {
                before += width(character);
            } else if at < self.end {
                under += width(character);
            }
        }
        write!(f, "  {}\n  {}{}", flat.trim_end(), " ".repeat(before), "^".repeat(under.max(1)))
    }
}

/// Columns a character takes on a terminal: without it, marks under Chinese names would be off.
fn width(character: char) -> usize {
    match u32::from(character) {
        0x0300..=0x036F | 0x200B..=0x200F | 0xFE00..=0xFE0F => 0,
        0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE6F => 2,
        0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 | 0x1F300..=0x1FAFF | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}
