//! Which event times get a dummy, which are zero by choice, and which are binned.

use std::collections::{BTreeMap, BTreeSet};

use parallax_model::{
    Adoption, Design, EventWindow, FitError, Note, Term, counted,
    linalg::{Factor, is_nested},
    panel::Dropped,
};

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

/// The design without units that adopt and whose event times no chain of units and event times ties to a reference, with
/// what to tell the reader, if there are any. With an effect of units their dummies add up to effects of units, so that
/// no effect of theirs is relative to anything: their dates are beyond the panel, before it, or alone.
///
/// # Errors
/// When no row is left.
pub fn without_unlinked<'p>(
    design: &Design<'p>,
    adoption: &Adoption,
    options: &Options,
) -> Result<Option<(Design<'p>, Note)>, FitError> {
    let units = Factor { codes: &design.units.code, n_groups: design.units.n_groups() };
    let by_unit = (design.effects.iter())
        .any(|it| is_nested(Factor { codes: &it.codes.code, n_groups: it.codes.n_groups() }, units));
    let linked = linked_units(design, adoption, options);
    let lost = |unit: usize| by_unit && adoption.first[unit].is_some() && !linked[unit];
    let dates: BTreeSet<i32> =
        (0..linked.len()).filter(|it| lost(*it)).filter_map(|it| adoption.first[it]).collect();
    // Where nobody is linked the reference itself is amiss, which the layout says.
    if dates.is_empty() || !linked.contains(&true) {
        return Ok(None);
    }
    let reason = Dropped::Other("of adopters, without a link to a reference event time".to_owned());
    let less = design.without(reason, |row| lost(design.units.code[row] as usize))?;
    let names: Vec<String> = dates.iter().map(|it| design.code(*it).to_string()).collect();
    let count = (0..linked.len()).filter(|it| lost(*it)).count();
    let note = Note::remark(format!(
        "left out, because no row ties their event times to a reference: {} that adopt in {}",
        counted(count, "unit"),
        names.join(", ")
    ));
    Ok(Some((less, note)))
}

/// By unit code, whether a chain of units and event times ties it to a reference.
fn linked_units(design: &Design<'_>, adoption: &Adoption, options: &Options) -> Vec<bool> {
    let (lowest, highest) = ends(options);
    let times: Vec<Option<i32>> = since_adoption(design, adoption)
        .into_iter()
        .map(|it| it.map(|it| it.clamp(lowest, highest)))
        .collect();
    let mut reached: BTreeSet<i32> = options.reference.iter().copied().collect();
    let mut linked = vec![false; adoption.first.len()];
    loop {
        let before = reached.len();
        for (&unit, time) in design.units.code.iter().zip(&times) {
            linked[unit as usize] |= time.is_some_and(|it| reached.contains(&it));
        }
        let own = design.units.code.iter().zip(&times).filter(|it| linked[*it.0 as usize]);
        reached.extend(own.filter_map(|it| *it.1));
        if reached.len() == before {
            return linked;
        }
    }
}

fn ends(options: &Options) -> (i32, i32) {
    let lowest = options.leads.map_or(i32::MIN, |it| i32::try_from(it).map_or(i32::MIN, |it| -it));
    let highest = options.lags.map_or(i32::MAX, |it| i32::try_from(it).unwrap_or(i32::MAX));
    (lowest, highest)
}

/// Periods since adoption by row; `None` for the never treated.
fn since_adoption(design: &Design<'_>, adoption: &Adoption) -> Vec<Option<i32>> {
    let rows = design.units.code.iter().zip(&design.periods);
    rows.map(|(&unit, &period)| adoption.first[unit as usize].map(|it| period.saturating_sub(it))).collect()
}

impl Layout {
    /// Lays out the event times that the rows have.
    ///
    /// # Errors
    /// When a reference has no row.
    pub fn new(design: &Design<'_>, adoption: &Adoption, options: &Options) -> Result<Layout, FitError> {
        let (lowest, highest) = ends(options);
        let raw = since_adoption(design, adoption);
        let times: Vec<Option<i32>> = raw.iter().map(|it| it.map(|it| it.clamp(lowest, highest))).collect();
        let mut counts: BTreeMap<i32, usize> = BTreeMap::new();
        for it in times.iter().flatten() {
            *counts.entry(*it).or_default() += 1;
        }
        let mut references = options.reference.clone();
        references.sort_unstable();
        references.dedup();
        if let Some(it) = references.iter().find(|it| !counts.contains_key(it)) {
            let (first, last) = (counts.keys().min(), counts.keys().max());
            return Err(FitError::Model(format!(
                "no row has event time {it}, the reference; event times go from {} to {}: add the period, number \
                 periods consecutively, or choose another `reference`",
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
        let mut dates = adoption.first.iter().flatten();
        let first = dates.next();
        let advice = if adoption.adopters() == adoption.first.len() && dates.all(|it| Some(it) == first) {
            "every unit adopts at once, so that there is nobody to compare with: add units that adopt later or never"
        } else if adoption.adopters() == adoption.first.len() {
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
