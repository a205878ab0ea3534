//! The levels of a factor and their columns.

use std::sync::Arc;

use parallax_base::Name;
use parallax_panel::{Codes, Column, Labels, MISSING, Panel, number_text};

use super::{
    error::FormulaError,
    eval::{Value, value},
    expr::Expr,
    term::Level,
};

/// A factor with the levels that get a column.
pub(super) struct Levels {
    variable: Name,
    codes: Codes,
    kept: Vec<usize>,
}

/// Levels listed in a message.
const SHOWN: usize = 12;

impl Levels {
    /// The levels that occur in `rows` (everywhere without), ascending.
    pub fn of(variable: &Expr, panel: &Panel, rows: Option<&[u32]>) -> Result<Levels, FormulaError> {
        let codes = codes(variable, panel)?;
        let mut used = vec![false; codes.n_groups()];
        let mut mark = |code: u32| {
            if let Some(it) = used.get_mut(code as usize) {
                *it = true;
            }
        };
        match rows {
            None => codes.code.iter().for_each(|&it| mark(it)),
            Some(rows) => {
                rows.iter().filter_map(|&row| codes.code.get(row as usize)).for_each(|&it| mark(it));
            }
        }
        let kept = used.iter().enumerate().filter(|(_, used)| **used).map(|(level, _)| level).collect();
        Ok(Levels { variable: variable.name(), codes, kept })
    }

    pub fn len(&self) -> usize {
        self.kept.len()
    }

    pub fn variable(&self) -> &Name {
        &self.variable
    }

    /// Takes the lowest level as reference.
    pub fn leave_out_first(&mut self) {
        if !self.kept.is_empty() {
            self.kept.remove(0);
        }
    }

    /// Takes the levels of `ref =` out.
    ///
    /// Where none of them occurs on these rows, what the columns are relative to would be left to chance.
    pub fn leave_out(&mut self, reference: &[Level], term: &str) -> Result<(), FormulaError> {
        let rows = self.kept.clone();
        let mut found = false;
        for level in reference {
            let Some(out) = (0..self.codes.n_groups()).find(|&it| is_level(&self.codes.labels, it, level))
            else {
                return Err(FormulaError::UnknownLevel {
                    level: level.to_string(),
                    term: term.to_owned(),
                    variable: self.variable.to_string(),
                    levels: self.list(&(0..self.codes.n_groups()).collect::<Vec<_>>()),
                });
            };
            found |= rows.contains(&out);
            self.kept.retain(|it| *it != out);
        }
        match reference.first() {
            Some(level) if !found => Err(FormulaError::AbsentLevel {
                level: level.to_string(),
                term: term.to_owned(),
                variable: self.variable.to_string(),
                levels: self.list(&rows),
            }),
            _ => Ok(()),
        }
    }

    /// One column a level: 1 (or `by`) in the rows of that level, 0 in others, missing where either is.
    pub fn columns(&self, by: Option<&[f64]>) -> Vec<(String, Arc<Vec<f64>>)> {
        let mut position = vec![None; self.codes.n_groups()];
        for (at, &level) in self.kept.iter().enumerate() {
            if let Some(it) = position.get_mut(level) {
                *it = Some(at);
            }
        }
        let mut columns = vec![vec![0.0; self.codes.len()]; self.kept.len()];
        for (row, &code) in self.codes.code.iter().enumerate() {
            let factor = by.map_or(1.0, |it| it.get(row).copied().unwrap_or(f64::NAN));
            if code == MISSING || factor.is_nan() {
                columns.iter_mut().filter_map(|it| it.get_mut(row)).for_each(|it| *it = f64::NAN);
                continue;
            }
            let at = position.get(code as usize).copied().flatten();
            if let Some(cell) = at.and_then(|it| columns.get_mut(it)).and_then(|it| it.get_mut(row)) {
                *cell = factor;
            }
        }
        let name = |level: usize| format!("{}::{}", self.variable, self.codes.labels.text(level));
        self.kept.iter().map(|&it| name(it)).zip(columns.into_iter().map(Arc::new)).collect()
    }

    fn list(&self, levels: &[usize]) -> String {
        let n = levels.len();
        let shown: Vec<String> = levels.iter().take(SHOWN).map(|&it| self.codes.labels.text(it)).collect();
        let more = if SHOWN < n { format!(" and {} more", n - SHOWN) } else { String::new() };
        format!("{}{more}", shown.join(", "))
    }
}

/// True for a column of text, which makes a factor of a bare name.
pub(super) fn is_text(expr: &Expr, panel: &Panel) -> bool {
    let Expr::Column(name) = expr else { return false };
    match panel.column(name) {
        Ok(Column::Codes(it)) => matches!(&*it.labels, Labels::Text(_) | Labels::Combined(_)),
        _ => false,
    }
}

/// Values up to which a bare column of text stands for dummies: more are seldom meant, and `i()` says so.
pub(super) const MOST_LEVELS: usize = 20;

/// Refuses a bare column of text that was most likely meant as numbers, or makes more dummies than anyone asks for
/// without a word.
pub(super) fn bare_text(expr: &Expr, panel: &Panel) -> Result<(), FormulaError> {
    let Expr::Column(name) = expr else { return Ok(()) };
    let codes = panel.codes(name)?;
    if let Some(it) = number_text(codes) {
        return Err(FormulaError::TextNumbers {
            column: name.clone(),
            place: panel.place(it.row),
            advice: it.advice(),
            example: it.example,
        });
    }
    let levels = codes.n_groups();
    if MOST_LEVELS < levels {
        let (column, example) = (name.clone(), codes.labels.text(0));
        return Err(FormulaError::TextLevels { column, levels, most: MOST_LEVELS, example });
    }
    Ok(())
}

fn codes(variable: &Expr, panel: &Panel) -> Result<Codes, FormulaError> {
    if let Expr::Column(name) = variable {
        return Ok(panel.codes(name)?.clone());
    }
    match value(variable, panel)? {
        Value::Texts(it) => Ok(it),
        _ => Ok(Codes::from_reals(&variable.eval(panel)?)),
    }
}

fn is_level(labels: &Labels, at: usize, wanted: &Level) -> bool {
    match wanted {
        Level::Number(it) => match labels.number(at) {
            Some(label) => label == *it,
            None => labels.text(at) == wanted.to_string(),
        },
        Level::Text(it) => labels.text(at) == *it,
    }
}
