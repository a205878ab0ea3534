//! The indicators of an index: which rows are complete, which way each points, and what it is measured against.

use std::collections::{BTreeMap, BTreeSet};

use parallax_model::{Detail, IndexResult, Name, Note, Panel, StepError, panel::PanelError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rows that smallest and largest value, mean and standard deviation are taken from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standardise {
    /// All rows together, so that scores of different periods can be compared.
    #[default]
    Pooled,
    /// The rows of each period apart, so that a score is a place among the units of its period.
    ByPeriod,
}

/// What every index of this crate is asked for.
pub(crate) struct Choice<'a> {
    pub plugin: &'static str,
    pub positive: &'a [Name],
    pub negative: &'a [Name],
    pub standardise: Standardise,
    pub base: Option<i32>,
}

impl Choice<'_> {
    /// All indicators, positive ones first.
    pub fn names(&self) -> Vec<Name> {
        self.positive.iter().chain(self.negative).cloned().collect()
    }

    pub fn refuse(&self, reason: impl Into<String>) -> StepError {
        StepError::Options { plugin: self.plugin, reason: reason.into() }
    }
}

/// k indicators on the n rows where none is missing.
pub(crate) struct Indicators {
    pub names: Vec<Name>,
    /// True for indicators of which less is better.
    pub negative: Vec<bool>,
    /// k columns of n values, as they are.
    pub columns: Vec<Vec<f64>>,
    /// Who is measured against whom; positions among the n rows.
    groups: Vec<Group>,
    /// Row of the panel of each of the n rows, ascending.
    rows: Vec<usize>,
    /// Rows of the panel.
    n_panel: usize,
    plugin: &'static str,
    notes: Vec<Note>,
}

/// Rows that are measured against the same norms.
struct Group {
    /// The period, where norms belong to one.
    period: Option<i32>,
    members: Vec<usize>,
    /// Rows the norms are taken from.
    reference: Vec<usize>,
}

/// What a column is shifted by and divided by in one group.
#[derive(Clone, Copy)]
pub(crate) struct Norm {
    pub shift: f64,
    pub divisor: f64,
}

impl Indicators {
    /// Columns and complete rows of the panel.
    ///
    /// # Errors
    /// No indicator, one named twice, text, infinities, no or one complete row, one that does not vary where norms are taken.
    pub fn new(panel: &Panel, choice: &Choice<'_>) -> Result<Indicators, StepError> {
        let names = choice.names();
        check_names(choice, &names)?;
        let whole = names.iter().map(|it| numbers(panel, it, choice)).collect::<Result<Vec<_>, _>>()?;
        let complete = |row: &usize| whole.iter().all(|it| it.get(*row).is_some_and(|it| !it.is_nan()));
        let rows: Vec<usize> = (0..panel.n_rows()).filter(complete).collect();
        let pick = |it: &std::sync::Arc<Vec<f64>>| {
            rows.iter().map(|&row| it.get(row).copied().unwrap_or(f64::NAN)).collect()
        };
        let indicators = Indicators {
            negative: (0..names.len()).map(|it| choice.positive.len() <= it).collect(),
            columns: whole.iter().map(pick).collect(),
            groups: groups(panel, choice, &rows)?,
            n_panel: panel.n_rows(),
            plugin: choice.plugin,
            notes: missing_note(panel, choice, &names, &rows).into_iter().collect(),
            names,
            rows,
        };
        indicators.refuse_constants()?;
        Ok(indicators)
    }

    /// (x - min) / (max - min), or (max - x) / (max - min) where less is better.
    pub fn min_max(&self) -> Vec<Vec<f64>> {
        self.standardised(|values, negative| {
            let (low, high) = range(values);
            if negative {
                Norm { shift: high, divisor: low - high }
            } else {
                Norm { shift: low, divisor: high - low }
            }
        })
    }

    /// (x - mean) / sd with n - 1 in the standard deviation, with the sign turned where less is better.
    pub fn z_scores(&self) -> Vec<Vec<f64>> {
        self.standardised(|values, negative| {
            let (mean, sd) = mean_and_sd(values);
            Norm { shift: mean, divisor: if negative { -sd } else { sd } }
        })
    }

