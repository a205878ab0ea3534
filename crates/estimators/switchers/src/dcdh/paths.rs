//! What the treatment of each unit says: its baseline, when it first changes, in which direction, and how long there
//! are controls. The rules for missing treatments are those of the command `did_multiplegt_dyn`.

use std::collections::BTreeMap;

use parallax_model::{Design, FitError, Name};

use super::cells::Cells;

/// The period of first change of units that never change.
pub const NEVER: usize = usize::MAX;

/// Treatment paths by unit.
pub struct Paths {
    /// Baseline values, ascending.
    pub values: Vec<f64>,
    /// Position of each unit's baseline in `values`.
    pub baseline: Vec<usize>,
    /// Units are compared within strata: one baseline, and one value of the columns of `trends-nonparam`.
    pub stratum: Vec<usize>,
    /// Number of strata.
    pub strata: usize,
    /// Period of the first change; [`NEVER`] for units without one.
    pub first: Vec<usize>,
    /// 1 for units whose treatment rises, -1 for those whose treatment falls, 0 without change.
    pub sign: Vec<f64>,
    /// Units of a cohort share stratum, date of first change and treatment at that date.
    pub cohort: Vec<usize>,
    /// Number of cohorts.
    pub cohorts: usize,
    /// Last period with a possible control, by stratum (T_g in the paper).
    pub reach: Vec<usize>,
    /// Whether the unit is used.
    pub used: Vec<bool>,
    /// Rows from which on a unit was both above and below its baseline.
    pub mixed_rows: usize,
    /// Units without treatment in any row.
    pub unread: usize,
    /// Units in strata where all change at the same time, or nobody does.
    pub unmatched: usize,
    /// Units whose first change lies behind a missing treatment.
    pub undated: usize,
}

impl Paths {
    /// Reads the paths, takes cells that the design restrictions exclude out of `cells`, and fills in treatments.
    ///
    /// # Errors
    /// When strata vary within a unit.
    pub fn read(design: &Design<'_>, cells: &mut Cells, trends: &[Name]) -> Result<Paths, FitError> {
        let mut seen: Vec<Seen> = (0..cells.units()).map(|unit| Seen::read(cells, unit)).collect();
        let mixed_rows = (0..cells.units()).map(|unit| drop_mixed(cells, unit, &seen[unit])).sum();
        let mut values: Vec<f64> = seen.iter().filter(|it| it.any).map(|it| it.baseline).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let baseline: Vec<usize> =
            seen.iter().map(|it| values.partition_point(|value| *value < it.baseline)).collect();
        let parts = trend_codes(design, trends)?;
        let (all, n_all) = strata(&baseline, &parts);
        let varied = varied_strata(&seen, &all, n_all);
        let used: Vec<bool> = seen.iter().zip(&all).map(|(it, &at)| it.any && varied[at]).collect();
        // With a continuous baseline most strata are one unit: only those that are compared keep a number.
        let (stratum, strata) =
            number(all.iter().zip(&used).map(|it| if *it.1 { *it.0 } else { usize::MAX }));
        let last = drop_without_controls(cells, &seen, &stratum, strata, &used);
        let mut undated = 0;
        for unit in (0..cells.units()).filter(|it| used[*it]) {
            undated += usize::from(settle(cells, unit, &mut seen[unit], last));
        }
        let mut reach = vec![0; strata];
        for unit in (0..cells.units()).filter(|it| used[*it]) {
            let end = if seen[unit].first == NEVER {
                (seen[unit].last + 1).min(last + 1)
            } else {
                seen[unit].first
            };
            reach[stratum[unit]] = reach[stratum[unit]].max(end.saturating_sub(1));
        }
        let sign = |it: &Seen| if it.first == NEVER { 0.0 } else { (it.at_change - it.baseline).signum() };
        let (cohort, cohorts) = cohorts(&seen, &stratum);
        Ok(Paths {
            baseline,
            first: seen.iter().map(|it| it.first).collect(),
            sign: seen.iter().map(sign).collect(),
            cohort,
            cohorts,
            reach,
            mixed_rows,
            unread: seen.iter().filter(|it| !it.any).count(),
            unmatched: seen.iter().zip(&used).filter(|(it, used)| it.any && !**used).count(),
            undated,
            values,
            stratum,
            strata,
            used,
        })
    }
}

/// The treatment of one unit.
struct Seen {
    /// Some row has a treatment.
    any: bool,
    baseline: f64,
    /// First and last period with a treatment.
    start: usize,
    last: usize,
    /// First period with another treatment than the baseline, and that treatment.
    first: usize,
    at_change: f64,
    /// First period from which on the treatment was both above and below the baseline.
    mixed: usize,
}

impl Seen {
    fn read(cells: &Cells, unit: usize) -> Seen {
        let mut found = Seen {
            any: false,
            baseline: f64::NAN,
            start: NEVER,
            last: 0,
            first: NEVER,
            at_change: f64::NAN,
            mixed: NEVER,
        };
        let (mut above, mut below) = (false, false);
        for (slot, period) in cells.of_unit(unit) {
            let d = cells.d[slot];
            if d.is_nan() {
                continue;
            }
            if !found.any {
                (found.any, found.baseline, found.start) = (true, d, period);
            }
            found.last = period;
            above |= found.baseline < d;
            below |= d < found.baseline;
            if above && below && found.mixed == NEVER {
                found.mixed = period;
            }
            if d != found.baseline && found.first == NEVER {
                (found.first, found.at_change) = (period, d);
            }
        }
        found
    }
}

