//! Bias, coverage and size of every estimator of staggered adoption, on simulated panels with known effects.
//!
//! An estimator takes part as it takes part in a battery: by what it contributes to a [`BatteryRequest`]. What it
//! estimates is compared with the mean of the true effects over the rows that its term is about; an estimator whose
//! overall effect is about other rows says so in [`TARGETS`].

use std::{collections::BTreeMap, ops::RangeInclusive};

use parallax_model::{
    AbsorptionCache, BatteryPart, BatteryRequest, Entry, Estimate, ModelSpec, Panel, Registry,
    SingletonPolicy, SmallSample, Term, WeightKind,
    panel::{Codes, Column, PanelBuilder},
    side_by_side,
};
use parallax_simulate::{Cohort, EffectPath, StaggeredOptions, StaggeredPanel, staggered_panel};

/// A process that panels are drawn from.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it is called in the table.
    pub name: &'static str,
    /// What it is there to show.
    pub about: &'static str,
    /// The process; draw r has seed r.
    pub options: StaggeredOptions,
    /// Estimators are given the first covariate.
    pub covariate: bool,
}

/// How one term of one estimator did over many panels.
#[derive(Clone, Debug, PartialEq)]
pub struct Performance {
    /// The estimator.
    pub estimator: &'static str,
    /// The term.
    pub term: Term,
    /// Panels on which it gave an estimate.
    pub draws: usize,
    /// Panels on which it gave none.
    pub failures: usize,
    /// Mean of the true effects it is compared with.
    pub truth: f64,
    /// Mean of estimate less truth.
    pub bias: f64,
    /// Monte Carlo standard error of `bias`.
    pub bias_error: f64,
    /// Standard deviation of estimate less truth.
    pub spread: f64,
    /// Mean of the standard errors.
    pub std_error: f64,
    /// Share of 95 per cent intervals with the truth inside.
    pub coverage: f64,
    /// Share of panels on which "no effect" is rejected at 5 per cent.
    pub rejected: f64,
}

/// What an estimate's term stands for, in true effects.
type Target = fn(&StaggeredPanel, &Estimate, &Term) -> f64;

/// Estimators whose effects are not means over all treated rows, or all rows at an event time.
pub const TARGETS: &[(&str, Target)] = &[("lp-did", pooled), ("stacked", trimmed)];

/// The overall effect of local projections: the mean over event times of adopters that are seen at all of them.
fn pooled(panel: &StaggeredPanel, estimate: &Estimate, term: &Term) -> f64 {
    match term {
        Term::EventTime(time) => panel.at_exposure(i64::from(*time)),
        _ => mean_of_cohorts(panel, 0, latest(estimate), 0..=latest(estimate)),
    }
}

/// Effects of a stacked regression: of the cohorts that fit its window.
fn trimmed(panel: &StaggeredPanel, estimate: &Estimate, term: &Term) -> f64 {
    let (first, last) = (earliest(estimate), latest(estimate));
    match term {
        Term::EventTime(time) => {
            let time = i64::from(*time);
            mean_of_cohorts(panel, first, last, time..=time)
        }
        _ => mean_of_cohorts(panel, first, last, 0..=last),
    }
}

fn latest(estimate: &Estimate) -> i64 {
    event_times(estimate).max().unwrap_or(0)
}

/// References among them.
fn earliest(estimate: &Estimate) -> i64 {
    let references = estimate.event.iter().flat_map(|it| &it.references).map(|it| i64::from(*it));
    event_times(estimate).chain(references).min().unwrap_or(0)
}

fn event_times(estimate: &Estimate) -> impl Iterator<Item = i64> {
    estimate.terms.iter().filter_map(|it| match it {
        Term::EventTime(time) => Some(i64::from(*time)),
        _ => None,
    })
}

/// Mean effect at these exposures of the units whose rows reach from `first` to `last` around adoption.
fn mean_of_cohorts(panel: &StaggeredPanel, first: i64, last: i64, exposures: RangeInclusive<i64>) -> f64 {
    let end = panel.period.iter().copied().max().unwrap_or(0);
    let (mut sum, mut count) = (0.0, 0.0);
    for ((adopted, period), effect) in panel.first_treated.iter().zip(&panel.period).zip(&panel.effect) {
        let fits = |it: i64| 1 <= it + first && it + last <= end && exposures.contains(&(period - it));
        if adopted.is_some_and(fits) {
            sum += effect;
            count += 1.0;
        }
    }
    sum / count
}

