//! [`Sample`]: which rows a model uses, why the others are out, and a hash to recognise the set by.

use std::{borrow::Cow, fmt, sync::Arc};

use parallax_base::Name;
use serde::Serialize;

use crate::{Codes, MISSING, Panel, PanelError};

/// Why rows are out of a sample.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Dropped {
    /// A variable is missing.
    Missing(Name),
    /// The weight is zero.
    ZeroWeight(Name),
    /// Alone in a group of an absorbed effect.
    Singleton,
    /// A rule of the estimator, in words.
    Other(String),
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dropped::Missing(it) => write!(f, "missing {it}"),
            Dropped::ZeroWeight(it) => write!(f, "zero weight {it}"),
            Dropped::Singleton => f.write_str("singleton"),
            Dropped::Other(it) => f.write_str(it),
        }
    }
}

/// The rows of a sample: all of the panel's, or a list in ascending order.
#[derive(Clone, Debug, PartialEq)]
pub enum Rows {
    /// Every row of a panel with that many.
    All(usize),
    /// Some rows, ascending.
    Some(Arc<Vec<u32>>),
}

impl Rows {
    /// How many rows.
    pub fn len(&self) -> usize {
        match self {
            Rows::All(n) => *n,
            Rows::Some(it) => it.len(),
        }
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows, ascending.
    pub fn iter(&self) -> Box<dyn Iterator<Item = usize> + '_> {
        match self {
            Rows::All(n) => Box::new(0..*n),
            Rows::Some(it) => Box::new(it.iter().map(|&row| row as usize)),
        }
    }
}

/// An immutable set of rows with its ledger. Made by [`SampleBuilder`], never edited.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    rows: Rows,
    rows_in: usize,
    dropped: Vec<(Dropped, usize)>,
    hash: u64,
}

/// Takes rows out one reason at a time; a row counts for the first reason that hits it.
#[derive(Debug)]
pub struct SampleBuilder<'p> {
    panel: &'p Panel,
    keep: Vec<bool>,
    dropped: Vec<(Dropped, usize)>,
}

impl<'p> SampleBuilder<'p> {
    /// All rows of the panel.
    pub fn new(panel: &'p Panel) -> SampleBuilder<'p> {
        SampleBuilder { panel, keep: vec![true; panel.n_rows()], dropped: Vec::new() }
    }

    /// Takes out rows where the numbers are missing.
    pub fn require(&mut self, name: &Name, values: &[f64]) {
        self.drop_where(Dropped::Missing(name.clone()), |row| values.get(row).is_none_or(|it| it.is_nan()));
    }

    /// Takes out rows where the category is missing.
    pub fn require_codes(&mut self, name: &Name, codes: &Codes) {
        self.drop_where(Dropped::Missing(name.clone()), |row| {
            codes.code.get(row).is_none_or(|&it| it == MISSING)
        });
    }

    /// Takes out rows with missing or zero weight and refuses negative ones.
    ///
    /// # Errors
    /// [`PanelError::NegativeWeight`] with the place of the first one.
    pub fn weigh(&mut self, name: &Name, weights: &[f64]) -> Result<(), PanelError> {
        self.require(name, weights);
        if let Some(row) = weights.iter().position(|&it| it < 0.0) {
            let place = self.panel.place(row);
            return Err(PanelError::NegativeWeight { name: name.clone(), value: weights[row], place });
        }
        self.drop_where(Dropped::ZeroWeight(name.clone()), |row| weights[row] == 0.0);
        Ok(())
    }

    /// Takes out the rows for which `out` says so.
    pub fn drop_where(&mut self, reason: Dropped, out: impl Fn(usize) -> bool) {
        let mut lost = 0;
        for (row, keep) in self.keep.iter_mut().enumerate() {
            if *keep && out(row) {
                *keep = false;
                lost += 1;
            }
        }
        if 0 < lost {
            self.dropped.push((reason, lost));
        }
    }

    /// The rows still in, ascending.
    pub fn rows(&self) -> Vec<u32> {
        (0..self.keep.len() as u32).filter(|&it| self.keep[it as usize]).collect()
    }

    /// Closes the sample.
    ///
    /// # Errors
    /// [`PanelError::EmptySample`] with the ledger when nothing is left.
    pub fn finish(self) -> Result<Sample, PanelError> {
        let rows_in = self.keep.len();
        let rows =
            if self.dropped.is_empty() { Rows::All(rows_in) } else { Rows::Some(Arc::new(self.rows())) };
        if rows.is_empty() {
            let reasons: Vec<String> = self.dropped.iter().map(|(why, n)| format!("{n} {why}")).collect();
            let reasons =
                if reasons.is_empty() { "the data have no rows".to_owned() } else { reasons.join(", ") };
            return Err(PanelError::EmptySample { reasons });
        }
        let hash = hash_rows(self.panel, &rows);
        Ok(Sample { rows, rows_in, dropped: self.dropped, hash })
    }
}

impl Sample {
    /// Rows used.
    pub fn n(&self) -> usize {
        self.rows.len()
    }

    /// Rows of the panel the sample was made from.
    pub fn rows_in(&self) -> usize {
        self.rows_in
    }

    /// The rows themselves.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Reasons and counts of what is out, in the order they were applied.
    pub fn dropped(&self) -> &[(Dropped, usize)] {
        &self.dropped
    }

    /// Sixteen hexadecimal digits that recognise the set of (unit, period) pairs.
    pub fn hash(&self) -> String {
        format!("{:016x}", self.hash)
    }

