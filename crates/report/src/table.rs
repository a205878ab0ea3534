//! A table as data: typed cells, which only a renderer turns into text.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::number::Digits;

/// A table of a paper: a title, header rows, a body in blocks and notes below.
///
/// The first grid column holds the labels of rows; header rows cover it too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// What the study file calls the table; LaTeX labels are made of it.
    pub id: String,
    /// The line above the table.
    pub title: String,
    /// Whether any number comes from simulated data; every rendering then says so twice.
    pub simulated: bool,
    /// Column numbers, groups, outcomes: from top to bottom.
    pub header: Vec<HeaderRow>,
    /// Rows, with rules between blocks.
    pub body: Vec<Row>,
    /// Sentences below the table.
    pub notes: Vec<String>,
}

/// One line of the header.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HeaderRow {
    /// From left to right, the cell over the labels first.
    pub cells: Vec<HeaderCell>,
}

/// A header text over one or more columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderCell {
    /// What is printed.
    pub text: String,
    /// How many columns it covers.
    pub span: usize,
}

/// One row of the body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Row {
    /// A label and one cell a column; coefficients take a second printed line.
    #[serde(rename = "row")]
    Cells {
        /// The text in the first column.
        label: String,
        /// The other columns from left to right.
        cells: Vec<Cell>,
    },
    /// A text over the whole width, such as `Panel A`.
    Heading(String),
    /// The line between two blocks.
    Rule,
}

/// One value of a table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Cell {
    /// Nothing.
    #[default]
    Empty,
    /// Words, such as `YES`.
    Text(String),
    /// A whole number of things.
    Count(u64),
    /// A number; NaN is missing.
    Number {
        /// In full precision.
        #[serde(with = "number")]
        value: f64,
        /// How it is printed.
        digits: Digits,
    },
    /// A coefficient with its standard error in parentheses on the line below.
    Coefficient {
        /// In full precision.
        #[serde(with = "number")]
        estimate: f64,
        /// In full precision.
        #[serde(with = "number")]
        std_error: f64,
        /// How many stars follow the estimate.
        stars: u8,
        /// What the stars stand for.
        #[serde(with = "number")]
        p_value: f64,
        /// How estimate and standard error are printed.
        digits: Digits,
    },
    /// The column could not be computed: why. Printed once a column; the whole reason is a note.
    Failed(String),
}

/// A table whose rows do not fit its columns.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TableError {
    /// A header row covers more or fewer columns than the widest row has.
    #[error("table `{table}`: header row {row} covers {found} columns instead of {expected}")]
    Header {
        /// The table.
        table: String,
        /// Counted from one.
        row: usize,
        /// With the label column.
        found: usize,
        /// With the label column.
        expected: usize,
    },
    /// A row of the body is shorter than the widest row.
    #[error("table `{table}`: row `{label}` has {found} columns instead of {expected}")]
    Row {
        /// The table.
        table: String,
        /// The label of the row.
        label: String,
        /// With the label column.
        found: usize,
        /// With the label column.
        expected: usize,
    },
}

impl Table {
    /// An empty table.
    pub fn new(id: impl Into<String>, title: impl Into<String>) -> Table {
        Table { id: id.into(), title: title.into(), ..Table::default() }
    }

    /// How many grid columns there are, that of the labels included.
    pub fn columns(&self) -> usize {
        let header = self.header.iter().map(HeaderRow::columns);
        let body = self.body.iter().map(|it| match it {
            Row::Cells { cells, .. } => cells.len() + 1,
            Row::Heading(_) | Row::Rule => 1,
        });
        header.chain(body).max().unwrap_or(1)
    }

    /// Whether all rows have the same number of columns. Renderers fill short rows instead.
    pub fn check(&self) -> Result<(), TableError> {
        let expected = self.columns();
        for (i, row) in self.header.iter().enumerate() {
            let found = row.columns();
            if found != expected {
                return Err(TableError::Header { table: self.id.clone(), row: i + 1, found, expected });
            }
        }
        for row in &self.body {
            if let Row::Cells { label, cells } = row
                && cells.len() + 1 != expected
            {
                let (table, label) = (self.id.clone(), label.clone());
                return Err(TableError::Row { table, label, found: cells.len() + 1, expected });
            }
        }
        Ok(())
    }
}

impl HeaderRow {
    /// A header row of single columns, the label column first.
    pub fn new<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> HeaderRow {
        HeaderRow::spans(texts.into_iter().map(|it| (it, 1)))
    }

    /// A header row of texts over so many columns each, the label column first.
    pub fn spans<T: Into<String>>(cells: impl IntoIterator<Item = (T, usize)>) -> HeaderRow {
        let cells = cells.into_iter().map(|(text, span)| HeaderCell { text: text.into(), span });
        HeaderRow { cells: cells.collect() }
    }

    fn columns(&self) -> usize {
        self.cells.iter().map(|it| it.span).sum()
    }
}

impl Row {
    /// A row with a label.
    pub fn cells(label: impl Into<String>, cells: impl IntoIterator<Item = Cell>) -> Row {
        Row::Cells { label: label.into(), cells: cells.into_iter().collect() }
    }
}

impl Cell {
    /// Words.
    pub fn text(it: impl Into<String>) -> Cell {
        Cell::Text(it.into())
    }

    /// `YES` or `NO`.
    pub fn yes_no(it: bool) -> Cell {
        Cell::text(if it { "YES" } else { "NO" })
    }

    /// A number printed with so many decimals.
    pub fn decimals(value: f64, decimals: u8) -> Cell {
        Cell::Number { value, digits: Digits::Decimals(decimals) }
    }
}

/// JSON has neither NaN nor infinities: NaN is `null`, infinities are the texts `inf` and `-inf`. Zero
/// has no sign.
pub(crate) mod number {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stored {
        Number(f64),
        Text(String),
        Missing(()),
    }

    pub(crate) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        match *value {
            it if it.is_nan() => to.serialize_none(),
            f64::INFINITY => to.serialize_str("inf"),
            f64::NEG_INFINITY => to.serialize_str("-inf"),
            // Adding zero takes the sign from a negative zero.
            it => (it + 0.0).serialize(to),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        match Stored::deserialize(from)? {
            Stored::Number(it) => Ok(it),
            Stored::Missing(()) => Ok(f64::NAN),
            Stored::Text(it) if it == "inf" => Ok(f64::INFINITY),
            Stored::Text(it) if it == "-inf" => Ok(f64::NEG_INFINITY),
            Stored::Text(it) => Err(D::Error::custom(format!("`{it}` is no number"))),
        }
    }
}

/// The same for a list.
pub(crate) mod numbers {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Item(#[serde(with = "super::number")] f64);

    pub(crate) fn serialize<S: Serializer>(values: &[f64], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().map(|it| Item(*it)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
        Ok(Vec::<Item>::deserialize(from)?.into_iter().map(|it| it.0).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uneven_rows_are_named() {
        let mut table = Table::new("t", "T");
        table.header.push(HeaderRow::new(["", "(1)", "(2)"]));
        table.body.push(Row::cells("x", [Cell::Count(1), Cell::Empty]));
        assert_eq!(table.check(), Ok(()));
        table.body.push(Row::cells("y", [Cell::Count(1)]));
        let error = table.check().unwrap_err();
        assert_eq!(error.to_string(), "table `t`: row `y` has 2 columns instead of 3");
        table.header.push(HeaderRow::spans([("", 1), ("g", 3)]));
        let error = table.check().unwrap_err();
        assert_eq!(error.to_string(), "table `t`: header row 1 covers 3 columns instead of 4");
    }
}
