#![doc = include_str!("../docs/imputation.md")]

use parallax_model::{
    BatteryModel, BatteryPart, BatteryRequest, Capabilities, Design, Distribution, Estimate, Estimator,
    EventStudy, EventWindow, Example, FitError, InfluenceFunctions, Mat, Meta, Name, Note, OptionColumns,
    PluginMeta, SampleReport, Statistics, Status, Support, Term, VcovKind, counted, linalg::AbsorbOptions,
    settle,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    leads::Leads,
    setting::{Setting, check_level},
    targets::{Target, Wanted, add_deviations, left_out, support, targets},
    untreated::Untreated,
};

parallax_model::estimator!(Imputation);

/// Imputes untreated outcomes of treated rows from a regression on untreated rows.
pub struct Imputation;

/// Settings of `imputation`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Column with each unit's first treated period; missing or 0 for never. Or give `treatment`.
    pub cohort: Option<Name>,
    /// Column of 0 and 1 that stays 1 once it is. Or give `cohort`.
    pub treatment: Option<Name>,
    /// Periods before adoption in which units may react already; their rows are imputed, not fitted.
    #[schemars(range(max = parallax_model::limits::PERIODS))]
    pub anticipation: u32,
    /// Dummies of periods before adoption in the test of parallel trends; up to 5 that the panel has when not given.
    #[schemars(range(max = parallax_model::limits::PERIODS))]
    pub leads: Option<u32>,
    /// Latest event time with a term of its own; all when not given.
    #[schemars(range(max = parallax_model::limits::PERIODS))]
    pub lags: Option<u32>,
    /// A term for every cohort in every period.
    pub group_time: bool,
    /// Rows over which effects are averaged before errors look at deviations from the average.
    pub average_by: AverageBy,
    /// Each cluster's deviation is from the average over the other clusters.
    pub leave_out: bool,
    /// Treated rows that cannot be imputed leave all averages, with a note; else they are an error.
    pub autosample: bool,
    /// Averages over fewer effective rows are not reported; 0 reports all.
    pub min_effective: f64,
    /// Level of both bands.
    pub level: f64,
    /// Largest relative error of an absorbed column.
    pub tolerance: f64,
    /// Iterations of the slowest column before giving up with an error.
    #[schemars(range(min = 1, max = parallax_model::limits::ITERATIONS))]
    pub max_iterations: usize,
}

/// Groups of rows with an average effect each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AverageBy {
    /// A cohort in a period.
    #[default]
    CohortPeriod,
    /// All rows of a cohort.
    Cohort,
    /// All rows at a time since adoption.
    EventTime,
    /// All rows of a period.
    Period,
    /// All rows.
    All,
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
            group_time: true,
            average_by: AverageBy::default(),
            leave_out: false,
            autosample: true,
            min_effective: 0.0,
            level: 0.95,
            tolerance,
            max_iterations,
        }
    }
}

