//! The shape of a panel: balance, gaps and adoption cohorts.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Panel, PanelError, distinct};

/// Rows, units, periods and what is missing from the full rectangle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// Rows.
    pub rows: usize,
    /// Units.
    pub units: usize,
    /// Distinct periods.
    pub periods: usize,
    /// First and last period.
    pub span: (i32, i32),
    /// How much of what the time column counts one period is.
    pub step: i32,
    /// Periods between the first and the last that nobody is observed in, the first few of them.
    pub unobserved: Vec<i32>,
    /// Every unit has every period.
    pub balanced: bool,
    /// Units with a period missing between their first and last row.
    pub units_with_gaps: usize,
    /// Fewest and most rows of a unit.
    pub rows_a_unit: (usize, usize),
}

/// Units first treated in one period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CohortSize {
    /// First treated period; `None` for the never treated.
    pub cohort: Option<i32>,
    /// Units in it.
    pub units: usize,
    /// Of these, units whose treatment switches off again.
    pub reversals: usize,
    /// Of these, units already treated in their first row, whose adoption is not seen.
    pub always: usize,
}

/// Periods without a row that are named.
const NAMED: usize = 10;

/// The panel's shape.
///
/// # Errors
/// [`PanelError::NotIndexed`] without unit and time.
pub fn balance(panel: &Panel) -> Result<Balance, PanelError> {
    panel.require_index("the balance of a panel")?;
    let periods = distinct(panel.periods());
    let code = |it: Option<&i32>| it.map_or(0, |it| panel.calendar().code(*it));
    let absent: Vec<i32> = periods.windows(2).flat_map(|it| it[0] + 1..it[1]).take(NAMED).collect();
    let (mut fewest, mut most, mut gaps) = (usize::MAX, 0, 0);
    for rows in unit_runs(panel) {
        fewest = fewest.min(rows.len());
        most = most.max(rows.len());
        let seen = &panel.periods()[rows.clone()];
        let (first, last) = (seen[0], seen[seen.len() - 1]);
        let expected = periods.partition_point(|&it| it <= last) - periods.partition_point(|&it| it < first);
        gaps += usize::from(rows.len() < expected);
    }
    let units = panel.units().n_groups();
    Ok(Balance {
        rows: panel.n_rows(),
        units,
        periods: periods.len(),
        span: (code(periods.first()), code(periods.last())),
        step: panel.calendar().step(),
        unobserved: absent.iter().map(|it| code(Some(it))).collect(),
        balanced: panel.n_rows() == units * periods.len(),
        units_with_gaps: gaps,
        rows_a_unit: (if units == 0 { 0 } else { fewest }, most),
    })
}

/// Cohorts by first period with a positive treatment; missing treatment counts as untreated.
///
/// # Errors
/// [`PanelError::NotIndexed`] without unit and time.
pub fn adoption_cohorts(panel: &Panel, treatment: &[f64]) -> Result<Vec<CohortSize>, PanelError> {
    panel.require_index("adoption cohorts")?;
    let mut sizes: BTreeMap<Option<i32>, (usize, usize, usize)> = BTreeMap::new();
    for rows in unit_runs(panel) {
        let on: Vec<bool> = treatment[rows.clone()].iter().map(|&it| 0.0 < it).collect();
        let first = on.iter().position(|it| *it);
        let cohort = first.map(|it| panel.calendar().code(panel.periods()[rows.start + it]));
        let size = sizes.entry(cohort).or_default();
        size.0 += 1;
        size.1 += usize::from(on.windows(2).any(|it| it[0] && !it[1]));
        size.2 += usize::from(first == Some(0));
    }
    let row = |(cohort, (units, reversals, always))| CohortSize { cohort, units, reversals, always };
    Ok(sizes.into_iter().map(row).collect())
}

/// The row range of each unit, in unit order.
fn unit_runs(panel: &Panel) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
    let units = &panel.units().code;
    let mut start = 0;
    std::iter::from_fn(move || {
        let unit = *units.get(start)?;
        let length = units[start..].iter().take_while(|&&it| it == unit).count();
        let run = start..start + length;
        start += length;
        Some(run)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Codes, PanelBuilder};

    fn panel() -> Panel {
        let units = Codes::from_reals(&[1.0, 1.0, 1.0, 2.0, 2.0, 3.0]);
        PanelBuilder::new(6).index("u".into(), units, "t".into(), vec![1, 2, 3, 1, 3, 2]).build().unwrap()
    }

    #[test]
    fn balance_counts_gaps() {
        let shape = balance(&panel()).unwrap();
        assert_eq!((shape.units, shape.periods, shape.span), (3, 3, (1, 3)));
        assert!(!shape.balanced);
        assert_eq!((shape.units_with_gaps, shape.rows_a_unit), (1, (1, 3)));
    }

    #[test]
    fn cohorts_know_reversals_and_the_always_treated() {
        let cohorts = adoption_cohorts(&panel(), &[0.0, 1.0, 0.0, 1.0, 1.0, 0.0]).unwrap();
        let row = |it: &CohortSize| (it.cohort, it.units, it.reversals, it.always);
        let rows: Vec<_> = cohorts.iter().map(row).collect();
        assert_eq!(rows, [(None, 1, 0, 0), (Some(1), 1, 0, 1), (Some(2), 1, 1, 0)]);
    }
}
