//! Outcome, treatment, weight and covariates by unit and period, with room for what is missing.

use parallax_model::{Design, FitError, Name};

/// What stands in a cell that has no number.
const NONE: f64 = f64::NAN;

/// A table of units by periods; a unit has slots from its first to its last row, whatever is between.
///
/// Periods are numbered from the first to the last of the calendar: one that nobody is observed in has its slot, so that a
/// distance is one in time. The command's `egen group` closes such gaps.
pub struct Cells {
    /// The first period; distances from it are the periods everywhere else.
    origin: i32,
    /// Periods from the first to the last.
    span: usize,
    /// Position of each unit's first slot, and the number of slots at the end.
    start: Vec<usize>,
    /// Period of each unit's first slot.
    first: Vec<usize>,
    /// Outcome by slot; NaN where the row is not in the sample.
    pub y: Vec<f64>,
    /// Treatment by slot, from every row of the panel.
    pub d: Vec<f64>,
    /// Weight by slot; zero where the row is not in the sample.
    pub w: Vec<f64>,
    /// Covariates by slot.
    pub x: Vec<Vec<f64>>,
    /// Whether the panel has the row.
    pub present: Vec<bool>,
}

impl Cells {
    /// The treatment on all rows of the panel of the design's units, the rest on the sample.
    ///
    /// # Errors
    /// An unknown treatment, or an infinite one.
    pub fn read(design: &Design<'_>, treatment: &Name) -> Result<Cells, FitError> {
        let panel = design.panel;
        let d = panel.real(treatment)?;
        if let Some(row) = d.iter().position(|it| it.is_infinite()) {
            return Err(FitError::Model(format!("`{treatment}` is infinite at {}", panel.place(row))));
        }
        let mut unit_of = vec![None; panel.units().n_groups()];
        for (row, &unit) in design.sample.rows().iter().zip(design.units.code.iter()) {
            unit_of[panel.units().code[row] as usize] = Some(unit as usize);
        }
        let unit_at = |row: usize| unit_of.get(panel.units().code[row] as usize).copied().flatten();
        let rows: Vec<(usize, usize)> =
            (0..panel.n_rows()).filter_map(|row| Some((unit_at(row)?, row))).collect();
        let mut periods: Vec<i32> = rows.iter().map(|it| panel.periods()[it.1]).collect();
        periods.sort_unstable();
        periods.dedup();
        refuse_sparse(design, &periods)?;
        let mut cells = Cells::empty(design, &periods, &rows);
        for &(unit, row) in &rows {
            let slot = cells.slot_of_date(unit, panel.periods()[row]);
            cells.d[slot] = d[row];
            cells.present[slot] = true;
        }
        for (at, (&unit, &date)) in design.units.code.iter().zip(&design.periods).enumerate() {
            let slot = cells.slot_of_date(unit as usize, date);
            cells.y[slot] = design.outcome.values[at];
            cells.w[slot] = design.weight_values().map_or(1.0, |it| it[at]);
            for (column, of) in cells.x.iter_mut().zip(&design.regressors) {
                column[slot] = of.values[at];
            }
        }
        Ok(cells)
    }

    fn empty(design: &Design<'_>, periods: &[i32], rows: &[(usize, usize)]) -> Cells {
        let origin = periods.first().copied().unwrap_or_default();
        let units = design.units.n_groups();
        let (mut first, mut last) = (vec![usize::MAX; units], vec![0; units]);
        for &(unit, row) in rows {
            let period = distance(origin, design.panel.periods()[row]);
            first[unit] = first[unit].min(period);
            last[unit] = last[unit].max(period);
        }
        let mut start = vec![0; units + 1];
        for unit in 0..units {
            start[unit + 1] = start[unit] + last[unit] + 1 - first[unit];
        }
        let n = start[units];
        let x = vec![vec![NONE; n]; design.regressors.len()];
        Cells {
            origin,
            span: periods.last().map_or(0, |it| distance(origin, *it) + 1),

            start,
            first,
            y: vec![NONE; n],
            d: vec![NONE; n],
            w: vec![0.0; n],
            x,
            present: vec![false; n],
        }
    }

    fn slot_of_date(&self, unit: usize, date: i32) -> usize {
        self.start[unit] + distance(self.origin, date) - self.first[unit]
    }

    /// Units.
    pub fn units(&self) -> usize {
        self.first.len()
    }

    /// Periods.
    pub fn n_periods(&self) -> usize {
        self.span
    }

    /// The slots of a unit with their periods.
    pub fn of_unit(&self, unit: usize) -> impl DoubleEndedIterator<Item = (usize, usize)> + use<> {
        let (start, first) = (self.start[unit], self.first[unit]);
        (start..self.start[unit + 1]).map(move |slot| (slot, slot - start + first))
    }

    /// The slot of a unit in a period, if the unit has rows on both sides of it.
    pub fn slot(&self, unit: usize, period: usize) -> Option<usize> {
        let slot = self.start[unit] + period.checked_sub(self.first[unit])?;
        (slot < self.start[unit + 1]).then_some(slot)
    }

    /// The slot `by` periods before one of the same unit.
    pub fn back(&self, unit: usize, slot: usize, by: usize) -> Option<usize> {
        slot.checked_sub(by).filter(|it| self.start[unit] <= *it)
    }

    /// Takes a row out of what is used.
    pub fn remove(&mut self, slot: usize) {
        (self.y[slot], self.d[slot], self.present[slot]) = (NONE, NONE, false);
    }
}

fn distance(origin: i32, date: i32) -> usize {
    usize::try_from(i64::from(date) - i64::from(origin)).unwrap_or(0)
}

/// Slots in time for each observed period beyond which time is not what the column counts.
const SPARSE: usize = 100;

/// A slot for every period between the first and the last takes memory that a column of other numbers would not end.
fn refuse_sparse(design: &Design<'_>, periods: &[i32]) -> Result<(), FitError> {
    let (Some(&first), Some(&last)) = (periods.first(), periods.last()) else { return Ok(()) };
    if distance(first, last) / SPARSE < periods.len() {
        return Ok(());
    }
    Err(FitError::Model(format!(
        "periods go from {} to {}, and only {} of them are observed; number periods consecutively",
        design.code(first),
        design.code(last),
        periods.len()
    )))
}