/// Design restriction 2 of the paper: from the period on when a unit has been above and below its baseline, its
/// cells are not used.
fn drop_mixed(cells: &mut Cells, unit: usize, seen: &Seen) -> usize {
    let mut dropped = 0;
    for (slot, _) in cells.of_unit(unit).filter(|it| seen.mixed <= it.1) {
        dropped += usize::from(cells.present[slot]);
        cells.remove(slot);
    }
    dropped
}

/// Codes of the columns within which trends are compared, one a unit and column.
fn trend_codes(design: &Design<'_>, trends: &[Name]) -> Result<Vec<Vec<u32>>, FitError> {
    let read = |name: &Name| {
        let codes = design.codes(name)?;
        let mut of_unit: Vec<Option<u32>> = vec![None; design.units.n_groups()];
        for (row, (&unit, &code)) in design.units.code.iter().zip(codes.code.iter()).enumerate() {
            let known = of_unit[unit as usize].get_or_insert(code);
            if *known != code {
                return Err(FitError::Model(format!(
                    "`{name}` changes within a unit at {}; `trends-nonparam` takes columns that are fixed for a unit",
                    design.place(row)
                )));
            }
        }
        Ok(of_unit.into_iter().map(Option::unwrap_or_default).collect())
    };
    trends.iter().map(read).collect()
}

fn strata(baseline: &[usize], parts: &[Vec<u32>]) -> (Vec<usize>, usize) {
    let key = |unit: usize| (baseline[unit], parts.iter().map(|it| it[unit]).collect::<Vec<u32>>());
    number((0..baseline.len()).map(key))
}

fn cohorts(seen: &[Seen], stratum: &[usize]) -> (Vec<usize>, usize) {
    // The bits of a number order as well as its value where only equality counts.
    number(seen.iter().zip(stratum).map(|(it, &at)| (at, it.first, (it.at_change + 0.0).to_bits())))
}

/// Numbers for keys, in the order of the keys.
fn number<K: Ord + Clone>(keys: impl Iterator<Item = K>) -> (Vec<usize>, usize) {
    let keys: Vec<K> = keys.collect();
    let mut codes: BTreeMap<K, usize> = keys.iter().cloned().map(|it| (it, 0)).collect();
    codes.values_mut().enumerate().for_each(|(at, code)| *code = at);
    (keys.iter().map(|it| codes.get(it).copied().unwrap_or_default()).collect(), codes.len())
}

/// Strata in which dates of first change differ: without, nobody is a control for anybody.
fn varied_strata(seen: &[Seen], stratum: &[usize], strata: usize) -> Vec<bool> {
    let mut first: Vec<Option<usize>> = vec![None; strata];
    let mut varied = vec![false; strata];
    for (it, &at) in seen.iter().zip(stratum).filter(|it| it.0.any) {
        let known = *first[at].get_or_insert(it.first);
        varied[at] |= known != it.first;
    }
    varied
}

/// Takes out the periods of a stratum in which every unit with a row has changed, and returns the last period left.
fn drop_without_controls(
    cells: &mut Cells,
    seen: &[Seen],
    stratum: &[usize],
    strata: usize,
    used: &[bool],
) -> usize {
    let periods = cells.n_periods();
    let mut open = vec![false; strata * periods];
    for unit in (0..cells.units()).filter(|it| used[*it]) {
        for (slot, period) in cells.of_unit(unit) {
            open[stratum[unit] * periods + period] |= cells.present[slot] && period < seen[unit].first;
        }
    }
    for unit in 0..cells.units() {
        for (slot, period) in cells.of_unit(unit) {
            if !(used[unit] && open[stratum[unit] * periods + period]) {
                cells.remove(slot);
            }
        }
    }
    (0..open.len()).filter(|it| open[*it]).map(|it| it % periods).max().unwrap_or(0)
}

/// Missing treatments of a unit, as the command has them by default: before the first change the baseline is filled
/// in, after it the treatment of that date; where the last treatment before the change is not that of the period
/// before, the date is not known, and the unit is a control up to then. True in that last case.
fn settle(cells: &mut Cells, unit: usize, seen: &mut Seen, last: usize) -> bool {
    let slots: Vec<(usize, usize)> = cells.of_unit(unit).collect();
    if last < seen.first {
        seen.first = NEVER;
    }
    let before = |it: &&(usize, usize)| it.1 < seen.first && !cells.d[it.0].is_nan();
    let known = slots.iter().rev().find(before).map_or(seen.start, |it| it.1);
    let undated = seen.first != NEVER && known + 1 < seen.first;
    let end = if undated { known } else { seen.last };
    if undated {
        seen.first = NEVER;
    }
    for &(slot, period) in &slots {
        let outside = period < seen.start || (seen.first == NEVER && end < period);
        if outside {
            cells.y[slot] = f64::NAN;
        }
        if cells.present[slot] && cells.d[slot].is_nan() && seen.start < period {
            if period < seen.first && (seen.first == NEVER || period < known) && period < seen.last {
                cells.d[slot] = seen.baseline;
            } else if seen.first < period && seen.first != NEVER {
                cells.d[slot] = seen.at_change;
            }
        }
    }
    undated
}
