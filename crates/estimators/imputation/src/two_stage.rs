#![doc = include_str!("../docs/two-stage.md")]

use parallax_model::{
    BatteryModel, BatteryPart, BatteryRequest, Capabilities, Design, Distribution, Estimate, Estimator,
    EventStudy, EventWindow, Example, FitError, InfluenceFunctions, Mat, Meta, Name, Note, OptionColumns,
    PluginMeta, Status, Support, Term, VcovKind, counted, linalg::AbsorbOptions, settle,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    imputation::{counts, sample},
    setting::{Setting, check_level},
    targets::{Target, Wanted, add_deviations, left_out, support, targets},
    untreated::Untreated,
};

parallax_model::estimator!(TwoStage);

/// Two stages: effects and controls on untreated rows, then what is left on treatment dummies.
pub struct TwoStage;

/// Settings of `two-stage`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Column with each unit's first treated period; missing or 0 for never. Or give `treatment`.
    pub cohort: Option<Name>,
    /// Column of 0 and 1 that stays 1 once it is. Or give `cohort`.
    pub treatment: Option<Name>,
    /// Periods before adoption in which units may react already; the first stage leaves their rows out.
    #[schemars(range(max = parallax_model::limits::PERIODS))]
    pub anticipation: u32,
    /// Earliest event time with a dummy, as periods before adoption; all when not given, none with 0.
    #[schemars(range(max = parallax_model::limits::PERIODS))]
    pub leads: Option<u32>,
    /// Latest event time with a dummy; all when not given.
    #[schemars(range(max = parallax_model::limits::PERIODS))]
    pub lags: Option<u32>,
    /// Event times without a dummy.
    pub reference: Vec<i32>,
    /// A term for every cohort in every period.
    pub group_time: bool,
    /// Treated rows that cannot be imputed leave the second stage, with a note; else they are an error.
    pub autosample: bool,
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
            anticipation: 0,
            leads: None,
            lags: None,
            reference: vec![-1],
            group_time: false,
            autosample: true,
            level: 0.95,
            tolerance,
            max_iterations,
        }
    }
}

impl Estimator for TwoStage {
    const META: Meta = Meta {
        plugin: PluginMeta {
            name: "two-stage",
            summary: "Effects of staggered adoption in two stages: untreated rows first, then treatment dummies",
            docs: include_str!("../docs/two-stage.md"),
            status: Status::Preview { since: "0.1.0" },
            reference: "Gardner (2021), Two-stage differences in differences; Butts and Gardner (2022), R Journal 14",
        },
        capabilities: Capabilities {
            vcov: &[VcovKind::Cluster],
            weights: true,
            frequency_weights: false,
            effects: Support::Required,
            instruments: false,
            unbalanced: true,
            staggered: true,
            needs_index: true,
        },
    };
    type Options = Options;

