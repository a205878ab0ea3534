#![doc = include_str!("../docs/bacon.md")]

use std::collections::BTreeMap;

use parallax_model::{
    BatteryModel, BatteryPart, BatteryRequest, Capabilities, Design, Detail, Distribution, Estimate,
    Estimator, Example, FitError, Meta, Name, Note, PluginMeta, Statistics, Status, Support, TreatedSupport,
    Variation, VcovKind, Within, linalg::AbsorbOptions,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    comparisons::{Comparison, Group, Kind, NOTHING, two_by_two, with_covariates},
    treatment::{Coefficient, group_effect, position, short},
};

parallax_model::estimator!(Bacon);

/// The two-way fixed-effects coefficient and the comparisons it is made of.
pub struct Bacon;

/// Settings of `bacon`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// The regressor that is taken apart, 0 and 1, staying 1 once it is; the first one when not given.
    pub treatment: Option<Name>,
}

impl Estimator for Bacon {
    const META: Meta = Meta {
        plugin: PluginMeta {
            name: "bacon",
            summary: "Two-way fixed effects taken apart into comparisons of two groups (Goodman-Bacon)",
            docs: include_str!("../docs/bacon.md"),
            status: Status::Preview { since: "0.1.0" },
            reference: "Goodman-Bacon (2021), J. Econometrics 225, theorem 1 and section 5.2",
        },
        capabilities: Capabilities {
            vcov: &[
                VcovKind::Iid,
                VcovKind::Robust,
                VcovKind::Leverage,
                VcovKind::Cluster,
                VcovKind::Multiway,
            ],
            weights: false,
            frequency_weights: false,
            effects: Support::Required,
            instruments: false,
            unbalanced: false,
            staggered: true,
            needs_index: true,
        },
    };
    type Options = Options;

    fn fit(design: &Design<'_>, options: &Options) -> Result<Estimate, FitError> {
        let treatment = position(design, "bacon", options.treatment.as_ref())?;
        let starts = periods_of_a_balanced_panel(design)?;
        let treated = treated_periods(design, treatment, starts.len())?;
        let within = Within::new(design, &AbsorbOptions::default())?;
        let (outcome, variables) = (within.outcome(), within.regressors());
        let fit = within.regress(&outcome, &variables, false)?;
        let mut stats = within.statistics(&outcome, &fit)?;
        let influence = within.influence(&variables, &fit)?;
        let coefficient = Coefficient::new(fit, &variables, treatment, None)?;
        let groups = groups(&treated, &outcome.after, &coefficient.residual, starts.len());
        let comparisons = if coefficient.covariates.is_empty() {
            two_by_two(&groups, starts.len())
        } else {
            let within_groups = within_groups(&treated, &groups, &outcome.after, &coefficient.residual);
            with_covariates(&groups, starts.len(), within_groups)
        };
        let comparisons = in_order(comparisons);
        check_sum(&comparisons, coefficient.value())?;
        statistics(&comparisons, groups.len(), !coefficient.covariates.is_empty(), &mut stats);
        let mut notes = coefficient.fit.notes.clone();
        notes.extend(within.iteration_note());
        notes.extend(remarks(&comparisons, &coefficient.covariates));
        let mut estimate = Estimate {
            estimator: Self::META.plugin.name,
            outcome: design.outcome.name.clone(),
            distribution: Distribution::StudentT(coefficient.fit.vcov.arithmetic.t_df),
            distributions: Vec::new(),
            terms: vec![coefficient.term()],
            coef: vec![coefficient.value()],
            vcov: coefficient.vcov(),
            sample: within.sample(),
            effects: within.effects().iter().map(|it| (it.name.clone(), it.levels)).collect(),
            stats,
            event: None,
            treated: None,
            details: vec![by_kind(&comparisons), decomposition(design, &comparisons, &starts)],
            influence: coefficient.influence(influence),
            notes,
        };
        let support = TreatedSupport::of_regressors(design, &estimate.terms, Variation::Rows);
        estimate.stand_on(support);
        Ok(estimate)
    }

    fn battery(request: &BatteryRequest) -> Option<BatteryModel<Options>> {
        request.cohort.as_ref()?;
        Some(BatteryModel {
            part: BatteryPart::Diagnostic,
            formula: request.formula(Some(&request.treatment), true),
            options: Options { treatment: Some(request.treatment.clone()) },
        })
    }

    fn example() -> Example<Options> {
        Example { formula: None, options: Options { treatment: Some(Name::from("d")) } }
    }
}

