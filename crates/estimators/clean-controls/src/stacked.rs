#![doc = include_str!("../docs/stacked.md")]

use parallax_model::{
    BatteryModel, BatteryPart, BatteryRequest, Capabilities, Design, Distribution, Estimate, Estimator,
    EventStudy, EventWindow, Example, FitError, InfluenceFunctions, Mat, Meta, Name, Note, OptionColumns,
    PluginMeta, SampleReport, Statistics, Status, Support, Term, TreatedRows, TreatedSupport, Vcov, VcovKind,
    counted,
    linalg::{AbsorbOptions, rounding},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    effects::{Absorbed, Effects},
    options::{Control, adoption, check, periods},
    stack::Stack,
    subsample::{Solved, Subsample},
    weights::{Weighting, corrected, population},
    window::{Cells, Comparison, Window},
};

parallax_model::estimator!(Stacked);

/// The registered name.
pub const NAME: &str = "stacked";

/// One regression on sub-experiments, a cohort each.
pub struct Stacked;

/// Settings of `stacked`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Column with each unit's first treated period; missing or 0 for never. Or give `treatment`.
    pub cohort: Option<Name>,
    /// Column of 0 and 1 that stays 1 once it is. Or give `cohort`.
    pub treatment: Option<Name>,
    /// Which units a cohort is compared with.
    pub control: Control,
    /// Periods before adoption in the window. The longest window that two thirds of the treated units fit, if not given.
    #[schemars(range(max = parallax_model::limits::PERIODS))]
    pub leads: Option<u32>,
    /// Periods after the first treated one in the window. As `leads`.
    #[schemars(range(max = parallax_model::limits::PERIODS))]
    pub lags: Option<u32>,
    /// Periods before adoption in which effects may begin; the reference is the one before.
    #[schemars(range(max = parallax_model::limits::PERIODS))]
    pub anticipation: u32,
    /// How sub-experiments count.
    pub weighting: Weighting,
    /// What is taken out of the outcome beside the effects.
    pub effects: Effects,
    /// Column with the population of a unit, for `weighting` = population.
    pub population: Option<Name>,
    /// Cohorts that lack an event time of the window are left out, so that every event time has the same cohorts.
    pub trim: bool,
    /// Level of both bands.
    pub level: f64,
    /// Largest relative error of an absorbed column.
    pub tolerance: f64,
    /// Iterations of the slowest column before giving up with an error.
    #[schemars(range(min = 1, max = parallax_model::limits::ITERATIONS))]
    pub max_iterations: usize,
}

impl Default for Options {
    fn default() -> Options {
        let AbsorbOptions { tolerance, max_iterations, .. } = AbsorbOptions::default();
        Options {
            cohort: None,
            treatment: None,
            control: Control::default(),
            leads: None,
            lags: None,
            anticipation: 0,
            weighting: Weighting::default(),
            effects: Effects::default(),
            population: None,
            trim: true,
            level: 0.95,
            tolerance,
            max_iterations,
        }
    }
}

impl Estimator for Stacked {
    const META: Meta = Meta {
        plugin: PluginMeta {
            name: NAME,
            summary: "Stacked difference-in-differences: a sub-experiment for each cohort, with corrected weights",
            docs: include_str!("../docs/stacked.md"),
            status: Status::Preview { since: "0.1.0" },
            reference: "Cengiz, Dube, Lindner and Zipperer (2019), QJE 134; Wing, Freedman and Hollingsworth (2024), NBER 32054",
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
        design.vcov.cluster_of_units(&design.units)?;
        let read = |it: &Design<'_>| adoption(it, NAME, options.cohort.as_ref(), options.treatment.as_ref());
        let all = read(design)?;
        let (narrowed, undated) = all.without_undated(design)?.unzip();
        let design = narrowed.as_ref().unwrap_or(design);
        let adoption = read(design)?;
        let cells = Cells::new(design, &adoption);
        let (window, comparison) = window(&cells, options)?;
        let stack = Stack::new(design, &adoption, &cells, window, comparison, options.trim)?;
        let absorbed = Absorbed::choose(design, options.weighting, options.effects, &stack)?;
        let solved = regression(design, options, &stack, comparison, absorbed)?;
        let mut estimate = estimate(design, &stack, &solved, comparison)?;
        estimate.notes.extend(undated);
        estimate.notes.extend(remarks(design, options, &stack, window, comparison));
        estimate.notes.extend(absorbed.note());
        estimate.notes.extend(solved.iteration);
        if 0 < solved.singletons {
            estimate.notes.push(Note::remark(format!(
                "left out of the stack, alone in a group of an effect: {}",
                counted(solved.singletons, "row")
            )));
        }
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
            required: options.treatment.iter().chain(&options.population).cloned().collect(),
            optional: options.cohort.iter().cloned().collect(),
        }
    }