    fn fit(design: &Design<'_>, options: &Options) -> Result<Estimate, FitError> {
        let name = Self::META.plugin.name;
        check(options)?;
        let (cohort, treatment) = (options.cohort.as_ref(), options.treatment.as_ref());
        let setting = Setting::read(design, name, cohort, treatment, options.anticipation)?;
        let absorb = AbsorbOptions {
            tolerance: options.tolerance,
            max_iterations: options.max_iterations,
            method: None,
        };
        let untreated = Untreated::fit(design, &setting, absorb)?;
        setting.refuse_undated(&untreated.determined, treatment)?;
        let lead = |event: i32| {
            options.leads.is_none_or(|it| -i64::from(it) <= i64::from(event))
                && !options.reference.contains(&event)
        };
        let wanted = Wanted { lags: options.lags, leads: &lead, group_time: options.group_time };
        let mut all = targets(design, &setting, &untreated, &wanted)?;
        all.retain(|it| !matches!(it.term, Term::EventTime(time) if options.reference.contains(&time)));
        let mut coef: Vec<f64> = all.iter().map(|it| it.estimate(&untreated.residual)).collect();
        let mut psi = Mat::<f64>::zeros(design.units.n_groups(), all.len());
        untreated.add_influence(&all, &mut psi)?;
        for (at, (target, centre)) in all.iter().zip(&coef).enumerate() {
            add_deviations(design, &untreated.residual, (at, target), |_| *centre, &mut psi);
        }
        let sizes = vec![untreated.size(); all.len()];
        settle(&mut coef, &mut psi, &sizes);
        let vcov = design.vcov.of_influence(psi.as_ref(), &sizes, &design.units)?;
        let mut notes = untreated.notes();
        notes.extend(left_out(design, &setting, &untreated, options.autosample)?);
        let window = window(design, &setting, &all, options);
        notes.extend(remarks(&setting, &untreated, &window.references));
        let mut estimate = Estimate {
            estimator: name,
            outcome: design.outcome.name.clone(),
            terms: all.iter().map(|it| it.term.clone()).collect(),
            coef,
            vcov,
            distribution: Distribution::Normal,
            distributions: Vec::new(),
            sample: sample(design, &setting, &untreated)?,
            effects: design.effects.iter().map(|it| it.name.clone()).zip(untreated.levels()).collect(),
            stats: counts(&untreated, &setting),
            event: Some(window),
            treated: None,
            details: Vec::new(),
            influence: design.keep_influence.then(|| InfluenceFunctions::new(design, psi)),
            notes,
        };
        estimate.stand_on(Some(support(design, &setting, &all, &[])));
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
        let options = Options { cohort: Some(request.cohort.clone()?), ..Options::default() };
        let part = BatteryPart::Effect(Some(Term::Aggregate(None)));
        Some(BatteryModel { part, formula: request.formula(None, true), options })
    }

    fn example() -> Example<Options> {
        let cohort = Some(Name::from("cohort"));
        Example { formula: Some("y ~ x1 | unit + year"), options: Options { cohort, ..Options::default() } }
    }
}

fn check(options: &Options) -> Result<(), FitError> {
    let plugin = TwoStage::META.plugin.name;
    check_level(plugin, options.level)?;
    if options.reference.iter().all(|it| *it < 0) {
        return Ok(());
    }
    let reason = "`reference` names event times before adoption; they get no dummy".to_owned();
    Err(FitError::Options { plugin, reason })
}

fn window(design: &Design<'_>, setting: &Setting, all: &[Target], options: &Options) -> EventWindow {
    let mut rows: Vec<(i32, usize)> = Vec::new();
    for it in all {
        if let Term::EventTime(time) = it.term {
            rows.push((time, it.rows.len()));
        }
    }
    let mut references: Vec<i32> = Vec::new();
    let shown = |time: i32| options.leads.is_none_or(|it| -i64::from(it) <= i64::from(time));
    for &time in options.reference.iter().filter(|it| shown(**it)) {
        let count = (0..design.n()).filter(|&row| setting.event_time(design, row) == Some(time)).count();
        if 0 < count && !references.contains(&time) {
            references.push(time);
            rows.push((time, count));
        }
    }
    references.sort_unstable();
    rows.sort_unstable();
    EventWindow { references, rows, ..EventWindow::default() }
}

fn remarks(setting: &Setting, untreated: &Untreated<'_, '_>, references: &[i32]) -> Vec<Note> {
    let [adopters, never] = setting.units;
    let before = match setting.anticipation {
        0 => String::new(),
        it => format!(
            "; rows from {} before adoption on are not among them",
            counted(it.unsigned_abs() as usize, "period")
        ),
    };
    let omitted: Vec<String> = references.iter().map(ToString::to_string).collect();
    let omitted = match omitted.is_empty() {
        true => String::new(),
        false => {
            format!("; event time {} has no dummy, and the others are not relative to it", omitted.join(", "))
        }
    };
    vec![
        Note::remark(format!(
            "units that adopt: {adopters}, that never do: {never}; the first stage has {}{before}",
            counted(untreated.rows.len(), "untreated row")
        )),
        Note::remark(format!(
            "errors are those of both stages together, by clusters, without a factor for small samples; the second \
             stage has no constant: a dummy is the mean of what the first stage leaves, a lead the mean of its \
             residuals{omitted}"
        )),
    ]
}
