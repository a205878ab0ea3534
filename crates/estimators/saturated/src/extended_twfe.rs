#![doc = include_str!("../docs/extended-twfe.md")]

use parallax_model::{
    Adoption, AggregationRange, BatteryModel, BatteryPart, BatteryRequest, Capabilities, Design,
    Distribution, Estimate, Estimator, EventStudy, Example, FitError, InfluenceFunctions, Mat, Meta, Name,
    Note, OptionColumns, PluginMeta, Statistics, Status, Support, Term, TreatedRows, TreatedSupport, Vcov,
    VcovKind, WeightScale, Within, linalg::AbsorbOptions,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    comparison::{Cells, Comparison, Rules},
    counts, linear,
    saturation::Saturation,
    summary::Averages,
};

parallax_model::estimator!(ExtendedTwfe);

/// Wooldridge's extended two-way fixed effects.
pub struct ExtendedTwfe;

/// Settings of `extended-twfe`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Column with each unit's first treated period; missing or 0 for never. Or give `treatment`.
    pub cohort: Option<Name>,
    /// Column of 0 and 1 that stays 1 once it is. Or give `cohort`.
    pub treatment: Option<Name>,
    /// Whose rows the effects are compared with.
    pub control: Control,
    /// Periods before adoption in which there may be an effect already.
    #[schemars(range(max = parallax_model::limits::PERIODS))]
    pub anticipation: u32,
    /// How the formula's regressors enter.
    pub covariates: Covariates,
    /// How the mean depends on effects and covariates.
    pub family: Family,
    /// Which cells enter the averages.
    pub range: AggregationRange,
    /// Level of both bands.
    pub level: f64,
    /// Largest relative error of an absorbed column.
    pub tolerance: f64,
    /// Iterations of the slowest column before giving up with an error.
    #[schemars(range(min = 1, max = parallax_model::limits::ITERATIONS))]
    pub max_iterations: usize,
}

/// Whose rows the effects are compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Control {
    /// All rows without treatment, those of later adopters among them.
    #[default]
    NotYetTreated,
    /// Rows of those never treated; every cell but the period before adoption has a coefficient.
    NeverTreated,
}

/// How the formula's regressors enter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Covariates {
    /// With slopes by cohort and by period, and less their cohort's mean in every cell.
    #[default]
    Interacted,
    /// With one slope each.
    Additive,
}

/// How the mean depends on effects and covariates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Linearly, by least squares.
    #[default]
    Gaussian,
    /// Exponentially, by Poisson pseudo-maximum likelihood.
    Poisson,
}

impl Default for Options {
    fn default() -> Options {
        let AbsorbOptions { tolerance, max_iterations, .. } = AbsorbOptions::default();
        Options {
            cohort: None,
            treatment: None,
            control: Control::NotYetTreated,
            anticipation: 0,
            covariates: Covariates::Interacted,
            family: Family::Gaussian,
            range: AggregationRange::default(),
            level: 0.95,
            tolerance,
            max_iterations,
        }
    }
}

/// Mean effects of cells, then reported slopes, from either family.
pub(crate) struct Fitted {
    /// One a cell and slope.
    pub coef: Vec<f64>,
    /// What they are.
    pub terms: Vec<Term>,
    /// Their covariance.
    pub vcov: Vcov,
    /// Their influence functions, where the design asks for them.
    pub influence: Option<InfluenceFunctions>,
    /// What statistics are compared with.
    pub distribution: Distribution,
    /// Fit.
    pub stats: Statistics,
    /// Dropped columns and the like.
    pub notes: Vec<Note>,
}

impl Estimator for ExtendedTwfe {
    const META: Meta = Meta {
        plugin: PluginMeta {
            name: "extended-twfe",
            summary: "Two-way regression with an effect for each cohort and period, linear or Poisson",
            docs: include_str!("../docs/extended-twfe.md"),
            status: Status::Preview { since: "0.1.0" },
            reference: "Wooldridge (2025), Empirical Economics 69; Wooldridge (2023), Econometrics J. 26",
        },
        capabilities: Capabilities {
            vcov: &[VcovKind::Iid, VcovKind::Robust, VcovKind::Cluster, VcovKind::Multiway],
            weights: true,
            frequency_weights: true,
            effects: Support::Required,
            instruments: false,
            unbalanced: true,
            staggered: true,
            needs_index: true,
        },
    };
    type Options = Options;

    fn weights(options: &Options) -> WeightScale {
        match options.family {
            Family::Gaussian => WeightScale::Relative,
            // They multiply the likelihood.
            Family::Poisson => WeightScale::AsGiven,
        }
    }

