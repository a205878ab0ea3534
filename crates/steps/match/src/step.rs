#![doc = include_str!("../docs/match.md")]

use std::{collections::BTreeMap, sync::Arc};

use parallax_model::{
    Name, Note, Panel, PluginMeta, Status, Step, StepError, Stepped, counted, linalg::BinaryResponse,
    panel::Column,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kernel::Kernel,
    nearest::Order,
    options::{MatchOptions, Method, Ties, with_match_options},
    run::{Data, Scored, SupportRow, balance_tables, matched, propensity, scored, support},
    score::{Scale, ScoreModel},
};

parallax_model::step!(Match);

const NAME: &str = "match";

/// Weights that make controls comparable with the treated.
pub struct Match;

/// Within what rows are matched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// All rows together.
    #[default]
    None,
    /// Rows of one period.
    Period,
}

with_match_options! {
    /// Who is matched on what, how, and where the weights go.
    Options {
        /// Column of 0 and 1: treated in this row, or in some row of the unit.
        pub treatment: Name,
        /// Numeric columns of the score's model and of the balance table.
        pub covariates: Vec<Name>,
        /// Column for weights: 1 for the matched, NaN off support.
        pub into: Name,
        /// Column for scores.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub score_into: Option<Name>,
        /// `none` or `period`: whether controls must come from the same period.
        #[serde(default)]
        pub by: By,
        /// `none` for one model of the score, `period` for one a period; as `by` when not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub score_by: Option<By>,
    }
}

impl Step for Match {
    const META: PluginMeta = PluginMeta {
        name: NAME,
        summary: "Weights from propensity-score matching, with balance tables",
        docs: include_str!("../docs/match.md"),
        status: Status::Preview { since: "0.2.0" },
        reference: "Leuven and Sianesi (2003), psmatch2; Rosenbaum and Rubin (1983)",
    };
    type Options = Options;

    fn apply(panel: &Panel, options: &Options) -> Result<Stepped, StepError> {
        let matching = options.matching();
        matching.plan(1.0).map_err(refused)?;
        if options.by == By::Period {
            panel.require_index("`match` with `by = \"period\"`")?;
        } else if options.score_by == Some(By::Period) {
            return Err(refused("`score-by = \"period\"` goes with `by = \"period\"`".to_owned()));
        }
        for name in Self::writes(options) {
            if panel.index().is_some_and(|(unit, time)| name == *unit || name == *time) {
                return Err(refused(format!("`{name}` identifies rows and cannot be written to")));
            }
        }
        let columns = Columns::new(panel, options)?;
        let mut work = Work::new(panel, &columns, &matching);
        work.run(options)?;
        work.finish(options)
    }

    fn reads(options: &Options) -> Vec<Name> {
        let mut names = vec![options.treatment.clone()];
        names.extend(options.covariates.iter().cloned());
        names.extend(options.score_column.clone());
        names
    }

    fn writes(options: &Options) -> Vec<Name> {
        std::iter::once(options.into.clone()).chain(options.score_into.clone()).collect()
    }
}

fn refused(reason: String) -> StepError {
    StepError::Options { plugin: NAME, reason }
}

/// The columns named, and the rows on which all are there.
struct Columns<'a> {
    treated: Arc<Vec<f64>>,
    names: &'a [Name],
    covariates: Vec<Arc<Vec<f64>>>,
    given: Option<Arc<Vec<f64>>>,
    rows: Vec<usize>,
}

