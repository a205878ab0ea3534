//! The answer: plain data with public fields.

use std::fmt;

use parallax_base::{Name, Note};
use parallax_panel::{Calendar, Dropped, Sample};
use parallax_vcov::Vcov;

use crate::{Design, Detail, Distribution, EventWindow, FitError, InfluenceFunctions, SingletonPolicy};

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
    /// The rows.
    pub sample: SampleReport,
    /// Absorbed effects and their levels.
    pub effects: Vec<(Name, usize)>,
    /// Named numbers: fit, variance components, tests.
    pub stats: Statistics,
    /// How event times were laid out, where the terms are event times.
    pub event: Option<EventWindow>,
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

/// Share of an estimate below which its error is the rounding of a fit that leaves no residual.
const ROUNDING: f64 = 1e-13;

/// The error, zero where it is rounding: nothing can be held against it.
pub(crate) fn known_error(estimate: f64, std_error: f64) -> f64 {
    if std_error <= ROUNDING * estimate.abs() { 0.0 } else { std_error }
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
}

impl SampleReport {
    /// The report of a sample.
    pub fn of(sample: &Sample, units: Option<usize>, singletons: SingletonPolicy) -> SampleReport {
        SampleReport {
            rows_in: sample.rows_in(),
            rows_used: sample.n(),
            units,
            dropped: sample.dropped().to_vec(),
            hash: sample.hash(),
            singletons,
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

/// Named numbers in the order they were set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics(Vec<(&'static str, f64)>);

impl Statistics {
    /// Sets or replaces a number.
    pub fn set(&mut self, name: &'static str, value: f64) {
        match self.0.iter_mut().find(|it| it.0 == name) {
            Some(it) => it.1 = value,
            None => self.0.push((name, value)),
        }
    }

    /// The number of that name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|it| it.0 == name).map(|it| it.1)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        self.0.iter().copied()
    }
}

/// One line of a coefficient table.
#[derive(Clone, Debug, PartialEq)]
pub struct TermRow {
    /// The term as text.
    pub term: String,
    /// Coefficient.
    pub estimate: f64,
    /// Its standard error.
    pub std_error: f64,
    /// Their ratio.
    pub statistic: f64,
    /// Two-sided.
    pub p_value: f64,
    /// Lower end of the interval.
    pub conf_low: f64,
    /// Upper end of the interval.
    pub conf_high: f64,
}

impl Estimate {
    /// The detail of that name.
    pub fn detail(&self, name: &str) -> Option<&Detail> {
        self.details.iter().find(|it| it.name == name)
    }

    /// The coefficient table with intervals of the given level (0.95 for 95 per cent).
    pub fn rows(&self, level: f64) -> Vec<TermRow> {
        let critical = self.distribution.critical(level);
        let row = |((term, &estimate), std_error): ((&Term, &f64), f64)| {
            let std_error = known_error(estimate, std_error);
            let statistic = if 0.0 < std_error { estimate / std_error } else { f64::NAN };
            TermRow {
                term: term.to_string(),
                estimate,
                std_error,
                statistic,
                p_value: self.distribution.p_value(statistic),
                conf_low: estimate - critical * std_error,
                conf_high: estimate + critical * std_error,
            }
        };
        self.terms.iter().zip(&self.coef).zip(self.vcov.std_errors()).map(row).collect()
    }

    /// The line of one term, by its text.
    pub fn row(&self, term: &str, level: f64) -> Option<TermRow> {
        self.rows(level).into_iter().find(|it| it.term == term)
    }
}