    fn battery(request: &BatteryRequest) -> Option<BatteryModel<Options>> {
        let options = Options { cohort: Some(request.cohort.clone()?), ..Options::default() };
        let part = BatteryPart::Effect(Some(Term::Aggregate(None)));
        Some(BatteryModel { part, formula: request.formula(None, false), options })
    }

    fn example() -> Example<Options> {
        let cohort = Some(Name::from("cohort"));
        Example {
            formula: Some("y ~ x1"),
            options: Options { cohort, leads: Some(2), lags: Some(1), ..Options::default() },
        }
    }
}

fn window(cells: &Cells, options: &Options) -> Result<(Window, Comparison), FitError> {
    let leads = periods(NAME, "leads", options.leads)?;
    let lags = periods(NAME, "lags", options.lags)?;
    let anticipation = periods(NAME, "anticipation", Some(options.anticipation))?.unwrap_or_default();
    let comparison = Comparison { control: options.control, anticipation };
    if leads.is_some_and(|it| it <= anticipation) {
        let reason = format!("`leads` must reach the reference, event time {}", comparison.reference());
        return Err(FitError::Options { plugin: NAME, reason });
    }
    match (leads, lags) {
        (Some(leads), Some(lags)) => Ok((Window { leads, lags }, comparison)),
        _ => Ok((cells.choose(leads, lags, comparison)?, comparison)),
    }
}

/// Dummies of event time for the treated, then covariates, on the effects of the kind of stack.
fn regression(
    design: &Design<'_>,
    options: &Options,
    stack: &Stack,
    comparison: Comparison,
    absorbed: Absorbed,
) -> Result<Solved, FitError> {
    let reference = comparison.reference();
    let dummies = stack.events().into_iter().map(|it| it.0).filter(|it| *it != reference).map(|event| {
        let is = |at: usize| f64::from(u8::from(stack.treated[at] && stack.event[at] == event));
        (Term::EventTime(event), (0..stack.rows.len()).map(is).collect())
    });
    let on_stack = |values: &[f64]| stack.rows.iter().map(|&it| values[it]).collect::<Vec<f64>>();
    let covariates = design.regressors.iter().map(|it| (Term::Slope(it.name.clone()), on_stack(&it.values)));
    let subsample = Subsample {
        outcome: on_stack(&design.outcome.values),
        outcome_sizes: on_stack(&design.outcome.values),
        columns: dummies.chain(covariates).collect(),
        weights: weights(design, options, stack)?,
        effects: absorbed.codes(design, stack),
        rows: stack.rows.clone(),
    };
    let absorb =
        AbsorbOptions { tolerance: options.tolerance, max_iterations: options.max_iterations, method: None };
    let solved = subsample.solve(design, &absorb, design.singletons)?;
    let lost: Vec<String> = (stack.events().into_iter())
        .filter(|it| it.0 != reference && !solved.fit.terms.contains(&Term::EventTime(it.0)))
        .map(|it| it.0.to_string())
        .collect();
    if !lost.is_empty() {
        return Err(FitError::Model(format!(
            "event times {} are collinear with the effects of the stack: too few rows at the reference {reference}; \
             shorten the window with `leads` and `lags`",
            lost.join(", ")
        )));
    }
    Ok(solved)
}

fn weights(design: &Design<'_>, options: &Options, stack: &Stack) -> Result<Option<Vec<f64>>, FitError> {
    let refuse = |reason: &str| Err(FitError::Options { plugin: NAME, reason: reason.to_owned() });
    match (options.weighting, &options.population) {
        (Weighting::Population, None) => refuse("`weighting` = population needs the column `population`"),
        (Weighting::Population, Some(column)) => {
            let population = population(design, column)?;
            Ok(Some(corrected(design, stack, options.weighting, Some(&population))))
        }
        (_, Some(_)) => refuse("`population` is for `weighting` = population only"),
        (Weighting::None, None) => {
            Ok(design.weight_values().map(|it| stack.rows.iter().map(|&row| it[row]).collect()))
        }
        (_, None) => Ok(Some(corrected(design, stack, options.weighting, None))),
    }
}