impl<'a> Columns<'a> {
    fn new(panel: &Panel, options: &'a Options) -> Result<Columns<'a>, StepError> {
        let treated = panel.real(&options.treatment)?;
        if let Some(row) = treated.iter().position(|it| !it.is_nan() && *it != 0.0 && *it != 1.0) {
            let value = treated.get(row).copied().unwrap_or_default();
            let reason = format!("is {value} at {}; a treatment is 0 or 1", panel.place(row));
            return Err(StepError::Column { column: options.treatment.clone(), reason });
        }
        let covariates = options.covariates.iter().map(|it| panel.real(it)).collect::<Result<Vec<_>, _>>()?;
        let given = options.score_column.as_ref().map(|it| panel.real(it)).transpose()?;
        let all: Vec<&Arc<Vec<f64>>> =
            std::iter::once(&treated).chain(&covariates).chain(given.as_ref()).collect();
        let there = |row: usize| all.iter().all(|it| it.get(row).is_some_and(|it| it.is_finite()));
        let rows = (0..panel.n_rows()).filter(|&row| there(row)).collect();
        Ok(Columns { treated, names: &options.covariates, covariates, given, rows })
    }
}

/// The numbers of some rows, gathered.
struct Gathered {
    treated: Vec<f64>,
    covariates: Vec<Vec<f64>>,
    given: Option<Vec<f64>>,
}

impl Gathered {
    fn new(columns: &Columns<'_>, rows: &[usize]) -> Gathered {
        Gathered {
            treated: pick(&columns.treated, rows),
            covariates: columns.covariates.iter().map(|it| pick(it, rows)).collect(),
            given: columns.given.as_ref().map(|it| pick(it, rows)),
        }
    }

    fn use_with<T>(&self, names: &[Name], f: impl FnOnce(&Data<'_>) -> T) -> T {
        let covariates: Vec<&[f64]> = self.covariates.iter().map(Vec::as_slice).collect();
        f(&Data { treated: &self.treated, names, covariates: &covariates, given: self.given.as_deref() })
    }
}

fn pick(values: &[f64], rows: &[usize]) -> Vec<f64> {
    rows.iter().filter_map(|&row| values.get(row).copied()).collect()
}

fn place(to: &mut [f64], rows: &[usize], values: &[f64]) {
    for (&row, &value) in rows.iter().zip(values) {
        if let Some(it) = to.get_mut(row) {
            *it = value;
        }
    }
}

/// Weights and tables as they fill up, period by period.
struct Work<'a> {
    panel: &'a Panel,
    columns: &'a Columns<'a>,
    matching: &'a MatchOptions,
    weight: Vec<f64>,
    probability: Vec<f64>,
    distance: Vec<f64>,
    fits: Vec<(String, BinaryResponse)>,
    support: Vec<SupportRow>,
    /// Periods in which one group is absent.
    empty: Vec<String>,
    /// Treated rows whose tie was broken.
    tied: usize,
}

impl<'a> Work<'a> {
    fn new(panel: &'a Panel, columns: &'a Columns<'a>, matching: &'a MatchOptions) -> Work<'a> {
        let missing = vec![f64::NAN; panel.n_rows()];
        Work {
            panel,
            columns,
            matching,
            weight: missing.clone(),
            probability: missing.clone(),
            distance: missing,
            fits: Vec::new(),
            support: Vec::new(),
            empty: Vec::new(),
            tied: 0,
        }
    }

    fn run(&mut self, options: &Options) -> Result<(), StepError> {
        let score_by = options.score_by.unwrap_or(options.by);
        if score_by == By::None {
            self.score(String::new(), &self.columns.rows)?;
        }
        for (sample, rows) in self.samples(options.by) {
            let treated = pick(&self.columns.treated, &rows);
            if treated.iter().all(|it| *it == 0.0) || treated.iter().all(|it| *it == 1.0) {
                if options.by == By::None {
                    let who = if treated.contains(&1.0) { "treated" } else { "untreated" };
                    return Err(StepError::Step(format!(
                        "`{NAME}`: every row with data is {who} by `{}`; nobody can be matched",
                        options.treatment
                    )));
                }
                self.support.push(SupportRow::of(sample.clone(), &treated, &vec![f64::NAN; rows.len()]));
                self.empty.push(sample);
                continue;
            }
            if score_by == By::Period {
                self.score(sample.clone(), &rows)?;
            }
            self.weigh(sample, &rows)?;
        }
        if self.weight.iter().all(|it| it.is_nan()) {
            return Err(StepError::Step(format!(
                "`{NAME}`: no period has both treated and untreated rows; use a column that says who is ever treated"
            )));
        }
        Ok(())
    }

