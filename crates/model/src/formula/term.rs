//! [`Term`]: one summand of the right-hand side, and [`Effect`]: one absorbed grouping.

use std::{collections::HashSet, fmt, hash::Hash};

use parallax_base::Name;

use super::{
    expr::{Expr, write_list},
    quote::{Number, Quoted, Text},
};

/// One term: a variable or factor, or an interaction of several.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// The parts between the `:`; one for a main effect.
    pub parts: Vec<Part>,
}

/// One part of a term.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// A column or an expression. A text column becomes a factor when its columns are made.
    Value(Expr),
    /// `i(...)`.
    Factor(Factor),
}

/// `i(variable, by, ref = reference)`: one column a level.
#[derive(Clone, Debug, PartialEq)]
pub struct Factor {
    /// The variable whose values become columns.
    pub variable: Expr,
    /// What each column is multiplied with, instead of 1.
    pub by: Option<Expr>,
    /// The values that get no column.
    pub reference: Vec<Level>,
}

/// A value of a factor as written in `ref =` and `%in%`.
#[derive(Clone, Debug, PartialEq)]
pub enum Level {
    /// A number.
    Number(f64),
    /// Text.
    Text(String),
}

/// A grouping to absorb: one column, or several combined with `^`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The columns.
    pub parts: Vec<Name>,
}

impl Term {
    /// The name as fixest prints it: the coefficient's name, where the term makes one column.
    pub fn name(&self) -> Name {
        match self.parts.as_slice() {
            [Part::Value(it)] => it.name(),
            _ => Name::from(self.to_string()),
        }
    }

    /// Every column of the data the term reads, each once, in order of appearance.
    pub fn variables(&self) -> Vec<Name> {
        let mut names = Vec::new();
        for part in &self.parts {
            match part {
                Part::Value(it) => names.extend(it.variables()),
                Part::Factor(it) => {
                    names.extend(it.variable.variables());
                    names.extend(it.by.iter().flat_map(Expr::variables));
                }
            }
        }
        each_once(names)
    }

    /// What two spellings of one term have in common: `a:b` is `b:a`.
    pub(super) fn key(&self) -> Vec<String> {
        let mut key: Vec<String> = self.parts.iter().map(Part::to_string).collect();
        key.sort_unstable();
        key
    }
}

impl Effect {
    /// The columns with `^` between.
    pub fn name(&self) -> Name {
        match self.parts.as_slice() {
            [it] => it.clone(),
            parts => Name::from(parts.iter().map(Name::as_str).collect::<Vec<_>>().join("^")),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_between(f, &self.parts, ":")
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Value(it) => write!(f, "{it}"),
            Part::Factor(it) => write!(f, "{it}"),
        }
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "i({}", self.variable)?;
        if let Some(by) = &self.by {
            write!(f, ", {by}")?;
        }
        match self.reference.as_slice() {
            [] => {}
            [it] => write!(f, ", ref = {it}")?,
            several => {
                f.write_str(", ref = c(")?;
                write_list(f, several)?;
                f.write_str(")")?;
            }
        }
        f.write_str(")")
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Level::Number(it) => write!(f, "{}", Number(*it)),
            Level::Text(it) => write!(f, "{}", Text(it)),
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<Quoted<'_>> = self.parts.iter().map(|it| Quoted(it)).collect();
        write_between(f, &parts, "^")
    }
}

/// Terms or effects with ` + ` between.
pub(super) fn write_sum<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: &[T]) -> fmt::Result {
    write_between(f, items, " + ")
}

fn write_between<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: &[T], between: &str) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        if 0 < at {
            f.write_str(between)?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

/// The items without repetition, first appearance first.
pub(super) fn each_once<T: Clone + Eq + Hash>(items: Vec<T>) -> Vec<T> {
    let mut seen = HashSet::new();
    items.into_iter().filter(|it| seen.insert(it.clone())).collect()
}