/// The regression's coefficients behind their mean over event times from 0 on.
fn estimate(
    design: &Design<'_>,
    stack: &Stack,
    solved: &Solved,
    comparison: Comparison,
) -> Result<Estimate, FitError> {
    let fit = &solved.fit;
    let k = fit.terms.len();
    let post: Vec<usize> =
        (0..k).filter(|&it| matches!(fit.terms[it], Term::EventTime(e) if 0 <= e)).collect();
    let mean = 1.0 / post.len() as f64;
    let weight = |term: usize, column: usize| match term {
        0 if post.contains(&column) => mean,
        0 => 0.0,
        _ => f64::from(u8::from(term == column + 1)),
    };
    let lines = Mat::from_fn(k + 1, k, weight);
    let matrix = rounding::congruence(lines.as_ref(), fit.vcov.matrix.as_ref());
    let of_post = |value: fn(f64) -> f64| post.iter().map(|&it| value(fit.coef[it])).sum::<f64>() * mean;
    let overall = rounding::or_zero(of_post(|it| it), of_post(f64::abs));
    let arithmetic = &fit.vcov.arithmetic;
    let [treated, controls] = stack.units(design);
    let mut stats = Statistics::default();
    stats.count("stacked_rows", solved.kept.len());
    stats.count("sub_experiments", stack.cohorts.len());
    stats.count("treated_units", treated);
    stats.count("control_units", controls);
    stats.count("df_residual", arithmetic.residual_df);
    let window = EventWindow {
        references: vec![comparison.reference()],
        rows: stack.events(),
        ..EventWindow::default()
    };
    let mut used = vec![false; design.n()];
    solved.kept.iter().for_each(|it| used[stack.rows[*it]] = true);
    let influence =
        design.keep_influence.then(|| InfluenceFunctions::new(design, &solved.psi * lines.transpose()));
    let mut estimate = Estimate {
        estimator: NAME,
        outcome: design.outcome.name.clone(),
        terms: std::iter::once(Term::Aggregate(None)).chain(fit.terms.iter().cloned()).collect(),
        coef: std::iter::once(overall).chain(fit.coef.iter().copied()).collect(),
        distribution: Distribution::StudentT(arithmetic.t_df),
        distributions: Vec::new(),
        vcov: Vcov { matrix, ..fit.vcov.clone() },
        sample: SampleReport::of_used(design, "in no sub-experiment", &used)?,
        effects: solved.effects.clone(),
        stats,
        event: Some(window),
        treated: None,
        details: Vec::new(),
        influence,
        notes: fit.notes.clone(),
    };
    estimate.stand_on(Some(support(design, stack, solved, &estimate.terms)));
    Ok(estimate)
}

/// An event time stands on the treated that have a row then, the overall effect on those with one from adoption on.
fn support(design: &Design<'_>, stack: &Stack, solved: &Solved, terms: &[Term]) -> TreatedSupport {
    let at = |wanted: &dyn Fn(i32) -> bool| {
        let own = solved.kept.iter().filter(|it| stack.treated[**it] && wanted(stack.event[**it]));
        TreatedRows::of(design, own.map(|it| stack.rows[*it]))
    };
    let overall = at(&|it| 0 <= it);
    let of = |term: &Term| match term {
        Term::Aggregate(None) => Some(overall.clone()),
        Term::EventTime(event) => Some(at(&|it| it == *event)),
        _ => None,
    };
    TreatedSupport::new(&overall, &terms.iter().map(of).collect::<Vec<_>>())
}

fn remarks(
    design: &Design<'_>,
    options: &Options,
    stack: &Stack,
    window: Window,
    comparison: Comparison,
) -> Vec<Note> {
    let chosen = match (options.leads, options.lags) {
        (Some(_), Some(_)) => "",
        _ => ", the longest that two thirds of the treated units fit",
    };
    let [treated, controls] = stack.units(design);
    let mut notes = vec![Note::remark(format!(
        "event window {} to {}{chosen}; {}, {} {}, with {} and {} as controls: {} (untreated up to {} after the cohort \
         adopts)",
        -window.leads,
        window.lags,
        counted(stack.cohorts.len(), "sub-experiment"),
        if stack.cohorts.len() == 1 { "cohort" } else { "cohorts" },
        list(design, &stack.cohorts),
        counted(treated, "treated unit"),
        counted(controls, "unit"),
        options.control.words(),
        counted((window.lags + comparison.anticipation).unsigned_abs() as usize, "period"),
    ))];
    if !stack.left_out.is_empty() {
        let why: Vec<String> =
            stack.left_out.iter().map(|(it, why)| format!("{} ({why})", design.code(*it))).collect();
        notes.push(Note::remark(format!("cohorts left out: {}", why.join(", "))));
    }
    notes.push(Note::remark(match options.weighting {
        Weighting::None => {
            "plain stacked regression with effects of stack x unit and stack x period: it weighs trends of treated and \
             controls differently, so that it need not be a mean of effects (Wing, Freedman and Hollingsworth 2024)"
        }
        Weighting::Aggregate => "corrected weights: every treated unit counts the same",
        Weighting::Population => "corrected weights: cohorts count by the population of their treated units",
        Weighting::SampleShare => "corrected weights: cohorts count by the rows of their sub-experiment",
    }));
    notes.push(Note::remark(format!(
        "`att` is the mean of event times 0 to {}, reference {}; a unit in several sub-experiments is in one cluster, and \
         n counts rows of the stack",
        stack.events().last().map_or(0, |it| it.0),
        comparison.reference()
    )));
    notes
}

fn list(design: &Design<'_>, cohorts: &[i32]) -> String {
    let words: Vec<String> = cohorts.iter().map(|it| design.code(*it).to_string()).collect();
    words.join(", ")
}
