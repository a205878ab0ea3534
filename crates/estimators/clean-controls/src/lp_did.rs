#![doc = include_str!("../docs/lp-did.md")]

use parallax_model::{
    BatteryModel, BatteryPart, BatteryRequest, Capabilities, Design, Detail, Distribution, Estimate,
    Estimator, EventStudy, EventWindow, Example, FitError, InfluenceFunctions, Mat, Meta, Name, Note,
    OptionColumns, PluginMeta, SampleReport, Statistics, Status, Support, Term, TreatedRows, TreatedSupport,
    Vcov, VcovKind, counted, linalg::AbsorbOptions, settle, vcov::Arithmetic,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    adjustment::{Adjusted, equal_weights, given_weights, periods as period_codes, regression_adjusted},
    horizons::{HorizonSample, LongDifferences},
    options::{Control, adoption, check},
    subsample::Subsample,
    windows::{Windows, horizons},
};

parallax_model::estimator!(LocalProjections);

/// The registered name.
pub(crate) const NAME: &str = "lp-did";

/// Long differences of adopters and clean controls, a regression for each event time.
pub struct LocalProjections;

/// What long differences start from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Base {
    /// The outcome of the period before.
    #[default]
    Previous,
    /// Its mean over periods before, all of which have to be there.
    PreMean,
    /// Its mean over the rows before, whichever are there. Effects of periods do not cancel where rows are missing.
    PreMeanAvailable,
}

/// Settings of `lp-did`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Column with each unit's first treated period; missing or 0 for never. Or give `treatment`.
    pub cohort: Option<Name>,
    /// Column of 0 and 1 that stays 1 once it is. Or give `cohort`.
    pub treatment: Option<Name>,
    /// Which units adopters are compared with.
    pub control: Control,
    /// Periods before adoption. As many as half of the adopters have without a gap, if not given.
    #[schemars(range(max = parallax_model::limits::PERIODS))]
    pub leads: Option<u32>,
    /// Periods after the first treated one. As `leads`.
    #[schemars(range(max = parallax_model::limits::PERIODS))]
    pub lags: Option<u32>,
    /// The pooled estimate before adoption is over event times from there to -2; as `leads` if not given.
    #[schemars(range(max = parallax_model::limits::PERIODS))]
    pub pool_leads: Option<u32>,
    /// The pooled estimate `att` is over event times from 0 to there; as `lags` if not given.
    #[schemars(range(max = parallax_model::limits::PERIODS))]
    pub pool_lags: Option<u32>,
    /// Every adopter counts the same. Otherwise periods with balanced shares of adopters count more.
    pub reweight: bool,
    /// What long differences start from.
    pub base: Base,
    /// How many periods before adoption the base is the mean of, for `base` = pre-mean; all, if not given.
    #[schemars(range(max = parallax_model::limits::PERIODS))]
    pub base_periods: Option<u32>,
    /// Lags of the outcome among the covariates.
    #[schemars(range(max = parallax_model::limits::LAGGED_COLUMNS))]
    pub outcome_lags: u32,
    /// Lags of the outcome's change among the covariates.
    #[schemars(range(max = parallax_model::limits::LAGGED_COLUMNS))]
    pub difference_lags: u32,
    /// Event times from 0 on use only rows that can be used at all of them.
    pub no_composition: bool,
    /// Level of both bands.
    pub level: f64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            cohort: None,
            treatment: None,
            control: Control::default(),
            leads: None,
            lags: None,
            pool_leads: None,
            pool_lags: None,
            reweight: false,
            base: Base::default(),
            base_periods: None,
            outcome_lags: 0,
            difference_lags: 0,
            no_composition: false,
            level: 0.95,
        }
    }
}

impl Estimator for LocalProjections {
    const META: Meta = Meta {
        plugin: PluginMeta {
            name: NAME,
            summary: "Local projections: long differences of adopters and clean controls, by event time and pooled",
            docs: include_str!("../docs/lp-did.md"),
            status: Status::Preview { since: "0.1.0" },
            reference: "Dube, Girardi, Jorda and Taylor (2025), A local projections approach to difference-in-differences, \
                        J. Applied Econometrics",
        },
        capabilities: Capabilities {
            vcov: &[VcovKind::Cluster],
            weights: true,
            frequency_weights: false,
            effects: Support::Refused,
            instruments: false,
            unbalanced: true,
            staggered: true,
            needs_index: true,
        },
    };
    type Options = Options;