impl Estimator for Imputation {
    const META: Meta = Meta {
        plugin: PluginMeta {
            name: "imputation",
            summary: "Effects of staggered adoption by imputation of untreated outcomes, with conservative errors",
            docs: include_str!("../docs/imputation.md"),
            status: Status::Preview { since: "0.1.0" },
            reference: "Borusyak, Jaravel and Spiess (2024), Review of Economic Studies 91; did_imputation",
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
        check(options)?;
        let setting = Setting::read(
            design,
            Self::META.plugin.name,
            options.cohort.as_ref(),
            options.treatment.as_ref(),
            options.anticipation,
        )?;
        let absorb = AbsorbOptions {
            tolerance: options.tolerance,
            max_iterations: options.max_iterations,
            method: None,
        };
        let untreated = Untreated::fit(design, &setting, absorb.clone())?;
        setting.refuse_undated(&untreated.determined, options.treatment.as_ref())?;
        let wanted = Wanted { lags: options.lags, leads: &|_| false, group_time: options.group_time };
        let all = targets(design, &setting, &untreated, &wanted)?;
        let mut notes = untreated.notes();
        notes.extend(left_out(design, &setting, &untreated, options.autosample)?);
        let all = large_enough(all, options.min_effective, &mut notes)?;
        let leads = Leads::fit(design, &setting, options.leads, &absorb)?;
        let psi = influence(design, &setting, &untreated, &all, options, &mut notes)?;
        notes.extend(remarks(&setting, &untreated, options, leads.as_ref()));
        assemble(design, &setting, &untreated, options, Parts { all, leads, psi, notes })
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

/// What an estimate is made of.
struct Parts {
    all: Vec<Target>,
    leads: Option<Leads>,
    psi: Mat<f64>,
    notes: Vec<Note>,
}

fn check(options: &Options) -> Result<(), FitError> {
    check_level(Imputation::META.plugin.name, options.level)?;
    if 0.0 <= options.min_effective && options.min_effective.is_finite() {
        return Ok(());
    }
    let reason = "`min-effective` is a number of rows, 0 to report every average".to_owned();
    Err(FitError::Options { plugin: Imputation::META.plugin.name, reason })
}

/// `minn` of did_imputation: averages with a Herfindahl index of weights above 1 / min are left out, or named.
fn large_enough(all: Vec<Target>, least: f64, notes: &mut Vec<Note>) -> Result<Vec<Target>, FitError> {
    const FEW: f64 = 30.0;
    let names = |of: &[Target]| of.iter().map(|it| it.term.to_string()).collect::<Vec<String>>().join(", ");
    // An average over exactly that many rows is not below it, whatever the rounding of its weights.
    let few = |it: &Target, least: f64| it.effective_rows() < least * (1.0 - 1e-9);
    let (out, kept): (Vec<Target>, Vec<Target>) = all.into_iter().partition(|it| few(it, least));
    if kept.is_empty() {
        return Err(FitError::Model(format!(
            "no average has {least} effective treated rows; lower `min-effective`"
        )));
    }
    if !out.is_empty() {
        notes.push(Note::remark(format!(
            "not reported, with fewer than {least} effective treated rows: {}",
            names(&out)
        )));
    }
    let small = kept.iter().filter(|it| few(it, FEW)).count();
    if 0 < small {
        notes.push(Note::remark(format!(
            "averages with fewer than {FEW} effective treated rows, whose errors may be too small: {small} of {} \
             (did_imputation leaves them out; `min-effective = 30` does so here)",
            kept.len()
        )));
    }
    Ok(kept)
}

/// Units x targets: v e added up over the rows of a unit (Theorem 3 and section 4.3 of the paper).
fn influence(
    design: &Design<'_>,
    setting: &Setting,
    untreated: &Untreated<'_, '_>,
    all: &[Target],
    options: &Options,
    notes: &mut Vec<Note>,
) -> Result<Mat<f64>, FitError> {
    let clusters = design.vcov.cluster_of_units(&design.units)?;
    let mut psi = Mat::<f64>::zeros(design.units.n_groups(), all.len());
    untreated.add_influence(all, &mut psi)?;
    let mut alone = 0;
    for (at, target) in all.iter().enumerate() {
        let groups = averages(design, setting, &untreated.residual, &clusters, target, options.average_by);
        let single = groups.iter().filter(|it| it.clusters == 1).map(|it| it.rows.len()).sum::<usize>();
        if target.term == Term::Aggregate(None) {
            alone = single;
        }
        if options.leave_out && 0 < single {
            return Err(FitError::Model(format!(
                "{single} treated rows of `{}` have one cluster in their group of `average-by`, so that leaving it \
                 out leaves nothing; take larger groups with `average-by`",
                target.term
            )));
        }
        let mut centres = vec![0.0; target.rows.len()];
        for group in groups {
            for (position, share) in group.rows {
                let residual = untreated.residual[target.rows[position].0 as usize];
                let scale = if options.leave_out { 1.0 / (1.0 - share) } else { 1.0 };
                centres[position] = residual - scale * (residual - group.mean);
            }
        }
        add_deviations(design, &untreated.residual, (at, target), |it| centres[it], &mut psi);
    }
    if 0 < alone {
        notes.push(Note::remark(format!(
            "treated rows with one cluster in their group of `average-by`: {alone}; their effects equal the average, so \
             that errors do not see how they vary, and larger groups are the remedy"
        )));
    }
    Ok(psi)
}

/// Rows that share an average effect.
struct Averaged {
    /// sum over clusters of (sum v)(sum v tau), over the sum of (sum v)^2: equation (10) of the paper.
    mean: f64,
    clusters: usize,
    /// Positions among the target's rows, with their cluster's share of the sum of (sum v)^2.
    rows: Vec<(usize, f64)>,
}

/// A row of a target: its group of `average-by`, its cluster, its position.
type Placed = ((i32, i32), u32, usize);

fn averages(
    design: &Design<'_>,
    setting: &Setting,
    residual: &[f64],
    clusters: &[u32],
    target: &Target,
    by: AverageBy,
) -> Vec<Averaged> {
    let key = |row: usize| {
        let (cohort, period) = (setting.cohort[row].unwrap_or_default(), design.periods[row]);
        match by {
            AverageBy::CohortPeriod => (cohort, period),
            AverageBy::Cohort => (cohort, 0),
            AverageBy::EventTime => (period.saturating_sub(cohort), 0),
            AverageBy::Period => (0, period),
            AverageBy::All => (0, 0),
        }
    };
    let mut order: Vec<Placed> = target
        .rows
        .iter()
        .enumerate()
        .map(|(position, &(row, _))| {
            let row = row as usize;
            (key(row), clusters[design.units.code[row] as usize], position)
        })
        .collect();
    order.sort_unstable();
    order.chunk_by(|a, b| a.0 == b.0).map(|group| averaged(residual, target, group)).collect()
}

fn averaged(residual: &[f64], target: &Target, group: &[Placed]) -> Averaged {
    let (mut above, mut below) = (0.0, 0.0);
    let mut squares: Vec<f64> = Vec::new();
    let clusters: Vec<&[Placed]> = group.chunk_by(|a, b| a.1 == b.1).collect();
    for cluster in &clusters {
        let (mut v, mut v_tau) = (0.0, 0.0);
        for &(_, _, position) in *cluster {
            let (row, a) = target.rows[position];
            v += a;
            v_tau += a * residual[row as usize];
        }
        above += v * v_tau;
        below += v * v;
        squares.push(v * v);
    }
    let rows = clusters
        .iter()
        .zip(&squares)
        .flat_map(|(cluster, square)| cluster.iter().map(move |it| (it.2, square / below)))
        .collect();
    Averaged { mean: above / below, clusters: clusters.len(), rows }
}

fn assemble(
    design: &Design<'_>,
    setting: &Setting,
    untreated: &Untreated<'_, '_>,
    options: &Options,
    parts: Parts,
) -> Result<Estimate, FitError> {
    let Parts { all, leads, psi, notes } = parts;
    let mut terms: Vec<Term> = all.iter().map(|it| it.term.clone()).collect();
    let mut coef: Vec<f64> = all.iter().map(|it| it.estimate(&untreated.residual)).collect();
    let mut stats = counts(untreated, setting);
    let mut window = EventWindow::default();
    let mut values = psi;
    settle(&mut coef, &mut values, &vec![untreated.size(); all.len()]);
    let standing = support(design, setting, &all, leads.as_ref().map_or(&[], |it| &it.times));
    if let Some(leads) = leads {
        let effects = all.len();
        terms.extend(leads.times.iter().map(|&it| Term::EventTime(it)));
        coef.extend(&leads.coef);
        values = Mat::from_fn(values.nrows(), effects + leads.times.len(), |unit, at| match at < effects {
            true => values[(unit, at)],
            false => leads.psi[(unit, at - effects)],
        });
        report_pretrend(leads.test, &mut stats);
        window.references = leads.references;
        window.rows = leads.rows;
    }
    for it in &all {
        if let Term::EventTime(time) = it.term {
            window.rows.push((time, it.rows.len()));
        }
    }
    window.rows.sort_unstable();
    let sizes = vec![untreated.size(); terms.len()];
    let vcov = design.vcov.of_influence(values.as_ref(), &sizes, &design.units)?;
    let mut estimate = Estimate {
        estimator: Imputation::META.plugin.name,
        outcome: design.outcome.name.clone(),
        terms,
        coef,
        vcov,
        distribution: Distribution::Normal,
        distributions: Vec::new(),
        sample: sample(design, setting, untreated)?,
        effects: design.effects.iter().map(|it| it.name.clone()).zip(untreated.levels()).collect(),
        stats,
        event: Some(window),
        treated: None,
        details: Vec::new(),
        influence: design.keep_influence.then(|| InfluenceFunctions::new(design, values)),
        notes,
    };
    estimate.stand_on(Some(standing));
    if let Some(study) = EventStudy::of(&estimate) {
        study.add_tests(options.level, &mut estimate.stats)?;
        estimate.details.push(study.table(options.level));
    }
    Ok(estimate)
}

/// F, its degrees of freedom, p of the test that leads are zero.
fn report_pretrend([f, df1, df2, p]: [f64; 4], stats: &mut Statistics) {
    stats.set("pretrend_f", f);
    stats.set_df("pretrend_df1", df1);
    stats.set_df("pretrend_df2", df2);
    stats.set("pretrend_p", p);
}

/// The ledger: treated rows that cannot be imputed are in no average.
///
/// # Errors
/// Never here, where there are untreated rows; typed for completeness.
pub fn sample(
    design: &Design<'_>,
    setting: &Setting,
    untreated: &Untreated<'_, '_>,
) -> Result<SampleReport, FitError> {
    let used: Vec<bool> =
        setting.imputed.iter().zip(&untreated.determined).map(|(imputed, own)| !imputed || *own).collect();
    SampleReport::of_used(design, "treated that cannot be imputed", &used)
}

/// Rows that are imputed from, imputed, and not imputed.
pub fn counts(untreated: &Untreated<'_, '_>, setting: &Setting) -> Statistics {
    let imputed = setting.imputed.iter().filter(|it| **it).count();
    let both = setting.imputed.iter().zip(&untreated.determined);
    let determined = both.filter(|it| *it.0 && *it.1).count();
    let mut stats = Statistics::default();
    stats.count("untreated_rows", untreated.rows.len());
    stats.count("imputed_rows", determined);
    stats.count("not_imputed_rows", imputed - determined);
    stats
}

fn remarks(
    setting: &Setting,
    untreated: &Untreated<'_, '_>,
    options: &Options,
    leads: Option<&Leads>,
) -> Vec<Note> {
    let by = match options.average_by {
        AverageBy::CohortPeriod => "cohort and period",
        AverageBy::Cohort => "cohort",
        AverageBy::EventTime => "time since adoption",
        AverageBy::Period => "period",
        AverageBy::All => "all treated rows",
    };
    let [adopters, never] = setting.units;
    let before = match setting.anticipation {
        0 => String::new(),
        it => format!(
            "; rows from {} before adoption on are imputed too",
            counted(it.unsigned_abs() as usize, "period")
        ),
    };
    let mut notes = vec![
        Note::remark(format!(
            "units that adopt: {adopters}, that never do: {never}; effects and controls are fitted on {}{before}",
            counted(untreated.rows.len(), "untreated row")
        )),
        Note::remark(format!(
            "errors are conservative: deviations of effects from their average by {by}{}, added up within clusters; no \
             factor for small samples",
            if options.leave_out { " over other clusters" } else { "" }
        )),
    ];
    if let Some(it) = leads {
        let references: Vec<String> = it.references.iter().map(ToString::to_string).collect();
        notes.push(Note::remark(format!(
            "leads come from a regression on untreated rows alone, relative to event times {}; their errors carry the \
             factor {:.6} of the small-sample rule; leads and lags are not relative to the same periods",
            references.join(", "),
            it.factor
        )));
    }
    notes
}
