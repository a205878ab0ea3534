//! The event-study object: coefficients by event time with everything that tests, bands and
//! aggregates need.

use std::sync::OnceLock;

use parallax_linalg::{Mat, rounding};
use parallax_vcov::{simultaneous_critical, std_error};

use crate::{Detail, Distribution, Estimate, FitError, Statistics, Term, TreatedCount, f_upper, wald};

/// How event times were laid out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventWindow {
    /// Event times that are zero by choice; the others are relative to them.
    pub references: Vec<i32>,
    /// The first event time holds all earlier ones too.
    pub binned_below: Option<i32>,
    /// The last event time holds all later ones too.
    pub binned_above: Option<i32>,
    /// Rows at each event time, references among them, ascending.
    pub rows: Vec<(i32, usize)>,
}

/// Effects by event time, from any estimator that gives them.
///
/// Sensitivity analysis, aggregation over ranges, plots and tables take this object as it is.
#[derive(Clone, Debug)]
pub struct EventStudy {
    /// Estimated event times, ascending; references are not among them.
    pub times: Vec<i32>,
    /// One coefficient an event time.
    pub coef: Vec<f64>,
    /// Their covariance.
    pub vcov: Mat<f64>,
    /// What the statistic of each event time is compared with.
    pub distributions: Vec<Distribution>,
    /// Treated units and clusters behind each event time, where that is known.
    pub treated: Vec<Option<TreatedCount>>,
    /// How the times were laid out.
    pub window: EventWindow,
    /// Level and critical value of the band that was asked for first, an integral worth keeping.
    band: OnceLock<[f64; 2]>,
}

/// One event time of a plot or table; a reference has zeros and no error.
#[derive(Clone, Debug, PartialEq)]
pub struct EventPoint {
    /// Periods since adoption.
    pub time: i32,
    /// The time as text: `≤-5` and `≥6` for binned ends.
    pub label: String,
    /// Coefficient.
    pub estimate: f64,
    /// Standard error; NaN at a reference.
    pub std_error: f64,
    /// Two-sided, pointwise; NaN at a reference.
    pub p_value: f64,
    /// Lower and upper end of the pointwise interval.
    pub pointwise: [f64; 2],
    /// Lower and upper end of the band that holds for all event times together.
    pub simultaneous: [f64; 2],
    /// Rows at this event time.
    pub rows: usize,
    /// Treated units and clusters behind it, where that is known.
    pub treated: Option<TreatedCount>,
}

/// A Wald test that several coefficients are zero; NaN with no degrees of freedom where none has an error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JointTest {
    /// b' V^+ b.
    pub chi2: f64,
    /// Rank of V.
    pub df: usize,
    /// From the chi-squared distribution.
    pub p_chi2: f64,
    /// chi2 / df.
    pub f: f64,
    /// From F(df, t degrees of freedom); equals `p_chi2` under a normal distribution.
    pub p_f: f64,
}

impl EventStudy {
    /// The event times of an estimate, ascending; `None` when it has none.
    pub fn of(estimate: &Estimate) -> Option<EventStudy> {
        let mut found: Vec<(i32, usize)> = (estimate.terms.iter().enumerate())
            .filter_map(|(at, it)| match it {
                Term::EventTime(time) => Some((*time, at)),
                _ => None,
            })
            .collect();
        found.sort_unstable();
        if found.is_empty() {
            return None;
        }
        let at = |i: usize| found[i].1;
        Some(EventStudy {
            times: found.iter().map(|it| it.0).collect(),
            coef: found.iter().map(|it| estimate.coef[it.1]).collect(),
            vcov: Mat::from_fn(found.len(), found.len(), |i, j| estimate.vcov.matrix[(at(i), at(j))]),
            distributions: found.iter().map(|it| estimate.distribution_of(it.1)).collect(),
            treated: found.iter().map(|it| estimate.treated_behind(it.1)).collect(),
            window: estimate.event.clone().unwrap_or_default(),
            band: OnceLock::new(),
        })
    }