    fn fit(design: &Design<'_>, options: &Options) -> Result<Estimate, FitError> {
        check(design, NAME, options.level)?;
        check_base(options)?;
        design.vcov.cluster_of_units(&design.units)?;
        let adoption = adoption(design, NAME, options.cohort.as_ref(), options.treatment.as_ref())?;
        let differences = LongDifferences::new(design, &adoption, options);
        let windows = Windows::new(design, &differences, options)?;
        let Found { effects, mut notes, used } = effects(design, &differences, options, windows)?;
        notes.extend(dropped(&effects));
        notes.extend(remarks(options, windows, &effects));
        notes.extend(differences.history_note());
        let mut estimate = estimate(design, options, &effects, &used)?;
        estimate.notes.extend(notes);
        if let Some(study) = EventStudy::of(&estimate) {
            study.add_tests(options.level, &mut estimate.stats)?;
            estimate.details.push(study.table(options.level));
        }
        Ok(estimate)
    }

    fn dated_by(options: &Options) -> Option<&Name> {
        options.treatment.as_ref()
    }

    fn columns(options: &Options) -> OptionColumns {
        OptionColumns {
            required: options.treatment.iter().cloned().collect(),
            optional: options.cohort.iter().cloned().collect(),
        }
    }

    fn battery(request: &BatteryRequest) -> Option<BatteryModel<Options>> {
        let options = Options { cohort: Some(request.cohort.clone()?), reweight: true, ..Options::default() };
        let part = BatteryPart::Effect(Some(Term::Aggregate(None)));
        Some(BatteryModel { part, formula: request.formula(None, false), options })
    }

    fn example() -> Example<Options> {
        let cohort = Some(Name::from("cohort"));
        Example {
            formula: Some("y ~ x1"),
            options: Options { cohort, leads: Some(3), lags: Some(1), ..Options::default() },
        }
    }
}

fn check_base(options: &Options) -> Result<(), FitError> {
    let refuse = |reason: &str| Err(FitError::Options { plugin: NAME, reason: reason.to_owned() });
    match (options.base, options.base_periods) {
        (Base::Previous | Base::PreMeanAvailable, Some(_)) => {
            refuse("`base-periods` is for `base` = pre-mean only")
        }
        (Base::PreMean, Some(0)) => refuse("`base-periods` counts periods, at least 1"),
        _ => Ok(()),
    }
}

/// One coefficient with what a unit adds to it.
struct Effect {
    term: Term,
    estimate: f64,
    psi: Vec<f64>,
    /// Factors of its regression; none where the errors are a formula without.
    arithmetic: Option<Arithmetic>,
    /// Rows of the design that long differences start from, each once.
    base: Vec<usize>,
    /// Those of them in which the treatment begins.
    treated: Vec<usize>,
    /// Covariates that its rows cannot tell from periods and from covariates before.
    dropped: Vec<String>,
}

/// What all regressions together found.
struct Found {
    effects: Vec<Effect>,
    notes: Vec<Note>,
    /// By row of the design, whether a regression takes something from it.
    used: Vec<bool>,
}

impl Effect {
    fn distribution(&self) -> Distribution {
        self.arithmetic.as_ref().map_or(Distribution::Normal, |it| Distribution::StudentT(it.t_df))
    }

    /// Of the t distribution; NaN for the normal one.
    fn degrees(&self) -> f64 {
        self.arithmetic.as_ref().map_or(f64::NAN, |it| it.t_df)
    }

    fn factor(&self) -> f64 {
        let scale = |it: &Arithmetic| it.factor * it.terms.first().map_or(1.0, |it| it.scale);
        self.arithmetic.as_ref().map_or(1.0, scale)
    }
}

/// The pooled estimates, then event times, ascending. What cannot be estimated is a note; without `att` an error.
fn effects(
    design: &Design<'_>,
    differences: &LongDifferences<'_, '_>,
    options: &Options,
    windows: Windows,
) -> Result<Found, FitError> {
    let fixed = options.no_composition.then_some(windows.lags);
    let mut wanted = vec![
        (Term::Aggregate(None), horizons(0, windows.pool_lags), windows.pool_lags, None),
        (Term::Aggregate(Some("pre".into())), horizons(-windows.pool_leads, -2), 0, None),
    ];
    wanted.extend(
        (-windows.leads..=windows.lags)
            .filter(|it| *it != -1)
            .map(|it| (Term::EventTime(it), vec![it], it.max(0), fixed.filter(|_| 0 <= it))),
    );
    let (mut found, mut notes, mut used) = (Vec::new(), Vec::new(), vec![false; design.n()]);
    for (term, targets, clean, fixed) in wanted {
        if targets.is_empty() {
            continue;
        }
        let mut sample = differences.sample(&targets, clean, fixed);
        if 0 < sample.unsupported {
            notes.push(Note::remark(format!(
                "{term}: left out, without a clean control in their period: {}",
                counted(sample.unsupported, "adopter")
            )));
        }
        let name = term.to_string();
        let effect = match sample.identified() {
            true => effect(design, differences, options, term, &mut sample),
            false => Err(FitError::Model(
                "no adopter with the outcomes it takes has a clean control; add units that adopt later or never, or \
                 shorten the window".to_owned(),
            )),
        };
        match effect {
            Ok(it) => {
                differences.mark(&it.base, &targets, &mut used);
                found.push(it);
            }
            Err(it) if found.is_empty() => {
                return Err(FitError::Model(format!("`att`, pooled over event times 0 to {clean}: {it}")));
            }
            Err(it) => notes.push(Note::remark(format!("{name} is not estimated: {it}"))),
        }
    }
    Ok(Found { effects: found, notes, used })
}