/// The periods, if the effects are those of units and periods and every unit has all of these.
fn periods_of_a_balanced_panel(design: &Design<'_>) -> Result<Vec<i32>, FitError> {
    let group = &design.effects[group_effect(design, "bacon")?];
    if design.panel.index().is_none_or(|(unit, _)| *unit != group.name) {
        return Err(FitError::Model(format!(
            "`bacon` needs effects of units, not of `{}`: groups are what units of equal timing make",
            group.name
        )));
    }
    let mut periods = design.periods.clone();
    periods.sort_unstable();
    periods.dedup();
    let mut rows = vec![0; design.units.n_groups()];
    for &unit in design.units.code.iter() {
        rows[unit as usize] += 1;
    }
    let short: Vec<usize> = (0..rows.len()).filter(|&it| rows[it] < periods.len()).collect();
    let Some(&first) = short.first() else { return Ok(periods) };
    let row = design.units.code.iter().position(|it| *it as usize == first).unwrap_or_default();
    Err(FitError::Model(format!(
        "`bacon` needs a balanced panel: {} of {} units lack periods, the first with {} of {} ({}); keep units with \
         complete data by a step `complete`, or look at the weights with `twfe-weights`",
        short.len(),
        rows.len(),
        rows[first],
        periods.len(),
        design.place(row),
    )))
}

/// How many last periods each unit is treated in.
fn treated_periods(design: &Design<'_>, treatment: usize, periods: usize) -> Result<Vec<usize>, FitError> {
    let column = &design.regressors[treatment];
    let mut treated = Vec::with_capacity(design.units.n_groups());
    for (unit, values) in column.values.chunks(periods).enumerate() {
        let count = values.iter().filter(|it| **it == 1.0).count();
        let as_counted = |at: usize| f64::from(u8::from(periods - count <= at));
        if let Some(at) = (0..values.len()).find(|&at| values[at] != as_counted(at)) {
            let either = values[at] == 0.0 || values[at] == 1.0;
            return Err(FitError::Model(format!(
                "`{}` is {} at {}{}; `bacon` takes a treatment of 0 and 1 that stays once it came, `twfe-weights` any",
                column.name,
                values[at],
                design.place(unit * periods + at),
                if either { ", and the unit's treatment ends" } else { "" },
            )));
        }
        treated.push(count);
    }
    Ok(treated)
}

