//! The answer: plain data with public fields.

use std::fmt;

use parallax_base::{Name, Note};
use parallax_panel::{Calendar, Dropped, Rows, Sample};
use parallax_vcov::Vcov;

use crate::{
    Design, Detail, Distribution, EventWindow, FitError, InfluenceFunctions, SingletonPolicy, Statistics,
    TreatedCount, TreatedSupport, WeightsUsed,
};

/// What an estimator found, on which rows, with which arithmetic.
#[derive(Clone, Debug)]
pub struct Estimate {
    /// The estimator's name.
    pub estimator: &'static str,
    /// The outcome as the formula writes it.
    pub outcome: Name,
    /// What each coefficient stands for.
    pub terms: Vec<Term>,
    /// One number a term.
    pub coef: Vec<f64>,
    /// Covariance of `coef`, in the same order.
    pub vcov: Vcov,
    /// What statistics are compared with.
    pub distribution: Distribution,
    /// The same by term, where terms differ; empty where they do not.
    pub distributions: Vec<Distribution>,
    /// The rows.
    pub sample: SampleReport,
    /// Absorbed effects and their levels.
    pub effects: Vec<(Name, usize)>,
    /// Named numbers: fit, variance components, tests.
    pub stats: Statistics,
    /// How event times were laid out, where the terms are event times.
    pub event: Option<EventWindow>,
    /// Treated units and clusters behind the terms, where there is a treatment. Set by [`Estimate::stand_on`].
    pub treated: Option<TreatedSupport>,
    /// Tables of numbers that go with the coefficients.
    pub details: Vec<Detail>,
    /// Where they exist and the design asked for them.
    pub influence: Option<InfluenceFunctions>,
    /// What the reader has to know.
    pub notes: Vec<Note>,
}

/// What a coefficient stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Term {
    /// The constant.
    Intercept,
    /// A regressor, as the formula writes it.
    Slope(Name),
    /// Periods since adoption.
    EventTime(i32),
    /// One cohort in one period.
    GroupTime {
        /// First treated period.
        cohort: i32,
        /// Calendar period.
        period: i32,
    },
    /// A cohort over its treated periods, by its first treated period.
    Cohort(i32),
    /// All cohorts in one calendar period.
    Period(i32),
    /// The overall effect, or a named aggregate such as `dynamic`.
    Aggregate(Option<Name>),
}

impl Term {
    /// The term with periods as people write them, where it has some.
    #[must_use]
    pub fn written(self, calendar: &Calendar) -> Term {
        match self {
            Term::GroupTime { cohort, period } => {
                Term::GroupTime { cohort: calendar.code(cohort), period: calendar.code(period) }
            }
            Term::Cohort(it) => Term::Cohort(calendar.code(it)),
            Term::Period(it) => Term::Period(calendar.code(it)),
            it @ (Term::Intercept | Term::Slope(_) | Term::EventTime(_) | Term::Aggregate(_)) => it,
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Term::Intercept => f.write_str("(Intercept)"),
            Term::Slope(it) => write!(f, "{it}"),
            Term::EventTime(it) => write!(f, "event:{it}"),
            Term::GroupTime { cohort, period } => write!(f, "att({cohort},{period})"),
            Term::Cohort(it) => write!(f, "att:group:{it}"),
            Term::Period(it) => write!(f, "att:calendar:{it}"),
            Term::Aggregate(None) => f.write_str("att"),
            Term::Aggregate(Some(it)) => write!(f, "att:{it}"),
        }
    }
}

/// The ledger of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleReport {
    /// Rows of the panel.
    pub rows_in: usize,
    /// Rows used.
    pub rows_used: usize,
    /// Units with a row, where units are known.
    pub units: Option<usize>,
    /// Reasons and counts.
    pub dropped: Vec<(Dropped, usize)>,
    /// Recognises the row set.
    pub hash: String,
    /// What was done about singletons.
    pub singletons: SingletonPolicy,
    /// The rows themselves, of the panel.
    pub rows: Rows,
    /// What the rows stand for: the sum of frequency weights, else the number of rows.
    pub observations: u64,
    /// Periods with a row, where periods are known.
    pub periods: Option<usize>,
    /// Each grouping of a clustered covariance, and its groups with a row.
    pub clusters: Vec<(Name, usize)>,
    /// How rows were weighted.
    pub weights: Option<WeightsUsed>,
}

impl SampleReport {
    /// The report of a sample. Periods, clusters and weights are filled in by [`crate::Entry::fit`], for all alike.
    pub fn of(sample: &Sample, units: Option<usize>, singletons: SingletonPolicy) -> SampleReport {
        SampleReport {
            rows_in: sample.rows_in(),
            rows_used: sample.n(),
            units,
            dropped: sample.dropped().to_vec(),
            hash: sample.hash(),
            singletons,
            rows: sample.rows().clone(),
            observations: sample.n() as u64,
            periods: None,
            clusters: Vec::new(),
            weights: None,
        }
    }

