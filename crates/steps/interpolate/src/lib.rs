#![doc = include_str!("../docs/interpolate.md")]

mod line;
#[cfg(test)]
mod tests;

use std::{collections::HashSet, ops::Range, sync::Arc};

use parallax_model::{
    Name, Note, Panel, PluginMeta, Status, Step, StepError, Stepped,
    panel::{Column, PanelError},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

parallax_model::step!(Interpolate);

const NAME: &str = "interpolate";

/// Fills missing numbers between the known values of a unit.
pub struct Interpolate;

/// What to fill, and whether beyond the known values.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Columns to fill; each becomes its own filled version.
    pub columns: Vec<Name>,
    /// What to do before the first and after the last known value of a unit.
    #[serde(default)]
    pub extrapolate: Extrapolate,
}

/// What to do outside the known values of a unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Extrapolate {
    /// Leave them missing, as Stata's `ipolate`.
    #[default]
    None,
    /// Extend the first and the last segment, as Stata's `ipolate, epolate`.
    Linear,
}

impl Step for Interpolate {
    const META: PluginMeta = PluginMeta {
        name: NAME,
        summary: "Linear interpolation in time within a unit",
        docs: include_str!("../docs/interpolate.md"),
        status: Status::Stable { since: "0.1.0" },
        reference: "Stata 18 Data Management Reference Manual, [D] ipolate",
    };
    type Options = Options;

    fn apply(panel: &Panel, options: &Options) -> Result<Stepped, StepError> {
        check(panel, options)?;
        let units = unit_ranges(panel);
        let mut filled = panel.clone();
        let mut notes = Vec::new();
        for name in &options.columns {
            let before = numbers(panel, name)?;
            let mut values = before.to_vec();
            for rows in &units {
                let (Some(times), Some(values)) =
                    (panel.periods().get(rows.clone()), values.get_mut(rows.clone()))
                else {
                    continue;
                };
                line::fill(times, values, options.extrapolate == Extrapolate::Linear);
            }
            notes.push(Note::Step { step: NAME.into(), text: account(panel, name, &before, &values) });
            filled = filled.with(name.clone(), Column::real(values))?;
        }
        Ok(Stepped { panel: filled, details: Vec::new(), notes })
    }

    fn reads(options: &Options) -> Vec<Name> {
        options.columns.clone()
    }

    fn writes(options: &Options) -> Vec<Name> {
        options.columns.clone()
    }
}

fn check(panel: &Panel, options: &Options) -> Result<(), StepError> {
    let (unit, time) = panel.require_index("`interpolate`")?;
    let refuse = |reason: String| Err(StepError::Options { plugin: NAME, reason });
    if options.columns.is_empty() {
        return refuse("`columns` is empty; name the columns to fill".to_owned());
    }
    let mut seen = HashSet::new();
    for name in &options.columns {
        if !seen.insert(name) {
            return refuse(format!("`columns` names `{name}` twice; name each column once"));
        }
        if name == unit || name == time {
            return refuse(format!(
                "`{name}` identifies rows and is never missing; remove it from `columns`"
            ));
        }
    }
    Ok(())
}

/// The numbers of a column; what to do about text is said in the step's own words.
fn numbers(panel: &Panel, name: &Name) -> Result<Arc<Vec<f64>>, StepError> {
    panel.real(name).map_err(|it| match it {
        PanelError::NotNumeric { .. } => StepError::Column {
            column: name.clone(),
            reason: "holds text, and between two texts there is no line; remove it from `columns` of `interpolate`"
                .to_owned(),
        },
        it => it.into(),
    })
}

/// How many cells were filled and how many stay missing, in one sentence.
fn account(panel: &Panel, name: &Name, before: &[f64], after: &[f64]) -> String {
    let missing = before.iter().filter(|it| it.is_nan()).count();
    let mut still = after.iter().enumerate().filter(|(_, it)| it.is_nan()).map(|(row, _)| row);
    let first = still.next();
    let left = first.map_or(0, |_| 1 + still.count());
    let text = format!("`{name}`: {} of {missing} missing cells filled", missing - left);
    match first {
        None => text,
        Some(row) => format!(
            "{text}; {left} stay missing because their unit has too few known values around them, the first one {}",
            panel.place(row)
        ),
    }
}

/// The rows of each unit; the panel keeps them together and in time order.
fn unit_ranges(panel: &Panel) -> Vec<Range<usize>> {
    let mut start = 0;
    let range = |run: &[u32]| {
        let rows = start..start + run.len();
        start = rows.end;
        rows
    };
    panel.units().code.chunk_by(|a, b| a == b).map(range).collect()
}