/// Units of equal timing, with means by period.
fn groups(treated: &[usize], outcome: &[f64], residual: &[f64], periods: usize) -> Vec<Group> {
    let mut groups: BTreeMap<usize, Group> = BTreeMap::new();
    for (unit, &count) in treated.iter().enumerate() {
        let group = groups.entry(count).or_insert_with(|| Group {
            treated: count,
            units: 0,
            outcome: vec![0.0; periods],
            residual: vec![0.0; periods],
        });
        group.units += 1;
        for at in 0..periods {
            group.outcome[at] += outcome[unit * periods + at];
            group.residual[at] += residual[unit * periods + at];
        }
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    for group in &mut groups {
        let units = group.units as f64;
        group.outcome.iter_mut().chain(&mut group.residual).for_each(|it| *it /= units);
    }
    groups
}

/// Covariates move the residual between units of equal timing: its share is the paper's Omega.
fn within_groups(
    treated: &[usize],
    groups: &[Group],
    outcome: &[f64],
    residual: &[f64],
) -> Option<Comparison> {
    let periods = residual.len() / treated.len();
    let (mut variance, mut covariance, mut total) = (0.0, 0.0, 0.0);
    for (unit, count) in treated.iter().enumerate() {
        let group = groups.iter().find(|it| it.treated == *count)?;
        for at in 0..periods {
            let row = unit * periods + at;
            let deviation = residual[row] - group.residual[at];
            variance += deviation * deviation;
            covariance += deviation * outcome[row];
            total += residual[row] * residual[row];
        }
    }
    let (weight, estimate) = (variance / total, covariance / variance);
    (NOTHING * total < variance).then_some(Comparison {
        kind: Kind::Within,
        treated: None,
        control: None,
        weight,
        estimate,
    })
}

/// By treated group from early to late, then by control group, the never treated last.
fn in_order(mut comparisons: Vec<Comparison>) -> Vec<Comparison> {
    let late = |it: Option<usize>| it.map(|treated| usize::MAX - treated);
    comparisons.sort_by_key(|it| (late(it.treated), late(it.control)));
    comparisons
}

/// Rounding, in a sum whose parts may be larger than itself.
const SUM: f64 = 1e-8;

/// The theorem, checked on the numbers that are printed.
fn check_sum(comparisons: &[Comparison], coefficient: f64) -> Result<(), FitError> {
    let sum: f64 = comparisons.iter().map(|it| it.weight * it.estimate).sum();
    let size: f64 = comparisons.iter().map(|it| (it.weight * it.estimate).abs()).sum();
    if (sum - coefficient).abs() <= SUM * (size + coefficient.abs()) {
        return Ok(());
    }
    Err(FitError::Model(format!(
        "the weighted sum of comparisons is {sum} and the coefficient {coefficient}: they should be equal; \
         rescale the outcome and covariates, and report it if that does not help"
    )))
}

/// Weight and average estimate of some comparisons; NaN where there are none.
fn average(comparisons: &[Comparison], which: impl Fn(Kind) -> bool) -> (f64, f64) {
    let (mut weight, mut product) = (0.0, 0.0);
    for it in comparisons.iter().filter(|it| which(it.kind)) {
        weight += it.weight;
        product += it.weight * it.estimate;
    }
    (weight, product / weight)
}

fn statistics(comparisons: &[Comparison], groups: usize, covariates: bool, stats: &mut Statistics) {
    stats.count("timing_groups", groups);
    stats.count("comparisons", comparisons.iter().filter(|it| it.kind != Kind::Within).count());
    if comparisons.iter().any(|it| it.kind == Kind::Within) {
        let (omega, within) = average(comparisons, |it| it == Kind::Within);
        stats.set("omega", omega);
        stats.set("estimate_within", within);
        stats.set("estimate_between", average(comparisons, |it| it != Kind::Within).1);
    }
    // With covariates a pair of groups is one comparison, and controls already treated are not told apart.
    let (weight, estimate) = average(comparisons, Kind::has_treated_controls);
    if !covariates {
        stats.set("weight_already_treated", weight);
    }
    if 0.0 < weight && !covariates {
        stats.set("estimate_already_treated", estimate);
    }
}

fn remarks(comparisons: &[Comparison], covariates: &[Name]) -> Vec<Note> {
    let percent = |it: f64| format!("{} %", short(100.0 * it));
    let mut notes = Vec::new();
    if covariates.is_empty() {
        let (weight, estimate) = average(comparisons, Kind::has_treated_controls);
        let (_, others) = average(comparisons, |it| !it.has_treated_controls());
        notes.push(Note::remark(match weight {
            0.0 => "no comparison has units as controls that are treated already".to_owned(),
            _ => format!(
                "{} of the weight is on comparisons whose controls are treated already; their average estimate is {}, \
                 that of the others {}",
                percent(weight),
                short(estimate),
                short(others)
            ),
        }));
    } else {
        let (omega, within) = average(comparisons, |it| it == Kind::Within);
        let (_, between) = average(comparisons, |it| it != Kind::Within);
        notes.push(Note::remark(format!(
            "with covariates {} of the weight (Omega) is on differences between units of equal timing, with the estimate {}; \
             comparisons of groups average {}",
            percent(omega),
            if 0.0 < omega { short(within) } else { "none".to_owned() },
            short(between)
        )));
        notes.push(Note::remark(
            "with covariates each pair of groups is one comparison over all periods, so that controls before and after \
             their own treatment are not told apart (Goodman-Bacon 2021, section 5.2)",
        ));
    }
    notes.push(Note::remark(match comparisons.len() {
        1 => "the only comparison is the coefficient".to_owned(),
        n => format!(
            "the weighted sum of all {n} estimates is the coefficient; no comparison has an error of its own"
        ),
    }));
    notes
}

fn by_kind(comparisons: &[Comparison]) -> Detail {
    let mut kinds: Vec<Kind> = comparisons.iter().map(|it| it.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let averages: Vec<(f64, f64)> = kinds.iter().map(|kind| average(comparisons, |it| it == *kind)).collect();
    let count = |kind: &Kind| comparisons.iter().filter(|it| it.kind == *kind).count() as f64;
    Detail::new("decomposition-by-kind", "Comparisons by kind")
        .text("kind", "Comparison", kinds.iter().map(|it| it.label().to_owned()).collect())
        .count("comparisons", "Number", kinds.iter().map(count).collect())
        .number("weight", "Weight", averages.iter().map(|it| it.0).collect())
        .number("estimate", "Average estimate", averages.iter().map(|it| it.1).collect())
}

fn decomposition(design: &Design<'_>, comparisons: &[Comparison], periods: &[i32]) -> Detail {
    let date = |treated: Option<usize>| match treated {
        None => "all".to_owned(),
        Some(0) => "never".to_owned(),
        Some(it) if it == periods.len() => "always".to_owned(),
        Some(it) => design.code(periods[periods.len() - it]).to_string(),
    };
    Detail::new("decomposition", "Comparisons of two groups, by first treated period")
        .text("kind", "Comparison", comparisons.iter().map(|it| it.kind.label().to_owned()).collect())
        .text("treated", "Treated", comparisons.iter().map(|it| date(it.treated)).collect())
        .text("control", "Control", comparisons.iter().map(|it| date(it.control)).collect())
        .number("weight", "Weight", comparisons.iter().map(|it| it.weight).collect())
        .number("estimate", "Estimate", comparisons.iter().map(|it| it.estimate).collect())
}