    /// A new sample of `panel` without those of its rows (counted within the sample) for which `out` says so.
    ///
    /// # Errors
    /// [`PanelError::EmptySample`] with the ledger when nothing is left.
    pub fn without(
        &self,
        panel: &Panel,
        reason: Dropped,
        out: impl Fn(usize) -> bool,
    ) -> Result<Sample, PanelError> {
        let mut keep = vec![false; self.rows_in];
        self.rows.iter().enumerate().for_each(|(at, row)| keep[row] = !out(at));
        let lost = self.n() - keep.iter().filter(|it| **it).count();
        let mut dropped = self.dropped.clone();
        match dropped.iter_mut().find(|it| it.0 == reason) {
            Some(known) => known.1 += lost,
            None if 0 < lost => dropped.push((reason, lost)),
            None => {}
        }
        SampleBuilder { panel, keep, dropped }.finish()
    }

    /// A column's values on the sample, borrowed when the sample is the whole panel.
    pub fn pick<'a, T: Copy>(&self, column: &'a [T]) -> Cow<'a, [T]> {
        match &self.rows {
            Rows::All(_) => Cow::Borrowed(column),
            Rows::Some(rows) => Cow::Owned(rows.iter().map(|&row| column[row as usize]).collect()),
        }
    }

    /// As [`Sample::pick`] for a shared column: no copy when the sample is the whole panel.
    pub fn pick_shared(&self, column: &Arc<Vec<f64>>) -> Arc<Vec<f64>> {
        match &self.rows {
            Rows::All(_) => Arc::clone(column),
            Rows::Some(rows) => Arc::new(rows.iter().map(|&row| column[row as usize]).collect()),
        }
    }

    /// Group codes on the sample, renumbered so that every group has a row.
    pub fn pick_codes(&self, codes: &Codes) -> Codes {
        codes.compact(self.rows.iter())
    }
}

/// FNV-1a over unit labels and periods (row numbers without an index): equal sets, equal hash.
fn hash_rows(panel: &Panel, rows: &Rows) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let fold = |hash: u64, word: u64| (hash ^ word).wrapping_mul(PRIME).rotate_left(23);
    let indexed = panel.index().is_some();
    let units = panel.units();
    let label_hash =
        |code: u32| units.labels.text(code as usize).bytes().fold(OFFSET, |h, b| fold(h, u64::from(b)));
    let mut last: Option<(u32, u64)> = None;
    let mut hash = fold(OFFSET, rows.len() as u64);
    for row in rows.iter() {
        let word = if indexed {
            let code = units.code[row];
            let unit = match last {
                Some((at, hash)) if at == code => hash,
                _ => label_hash(code),
            };
            last = Some((code, unit));
            unit ^ u64::from(panel.periods()[row] as u32)
        } else {
            row as u64
        };
        hash = fold(hash, word);
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Column, PanelBuilder};

    fn panel(y: Vec<f64>) -> Panel {
        PanelBuilder::new(y.len()).column("y".into(), Column::real(y)).build().unwrap()
    }

    #[test]
    fn a_row_counts_for_the_first_reason() {
        let panel = panel(vec![1.0, f64::NAN, 3.0]);
        let mut builder = SampleBuilder::new(&panel);
        builder.require(&"y".into(), &panel.real("y").unwrap());
        builder.weigh(&"w".into(), &[1.0, 0.0, 0.0]).unwrap();
        let sample = builder.finish().unwrap();
        assert_eq!(
            sample.dropped(),
            [(Dropped::Missing("y".into()), 1), (Dropped::ZeroWeight("w".into()), 1)]
        );
        assert_eq!((sample.n(), sample.rows_in()), (1, 3));
        assert_eq!(*sample.pick(&[7, 8, 9]), [7]);
    }

    #[test]
    fn fewer_rows_are_a_new_sample_with_the_same_ledger() {
        let panel = panel(vec![1.0, f64::NAN, 3.0, 4.0]);
        let mut builder = SampleBuilder::new(&panel);
        builder.require(&"y".into(), &panel.real("y").unwrap());
        let sample = builder.finish().unwrap();
        let fewer = sample.without(&panel, Dropped::Singleton, |at| at == 1).unwrap();
        assert_eq!(fewer.rows().iter().collect::<Vec<_>>(), [0, 3]);
        assert_eq!(fewer.dropped(), [(Dropped::Missing("y".into()), 1), (Dropped::Singleton, 1)]);
        assert_ne!(fewer.hash(), sample.hash());
        assert!(sample.without(&panel, Dropped::Singleton, |_| true).is_err());
    }

    #[test]
    fn whole_panels_are_not_copied() {
        let panel = panel(vec![1.0, 2.0]);
        let sample = SampleBuilder::new(&panel).finish().unwrap();
        assert!(matches!(sample.pick(&[1, 2]), Cow::Borrowed(_)));
    }

    #[test]
    fn an_empty_sample_says_why() {
        let panel = panel(vec![f64::NAN]);
        let mut builder = SampleBuilder::new(&panel);
        builder.require(&"y".into(), &[f64::NAN]);
        assert_eq!(builder.finish().unwrap_err().to_string(), "no row is left in the sample: 1 missing y");
    }

    #[test]
    fn the_hash_tells_sets_apart() {
        let panel = panel(vec![1.0, 2.0, 3.0]);
        let hash = |out: usize| {
            let mut it = SampleBuilder::new(&panel);
            it.drop_where(Dropped::Singleton, |row| row == out);
            it.finish().unwrap().hash()
        };
        assert_ne!(hash(0), hash(1));
        assert_eq!(hash(1), hash(1));
    }
}