    /// Positions of event times before adoption.
    pub fn leads(&self) -> Vec<usize> {
        (0..self.times.len()).filter(|&it| self.times[it] < 0).collect()
    }

    /// Positions of event times from adoption on.
    pub fn lags(&self) -> Vec<usize> {
        (0..self.times.len()).filter(|&it| 0 <= self.times[it]).collect()
    }

    /// What something of several event times is compared with: the distribution of the fewest degrees of freedom.
    pub fn distribution_over(&self, positions: &[usize]) -> Distribution {
        let df = positions.iter().filter_map(|&it| match self.distributions[it] {
            Distribution::StudentT(df) => Some(df),
            Distribution::Normal => None,
        });
        df.reduce(f64::min).map_or(Distribution::Normal, Distribution::StudentT)
    }

    /// Of these positions, those with treated units enough for an error by formula, as far as that is known.
    pub fn supported(&self, positions: &[usize]) -> Vec<usize> {
        let few = |it: usize| self.treated[it].is_some_and(TreatedCount::few);
        positions.iter().copied().filter(|it| !few(*it)).collect()
    }

    /// Tests that the coefficients at these positions are zero together.
    ///
    /// # Errors
    /// As [`wald`].
    pub fn joint_test(&self, positions: &[usize]) -> Result<JointTest, FitError> {
        let (chi2, df, p_chi2) = wald(&self.coef, self.vcov.as_ref(), positions)?;
        let f = chi2 / df as f64;
        let p_f = match self.distribution_over(positions) {
            Distribution::StudentT(t_df) => f_upper(f, df as f64, t_df),
            Distribution::Normal => p_chi2,
        };
        Ok(JointTest { chi2, df, p_chi2, f, p_f })
    }

    /// The critical value of the band over all event times.
    pub fn simultaneous_critical(&self, level: f64) -> f64 {
        match self.band.get_or_init(|| [level, self.band_at(level)]) {
            [known, critical] if *known == level => *critical,
            _ => self.band_at(level),
        }
    }

    fn band_at(&self, level: f64) -> f64 {
        let df = match self.distribution_over(&(0..self.times.len()).collect::<Vec<usize>>()) {
            Distribution::StudentT(df) => Some(df),
            Distribution::Normal => None,
        };
        simultaneous_critical(self.vcov.as_ref(), df, level)
    }

    /// Mean of the coefficients at these positions with its standard error; NaN where there is none.
    pub fn average(&self, positions: &[usize]) -> (f64, f64) {
        let share = 1.0 / positions.len() as f64;
        let mut weights = vec![0.0; self.coef.len()];
        positions.iter().for_each(|&it| weights[it] = share);
        let mean = positions.iter().map(|&it| self.coef[it]).sum::<f64>() * share;
        let size = positions.iter().map(|&it| self.coef[it].abs()).sum::<f64>() * share;
        (rounding::or_zero(mean, size), std_error(rounding::quadratic(&weights, self.vcov.as_ref())))
    }

    /// Every event time with both intervals, references among them, ascending.
    pub fn points(&self, level: f64) -> Vec<EventPoint> {
        let simultaneous = self.simultaneous_critical(level);
        let pointwise = self.critical_by_time(level);
        let estimated = self.times.iter().enumerate().map(|(at, &time)| {
            let estimate = self.coef[at];
            let std_error = std_error(self.vcov[(at, at)]);
            let statistic = estimate / std_error;
            let around = |critical: f64| [estimate - critical * std_error, estimate + critical * std_error];
            EventPoint {
                estimate,
                std_error,
                p_value: self.distributions[at].p_value(statistic),
                pointwise: around(pointwise[at]),
                simultaneous: around(simultaneous),
                treated: self.treated[at],
                ..self.point(time)
            }
        });
        let mut points: Vec<EventPoint> = estimated.collect();
        points.extend(self.window.references.iter().map(|&it| self.point(it)));
        points.sort_by_key(|it| it.time);
        points
    }

