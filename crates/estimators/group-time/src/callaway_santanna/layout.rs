//! Units, periods and cohorts of a design: which row stands where, who is compared with whom.

use std::collections::BTreeMap;

use parallax_model::{Adoption, Design, FitError, SampleReport};

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
        let (mut never, mut always) = (Vec::new(), 0);
        let mut groups: BTreeMap<i32, Vec<u32>> = BTreeMap::new();
        for (unit, date) in adoption.first.iter().enumerate() {
            match date {
                None => never.push(unit as u32),
                Some(_) if adoption.undated[unit] => always += 1,
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
        layout.check(design, options)?;
        Ok(layout)
    }

    /// The ledger: units without a row before treatment, and periods without controls, are in no comparison.
    ///
    /// # Errors
    /// Never after [`Layout::new`]; typed for completeness.
    pub fn sample(&self, design: &Design<'_>) -> Result<SampleReport, FitError> {
        let mut used = vec![false; design.n()];
        let adopters = self.adopters.iter().flat_map(|it| &it.1);
        for &unit in adopters.chain(&self.never) {
            (0..self.usable).filter_map(|period| self.row(unit, period)).for_each(|row| used[row] = true);
        }
        SampleReport::of_used(
            design,
            "of units treated from the first period on or in periods without controls",
            &used,
        )
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
    fn check(&mut self, design: &Design<'_>, options: &Options) -> Result<(), FitError> {
        let Some((latest, _)) = self.adopters.last() else {
            let what = match self.always {
                0 => "every date of adoption is after the last period of the sample; add later periods",
                _ => "all units that adopt are treated from the first period on; add periods before",
            };
            return Err(FitError::Model(format!("{what}, or look at the dates of adoption")));
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
                "every unit adopts in {}, so that there is nobody to compare with; add units that adopt later or never",
                design.code(latest)
            )));
        }
        let bound = latest.saturating_sub(options.anticipation_periods());
        self.usable = self.periods.partition_point(|it| *it < bound);
        self.cohorts.retain(|it| it.0 < latest);
        self.last = Some(latest);
        if self.cohorts.is_empty() {
            return Err(FitError::Model(format!(
                "the only cohort within the sample adopts in {}, and nobody adopts later or never; add such units",
                design.code(latest)
            )));
        }
        Ok(())
    }
}
