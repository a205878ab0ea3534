#![doc = include_str!("../docs/sun-abraham.md")]

use parallax_model::{
    Adoption, AggregationRange, BatteryModel, BatteryPart, BatteryRequest, Capabilities, Design,
    Distribution, Estimate, Estimator, EventStudy, Example, FitError, Meta, Name, Note, OptionColumns,
    PluginMeta, Regression, Status, Support, Term, TreatedRows, TreatedSupport, Vcov, VcovKind, Within,
    linalg::AbsorbOptions,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    comparison::{Cells, Comparison, Rules},
    summary::Averages,
};

parallax_model::estimator!(SunAbraham);

/// Interaction-weighted event study.
pub struct SunAbraham;

/// Settings of `sun-abraham`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Column with each unit's first treated period; missing or 0 for never. Or give `treatment`.
    pub cohort: Option<Name>,
    /// Column of 0 and 1 that stays 1 once it is. Or give `cohort`.
    pub treatment: Option<Name>,
    /// Event times that are zero by choice.
    pub reference: Vec<i32>,
    /// What the errors of averages say of the shares of cohorts.
    pub share_variance: ShareVariance,
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

/// What the errors of averages say of the shares of cohorts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ShareVariance {
    /// Shares are those of the population (R fixest).
    #[default]
    Ignored,
    /// Shares are estimated (Stata's eventstudyinteract).
    Estimated,
}

impl Default for Options {
    fn default() -> Options {
        let AbsorbOptions { tolerance, max_iterations, .. } = AbsorbOptions::default();
        Options {
            cohort: None,
            treatment: None,
            reference: vec![-1],
            share_variance: ShareVariance::Ignored,
            range: AggregationRange::default(),
            level: 0.95,
            tolerance,
            max_iterations,
        }
    }
}

impl Estimator for SunAbraham {
    const META: Meta = Meta {
        plugin: PluginMeta {
            name: "sun-abraham",
            summary: "Interaction-weighted event study: effects by cohort and period, averaged by the shares of cohorts",
            docs: include_str!("../docs/sun-abraham.md"),
            status: Status::Preview { since: "0.1.0" },
            reference: "Sun and Abraham (2021), J. Econometrics 225",
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

    fn fit(design: &Design<'_>, options: &Options) -> Result<Estimate, FitError> {
        check(options)?;
        let read = |design: &Design<'_>| {
            Adoption::read(design, "sun-abraham", options.cohort.as_ref(), options.treatment.as_ref())
        };
        let at_reference = |e: i32| options.reference.contains(&e);
        let rules = Rules { start: 0, at_reference: &at_reference, unusable: |_| None };
        let comparison = Comparison::new(design, read, &rules)?;
        let cells = comparison.cells(|g, t| !at_reference(t - g));
        if cells.cells.is_empty() {
            return Err(FitError::Model(
                "every treated row is at a reference; give fewer of them".to_owned(),
            ));
        }
        let absorb = AbsorbOptions {
            tolerance: options.tolerance,
            max_iterations: options.max_iterations,
            method: None,
        };
        estimate(&comparison, &cells, &absorb, options)
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
    let refuse = |reason: &str| Err(FitError::Options { plugin: "sun-abraham", reason: reason.to_owned() });
    if !(0.0 < options.level && options.level < 1.0) {
        return refuse("`level` lies between 0 and 1, as 0.95");
    }
    if options.reference.is_empty() || options.reference.iter().any(|it| 0 <= *it) {
        return refuse("`reference` needs at least one event time, all before adoption, as [-1]");
    }
    Ok(())
}

fn estimate(
    comparison: &Comparison<'_, '_>,
    cells: &Cells,
    absorb: &AbsorbOptions,
    options: &Options,
) -> Result<Estimate, FitError> {
    let design = comparison.design();
    let within = Within::new(design, absorb)?;
    let outcome = within.outcome();
    let terms = cells.cells.iter().map(|&(cohort, period)| Term::GroupTime { cohort, period });
    let mut variables = within.variables(terms.zip(cells.dummies()).collect())?;
    variables.extend(within.regressors());
    let fit = within.regress(&outcome, &variables, false)?;
    refuse_dropped(design, cells, &fit)?;
    let sizes = cells.sizes(design.weight_values());
    let averages =
        Averages::new(&cells.cells, sizes, &fit.coef, &fit.terms, &options.range.on(design.panel.calendar()));
    let stats = within.statistics(&outcome, &fit)?;
    let influence = match options.share_variance {
        ShareVariance::Ignored => within.influence(&variables, &fit)?,
        ShareVariance::Estimated => None,
    };
    let mut matrix = averages.covariance(fit.vcov.matrix.as_ref());
    if options.share_variance == ShareVariance::Estimated {
        averages.add_share_covariance(&mut matrix, cells, design);
    }
    let mut references = options.reference.clone();
    references.sort_unstable();
    references.dedup();
    let mut notes = fit.notes.clone();
    notes.extend(within.iteration_note());
    notes.push(comparison.remark());
    notes.extend(comparison.notes.clone());
    notes.push(convention(options));
    let mut estimate = Estimate {
        estimator: SunAbraham::META.plugin.name,
        outcome: design.outcome.name.clone(),
        terms: averages.all.iter().map(|it| it.term.clone()).collect(),
        coef: averages.all.iter().map(|it| it.estimate).collect(),
        distribution: Distribution::StudentT(fit.vcov.arithmetic.t_df),
        distributions: Vec::new(),
        vcov: Vcov { matrix, ..fit.vcov },
        sample: within.sample(),
        effects: within.effects().iter().map(|it| (it.name.clone(), it.levels)).collect(),
        stats,
        event: Some(comparison.window(references)),
        treated: None,
        details: Vec::new(),
        influence: influence.map(|it| averages.influence(it)),
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

/// A cell that falls out as collinear would silently become a reference and move all others.
fn refuse_dropped(design: &Design<'_>, cells: &Cells, fit: &Regression) -> Result<(), FitError> {
    let kept = |at: &usize| fit.kept.binary_search(at).is_ok();
    let lost: Vec<String> = (0..cells.cells.len())
        .filter(|at| !kept(at))
        .map(|at| cells.cells[at])
        .map(|(cohort, period)| format!("({},{})", design.code(cohort), design.code(period)))
        .collect();
    if lost.is_empty() {
        return Ok(());
    }
    Err(FitError::Model(format!(
        "cells (cohort, period) {} are collinear with the others and the effects: in such a period no control has a row \
         that its own effects leave free; take the period out with a step `restrict`, or absorb fewer effects",
        lost.join(", ")
    )))
}

fn convention(options: &Options) -> Note {
    Note::remark(match options.share_variance {
        ShareVariance::Ignored => "averages weigh cells by their rows; errors take these shares as known",
        ShareVariance::Estimated => {
            "averages weigh cells by their rows; errors add the variance of these shares over units"
        }
    })
}
