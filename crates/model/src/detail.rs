//! Tables of numbers beside a result: placebo draws, balance, weights, event times.

use parallax_base::Name;

/// A named table that goes with an estimate, a step or an index.
///
/// Study tables of kind `detail` print it and figures draw it, so that no number of a figure is
/// out of a reader's reach.
#[derive(Clone, Debug, PartialEq)]
pub struct Detail {
    /// Name by which a study asks for it, as `balance`.
    pub name: &'static str,
    /// What it shows, as the line above a table.
    pub title: String,
    /// Columns of equal length.
    pub columns: Vec<DetailColumn>,
}

/// One column of a [`Detail`].
#[derive(Clone, Debug, PartialEq)]
pub struct DetailColumn {
    /// Name by which a study asks for it, as `bias_before`.
    pub name: Name,
    /// What stands over it, with its unit where it has one.
    pub label: String,
    /// One value a row.
    pub values: DetailValues,
}

/// The values of a [`DetailColumn`].
#[derive(Clone, Debug, PartialEq)]
pub enum DetailValues {
    /// Words, such as names of covariates.
    Text(Vec<String>),
    /// Numbers; NaN is missing.
    Number(Vec<f64>),
    /// How many there are of something; NaN is missing.
    Count(Vec<f64>),
    /// Whole numbers that name something, such as periods and dates of adoption; NaN is missing.
    Label(Vec<f64>),
}

impl Detail {
    /// A table without columns.
    pub fn new(name: &'static str, title: impl Into<String>) -> Detail {
        Detail { name, title: title.into(), columns: Vec::new() }
    }

    /// Adds a column of words.
    #[must_use]
    pub fn text(self, name: impl Into<Name>, label: impl Into<String>, values: Vec<String>) -> Detail {
        self.column(name.into(), label.into(), DetailValues::Text(values))
    }

    /// Adds a column of numbers.
    #[must_use]
    pub fn number(self, name: impl Into<Name>, label: impl Into<String>, values: Vec<f64>) -> Detail {
        self.column(name.into(), label.into(), DetailValues::Number(values))
    }

    /// Adds a column of counts: rows, units, cells.
    #[must_use]
    pub fn count(self, name: impl Into<Name>, label: impl Into<String>, values: Vec<f64>) -> Detail {
        self.column(name.into(), label.into(), DetailValues::Count(values))
    }

    /// Adds a column of whole numbers that name something: periods, event times, numbers of draws.
    #[must_use]
    pub fn label(self, name: impl Into<Name>, label: impl Into<String>, values: Vec<f64>) -> Detail {
        self.column(name.into(), label.into(), DetailValues::Label(values))
    }

    fn column(mut self, name: Name, label: String, values: DetailValues) -> Detail {
        self.columns.push(DetailColumn { name, label, values });
        self
    }

    /// Rows of the longest column.
    pub fn n_rows(&self) -> usize {
        self.columns.iter().map(|it| it.values.len()).max().unwrap_or(0)
    }

    /// The numbers of a column; `None` for an unknown name or words.
    pub fn numbers(&self, name: &str) -> Option<&[f64]> {
        self.find(name)?.values.numbers()
    }

    /// The words of a column; `None` for an unknown name or numbers.
    pub fn words(&self, name: &str) -> Option<&[String]> {
        match &self.find(name)?.values {
            DetailValues::Text(it) => Some(it),
            _ => None,
        }
    }

    /// The column of that name.
    pub fn find(&self, name: &str) -> Option<&DetailColumn> {
        self.columns.iter().find(|it| it.name.as_str() == name)
    }
}

impl DetailValues {
    /// The numbers, whatever they mean; `None` for words.
    pub fn numbers(&self) -> Option<&[f64]> {
        match self {
            DetailValues::Number(it) | DetailValues::Count(it) | DetailValues::Label(it) => Some(it),
            DetailValues::Text(_) => None,
        }
    }

    /// How many values.
    pub fn len(&self) -> usize {
        match self {
            DetailValues::Text(it) => it.len(),
            DetailValues::Number(it) | DetailValues::Count(it) | DetailValues::Label(it) => it.len(),
        }
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
