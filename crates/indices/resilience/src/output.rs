//! The units' side: real output and its growth since the base year.

use std::sync::Arc;

use parallax_model::{Name, Panel, StepError};

use crate::{DeflatorKind, Options, OutputKind, national, numbers};

/// Growth of output since the base year.
pub(crate) struct Output {
    /// One ratio a row; NaN where output, deflator or the unit's base year is missing, and before that year.
    pub growth: Vec<f64>,
    /// Labels of units without output in the base year.
    pub without_base: Vec<String>,
    /// Rows from the base year on whose output or deflator is missing, of units with a base year.
    pub missing: Vec<usize>,
}

impl Output {
    pub(crate) fn new(panel: &Panel, options: &Options) -> Result<Output, StepError> {
        let real = deflated(panel, options)?;
        let mut output =
            Output { growth: vec![f64::NAN; real.len()], without_base: Vec::new(), missing: Vec::new() };
        let units = &panel.units().code;
        let rows: Vec<(usize, u32, i32)> = units
            .iter()
            .zip(&panel.dates())
            .enumerate()
            .map(|(row, (&unit, &period))| (row, unit, period))
            .collect();
        for unit in rows.chunk_by(|a, b| a.1 == b.1) {
            output.add_unit(panel, unit, &real, options.base);
        }
        if !rows.is_empty() && output.without_base.len() == panel.units().n_groups() {
            let reason = format!(
                "no unit has a value in the base year {}; keep that year in the data until the index is built, or \
                 set `base`",
                options.base
            );
            return Err(StepError::Column { column: options.output.clone(), reason });
        }
        Ok(output)
    }

    fn add_unit(&mut self, panel: &Panel, rows: &[(usize, u32, i32)], real: &[f64], base: i32) {
        let value = |row: usize| real.get(row).copied().unwrap_or(f64::NAN);
        let at_base = rows.iter().find(|it| it.2 == base).map_or(f64::NAN, |it| value(it.0));
        if at_base.is_nan() {
            let label = rows.first().map(|it| panel.units().labels.text(it.1 as usize));
            self.without_base.extend(label);
            return;
        }
        for &(row, ..) in rows.iter().filter(|it| base <= it.2) {
            match (self.growth.get_mut(row), value(row)) {
                (Some(growth), real) if !real.is_nan() => *growth = real / at_base - 1.0,
                _ => self.missing.push(row),
            }
        }
    }
}

/// Output in prices of one year, or as it is when there is no deflator.
fn deflated(panel: &Panel, options: &Options) -> Result<Vec<f64>, StepError> {
    let output = levels(panel, options)?;
    let Some(name) = &options.deflator else {
        return Ok(output.to_vec());
    };
    let prices = match options.deflator_kind {
        DeflatorKind::Level => {
            let levels = numbers(panel, name)?;
            refuse_nonpositive(panel, name, &levels)?;
            levels
        }
        DeflatorKind::InflationPercent => chained_prices(panel, name, options.base)?,
    };
    Ok(output.iter().zip(prices.iter()).map(|(output, price)| output / price).collect())
}

/// Output as a level; growth is chained to 1 in the base year.
fn levels(panel: &Panel, options: &Options) -> Result<Arc<Vec<f64>>, StepError> {
    let values = numbers(panel, &options.output)?;
    let factor = match options.output_kind {
        OutputKind::Level => {
            refuse_nonpositive(panel, &options.output, &values)?;
            return Ok(values);
        }
        OutputKind::GrowthPercent => |rate: f64| 1.0 + rate / 100.0,
        OutputKind::PreviousYear100 => |index: f64| index / 100.0,
    };
    let factors: Vec<f64> = values.iter().map(|it| factor(*it)).collect();
    if let Some(row) = factors.iter().position(|it| *it <= 0.0 || it.is_infinite()) {
        let reason = format!(
            "is {} for {}, which leaves no output; correct it, or say what it is with `output-kind`",
            values[row],
            panel.place(row)
        );
        return Err(StepError::Column { column: options.output.clone(), reason });
    }
    Ok(Arc::new(chained(panel, &factors, options.base)))
}

/// Products of the factors since the base period within each unit; a chain ends at its first gap.
fn chained(panel: &Panel, factors: &[f64], base: i32) -> Vec<f64> {
    let mut last: Option<(u32, i32, f64)> = None;
    let rows = panel.units().code.iter().zip(panel.dates()).zip(factors);
    rows.map(|((&unit, period), factor)| {
        let level = match last {
            _ if period == base => 1.0,
            Some((of, at, level)) if of == unit && at.checked_add(1) == Some(period) => level * factor,
            _ => f64::NAN,
        };
        last = Some((unit, period, level));
        level
    })
    .collect()
}

/// The price level of each row's period from national rates.
fn chained_prices(panel: &Panel, name: &Name, base: i32) -> Result<Arc<Vec<f64>>, StepError> {
    let rates = national::constant_within_periods(panel, name)?;
    let last = panel.dates().iter().max().copied().unwrap_or(base);
    let levels = national::chain(name, &rates, base, last)?;
    let level = |period: &i32| levels.get(period).copied().unwrap_or(f64::NAN);
    Ok(Arc::new(panel.dates().iter().map(level).collect()))
}

/// Zero or negative output has no growth rate, and is a fault of the data.
fn refuse_nonpositive(panel: &Panel, name: &Name, values: &[f64]) -> Result<(), StepError> {
    match values.iter().enumerate().find(|(_, it)| **it <= 0.0 || it.is_infinite()) {
        None => Ok(()),
        Some((row, value)) => Err(StepError::Column {
            column: name.clone(),
            reason: format!(
                "is {value} for {}; growth needs positive finite numbers, so correct it or make it missing",
                panel.place(row)
            ),
        }),
    }
}
