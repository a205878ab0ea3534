//! Units, periods and cohorts of a design: which row stands where, who is compared with whom.

use std::collections::BTreeMap;

use parallax_model::{Adoption, Design, FitError};

use super::{Control, Options, PLUGIN};

/// Rows by unit and period, and units by cohort.
pub struct Layout {
    /// Periods of the sample, ascending.
    pub periods: Vec<i32>,
    /// Units.
    pub units: usize,
    /// Cohorts whose effects are estimated, ascending, with their units.
    pub cohorts: Vec<(i32, Vec<u32>)>,
    /// Every cohort that may serve as control, ascending: the estimated ones, and later ones.
    pub adopters: Vec<(i32, Vec<u32>)>,
    /// Units that are never treated in reach of the sample.
    pub never: Vec<u32>,
    /// Periods up to this one are used, by position; all where there are never treated units.
    pub usable: usize,
    /// Units that were treated before they could be seen untreated.
    pub always: usize,
    /// The last cohort, where it serves as control only.
    pub last: Option<i32>,
    rows: Vec<u32>,
}

/// No row of a unit in a period.
const NO_ROW: u32 = u32::MAX;

impl Layout {
    /// Reads dates, sorts units into cohorts, and finds every row.
    ///
    /// # Errors
    /// When nobody adopts within the sample, or there is no control.
    pub fn new(design: &Design<'_>, options: &Options) -> Result<Layout, FitError> {
        let adoption = Adoption::read(design, PLUGIN, options.cohort.as_ref(), options.treatment.as_ref())?;
        let mut periods: Vec<i32> = design.periods.clone();
        periods.sort_unstable();
        periods.dedup();
        let units = design.units.n_groups();
        let mut rows = vec![NO_ROW; units * periods.len()];
        for (row, (&unit, period)) in design.units.code.iter().zip(&design.periods).enumerate() {
            if let Ok(at) = periods.binary_search(period) {
                rows[unit as usize * periods.len() + at] = row as u32;
            }
        }
        let (Some(&first), Some(&end)) = (periods.first(), periods.last()) else {
            return Err(FitError::Model("the sample has no periods".to_owned()));
        };
        let unseen = unseen_dates(design, options, &adoption)?;
        let (mut never, mut always) = (Vec::new(), 0);
        let mut groups: BTreeMap<i32, Vec<u32>> = BTreeMap::new();
        for (unit, date) in adoption.first.iter().enumerate() {
            match date {
                None => never.push(unit as u32),
                Some(_) if unseen[unit] => always += 1,
                Some(date) if *date <= first.saturating_add(options.anticipation_periods()) => always += 1,
                Some(date) if end.saturating_add(options.anticipation_periods()) < *date => {
                    never.push(unit as u32);
                }
                Some(date) => groups.entry(*date).or_default().push(unit as u32),
            }
        }
        let adopters: Vec<(i32, Vec<u32>)> = groups.into_iter().collect();
        let mut layout = Layout {
            usable: periods.len(),
            periods,
            units,
            cohorts: adopters.iter().filter(|it| it.0 <= end).cloned().collect(),
            adopters,
            never,
            always,
            last: None,
            rows,
        };
        layout.check(options)?;
        Ok(layout)
    }

    /// The row of a unit in a period, by position.
    pub fn row(&self, unit: u32, period: usize) -> Option<usize> {
        let row = self.rows[unit as usize * self.periods.len() + period];
        (row != NO_ROW).then_some(row as usize)
    }

    /// The first row of a unit.
    pub fn first_row(&self, unit: u32) -> Option<usize> {
        (0..self.periods.len()).find_map(|period| self.row(unit, period))
    }

    /// Controls of a cohort: the never treated, or all that are not treated up to `bound`.
    pub fn controls(&self, control: Control, cohort: i32, bound: i32) -> impl Iterator<Item = u32> + '_ {
        let later = self
            .adopters
            .iter()
            .filter(move |it| control == Control::NotYetTreated && bound < it.0 && it.0 != cohort);
        later.flat_map(|it| it.1.iter().copied()).chain(self.never.iter().copied())
    }

    /// Without never treated units the last cohort is control up to its adoption, and periods from there on have
    /// none (R did).
    fn check(&mut self, options: &Options) -> Result<(), FitError> {
        let Some((latest, _)) = self.adopters.last() else {
            let what = if self.always == 0 {
                "no unit of the sample adopts the treatment".to_owned()
            } else {
                format!("all {} units that adopt are treated from their first period on", self.always)
            };
            return Err(FitError::Model(format!("{what}; give dates of adoption with periods before them")));
        };
        let latest = *latest;
        if !self.never.is_empty() {
            return Ok(());
        }
        if options.control == Control::NeverTreated {
            return Err(FitError::Model(
                "no unit of the sample is never treated; compare with those not yet treated, \
                 control = \"not-yet-treated\""
                    .to_owned(),
            ));
        }
        if self.adopters.len() == 1 {
            return Err(FitError::Model(format!(
                "every unit adopts in {latest}, so that there is nobody to compare with"
            )));
        }
        let bound = latest.saturating_sub(options.anticipation_periods());
        self.usable = self.periods.partition_point(|it| *it < bound);
        self.cohorts.retain(|it| it.0 < latest);
        self.last = Some(latest);
        if self.cohorts.is_empty() {
            return Err(FitError::Model(format!(
                "the only cohort within the sample adopts in {latest}, and nobody adopts later or never"
            )));
        }
        Ok(())
    }
}

/// Units whose treatment is 1 in the first row of the panel that has it, so that their date is not known. With dates
/// given there is none.
fn unseen_dates(design: &Design<'_>, options: &Options, adoption: &Adoption) -> Result<Vec<bool>, FitError> {
    let mut unseen = vec![false; adoption.first.len()];
    let Some(name) = options.treatment.as_ref().filter(|_| 0 < adoption.always) else { return Ok(unseen) };
    let mut earliest = vec![i32::MAX; unseen.len()];
    let panel = design.panel;
    if let Ok(values) = panel.real(name) {
        let mut here = vec![None; panel.units().n_groups()];
        for (row, &unit) in design.sample.rows().iter().zip(design.units.code.iter()) {
            here[panel.units().code[row] as usize] = Some(unit as usize);
        }
        for (row, value) in values.iter().enumerate().filter(|it| !it.1.is_nan()) {
            if let Some(unit) = here[panel.units().code[row] as usize] {
                let period = if *value == 0.0 { i32::MIN } else { panel.periods()[row] };
                earliest[unit] = earliest[unit].min(period);
            }
        }
    } else {
        for (row, value) in design.column(name)?.iter().enumerate() {
            let period = if *value == 0.0 { i32::MIN } else { design.periods[row] };
            let slot = &mut earliest[design.units.code[row] as usize];
            *slot = (*slot).min(period);
        }
    }
    for (unit, date) in adoption.first.iter().enumerate() {
        unseen[unit] = *date == Some(earliest[unit]);
    }
    Ok(unseen)
}
