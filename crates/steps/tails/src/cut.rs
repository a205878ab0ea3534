//! What both steps share: options, percentiles by group, and the account of what changed.

use std::collections::HashSet;

use parallax_model::{
    Name, Note, Panel, StepError, Stepped,
    panel::{Column, PanelError, percentile},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which columns, where their tails begin, and where the result goes.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Columns of numbers.
    pub columns: Vec<Name>,
    /// Percentile at which the lower tail begins; 0 leaves the lower tail alone.
    #[serde(default = "one")]
    pub lower: f64,
    /// Percentile at which the upper tail begins; 100 leaves the upper tail alone.
    #[serde(default = "ninety_nine")]
    pub upper: f64,
    /// Percentiles within the groups of this column, such as the year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Name>,
    /// Ending of the columns to make; without it the columns are replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
}

fn one() -> f64 {
    1.0
}

fn ninety_nine() -> f64 {
    99.0
}

impl Options {
    /// Columns that must be there.
    pub(crate) fn reads(&self) -> Vec<Name> {
        self.columns.iter().chain(&self.by).cloned().collect()
    }

    /// Columns that are made.
    pub(crate) fn writes(&self) -> Vec<Name> {
        self.columns.iter().map(|it| self.target(it)).collect()
    }

    fn target(&self, name: &Name) -> Name {
        Name::from(format!("{name}{}", self.suffix.as_deref().unwrap_or_default()))
    }
}

/// Cuts every column; `becomes` says what a value beyond a percentile is, given that percentile.
///
/// Percentiles are those of the values that are not missing, by the rule of Stata's `_pctile`. A value equal to a
/// percentile is not beyond it (winsor2, help file).
///
/// # Errors
/// Percentiles out of order, text, infinite values, a missing group, a column that identifies rows.
pub(crate) fn apply(
    panel: &Panel,
    options: &Options,
    step: &'static str,
    outcome: &str,
    becomes: fn(f64) -> f64,
) -> Result<Stepped, StepError> {
    check(panel, options, step)?;
    let groups = match &options.by {
        Some(by) => groups(panel, by, step)?,
        None => vec![(0..panel.n_rows()).collect()],
    };
    let mut cut = panel.clone();
    let mut notes = Vec::new();
    for name in &options.columns {
        let mut values = numbers(panel, name, step)?;
        let cuts: Vec<Cut> =
            groups.iter().map(|rows| cut_rows(&mut values, rows, options, becomes)).collect();
        let text = account(panel, name, &cuts, options, outcome);
        notes.push(Note::Step { step: step.into(), text });
        cut = cut.with(options.target(name), Column::real(values))?;
    }
    Ok(Stepped { panel: cut, notes, details: Vec::new() })
}

/// How many values of some rows lie beyond which percentiles.
struct Cut {
    values: usize,
    below: usize,
    above: usize,
    bounds: [f64; 2],
}

/// Cuts the values of some rows by the percentiles of those rows.
fn cut_rows(values: &mut [f64], rows: &[usize], options: &Options, becomes: fn(f64) -> f64) -> Cut {
    let mut known: Vec<f64> = rows.iter().filter_map(|&row| values.get(row).copied()).collect();
    known.retain(|it| !it.is_nan());
    known.sort_by(f64::total_cmp);
    let bounds = [options.lower, options.upper].map(|p| percentile(&known, p));
    let [low, high] = bounds;
    let mut cut = Cut { values: known.len(), below: 0, above: 0, bounds };
    for &row in rows {
        let Some(value) = values.get_mut(row) else { continue };
        if *value < low {
            cut.below += 1;
            *value = becomes(low);
        } else if high < *value {
            cut.above += 1;
            *value = becomes(high);
        }
    }
    cut
}

/// How many values changed, in one sentence; with one group also where the bounds are.
fn account(panel: &Panel, name: &Name, cuts: &[Cut], options: &Options, outcome: &str) -> String {
    let sum = |of: fn(&Cut) -> usize| cuts.iter().map(of).sum::<usize>();
    let (values, below, above) = (sum(|it| it.values), sum(|it| it.below), sum(|it| it.above));
    let Options { lower, upper, .. } = options;
    let [low, high] = match (&options.by, cuts) {
        (None, [Cut { bounds: [low, high], .. }]) => [format!(" ({low})"), format!(" ({high})")],
        _ => [String::new(), String::new()],
    };
    let within = options
        .by
        .as_ref()
        .map_or_else(String::new, |by| format!(" of their `{by}` ({} groups)", cuts.len()));
    let target = options.target(name);
    let into = match (target != *name, panel.has(&target)) {
        (false, _) => String::new(),
        (true, false) => format!(", as `{target}`"),
        (true, true) => format!(", as `{target}`, which replaces the column of that name"),
    };
    format!(
        "`{name}`: of {values} values, {below} below percentile {lower}{low} and {above} above percentile {upper}{high}\
         {within} {outcome}{into}"
    )
}

fn check(panel: &Panel, options: &Options, step: &'static str) -> Result<(), StepError> {
    let refuse = |reason: String| Err(StepError::Options { plugin: step, reason });
    let Options { columns, lower, upper, .. } = options;
    if !(0.0 <= *lower && lower < upper && *upper <= 100.0) {
        return refuse(format!(
            "`lower` is {lower} and `upper` is {upper}; give two percentiles with 0 <= lower < upper <= 100"
        ));
    }
    if columns.is_empty() {
        return refuse("`columns` is empty; name the columns whose tails are meant".to_owned());
    }
    let mut seen = HashSet::new();
    for name in columns {
        if !seen.insert(name) {
            return refuse(format!("`columns` names `{name}` twice; name each column once"));
        }
        let target = options.target(name);
        if panel.index().is_some_and(|(unit, time)| target == *unit || target == *time) {
            return refuse(format!(
                "`{target}` identifies rows and cannot be written to; remove it from `columns`"
            ));
        }
    }
    Ok(())
}

/// The rows of each group, in order of the groups.
fn groups(panel: &Panel, by: &Name, step: &'static str) -> Result<Vec<Vec<usize>>, StepError> {
    let codes = panel.codes(by)?;
    let mut groups = vec![Vec::new(); codes.n_groups()];
    for (row, &code) in codes.code.iter().enumerate() {
        match groups.get_mut(code as usize) {
            Some(rows) => rows.push(row),
            None => {
                return Err(StepError::Column {
                    column: by.clone(),
                    reason: format!(
                        "is missing for {}, and `{step}` needs the group of every row; restrict the rows or fill it",
                        panel.place(row)
                    ),
                });
            }
        }
    }
    groups.retain(|it: &Vec<usize>| !it.is_empty());
    Ok(groups)
}

/// The numbers of a column; an infinite one would be a percentile and be written over others.
fn numbers(panel: &Panel, name: &Name, step: &'static str) -> Result<Vec<f64>, StepError> {
    let refuse = |reason: String| StepError::Column { column: name.clone(), reason };
    let values = panel.real(name).map_err(|it| match it {
        PanelError::NotNumeric { .. } => {
            refuse(format!("holds text, which has no percentiles; remove it from `columns` of `{step}`"))
        }
        it => it.into(),
    })?;
    match values.iter().position(|it| it.is_infinite()) {
        Some(row) => {
            Err(refuse(format!("is infinite for {}; make it missing before `{step}`", panel.place(row))))
        }
        None => Ok(values.to_vec()),
    }
}