    fn fit(design: &Design<'_>, options: &Options) -> Result<Estimate, FitError> {
        check(options)?;
        let read = |design: &Design<'_>| {
            Adoption::read(design, "extended-twfe", options.cohort.as_ref(), options.treatment.as_ref())
        };
        let start = -i32::try_from(options.anticipation).unwrap_or(i32::MAX);
        let never = options.control == Control::NeverTreated;
        let at_reference = |e: i32| if never { e == start - 1 } else { e < start };
        let unusable = match options.family {
            Family::Gaussian => |_: &Design<'_>| None,
            Family::Poisson => counts::only_zeros,
        };
        let comparison =
            Comparison::new(design, read, &Rules { start, at_reference: &at_reference, unusable })?;
        let cells = comparison.cells(|g, t| !at_reference(t - g));
        estimate(&comparison, &cells, start, options)
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
        let cohort = Some(request.cohort.clone()?);
        // One slope a covariate, as its neighbours in a battery have, and as many columns as any panel can bear.
        let options = Options { cohort, covariates: Covariates::Additive, ..Options::default() };
        let part = BatteryPart::Effect(Some(Term::Aggregate(None)));
        Some(BatteryModel { part, formula: request.formula(None, true), options })
    }

    fn example() -> Example<Options> {
        let cohort = Some(Name::from("cohort"));
        // Cells of one or two rows leave too little of an interaction for what the checks compare to eleven digits.
        let options = Options { cohort, covariates: Covariates::Additive, ..Options::default() };
        Example { formula: Some("y ~ x1 | unit + year"), options }
    }
}

fn check(options: &Options) -> Result<(), FitError> {
    if 0.0 < options.level && options.level < 1.0 {
        return Ok(());
    }
    let reason = "`level` lies between 0 and 1, as 0.95".to_owned();
    Err(FitError::Options { plugin: "extended-twfe", reason })
}

fn estimate(
    comparison: &Comparison<'_, '_>,
    cells: &Cells,
    start: i32,
    options: &Options,
) -> Result<Estimate, FitError> {
    let design = comparison.design();
    let saturation = Saturation::new(comparison, cells, options.covariates == Covariates::Interacted);
    let absorb =
        AbsorbOptions { tolerance: options.tolerance, max_iterations: options.max_iterations, method: None };
    let within = Within::new(design, &absorb)?;
    let fitted = match options.family {
        Family::Gaussian => linear::fit(design, &within, &saturation, cells)?,
        Family::Poisson => counts::fit(design, &within, &saturation, cells, &absorb)?,
    };
    let sizes = cells.sizes(design.weight_values());
    let averages = Averages::new(
        &cells.cells,
        sizes,
        &fitted.coef,
        &fitted.terms,
        &options.range.on(design.panel.calendar()),
    );
    let matrix: Mat<f64> = averages.covariance(fitted.vcov.matrix.as_ref());
    let mut notes = fitted.notes;
    notes.extend(within.iteration_note());
    notes.push(comparison.remark());
    notes.extend(comparison.notes.clone());
    notes.push(convention(options));
    let mut estimate = Estimate {
        estimator: ExtendedTwfe::META.plugin.name,
        outcome: design.outcome.name.clone(),
        terms: averages.all.iter().map(|it| it.term.clone()).collect(),
        coef: averages.all.iter().map(|it| it.estimate).collect(),
        distribution: fitted.distribution,
        distributions: Vec::new(),
        vcov: Vcov { matrix, ..fitted.vcov },
        sample: within.sample(),
        effects: within.effects().iter().map(|it| (it.name.clone(), it.levels)).collect(),
        stats: fitted.stats,
        event: Some(comparison.window(vec![start - 1])),
        treated: None,
        details: Vec::new(),
        influence: fitted.influence.map(|it| averages.influence(it)),
        notes,
    };
    let treated = TreatedRows::of_cells(design, &cells.of_row, cells.cells.len());
    estimate.stand_on(Some(TreatedSupport::of_averages(design, &treated, &averages.all)));
    if let Some(study) = EventStudy::of(&estimate) {
        study.add_tests(options.level, &mut estimate.stats)?;
        estimate.details.push(study.table(options.level));
    }
    Ok(estimate)
}

fn convention(options: &Options) -> Note {
    let control = match options.control {
        Control::NotYetTreated => "all rows without treatment are controls, and leads are zero by assumption",
        Control::NeverTreated => {
            "rows of the never treated are controls; effects are relative to the period before adoption"
        }
    };
    let scale = match options.family {
        Family::Gaussian => "",
        Family::Poisson => "; effects are differences of means, exp(index) with and without the effect",
    };
    Note::remark(format!(
        "{control}; averages are over treated rows, whose number and covariates errors take as known{scale}"
    ))
}