    /// Sets joint tests of leads and lags (`leads_chi2`, `leads_df`, `leads_chi2_p`, `leads_f`, `leads_f_p`,
    /// `leads_mean`, `leads_mean_se`, the same of lags), `level` and both critical values.
    ///
    /// # Errors
    /// As [`EventStudy::joint_test`].
    pub fn add_tests(&self, level: f64, stats: &mut Statistics) -> Result<(), FitError> {
        const LEADS: [&str; 7] =
            ["leads_chi2", "leads_df", "leads_chi2_p", "leads_f", "leads_f_p", "leads_mean", "leads_mean_se"];
        const LAGS: [&str; 7] =
            ["lags_chi2", "lags_df", "lags_chi2_p", "lags_f", "lags_f_p", "lags_mean", "lags_mean_se"];
        for (positions, names) in [(self.leads(), LEADS), (self.lags(), LAGS)] {
            if positions.is_empty() {
                continue;
            }
            let JointTest { chi2, df, p_chi2, f, p_f } = self.joint_test(&positions)?;
            let (mean, std_error) = self.average(&positions);
            let [of_chi2, of_df, rest @ ..] = names;
            stats.set(of_chi2, chi2);
            stats.count(of_df, df);
            rest.into_iter()
                .zip([p_chi2, f, p_f, mean, std_error])
                .for_each(|(name, value)| stats.set(name, value));
        }
        stats.set("level", level);
        let all: Vec<usize> = (0..self.times.len()).collect();
        stats.set("critical_pointwise", self.distribution_over(&all).critical(level));
        stats.set("critical_simultaneous", self.simultaneous_critical(level));
        Ok(())
    }

    /// Every event time as the detail `event-study`: estimate, error, p, both intervals, rows.
    pub fn table(&self, level: f64) -> Detail {
        let points = self.points(level);
        let percent = 100.0 * level;
        let numbers = |of: fn(&EventPoint) -> f64| points.iter().map(of).collect::<Vec<f64>>();
        let table = Detail::new("event-study", "Effects by time since adoption")
            .text("label", "Event time", points.iter().map(|it| it.label.clone()).collect())
            .label("time", "Periods since adoption", numbers(|it| f64::from(it.time)))
            .number("estimate", "Estimate", numbers(|it| it.estimate))
            .number("std_error", "Std. error", numbers(|it| it.std_error))
            .number("p_value", "p", numbers(|it| it.p_value))
            .number("low", format!("{percent}% pointwise, low"), numbers(|it| it.pointwise[0]))
            .number("high", format!("{percent}% pointwise, high"), numbers(|it| it.pointwise[1]))
            .number("band_low", format!("{percent}% simultaneous, low"), numbers(|it| it.simultaneous[0]))
            .number("band_high", format!("{percent}% simultaneous, high"), numbers(|it| it.simultaneous[1]))
            .count("rows", "Rows", numbers(|it| it.rows as f64));
        match self.treated.iter().any(Option::is_some) {
            true => {
                let treated = |it: &EventPoint| it.treated.map_or(f64::NAN, |it| it.units as f64);
                table.count("treated_units", "Treated units", numbers(treated))
            }
            false => table,
        }
    }

    /// The critical value of each event time, each distribution asked once.
    fn critical_by_time(&self, level: f64) -> Vec<f64> {
        let mut known: Vec<(Distribution, f64)> = Vec::new();
        let mut of = |it: &Distribution| match known.iter().find(|other| other.0 == *it) {
            Some(found) => found.1,
            None => {
                known.push((*it, it.critical(level)));
                it.critical(level)
            }
        };
        self.distributions.iter().map(&mut of).collect()
    }

    fn point(&self, time: i32) -> EventPoint {
        let label = match time {
            it if self.window.binned_below == Some(it) => format!("≤{it}"),
            it if self.window.binned_above == Some(it) => format!("≥{it}"),
            it => it.to_string(),
        };
        let rows = self.window.rows.iter().find(|it| it.0 == time).map_or(0, |it| it.1);
        EventPoint {
            time,
            label,
            estimate: 0.0,
            std_error: f64::NAN,
            p_value: f64::NAN,
            pointwise: [0.0; 2],
            simultaneous: [0.0; 2],
            rows,
            treated: None,
        }
    }
}