    /// The report of the rows of a design that entered what was estimated: the others are in its ledger for `reason`.
    ///
    /// # Errors
    /// When no row entered.
    pub fn of_used(design: &Design<'_>, reason: &str, used: &[bool]) -> Result<SampleReport, FitError> {
        let mut seen = vec![false; design.units.n_groups()];
        let rows = design.units.code.iter().zip(used).filter(|it| *it.1);
        rows.for_each(|(unit, _)| seen[*unit as usize] = true);
        let units = design.panel.index().map(|_| seen.iter().filter(|it| **it).count());
        let reason = Dropped::Other(reason.to_owned());
        let sample = design.sample.without(design.panel, reason, |row| !used[row])?;
        Ok(SampleReport::of(&sample, units, design.singletons))
    }
}

/// One line of a coefficient table.
#[derive(Clone, Debug, PartialEq)]
pub struct TermRow {
    /// The term as text.
    pub term: String,
    /// Coefficient.
    pub estimate: f64,
    /// Its standard error; NaN where there is none, and then so are statistic, p-value and interval.
    pub std_error: f64,
    /// Their ratio.
    pub statistic: f64,
    /// Two-sided.
    pub p_value: f64,
    /// Lower end of the interval.
    pub conf_low: f64,
    /// Upper end of the interval.
    pub conf_high: f64,
    /// What statistic and interval are compared with.
    pub distribution: Distribution,
    /// Treated units and clusters behind it, where that is known.
    pub treated: Option<TreatedCount>,
}

impl Estimate {
    /// Terms with periods as people write them.
    pub(crate) fn write_periods(&mut self, calendar: &Calendar) {
        self.terms = std::mem::take(&mut self.terms).into_iter().map(|it| it.written(calendar)).collect();
    }

    /// How many observations the estimate is from: what the estimator counted itself (differences, means of units),
    /// else rows, each as often as its frequency weight says.
    pub fn observations(&self) -> u64 {
        self.stats.get("observations").map_or(self.sample.observations, |it| it as u64)
    }

    /// The detail of that name.
    pub fn detail(&self, name: &str) -> Option<&Detail> {
        self.details.iter().find(|it| it.name == name)
    }

    /// The coefficient table with intervals of the given level (0.95 for 95 per cent).
    pub fn rows(&self, level: f64) -> Vec<TermRow> {
        let mut known: Option<(Distribution, f64)> = None;
        let mut critical_of = |distribution: Distribution| match known {
            Some((before, critical)) if before == distribution => critical,
            _ => known.insert((distribution, distribution.critical(level))).1,
        };
        let mut row = |(at, ((term, &estimate), std_error)): (usize, ((&Term, &f64), f64))| {
            let distribution = self.distribution_of(at);
            let critical = critical_of(distribution);
            let statistic = estimate / std_error;
            TermRow {
                term: term.to_string(),
                estimate,
                std_error,
                statistic,
                p_value: distribution.p_value(statistic),
                conf_low: estimate - critical * std_error,
                conf_high: estimate + critical * std_error,
                distribution,
                treated: self.treated_behind(at),
            }
        };
        self.terms.iter().zip(&self.coef).zip(self.vcov.std_errors()).enumerate().map(&mut row).collect()
    }

    /// What a term's statistic is compared with.
    pub fn distribution_of(&self, term: usize) -> Distribution {
        self.distributions.get(term).copied().unwrap_or(self.distribution)
    }

    /// Adds notes on coefficients without an error: their variance is rounding, or not positive.
    pub(crate) fn say_what_has_no_error(&mut self) {
        let named = |is: fn(f64) -> bool| -> Vec<String> {
            let variance = |it: &usize| self.vcov.matrix[(*it, *it)];
            let which = (0..self.terms.len()).filter(|it| is(variance(it)));
            which.map(|it| self.terms[it].to_string()).collect()
        };
        let (none, negative) = (named(|it| it == 0.0), named(|it| it < 0.0));
        if !none.is_empty() {
            let all = none.len() == self.terms.len();
            self.notes.push(Note::NoVariance { terms: none, all });
        }
        if !negative.is_empty() {
            self.notes.push(Note::NegativeVariance { terms: negative });
        }
    }

    /// The line of one term, by its text.
    pub fn row(&self, term: &str, level: f64) -> Option<TermRow> {
        self.rows(level).into_iter().find(|it| it.term == term)
    }
}