/// Covariates that no regression could use, and those that some could not.
fn dropped(effects: &[Effect]) -> Vec<Note> {
    let mut names: Vec<&String> = effects.iter().flat_map(|it| &it.dropped).collect();
    names.sort_unstable();
    names.dedup();
    let note = |name: &String| {
        let without: Vec<String> =
            effects.iter().filter(|it| it.dropped.contains(name)).map(|it| it.term.to_string()).collect();
        match without.len() == effects.len() {
            true => Note::DroppedCollinear { column: name.as_str().into() },
            false => Note::remark(format!("`{name}` dropped as collinear from {}", without.join(", "))),
        }
    };
    names.into_iter().map(note).collect()
}

fn effect(
    design: &Design<'_>,
    differences: &LongDifferences<'_, '_>,
    options: &Options,
    term: Term,
    sample: &mut HorizonSample,
) -> Result<Effect, FitError> {
    let absorb = AbsorbOptions::default();
    let on_rows = |values: &[f64]| sample.rows.iter().map(|&it| values[it]).collect::<Vec<f64>>();
    let mut covariates: Vec<(Term, Vec<f64>)> =
        (design.regressors.iter().map(|it| (Term::Slope(it.name.clone()), on_rows(&it.values))))
            .chain(differences.lags.iter().map(|(term, it)| (term.clone(), on_rows(it))))
            .collect();
    let mut dropped: Vec<String> = Vec::new();
    if options.reweight && !covariates.is_empty() {
        match regression_adjusted(design, sample, &covariates, &absorb) {
            Ok(it) => {
                let Adjusted { estimate, psi, dropped } = it;
                let (base, treated) = (sample.rows.clone(), sample.treated_rows(0..sample.rows.len()));
                return Ok(Effect { term, estimate, psi, arithmetic: None, base, treated, dropped });
            }
            // Covariates that do not vary within periods change nothing, as in the regression.
            Err(FitError::NoRegressor { .. }) => {
                dropped = covariates.drain(..).map(|it| it.0.to_string()).collect();
            }
            Err(it) => return Err(it),
        }
    }
    if options.reweight {
        sample.only_adoption_periods(&design.periods);
    }
    let names: Vec<String> = covariates.iter().map(|it| it.0.to_string()).collect();
    let begins = sample.treated.iter().map(|it| f64::from(u8::from(*it))).collect();
    let subsample = Subsample {
        outcome: sample.outcome.clone(),
        outcome_sizes: vec![design.outcome_size(); sample.rows.len()],
        columns: std::iter::once((term.clone(), begins)).chain(covariates).collect(),
        weights: match options.reweight {
            true => Some(equal_weights(design, sample)),
            false => given_weights(design, &sample.rows),
        },
        effects: vec![(Name::from("period"), period_codes(design, sample))],
        rows: sample.rows.clone(),
    };
    let solved = subsample.solve(design, &absorb, design.singletons)?;
    if solved.fit.kept.first() != Some(&0) {
        return Err(FitError::Model("adoption is collinear with periods and covariates".to_owned()));
    }
    let psi = (0..solved.psi.nrows()).map(|unit| solved.psi[(unit, 0)]).collect();
    let lost = (0..names.len()).filter(|it| !solved.fit.kept.contains(&(it + 1)));
    dropped.extend(lost.map(|it| names[it].clone()));
    let arithmetic = Some(solved.fit.vcov.arithmetic);
    let estimate = solved.fit.coef[0];
    let base = solved.kept.iter().map(|it| sample.rows[*it]).collect();
    let treated = sample.treated_rows(solved.kept);
    Ok(Effect { term, estimate, psi, arithmetic, base, treated, dropped })
}

/// Sum of absolute weights of the outcomes in a contrast of adopters with controls in two periods.
const CONTRAST: f64 = 4.0;

