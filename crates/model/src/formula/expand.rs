//! Terms to columns of numbers.

use std::{collections::HashSet, sync::Arc};

use parallax_base::Name;
use parallax_panel::Panel;

use super::{
    columns::NamedColumn,
    error::FormulaError,
    expr::Expr,
    factor::{Levels, bare_text, is_text},
    term::{Factor, Part, Term},
};

/// Most numbers the factors of a formula may make: two gigabytes.
const MAX_CELLS: usize = 1 << 28;

/// Most work that least squares may have with them, rows times columns squared: some ten seconds of one core. Effects
/// that are absorbed take a thousandth of that.
const MAX_WORK: f64 = 1e10;

type Columns = Vec<(String, Arc<Vec<f64>>)>;

/// Expands the terms of one formula on one panel.
pub(super) struct Expansion<'a> {
    panel: &'a Panel,
    levels_from: Option<&'a [u32]>,
    /// What the model contains, to decide whether a factor needs a reference level.
    margins: HashSet<Vec<String>>,
    /// True when the columns so far span the constant.
    constant: bool,
    /// Columns of factors so far.
    levels: usize,
}

impl<'a> Expansion<'a> {
    pub fn new(
        panel: &'a Panel,
        levels_from: Option<&'a [u32]>,
        terms: &[Term],
        constant: bool,
    ) -> Expansion<'a> {
        let margins = terms.iter().map(Term::key).collect();
        Expansion { panel, levels_from, margins, constant, levels: 0 }
    }

    /// The columns of each term in turn.
    pub fn terms(&mut self, terms: &[Term]) -> Result<Vec<NamedColumn>, FormulaError> {
        let mut columns = Vec::new();
        for (at, term) in terms.iter().enumerate() {
            let named =
                |(name, values): (String, _)| NamedColumn { name: Name::from(name), values, term: at };
            columns.extend(self.term(term)?.into_iter().map(named));
        }
        Ok(columns)
    }

    fn term(&mut self, term: &Term) -> Result<Columns, FormulaError> {
        if let [Part::Value(it)] = term.parts.as_slice()
            && !is_text(it, self.panel)
        {
            return Ok(vec![(it.name().to_string(), it.eval(self.panel)?)]);
        }
        let mut columns: Columns = Vec::new();
        for (at, part) in term.parts.iter().enumerate() {
            let part = self.part(term, at, part)?;
            columns = if at == 0 { part } else { self.crossed(&columns, &part, term)? };
        }
        self.levels += columns.len();
        Ok(columns)
    }

    fn part(&mut self, term: &Term, at: usize, part: &Part) -> Result<Columns, FormulaError> {
        match part {
            Part::Value(it) if is_text(it, self.panel) => {
                bare_text(it, self.panel)?;
                let bare = Factor { variable: it.clone(), by: None, reference: Vec::new() };
                self.factor(term, at, &bare)
            }
            Part::Value(it) => Ok(vec![(it.to_string(), it.eval(self.panel)?)]),
            Part::Factor(it) => self.factor(term, at, it),
        }
    }

    fn factor(&mut self, term: &Term, at: usize, factor: &Factor) -> Result<Columns, FormulaError> {
        let mut levels = Levels::of(&factor.variable, self.panel, self.levels_from)?;
        let n = levels.len();
        levels.leave_out(&factor.reference, &term.to_string())?;
        let alone = term.parts.len() == 1 && factor.by.is_none();
        if factor.by.is_none() && factor.reference.is_empty() {
            if self.has_margin(term, at) {
                levels.leave_out_first();
            } else if alone {
                // All levels of this factor sum to one, so that the next factor needs a reference.
                self.constant = true;
            }
        }
        if levels.len() == 0 {
            return Err(FormulaError::NoLevel {
                term: term.to_string(),
                variable: levels.variable().to_string(),
                n,
            });
        }
        self.limit(term, levels.len())?;
        match &factor.by {
            None => Ok(levels.columns(None)),
            Some(by) if is_text(by, self.panel) => {
                bare_text(by, self.panel)?;
                let by = Levels::of(by, self.panel, self.levels_from)?;
                self.limit(term, by.len())?;
                self.crossed(&levels.columns(None), &by.columns(None), term)
            }
            Some(by) => self.numeric_by(&levels, by),
        }
    }

    fn numeric_by(&self, levels: &Levels, by: &Expr) -> Result<Columns, FormulaError> {
        let values = by.eval(self.panel)?;
        let columns = levels.columns(Some(&values));
        Ok(columns.into_iter().map(|(name, values)| (format!("{name}:{by}"), values)).collect())
    }

    /// R's rule: a factor is coded with a reference level when the term without it is in the model.
    fn has_margin(&self, term: &Term, at: usize) -> bool {
        let mut parts = term.parts.clone();
        parts.remove(at);
        if parts.is_empty() { self.constant } else { self.margins.contains(&Term { parts }.key()) }
    }

    /// Products of all pairs, those of the first factor next to each other as in R.
    fn crossed(&self, left: &Columns, right: &Columns, term: &Term) -> Result<Columns, FormulaError> {
        self.limit(term, left.len().saturating_mul(right.len()))?;
        let mut columns = Vec::new();
        for (right_name, b) in right {
            for (left_name, a) in left {
                let product = a.iter().zip(b.iter()).map(|(a, b)| a * b).collect();
                columns.push((format!("{left_name}:{right_name}"), Arc::new(product)));
            }
        }
        Ok(columns)
    }

    /// Refuses, by counting and before a column is made, what would fill the memory or run for minutes.
    fn limit(&self, term: &Term, columns: usize) -> Result<(), FormulaError> {
        let rows = self.levels_from.map_or(self.panel.n_rows(), <[u32]>::len);
        let all = self.levels.saturating_add(columns);
        let work = rows as f64 * (all as f64) * (all as f64);
        if all.saturating_mul(self.panel.n_rows()) <= MAX_CELLS && work <= MAX_WORK {
            return Ok(());
        }
        let effect = match term.parts.as_slice() {
            [Part::Factor(Factor { variable: Expr::Column(name), by: None, .. })] => Some(name.clone()),
            _ => None,
        };
        let advice = match effect {
            Some(it) => format!("absorb it as an effect instead (`| {it}`)"),
            None => "absorb levels as effects (after `|`) instead, or interact fewer levels".to_owned(),
        };
        Err(FormulaError::TooManyColumns { term: term.name(), columns, rows, advice })
    }
}
