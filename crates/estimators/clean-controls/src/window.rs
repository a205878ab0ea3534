//! Which cohorts fit an event window, and which window fits most.

use parallax_model::{Adoption, Design, FitError, panel::Calendar};

use crate::options::Control;

/// Event times from `-leads` to `lags`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Periods before adoption.
    pub leads: i32,
    /// Periods after the first treated one.
    pub lags: i32,
}

/// What a cohort is compared with.
#[derive(Clone, Copy, Debug)]
pub struct Comparison {
    /// Which units are clean.
    pub control: Control,
    /// Periods before adoption in which effects may begin.
    pub anticipation: i32,
}

impl Comparison {
    /// The last period in which a control of a cohort must be untreated.
    pub fn last(self, cohort: i32, lags: i32) -> i32 {
        cohort.saturating_add(lags).saturating_add(self.anticipation)
    }

    /// The event time all others are relative to.
    pub fn reference(self) -> i32 {
        -1 - self.anticipation
    }
}

/// Rows by cohort and period.
pub struct Cells {
    /// Dates of adoption, ascending.
    pub cohorts: Vec<i32>,
    /// Units of each cohort.
    pub units: Vec<usize>,
    /// Distinct periods, ascending.
    pub periods: Vec<i32>,
    calendar: Calendar,
    /// Rows of each cohort by period.
    rows: Vec<Vec<usize>>,
    /// Rows by period of the cohorts from each one on and of the never treated, who come last.
    rows_from: Vec<Vec<usize>>,
}

impl Cells {
    /// Counts the rows of a design.
    pub fn new(design: &Design<'_>, adoption: &Adoption) -> Cells {
        let mut cohorts: Vec<i32> = adoption.first.iter().flatten().copied().collect();
        cohorts.sort_unstable();
        cohorts.dedup();
        let mut periods = design.periods.clone();
        periods.sort_unstable();
        periods.dedup();
        let place = |first: Option<i32>| match first {
            Some(it) => cohorts.partition_point(|other| *other < it),
            None => cohorts.len(),
        };
        let mut units = vec![0; cohorts.len() + 1];
        adoption.first.iter().for_each(|it| units[place(*it)] += 1);
        let mut rows = vec![vec![0; periods.len()]; cohorts.len() + 1];
        for (&unit, period) in design.units.code.iter().zip(&design.periods) {
            let at = periods.partition_point(|it| it < period);
            rows[place(adoption.first[unit as usize])][at] += 1;
        }
        let mut rows_from = rows.clone();
        for cohort in (0..cohorts.len()).rev() {
            let later = rows_from[cohort + 1].clone();
            rows_from[cohort].iter_mut().zip(later).for_each(|(sum, it)| *sum += it);
        }
        units.pop();
        Cells { cohorts, units, periods, calendar: *design.panel.calendar(), rows, rows_from }
    }

    /// Whether a cohort has rows of its own and of clean controls at an event time.
    pub fn compared(
        &self,
        cohort: usize,
        event: i32,
        lags: i32,
        comparison: Comparison,
    ) -> Result<(), &'static str> {
        let first = self.cohorts[cohort];
        let Ok(at) = self.periods.binary_search(&first.saturating_add(event)) else {
            return Err("no row");
        };
        if self.rows[cohort][at] == 0 {
            return Err("no treated row");
        }
        let last = comparison.last(first, lags);
        let clean = match comparison.control {
            Control::NotYetTreated => self.cohorts.partition_point(|it| *it <= last),
            Control::NeverTreated => self.cohorts.len(),
        };
        if self.rows_from[clean][at] == 0 { Err("no clean control") } else { Ok(()) }
    }

    /// Why a cohort does not fit a window, if it does not.
    pub fn obstacle(&self, cohort: usize, window: Window, comparison: Comparison) -> Option<String> {
        (-window.leads..=window.lags).find_map(|event| {
            let why = self.compared(cohort, event, window.lags, comparison).err()?;
            Some(format!("{why} at event time {event}"))
        })
    }

    /// The most leads that a cohort has without a gap when it is followed for `lags`; 0 without the reference.
    fn reach(&self, cohort: usize, lags: i32, comparison: Comparison) -> i32 {
        let fits = |event: i32| self.compared(cohort, event, lags, comparison).is_ok();
        if !(0..=lags).all(fits) {
            return 0;
        }
        let leads = (1..=self.periods.len() as i32).take_while(|it| fits(-it)).last().unwrap_or(0);
        if leads <= comparison.anticipation { 0 } else { leads }
    }

    /// The longest window that keeps two thirds of the treated units that any window keeps; of equally long ones that
    /// of most units, then that of most lags. A part of it that is given stays.
    ///
    /// # Errors
    /// When no cohort has a reference, a first treated period and clean controls in both.
    pub fn choose(
        &self,
        leads: Option<i32>,
        lags: Option<i32>,
        comparison: Comparison,
    ) -> Result<Window, FitError> {
        let most = self.periods.len() as i32;
        let mut found: Vec<(Window, usize)> = Vec::new();
        for lags in lags.map_or(0..=most, |it| it..=it) {
            let reach: Vec<i32> =
                (0..self.cohorts.len()).map(|it| self.reach(it, lags, comparison)).collect();
            for leads in leads.map_or(1 + comparison.anticipation..=most, |it| it..=it) {
                let fits = reach.iter().zip(&self.units).filter(|it| leads <= *it.0);
                let units: usize = fits.map(|it| it.1).sum();
                if 0 < units {
                    found.push((Window { leads, lags }, units));
                }
            }
        }
        let largest = found.iter().map(|it| it.1).max().unwrap_or(0);
        let kept = found.into_iter().filter(|it| 2 * largest <= 3 * it.1);
        let best = kept.max_by_key(|(it, units)| (it.leads + it.lags, *units, it.lags));
        best.map(|it| it.0).ok_or_else(|| FitError::Model(self.nothing_fits(leads, lags, comparison)))
    }

    fn nothing_fits(&self, leads: Option<i32>, lags: Option<i32>, comparison: Comparison) -> String {
        let window = Window { leads: leads.unwrap_or(1 + comparison.anticipation), lags: lags.unwrap_or(0) };
        let why = self.cohorts.iter().enumerate().filter_map(|(at, cohort)| {
            let code = self.calendar.code(*cohort);
            Some(format!("{code}: {}", self.obstacle(at, window, comparison)?))
        });
        let why: Vec<String> = why.take(5).collect();
        format!(
            "no cohort fits the event window {} to {} ({}); {}",
            -window.leads,
            window.lags,
            why.join("; "),
            match comparison.control {
                Control::NotYetTreated => {
                    "a cohort needs rows at the reference and from adoption on, and units that adopt later or never: \
                     shorten the window with `leads` and `lags`, and number periods consecutively"
                }
                Control::NeverTreated => {
                    "shorten it with `leads` and `lags`, number periods consecutively, or compare with `control` = \
                     not-yet-treated"
                }
            }
        )
    }
}