/// The processes of the table: effects that differ between cohorts and grow, no effect at all, trends that are parallel
/// only given a covariate, and a panel in which every unit adopts in the end.
pub fn scenarios() -> Vec<Scenario> {
    let options =
        StaggeredOptions { units: 150, periods: 8, cohorts: cohorts(2.0, 0.5), ..Default::default() };
    let nothing = |it: &Cohort| Cohort { effect: EffectPath { impact: 0.0, slope: 0.0 }, ..*it };
    vec![
        Scenario {
            name: "heterogeneous effects",
            about: "effects grow with exposure, and faster in early cohorts",
            options: options.clone(),
            covariate: false,
        },
        Scenario {
            name: "no effect",
            about: "every effect is zero: the share rejected is the size of the test",
            options: StaggeredOptions {
                cohorts: options.cohorts.iter().map(nothing).collect(),
                ..options.clone()
            },
            covariate: false,
        },
        Scenario {
            name: "trends given a covariate",
            about: "untreated outcomes drift with the level of a covariate that adopters have more of",
            options: StaggeredOptions { covariate_selection: 0.5, covariate_trend: 0.3, ..options.clone() },
            covariate: true,
        },
    ]
}

fn cohorts(impact: f64, slope: f64) -> Vec<Cohort> {
    let cohort = |first_treated, impact, slope| Cohort {
        first_treated,
        share: 0.2,
        effect: EffectPath { impact, slope },
    };
    vec![cohort(3, impact, slope), cohort(5, 0.75 * impact, 0.5 * slope), cohort(7, 0.5 * impact, 0.0)]
}

/// Every estimator that has something to say, on that many panels.
///
/// # Errors
/// A scenario that cannot be drawn, or an entry whose request is no model.
pub fn monte_carlo(
    registry: &Registry,
    scenario: &Scenario,
    draws: u64,
    threads: usize,
) -> Result<Vec<Performance>, String> {
    let request = request(scenario);
    let mut planned: Vec<(&Entry, Option<Term>, ModelSpec)> = Vec::new();
    for entry in registry.estimators() {
        if let Some((part, spec)) = model(entry, &request)? {
            planned.push((entry, part, spec));
        }
    }
    let seeds: Vec<u64> = (1..=draws).collect();
    let one = |seed: &u64| draw(scenario, *seed, &planned);
    let mut found: BTreeMap<(usize, usize), Vec<Option<Drawn>>> = BTreeMap::new();
    for result in side_by_side(&seeds, threads, one) {
        for (key, drawn) in result.ok_or("a draw ended its thread")?? {
            found.entry(key).or_default().push(drawn);
        }
    }
    Ok(found.into_iter().map(|((entry, term), all)| summary(&planned[entry], term, &all)).collect())
}

/// Terms looked at: the overall effect and effects at these event times.
const EVENT_TIMES: [i32; 2] = [0, 2];

/// One term on one panel.
#[derive(Clone, Copy)]
struct Drawn {
    truth: f64,
    estimate: f64,
    std_error: f64,
    covers: bool,
    rejects: bool,
}

type Planned<'a> = (&'a Entry, Option<Term>, ModelSpec);
type Draws = Vec<((usize, usize), Option<Drawn>)>;