    /// All rows with data, or those of each period in order.
    fn samples(&self, by: By) -> Vec<(String, Vec<usize>)> {
        let rows = &self.columns.rows;
        if by == By::None {
            return vec![(String::new(), rows.clone())];
        }
        let mut periods: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
        for &row in rows {
            if let Some(&period) = self.panel.periods().get(row) {
                periods.entry(period).or_default().push(row);
            }
        }
        periods
            .into_iter()
            .map(|(period, rows)| (self.panel.calendar().code(period).to_string(), rows))
            .collect()
    }

    fn score(&mut self, sample: String, rows: &[usize]) -> Result<(), StepError> {
        let names = self.columns.names;
        let gathered = Gathered::new(self.columns, rows);
        let found =
            gathered.use_with(names, |it| scored(it, self.matching)).map_err(|it| failed(&sample, &it))?;
        place(&mut self.probability, rows, &found.probability);
        place(&mut self.distance, rows, &found.distance);
        self.fits.extend(found.fit.map(|it| (sample, it)));
        Ok(())
    }

    fn weigh(&mut self, sample: String, rows: &[usize]) -> Result<(), StepError> {
        let names = self.columns.names;
        let gathered = Gathered::new(self.columns, rows);
        let given = Scored {
            probability: pick(&self.probability, rows),
            distance: pick(&self.distance, rows),
            fit: None,
        };
        let found = gathered.use_with(names, |it| matched(it, &given, None, self.matching, false));
        let found = found.map_err(|it| failed(&sample, &it))?;
        self.tied += found.to_treated.ties.rows;
        let weights = found.weights(rows.len());
        place(&mut self.weight, rows, &weights);
        self.support.push(SupportRow::of(sample, &gathered.treated, &weights));
        Ok(())
    }

    fn finish(self, options: &Options) -> Result<Stepped, StepError> {
        let rows = &self.columns.rows;
        let gathered = Gathered::new(self.columns, rows);
        let mut notes = self.notes(options);
        let weight = pick(&self.weight, rows);
        let mut details = gathered.use_with(self.columns.names, |it| balance_tables(it, &weight, &mut notes));
        if !self.fits.is_empty() {
            details.push(propensity(&self.fits, self.columns.names, self.matching.model().title()));
        }
        details.push(support(&self.support));
        let mut panel = self.panel.clone();
        if let Some(name) = &options.score_into {
            panel = panel.with(name.clone(), Column::real(self.probability))?;
        }
        panel = panel.with(options.into.clone(), Column::real(self.weight))?;
        Ok(Stepped { panel, details, notes })
    }

    fn notes(&self, options: &Options) -> Vec<Note> {
        let sum = |at: usize| self.support.iter().map(|it| it.counts[at]).sum::<usize>();
        let mut text = format!(
            "{} of {} treated rows matched to {} of {} controls, weights in `{}`",
            sum(0),
            sum(0) + sum(1),
            sum(2),
            sum(2) + sum(3),
            options.into
        );
        let without = self.panel.n_rows() - self.columns.rows.len();
        if 0 < without {
            text.push_str(&format!("; {without} rows without all columns have no weight"));
        }
        if !self.empty.is_empty() {
            text.push_str(&format!("; nobody to match in {}", self.empty.join(", ")));
        }
        if 0 < self.tied {
            text.push_str(&format!(
                "; ties: {} could have had another control as near as the last one taken, which is the one of the lower \
                 score, then the earlier row, so that weights depend on the order of rows; `ties = \"all\"` takes all of them",
                counted(self.tied, "treated row")
            ));
        }
        let mut notes = vec![Note::Step { step: NAME.into(), text }];
        let mut dropped: Vec<&Name> = Vec::new();
        for (_, fit) in &self.fits {
            dropped.extend(fit.dropped.iter().filter_map(|it| self.columns.names.get(it.checked_sub(1)?)));
        }
        dropped.sort();
        dropped.dedup();
        notes.extend(dropped.into_iter().map(|it| Note::DroppedCollinear { column: it.clone() }));
        notes
    }
}

fn failed(sample: &str, why: &str) -> StepError {
    match sample {
        "" => StepError::Step(format!("`{NAME}`: {why}")),
        period => StepError::Step(format!("`{NAME}`: in period {period}, {why}")),
    }
}
