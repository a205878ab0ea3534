//! National series: one value a period, turned into growth.

use std::collections::{BTreeMap, BTreeSet};

use parallax_model::{Name, Panel, StepError};

use crate::{Benchmark, NationalKind, Options, numbers};

/// A series with one value a period; periods without a value are not in it.
pub(crate) type Series = BTreeMap<i32, f64>;

/// National growth as a ratio, by period; what the units are measured against.
pub(crate) struct GrowthByPeriod(Series);

impl GrowthByPeriod {
    pub(crate) fn new(panel: &Panel, options: &Options) -> Result<GrowthByPeriod, StepError> {
        let name = &options.national;
        let series = constant_within_periods(panel, name)?;
        let Some(&last) = panel.dates().iter().max() else {
            return Ok(GrowthByPeriod(Series::new()));
        };
        let mut growth = match (options.national_kind, options.benchmark) {
            (NationalKind::GrowthPercent, Benchmark::Annual) => {
                check_rates(name, &series)?;
                series.into_iter().map(|(period, rate)| (period, rate / 100.0)).collect()
            }
            (NationalKind::GrowthPercent, Benchmark::SinceBase) => {
                relative_to(&chain(name, &series, options.base, last)?, 1.0)
            }
            (NationalKind::Level, Benchmark::SinceBase) => {
                check_levels(name, &series)?;
                let Some(&base) = series.get(&options.base) else {
                    let reason = format!(
                        "has no value in the base year {}, which growth since then needs; keep that year in the data",
                        options.base
                    );
                    return Err(StepError::Column { column: name.clone(), reason });
                };
                relative_to(&series, base)
            }
            (NationalKind::Level, Benchmark::Annual) => {
                check_levels(name, &series)?;
                let before = |period: i32| series.get(&period.checked_sub(1)?).copied();
                let growth = |(&period, &level)| Some((period, level / before(period)? - 1.0));
                series.iter().filter_map(growth).collect()
            }
        };
        keep_scored(&mut growth, options);
        refuse_zero(&growth, panel, name)?;
        Ok(GrowthByPeriod(growth))
    }

    /// Growth against which a period is measured.
    pub(crate) fn at(&self, period: i32) -> Option<f64> {
        self.0.get(&period).copied()
    }

    /// Periods with their growth, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i32, f64)> + '_ {
        self.0.iter().map(|(&period, &growth)| (period, growth))
    }
}

/// Nothing has happened since the base year before it; growth since then is zero in it, so that the
/// index has no value there by its definition and not for a fault of the data.
fn keep_scored(growth: &mut Series, options: &Options) {
    growth.retain(|period, _| match options.benchmark {
        Benchmark::SinceBase => options.base < *period,
        Benchmark::Annual => options.base <= *period,
    });
}

/// The index divides by national growth.
fn refuse_zero(growth: &Series, panel: &Panel, name: &Name) -> Result<(), StepError> {
    let present: BTreeSet<i32> = panel.dates().into_iter().collect();
    match growth.iter().find(|(period, growth)| **growth == 0.0 && present.contains(period)) {
        None => Ok(()),
        Some((period, _)) => Err(StepError::Column {
            column: name.clone(),
            reason: format!(
                "gives a national growth of zero in {period}, by which the index would be divided; leave {period} out \
                 with `restrict`, or choose the other `benchmark`"
            ),
        }),
    }
}

/// The values by period; missing ones are passed over, different ones in one period refused.
pub(crate) fn constant_within_periods(panel: &Panel, name: &Name) -> Result<Series, StepError> {
    let mut first: BTreeMap<i32, (usize, f64)> = BTreeMap::new();
    for (row, (&value, &period)) in numbers(panel, name)?.iter().zip(&panel.dates()).enumerate() {
        if value.is_nan() {
            continue;
        }
        let &mut (other_row, other) = first.entry(period).or_insert((row, value));
        if other != value || value.is_infinite() {
            return Err(StepError::Column {
                column: name.clone(),
                reason: format!(
                    "is {other} for {} and {value} for {}; a national series has one finite value a period",
                    panel.place(other_row),
                    panel.place(row)
                ),
            });
        }
    }
    Ok(first.into_iter().map(|(period, (_, value))| (period, value)).collect())
}

/// Levels from annual rates in per cent: 1 in the base year, as far as the rates go without a gap.
pub(crate) fn chain(name: &Name, rates: &Series, base: i32, last: i32) -> Result<Series, StepError> {
    check_rates(name, rates)?;
    let mut levels = Series::from([(base, 1.0)]);
    let mut level = 1.0;
    for period in (base..=last).skip(1) {
        let Some(rate) = rates.get(&period) else {
            break;
        };
        level *= 1.0 + rate / 100.0;
        levels.insert(period, level);
    }
    Ok(levels)
}

fn relative_to(levels: &Series, base: f64) -> Series {
    levels.iter().map(|(&period, &level)| (period, level / base - 1.0)).collect()
}

fn check_rates(name: &Name, rates: &Series) -> Result<(), StepError> {
    refuse(name, rates, |it| it <= -100.0, "a rate in per cent is above -100")
}

fn check_levels(name: &Name, levels: &Series) -> Result<(), StepError> {
    refuse(
        name,
        levels,
        |it| it <= 0.0,
        "a level is positive; if the column holds rates, say so with its kind",
    )
}

fn refuse(name: &Name, series: &Series, wrong: fn(f64) -> bool, rule: &str) -> Result<(), StepError> {
    match series.iter().find(|(_, value)| wrong(**value)) {
        None => Ok(()),
        Some((period, value)) => {
            Err(StepError::Column { column: name.clone(), reason: format!("is {value} in {period}; {rule}") })
        }
    }
}
