//! Which event times get a dummy, which are zero by choice, and which are binned.

use std::collections::BTreeMap;

use parallax_model::{Adoption, Design, EventWindow, FitError, Term};

use crate::Options;

/// Event times of a design.
pub struct Layout {
    /// What the estimate says of it.
    pub window: EventWindow,
    /// Binned event time of each row; `None` for the never treated.
    times: Vec<Option<i32>>,
    /// Event times with a dummy, ascending.
    estimated: Vec<i32>,
}

impl Layout {
    /// Lays out the event times that the rows have.
    ///
    /// # Errors
    /// When nobody adopts, or a reference has no row.
    pub fn new(design: &Design<'_>, adoption: &Adoption, options: &Options) -> Result<Layout, FitError> {
        let lowest = options.leads.map_or(i32::MIN, |it| i32::try_from(it).map_or(i32::MIN, |it| -it));
        let highest = options.lags.map_or(i32::MAX, |it| i32::try_from(it).unwrap_or(i32::MAX));
        let rows = design.units.code.iter().zip(&design.periods);
        let raw: Vec<Option<i32>> =
            rows.map(|(&unit, &period)| adoption.first[unit as usize].map(|it| period - it)).collect();
        let times: Vec<Option<i32>> = raw.iter().map(|it| it.map(|it| it.clamp(lowest, highest))).collect();
        let mut counts: BTreeMap<i32, usize> = BTreeMap::new();
        for it in times.iter().flatten() {
            *counts.entry(*it).or_default() += 1;
        }
        if counts.is_empty() {
            return Err(FitError::Model("no unit of the sample ever adopts the treatment".to_owned()));
        }
        let mut references = options.reference.clone();
        references.sort_unstable();
        references.dedup();
        if let Some(it) = references.iter().find(|it| !counts.contains_key(it)) {
            let (first, last) = (counts.keys().min(), counts.keys().max());
            return Err(FitError::Model(format!(
                "no row has event time {it}, the reference; event times go from {} to {}",
                first.copied().unwrap_or_default(),
                last.copied().unwrap_or_default()
            )));
        }
        let estimated = counts.keys().copied().filter(|it| !references.contains(it)).collect();
        let beyond =
            |out: fn(i32, i32) -> bool, end: i32| raw.iter().flatten().any(|&it| out(it, end)).then_some(end);
        let window = EventWindow {
            references,
            binned_below: beyond(|it, end| it < end, lowest),
            binned_above: beyond(|it, end| end < it, highest),
            rows: counts.into_iter().collect(),
        };
        Ok(Layout { window, times, estimated })
    }

    /// A dummy for each estimated event time.
    pub fn dummies(&self, design: &Design<'_>) -> Vec<(Term, Vec<f64>)> {
        let dummy = |&time: &i32| {
            let is = |it: &Option<i32>| f64::from(u8::from(*it == Some(time)));
            let column: Vec<f64> = self.times.iter().map(is).collect();
            debug_assert_eq!(column.len(), design.n());
            (Term::EventTime(time), column)
        };
        self.estimated.iter().map(dummy).collect()
    }

    /// An event time that falls out as collinear would silently become a reference and move all others.
    ///
    /// # Errors
    /// When one is not among the kept terms.
    pub fn refuse_dropped(&self, kept: &[Term], adoption: &Adoption) -> Result<(), FitError> {
        let lost: Vec<String> = (self.estimated.iter())
            .filter(|it| !kept.contains(&Term::EventTime(**it)))
            .map(ToString::to_string)
            .collect();
        if lost.is_empty() {
            return Ok(());
        }
        let advice = if adoption.adopters() == adoption.first.len() {
            "every unit adopts, so a trend in event time cannot be told from calendar time: \
             give two references or bin more event times"
        } else {
            "give another reference or bin more event times with `leads` and `lags`"
        };
        Err(FitError::Model(format!(
            "event times {} are collinear with the others; {advice}",
            lost.join(", ")
        )))
    }
}