/// Joint covariance from influence functions, each times the root of the factor of its own regression.
fn covariance(design: &Design<'_>, effects: &[Effect], psi: &Mat<f64>) -> Result<Vcov, FitError> {
    let factors: Vec<f64> = effects.iter().map(|it| it.factor().sqrt()).collect();
    let scaled = Mat::from_fn(psi.nrows(), psi.ncols(), |unit, it| factors[it] * psi[(unit, it)]);
    let sizes: Vec<f64> = factors.iter().map(|it| it * CONTRAST * design.outcome_size()).collect();
    let by_formula = design.vcov.of_influence(scaled.as_ref(), &sizes, &design.units)?;
    Ok(match effects.first().and_then(|it| it.arithmetic.clone()) {
        Some(arithmetic) => Vcov { arithmetic, small_sample: design.vcov.small_sample, ..by_formula },
        None => by_formula,
    })
}

fn estimate(
    design: &Design<'_>,
    options: &Options,
    effects: &[Effect],
    used: &[bool],
) -> Result<Estimate, FitError> {
    let mut psi = Mat::from_fn(design.units.n_groups(), effects.len(), |unit, it| effects[it].psi[unit]);
    let mut coef: Vec<f64> = effects.iter().map(|it| it.estimate).collect();
    settle(&mut coef, &mut psi, &vec![CONTRAST * design.outcome_size(); effects.len()]);
    let vcov = covariance(design, effects, &psi)?;
    let distributions: Vec<Distribution> = effects.iter().map(Effect::distribution).collect();
    let event = |it: &Effect| match it.term {
        Term::EventTime(time) => Some((time, it.base.len())),
        _ => None,
    };
    let window = EventWindow {
        references: if options.base == Base::Previous { vec![-1] } else { Vec::new() },
        rows: effects.iter().filter_map(event).collect(),
        ..EventWindow::default()
    };
    let words = |it: &Effect| it.term.to_string();
    let counts = Detail::new("horizons", "Rows of each regression")
        .text("term", "Term", effects.iter().map(words).collect())
        .count("rows", "Rows", effects.iter().map(|it| it.base.len() as f64).collect())
        .count("treated", "Adopters", effects.iter().map(|it| it.treated.len() as f64).collect())
        .number("df", "Degrees of freedom", effects.iter().map(Effect::degrees).collect());
    let mut stats = Statistics::default();
    if let Some(it) = effects.first() {
        stats.count("pooled_rows", it.base.len());
        stats.count("pooled_adopters", it.treated.len());
    }
    let rows = |it: &Effect| TreatedRows::of(design, it.treated.iter().copied());
    let by_term: Vec<Option<TreatedRows>> = effects.iter().map(|it| Some(rows(it))).collect();
    let overall = effects.first().map_or_else(|| TreatedRows::none(design), rows);
    let mut estimate = Estimate {
        estimator: NAME,
        outcome: design.outcome.name.clone(),
        terms: effects.iter().map(|it| it.term.clone()).collect(),
        coef,
        vcov,
        distribution: effects.first().map_or(Distribution::Normal, Effect::distribution),
        distributions,
        sample: SampleReport::of_used(design, "in no long difference", used)?,
        effects: Vec::new(),
        stats,
        event: Some(window),
        treated: None,
        details: vec![counts],
        influence: design.keep_influence.then(|| InfluenceFunctions::new(design, psi)),
        notes: Vec::new(),
    };
    estimate.stand_on(Some(TreatedSupport::new(&overall, &by_term)));
    Ok(estimate)
}

fn remarks(options: &Options, windows: Windows, effects: &[Effect]) -> Vec<Note> {
    let chosen =
        if windows.given { "" } else { ", as far as half of the adopters are observed without a gap" };
    let base = match (options.base, options.base_periods) {
        (Base::Previous, _) => "from the period before adoption".to_owned(),
        (Base::PreMean, None) => "from the mean of all periods before".to_owned(),
        (Base::PreMeanAvailable, _) => "from the mean of the rows before".to_owned(),
        (Base::PreMean, Some(it)) => format!("from the mean of the {it} periods before"),
    };
    let adjusted = effects.iter().any(|it| it.arithmetic.is_none());
    let weights = match (options.reweight, adjusted) {
        (false, _) => "periods with balanced shares of adopters and controls count more",
        (true, false) => "weighted by period so that every adopter counts the same",
        (true, true) => "regression adjustment on clean controls, so that every adopter counts the same",
    };
    let errors = match adjusted {
        true => {
            "errors are those of the influence functions, without factor for small samples, normal quantiles"
        }
        false => {
            "errors have the factor and the degrees of freedom of each event time's own regression; covariances between \
             event times the root of both factors"
        }
    };
    vec![
        Note::remark(format!(
            "event times {} to {}{chosen}, long differences {base}; adopters against {}; {weights}",
            -windows.leads,
            windows.lags,
            options.control.words(),
        )),
        Note::remark(format!(
            "`att` is pooled over event times 0 to {}, on rows with all of them{}; {errors}",
            windows.pool_lags,
            if 2 <= windows.pool_leads {
                format!(", `att:pre` over {} to -2", -windows.pool_leads)
            } else {
                String::new()
            },
        )),
    ]
}