    /// x over the root of the sum of squares; directions are left to the caller.
    pub fn unit_vectors(&self) -> Vec<Vec<f64>> {
        self.standardised(|values, _| Norm {
            shift: 0.0,
            divisor: values.iter().map(|it| it * it).sum::<f64>().sqrt(),
        })
    }

    /// Each column by its norm in each group; `norm` sees the values of the reference rows and the direction.
    fn standardised(&self, norm: impl Fn(&[f64], bool) -> Norm) -> Vec<Vec<f64>> {
        let one = |(column, &negative): (&Vec<f64>, &bool)| {
            let mut out = vec![f64::NAN; column.len()];
            for group in &self.groups {
                let Norm { shift, divisor } = norm(&picked(column, &group.reference), negative);
                for &row in &group.members {
                    if let (Some(out), Some(value)) = (out.get_mut(row), column.get(row)) {
                        *out = (value - shift) / divisor;
                    }
                }
            }
            out
        };
        self.columns.iter().zip(&self.negative).map(one).collect()
    }

    /// Positions of all rows that norms are taken from, ascending: weights are taken from them too.
    pub fn reference(&self) -> Vec<usize> {
        let all: BTreeSet<usize> = self.groups.iter().flat_map(|it| it.reference.iter().copied()).collect();
        all.into_iter().collect()
    }

    /// Positions of the rows in each group, and of its reference rows.
    pub fn groups(&self) -> impl Iterator<Item = (&[usize], &[usize])> + '_ {
        self.groups.iter().map(|it| (it.members.as_slice(), it.reference.as_slice()))
    }

    /// Says something to the reader.
    pub fn note(&mut self, text: String) {
        self.notes.push(Note::Step { step: self.plugin.into(), text });
    }

    /// Scores of the complete rows put where they belong in the panel, and the detail `weights`. `more` are
    /// further columns of that detail: name, label, one number an indicator.
    pub fn finish(self, scores: &[f64], weights: Vec<f64>, more: Vec<(&str, &str, Vec<f64>)>) -> IndexResult {
        let mut score = vec![f64::NAN; self.n_panel];
        for (&row, &value) in self.rows.iter().zip(scores) {
            if let Some(it) = score.get_mut(row) {
                *it = value;
            }
        }
        let sign = |&negative: &bool| if negative { "-" } else { "+" }.to_owned();
        let mut table = Detail::new("weights", format!("Weights of `{}`", self.plugin))
            .text("indicator", "Indicator", self.names.iter().map(ToString::to_string).collect())
            .text("direction", "Direction", self.negative.iter().map(sign).collect());
        for (name, label, values) in more {
            table = table.number(name, label, values);
        }
        IndexResult { score, details: vec![table.number("weight", "Weight", weights)], notes: self.notes }
    }

    fn refuse_constants(&self) -> Result<(), StepError> {
        for (name, column) in self.names.iter().zip(&self.columns) {
            for group in &self.groups {
                let values = picked(column, &group.reference);
                let (low, high) = range(&values);
                if low < high {
                    continue;
                }
                let place =
                    group.period.map_or("every complete row".to_owned(), |it| format!("every row of {it}"));
                let reason = format!("is {low} in {place}, so that it tells no units apart; leave it out");
                return Err(StepError::Column { column: name.clone(), reason });
            }
        }
        Ok(())
    }
}

/// Smallest and largest.
pub(crate) fn range(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &it| (low.min(it), high.max(it)))
}

/// Mean, and standard deviation with n - 1.
pub(crate) fn mean_and_sd(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|it| (it - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0)).sqrt())
}

/// The values at some positions.
pub(crate) fn picked(column: &[f64], rows: &[usize]) -> Vec<f64> {
    rows.iter().filter_map(|&row| column.get(row).copied()).collect()
}

/// Sum over indicators of weight times value, one a row.
pub(crate) fn weighted_sums(columns: &[Vec<f64>], weights: &[f64]) -> Vec<f64> {
    let n = columns.first().map_or(0, Vec::len);
    let mut sums = vec![0.0; n];
    for (column, weight) in columns.iter().zip(weights) {
        sums.iter_mut().zip(column).for_each(|(sum, it)| *sum += weight * it);
    }
    sums
}

