//! The printable values behind group codes, sorted, each once.

use std::fmt;

use parallax_base::Name;

/// Values of a categorical column in ascending order; code `g` stands for label `g`.
#[derive(Clone, Debug, PartialEq)]
pub enum Labels {
    /// Text values, in byte order.
    Text(Vec<Name>),
    /// Whole numbers.
    Integers(Vec<i64>),
    /// Any other numbers.
    Reals(Vec<f64>),
    /// One group a row, counted from 1 where printed.
    Rows(usize),
    /// Combinations of several columns' groups, in code order of the parts.
    Combined(Vec<Name>),
}

impl Labels {
    /// How many groups there are.
    pub fn len(&self) -> usize {
        match self {
            Labels::Text(it) | Labels::Combined(it) => it.len(),
            Labels::Integers(it) => it.len(),
            Labels::Reals(it) => it.len(),
            Labels::Rows(it) => *it,
        }
    }

    /// True when there is no group.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The label of code `g` as text; empty when there is no such code.
    pub fn text(&self, g: usize) -> String {
        match self {
            Labels::Text(it) | Labels::Combined(it) => it.get(g).map(Name::to_string).unwrap_or_default(),
            Labels::Integers(it) => it.get(g).map(i64::to_string).unwrap_or_default(),
            Labels::Reals(it) => it.get(g).map(f64::to_string).unwrap_or_default(),
            Labels::Rows(n) => {
                if g < *n {
                    (g + 1).to_string()
                } else {
                    String::new()
                }
            }
        }
    }

    /// The label of code `g` as a number, where labels are numbers.
    pub fn number(&self, g: usize) -> Option<f64> {
        match self {
            Labels::Integers(it) => it.get(g).map(|it| *it as f64),
            Labels::Reals(it) => it.get(g).copied(),
            Labels::Text(_) | Labels::Combined(_) | Labels::Rows(_) => None,
        }
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} groups", self.len())
    }
}
