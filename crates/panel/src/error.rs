//! What can be wrong with a panel, said with column, unit and period.

use parallax_base::{Name, with_suggestion};

use crate::{Disguise, TimeFormat};

/// Why a panel or a sample could not be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PanelError {
    /// A model or step names a column the panel does not have.
    #[error("no column `{name}` in the data{hint}")]
    NoColumn {
        /// The column asked for.
        name: Name,
        /// "did you mean" or the list of columns.
        hint: String,
    },
    /// A column has another length than the panel.
    #[error("column `{name}` has {got} rows, the panel has {expected}")]
    Length {
        /// The column.
        name: Name,
        /// Its rows.
        got: usize,
        /// The panel's rows.
        expected: usize,
    },
    /// Two rows for one unit and period.
    #[error(
        "unit `{unit}` has more than one row for period {period} (rows {first} and {second} of the input); \
         remove the duplicate, or name the columns that identify a row with --unit and --time"
    )]
    Duplicate {
        /// Label of the unit.
        unit: String,
        /// The period.
        period: i32,
        /// First input row, counted from 1.
        first: usize,
        /// Second input row, counted from 1.
        second: usize,
    },
    /// A text column was used where numbers are needed.
    #[error(
        "column `{name}` holds text, not numbers; use it as an effect (`| {name}`), a cluster, or in `i({name})`"
    )]
    NotNumeric {
        /// The column.
        name: Name,
    },
    /// The operation needs to know units and periods.
    #[error(
        "{what} needs to know units and periods: say --unit and --time (or `unit` and `time` in the study file)"
    )]
    NotIndexed {
        /// What was asked.
        what: String,
    },
    /// A unit or period identifier is missing.
    #[error("row {row} of the input has no {what}; rows without it cannot be placed in the panel")]
    MissingIndex {
        /// Input row, counted from 1.
        row: usize,
        /// `unit` or `period`.
        what: &'static str,
    },
    /// A time column holds codes of a calendar that jump as numbers, and nothing was declared.
    #[error(
        "`{time}` looks like {}: {}, so that lags, leads and event times would be wrong; {}. If they are plain numbers, say \
         --time-format number",
        found.text(), found.jump(), found.cure()
    )]
    Disguised {
        /// The time column.
        time: Name,
        /// What the codes look like.
        found: Disguise,
    },
    /// A code that the declared time format does not have.
    #[error("`{time}` is {code}, but time-format {format} is {}; correct the value or the format", format.shape())]
    PeriodCode {
        /// The time column.
        time: Name,
        /// The code.
        code: i32,
        /// What was declared.
        format: TimeFormat,
    },
    /// No row is left.
    #[error("no row is left in the sample: {reasons}")]
    EmptySample {
        /// The ledger in words.
        reasons: String,
    },
    /// A weight is negative.
    #[error("weight `{name}` is {value} for {place}; weights must not be negative")]
    NegativeWeight {
        /// The weight column.
        name: Name,
        /// The offending value.
        value: f64,
        /// Unit and period, or the row.
        place: String,
    },
}

impl PanelError {
    /// `NoColumn` with a hint from the names that exist.
    pub fn no_column<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> PanelError {
        PanelError::NoColumn { name: name.into(), hint: with_suggestion(name, known) }
    }
}