fn draw(scenario: &Scenario, seed: u64, planned: &[Planned<'_>]) -> Result<Draws, String> {
    let options = StaggeredOptions { seed, ..scenario.options.clone() };
    let simulated = staggered_panel(&options).map_err(|it| it.to_string())?;
    let panel = panel(&simulated)?;
    let cache = AbsorptionCache::default();
    let mut all = Vec::new();
    for (at, (entry, overall, spec)) in planned.iter().enumerate() {
        let estimate = entry.fit(&panel, spec, &cache).ok();
        for (which, term) in terms(overall.as_ref()).iter().enumerate() {
            let Some(term) = term else { continue };
            let drawn = estimate.as_ref().map(|it| one_term(entry, it, term, &simulated));
            // A term that this estimator never has is no failure.
            if !matches!(drawn, Some(None)) {
                all.push(((at, which), drawn.flatten()));
            }
        }
    }
    Ok(all)
}

fn terms(overall: Option<&Term>) -> [Option<Term>; 3] {
    let [first, second] = EVENT_TIMES.map(|it| Some(Term::EventTime(it)));
    [overall.cloned(), first, second]
}

fn one_term(entry: &Entry, estimate: &Estimate, term: &Term, panel: &StaggeredPanel) -> Option<Drawn> {
    let at = estimate.terms.iter().position(|it| it == term)?;
    let row = estimate.rows(0.95).into_iter().nth(at)?;
    let own = TARGETS.iter().find(|it| it.0 == entry.meta.plugin.name);
    let truth = match (own, term) {
        (Some((_, target)), _) => target(panel, estimate, term),
        (None, Term::EventTime(time)) => panel.at_exposure(i64::from(*time)),
        (None, _) => panel.att(),
    };
    Some(Drawn {
        truth,
        estimate: row.estimate,
        std_error: row.std_error,
        covers: row.conf_low <= truth && truth <= row.conf_high,
        rejects: row.p_value < 0.05,
    })
}

fn summary((entry, overall, _): &Planned<'_>, which: usize, all: &[Option<Drawn>]) -> Performance {
    let drawn: Vec<Drawn> = all.iter().copied().flatten().collect();
    let n = drawn.len() as f64;
    let mean = |of: &dyn Fn(&Drawn) -> f64| drawn.iter().map(of).sum::<f64>() / n;
    let bias = mean(&|it| it.estimate - it.truth);
    let spread = (mean(&|it| (it.estimate - it.truth - bias).powi(2)) * n / (n - 1.0)).sqrt();
    Performance {
        estimator: entry.meta.plugin.name,
        term: terms(overall.as_ref())[which].clone().unwrap_or(Term::Intercept),
        draws: drawn.len(),
        failures: all.len() - drawn.len(),
        truth: mean(&|it| it.truth),
        bias,
        bias_error: spread / n.sqrt(),
        spread,
        std_error: mean(&|it| it.std_error),
        coverage: mean(&|it| f64::from(u8::from(it.covers))),
        rejected: mean(&|it| f64::from(u8::from(it.rejects))),
    }
}

fn request(scenario: &Scenario) -> BatteryRequest {
    BatteryRequest {
        outcome: "y".into(),
        unit: "unit".into(),
        time: "period".into(),
        cohort: Some("cohort".into()),
        treatment: "treated".into(),
        covariates: if scenario.covariate { vec!["level".into()] } else { Vec::new() },
    }
}

/// What the entry contributes as an estimator, clustered by unit.
fn model(entry: &Entry, request: &BatteryRequest) -> Result<Option<(Option<Term>, ModelSpec)>, String> {
    let Some(model) = entry.battery(request) else { return Ok(None) };
    let BatteryPart::Effect(overall) = model.part else { return Ok(None) };
    let spec = ModelSpec {
        estimator: entry.meta.plugin.name.to_owned(),
        formula: model.formula,
        weights: None,
        weight_kind: WeightKind::Analytic,
        vcov: "cluster:unit".parse().map_err(|it: parallax_model::vcov::VcovError| it.to_string())?,
        small_sample: SmallSample::FIXEST,
        repair: None,
        singletons: SingletonPolicy::Drop,
        options: model.options,
    };
    Ok(Some((overall, spec)))
}

/// The panel with the columns of the request; `level` is the first covariate's mean within the unit.
fn panel(simulated: &StaggeredPanel) -> Result<Panel, String> {
    let n = simulated.unit.len();
    let whole = |it: i64| i32::try_from(it).map_err(|it| it.to_string());
    let periods = simulated.period.iter().map(|&it| whole(it)).collect::<Result<Vec<i32>, String>>()?;
    let units = Codes::from_integers(simulated.unit.iter().map(|it| Some(*it)));
    let cohort = simulated.first_treated.iter().map(|it| it.map_or(0.0, |it| it as f64)).collect();
    PanelBuilder::new(n)
        .index("unit".into(), units, "period".into(), periods)
        .column("y".into(), Column::real(simulated.outcome.clone()))
        .column("treated".into(), Column::real(simulated.treated.clone()))
        .column("cohort".into(), Column::real(cohort))
        .column("level".into(), Column::real(simulated.covariate_level.clone()))
        .build()
        .map_err(|it| it.to_string())
}