/// Shares of the total.
pub(crate) fn shares(values: &[f64]) -> Vec<f64> {
    let total: f64 = values.iter().sum();
    values.iter().map(|it| it / total).collect()
}

fn check_names(choice: &Choice<'_>, names: &[Name]) -> Result<(), StepError> {
    if names.is_empty() {
        return Err(choice.refuse("no indicator; name columns in `positive` or `negative`"));
    }
    if let Some(it) =
        names.iter().enumerate().find(|(at, it)| names.iter().take(*at).any(|other| other == *it))
    {
        return Err(choice
            .refuse(format!("`{}` is named twice; an indicator counts once and has one direction", it.1)));
    }
    match (choice.standardise, choice.base) {
        (Standardise::ByPeriod, Some(base)) => Err(choice.refuse(format!(
            "`base = {base}` takes the norms of one period for all, `standardise = \"by-period\"` those of each; choose one"
        ))),
        _ => Ok(()),
    }
}

fn numbers(panel: &Panel, name: &Name, choice: &Choice<'_>) -> Result<std::sync::Arc<Vec<f64>>, StepError> {
    let refuse = |reason: String| StepError::Column { column: name.clone(), reason };
    let values = panel.real(name).map_err(|it| match it {
        PanelError::NotNumeric { .. } => refuse(format!("holds text; `{}` needs numbers", choice.plugin)),
        it => it.into(),
    })?;
    match values.iter().position(|it| it.is_infinite()) {
        None => Ok(values),
        Some(row) => {
            Err(refuse(format!("is infinite for {}; correct it or make it missing", panel.place(row))))
        }
    }
}

fn groups(panel: &Panel, choice: &Choice<'_>, rows: &[usize]) -> Result<Vec<Group>, StepError> {
    let all: Vec<usize> = (0..rows.len()).collect();
    let mut by_period: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    for (at, &row) in rows.iter().enumerate() {
        let period = panel.periods().get(row).copied().unwrap_or_default();
        by_period.entry(panel.calendar().code(period)).or_default().push(at);
    }
    let groups = match (choice.standardise, choice.base) {
        (_, Some(base)) => {
            panel.require_index(&format!("`base` of `{}`", choice.plugin))?;
            let Some(reference) = by_period.remove(&base) else {
                return Err(
                    choice.refuse(format!("no complete row in the base period {base}; choose one with data"))
                );
            };
            vec![Group { period: Some(base), members: all, reference }]
        }
        (Standardise::Pooled, None) => vec![Group { period: None, reference: all.clone(), members: all }],
        (Standardise::ByPeriod, None) => {
            panel.require_index(&format!("`standardise = \"by-period\"` of `{}`", choice.plugin))?;
            let group = |(period, members): (i32, Vec<usize>)| Group {
                period: Some(period),
                reference: members.clone(),
                members,
            };
            by_period.into_iter().map(group).collect()
        }
    };
    match groups.iter().find(|it| it.reference.len() < 2) {
        None if !groups.is_empty() => Ok(groups),
        Some(Group { period: Some(period), .. }) => Err(choice.refuse(format!(
            "fewer than two complete rows in {period}, which norms cannot be taken from; leave the period out with `restrict`"
        ))),
        _ => Err(StepError::Step(format!(
            "`{}` needs two complete rows, and there are {}; fill gaps with `interpolate` or name other columns",
            choice.plugin,
            rows.len()
        ))),
    }
}

/// How many rows have no score, and which column is to blame how often.
fn missing_note(panel: &Panel, choice: &Choice<'_>, names: &[Name], rows: &[usize]) -> Option<Note> {
    let missing = panel.n_rows() - rows.len();
    let gaps = |name: &Name| {
        let count = panel.real(name).map_or(0, |it| it.iter().filter(|it| it.is_nan()).count());
        (0 < count).then(|| format!("{count} of `{name}`"))
    };
    let which: Vec<String> = names.iter().filter_map(gaps).collect();
    let text = format!(
        "{missing} of {} rows have no score, because values are missing: {}",
        panel.n_rows(),
        which.join(", ")
    );
    (0 < missing).then(|| Note::Step { step: choice.plugin.into(), text })
}
