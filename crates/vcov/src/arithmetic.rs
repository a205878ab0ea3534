//! The arithmetic behind a standard error: what K counts, which factors apply, which degrees of freedom.

use std::fmt;

use parallax_base::Name;
use parallax_linalg::connected_components;
use parallax_panel::Codes;
use serde::Serialize;

use crate::{
    AbsorbedEffect, EffectCount, EffectDof, HcKind, Preset, SampleScale, VcovError, VcovPlan, VcovSpec,
    plan::factor,
};

/// Every number that enters a covariance besides scores and bread.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Arithmetic {
    /// The rules used.
    pub preset: Preset,
    /// Rows.
    pub n: usize,
    /// Regressors kept, the constant among them where there is one.
    pub regressors: usize,
    /// How each absorbed effect counts.
    pub effects: Vec<EffectArithmetic>,
    /// Parameters K in the factor.
    pub k: usize,
    /// What a sandwich is multiplied by for n and K, or what RSS is divided by for iid.
    pub factor: f64,
    /// The factor in words.
    pub factor_text: String,
    /// One term for each non-empty set of cluster columns.
    pub terms: Vec<TermArithmetic>,
    /// Degrees of freedom of the t distribution.
    pub t_df: f64,
    /// Where they come from.
    pub t_df_text: String,
    /// Residual degrees of freedom: rows less all parameters, nested effects included.
    pub residual_df: usize,
}

/// One absorbed effect in K.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EffectArithmetic {
    /// The effect.
    pub name: Name,
    /// Its levels.
    pub levels: usize,
    /// Of these, counted in K.
    pub counted: usize,
    /// Why the others are not.
    pub because: String,
}

/// One term of the (multi-way) cluster sum.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TermArithmetic {
    /// Cluster columns that are intersected.
    pub by: String,
    /// +1 or -1.
    pub sign: f64,
    /// Groups.
    pub groups: usize,
    /// G/(G-1) as applied.
    pub scale: f64,
}

/// Counts parameters and works out factors. `term_groups` has a name, a sign and a group count for
/// each term of the cluster sum; empty for other kinds.
pub(crate) fn arithmetic(
    plan: &VcovPlan,
    n: usize,
    regressors: usize,
    absorbed: &[AbsorbedEffect],
    term_groups: &[(String, f64, usize)],
) -> Result<Arithmetic, VcovError> {
    let rules = plan.small_sample;
    refuse_what_the_preset_refuses(plan, absorbed)?;
    let redundant = redundant(plan, absorbed);
    let effects = count_effects(plan, absorbed, &redundant);
    let counted: usize = effects.iter().map(|it| it.counted).sum();
    let nested_constant = usize::from(
        rules.effects == EffectDof::NonNested
            && rules.count == EffectCount::Components
            && effects.iter().any(|it| it.counted == 0 && it.because.starts_with("nested")),
    );
    let k = regressors + if absorbed.is_empty() { 0 } else { (counted + nested_constant).max(minimum(plan)) };
    let all: usize = absorbed.iter().zip(&redundant).map(|(it, redundant)| it.levels - redundant).sum();
    let residual_df = residual_df(n, regressors + all, "all levels of the effects counted")?;
    let (factor, factor_text) = sample_factor(plan, n, k)?;
    let smallest = plan.groups.iter().map(Codes::n_groups).min();
    let term = |(by, sign, groups): &(String, f64, usize)| TermArithmetic {
        by: by.clone(),
        sign: *sign,
        groups: *groups,
        scale: plan.cluster_scale(*groups),
    };
    let (t_df, t_df_text) = match smallest {
        Some(groups) if rules.count == EffectCount::Components && n - k < groups - 1 => {
            ((n - k) as f64, format!("rows less K, fewer than clusters less one = {n} - {k}"))
        }
        Some(groups) => ((groups - 1) as f64, format!("smallest number of clusters less one = {groups} - 1")),
        None => {
            let k = if rules.effects == EffectDof::None { k } else { n - residual_df };
            ((n - k) as f64, format!("rows less parameters = {n} - {k}"))
        }
    };
    Ok(Arithmetic {
        preset: rules.preset,
        n,
        regressors,
        effects,
        k,
        factor,
        factor_text,
        terms: term_groups.iter().map(term).collect(),
        t_df,
        t_df_text,
        residual_df,
    })
}

/// fixest keeps the constant that nested effects span: K is never below regressors + 1.
fn minimum(plan: &VcovPlan) -> usize {
    usize::from(plan.small_sample.effects == EffectDof::NonNested)
}

/// Levels of each effect that earlier ones make redundant.
///
/// reghdfe compares only effects that no cluster nests, and where one is nested each of the others has at least one
/// redundant level, the first too (its function `estimate_dof`).
fn redundant(plan: &VcovPlan, absorbed: &[AbsorbedEffect]) -> Vec<usize> {
    let rules = plan.small_sample;
    if rules.count == EffectCount::Levels {
        return (0..absorbed.len()).map(|at| usize::from(0 < at)).collect();
    }
    let nested: Vec<bool> = absorbed
        .iter()
        .map(|it| rules.effects == EffectDof::NonNested && plan.nests(&it.codes).is_some())
        .collect();
    if !nested.contains(&true) {
        return absorbed.iter().map(|it| it.redundant).collect();
    }
    let factor = |at: usize| factor(&absorbed[at].codes);
    let pairs = |at: usize| (0..at).filter(|&other| !nested[other]).map(move |other| (other, at));
    let one = |at: usize| match nested[at] {
        true => 0,
        false => pairs(at).map(|(a, b)| connected_components(factor(a), factor(b))).max().unwrap_or(1).max(1),
    };
    (0..absorbed.len()).map(one).collect()
}

/// How each effect counts in K.
///
/// fixest subtracts nested levels except one from the full count; reghdfe drops nested effects
/// whole and adds one for the constant. Both rules are in `CONVENTIONS`, sections 1 and 2, and give
/// the same K when one effect is nested.
fn count_effects(plan: &VcovPlan, absorbed: &[AbsorbedEffect], redundant: &[usize]) -> Vec<EffectArithmetic> {
    let rules = plan.small_sample;
    let one = |(it, &redundant): (&AbsorbedEffect, &usize)| {
        let full = it.levels - redundant;
        let nested = plan.nests(&it.codes);
        let (counted, because) = match (rules.effects, nested) {
            (EffectDof::None, _) => (0, "effects do not count under these rules".to_owned()),
            (EffectDof::NonNested, Some(cluster)) => match rules.count {
                EffectCount::Levels => (
                    1 - redundant.min(1),
                    format!("nested in cluster {cluster}; one level stands for the constant"),
                ),
                EffectCount::Components => (0, format!("nested in cluster {cluster}")),
            },
            (EffectDof::NonNested | EffectDof::Full, _) if redundant == 0 => (full, "all count".to_owned()),
            (EffectDof::NonNested | EffectDof::Full, _) => {
                (full, format!("{redundant} redundant given other effects"))
            }
        };
        EffectArithmetic { name: it.name.clone(), levels: it.levels, counted, because }
    };
    absorbed.iter().zip(redundant).map(one).collect()
}

fn residual_df(n: usize, parameters: usize, what: &str) -> Result<usize, VcovError> {
    match n.checked_sub(parameters) {
        Some(it) if 0 < it => Ok(it),
        _ => Err(VcovError::NoDegreesOfFreedom { rows: n, parameters, what: what.to_owned() }),
    }
}

fn sample_factor(plan: &VcovPlan, n: usize, k: usize) -> Result<(f64, String), VcovError> {
    let free = residual_df(n, k, &format!("K under rules `{}`", plan.small_sample))? as f64;
    let rows = n as f64;
    let scale = plan.small_sample.sample;
    Ok(match (&plan.spec, scale) {
        (VcovSpec::Iid, SampleScale::All | SampleScale::NoClusters) => {
            (free, format!("RSS / (n - K) = RSS / ({n} - {k})"))
        }
        (VcovSpec::Iid, SampleScale::Never) => (rows, format!("RSS / n = RSS / {n}")),
        (VcovSpec::Hc(HcKind::Hc1), SampleScale::All | SampleScale::NoClusters) => {
            (rows / free, format!("n / (n - K) = {n} / ({n} - {k})"))
        }
        (VcovSpec::Hc(_), _) => (1.0, "no factor".to_owned()),
        (VcovSpec::Cluster { .. }, SampleScale::All) => {
            ((rows - 1.0) / free, format!("(n - 1) / (n - K) = ({n} - 1) / ({n} - {k})"))
        }
        (VcovSpec::Cluster { .. }, SampleScale::NoClusters | SampleScale::Never) => {
            (1.0, "no factor".to_owned())
        }
    })
}

/// xtreg takes robust to mean clustered by unit and wants clusters that contain whole units.
fn refuse_what_the_preset_refuses(plan: &VcovPlan, absorbed: &[AbsorbedEffect]) -> Result<(), VcovError> {
    if plan.small_sample.preset != Preset::Xtreg {
        return Ok(());
    }
    let refuse = |what: String, advice| Err(VcovError::PresetRefuses { preset: "xtreg", what, advice });
    // An effect of one level is a constant.
    match (&plan.spec, absorbed.first().filter(|it| 1 < it.levels)) {
        (VcovSpec::Hc(it), Some(_)) => {
            refuse(format!("{it} with absorbed effects"), "xtreg's vce(robust) is cluster:UNIT; write that")
        }
        (VcovSpec::Cluster { by }, _) if 1 < by.len() => {
            refuse("multi-way clusters".to_owned(), "use reghdfe or fixest")
        }
        (VcovSpec::Cluster { by }, Some(effect)) if plan.nests(&effect.codes).is_none() => refuse(
            format!("clusters {} that split groups of {}", by[0].name(), effect.name),
            "use reghdfe or fixest",
        ),
        _ => Ok(()),
    }
}

impl fmt::Display for Arithmetic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "rules                {}", self.preset.name())?;
        writeln!(f, "rows n               {}", self.n)?;
        writeln!(f, "regressors           {}", self.regressors)?;
        for it in &self.effects {
            writeln!(
                f,
                "effect {:<13} {} levels, {} count ({})",
                it.name, it.levels, it.counted, it.because
            )?;
        }
        writeln!(f, "parameters K         {}", self.k)?;
        writeln!(f, "factor               {} = {:.9}", self.factor_text, self.factor)?;
        for it in &self.terms {
            let sign = if it.sign < 0.0 { '-' } else { '+' };
            writeln!(f, "cluster {sign} {:<10} G = {}, times {:.9}", it.by, it.groups, it.scale)?;
        }
        write!(f, "t distribution       {} ({})", self.t_df, self.t_df_text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SmallSample;

    fn effect(name: &str, codes: &[i64], redundant: usize) -> AbsorbedEffect {
        let codes = Codes::from_integers(codes.iter().map(|it| Some(*it)));
        AbsorbedEffect { name: name.into(), levels: codes.n_groups(), redundant, codes }
    }

    fn k_of(rules: SmallSample, clusters: &[i64], absorbed: &[AbsorbedEffect]) -> (usize, usize) {
        let groups = Codes::from_integers(clusters.iter().map(|it| Some(*it)));
        let plan = VcovPlan::new("cluster:g".parse().unwrap(), rules, vec![groups]).unwrap();
        let found = arithmetic(&plan, clusters.len(), 1, absorbed, &[]).unwrap();
        (found.k, found.residual_df)
    }

    /// Two parts that share no group: beside a nested effect reghdfe looks at no components, and the order of effects
    /// does not matter.
    #[test]
    fn effects_beside_a_nested_one_have_one_redundant_level() {
        let unit: Vec<i64> = (0..24).map(|it| it / 3).collect();
        let period: Vec<i64> = (0..24).map(|it| it % 3 + 3 * (it / 12)).collect();
        let (units, periods) = (effect("unit", &unit, 0), effect("period", &period, 2));
        let first = k_of(SmallSample::REGHDFE, &unit, &[units.clone(), periods.clone()]);
        assert_eq!(first, (1 + 5 + 1, 24 - 1 - 8 - 5));
        let (units, periods) =
            (AbsorbedEffect { redundant: 2, ..units }, AbsorbedEffect { redundant: 0, ..periods });
        assert_eq!(k_of(SmallSample::REGHDFE, &unit, &[periods.clone(), units.clone()]), first);
        assert_eq!(k_of(SmallSample::FIXEST, &unit, &[units, periods]).0, first.0);
    }

    /// Without a nested effect components count: the clusters here are the rows of a period.
    #[test]
    fn effects_that_no_cluster_nests_are_compared() {
        let a: Vec<i64> = (0..24).map(|it| it / 3).collect();
        let b: Vec<i64> = (0..24).map(|it| it % 3 + 3 * (it / 12)).collect();
        let clusters: Vec<i64> = (0..24).map(|it| it % 5).collect();
        let absorbed = [effect("a", &a, 0), effect("b", &b, 2)];
        assert_eq!(k_of(SmallSample::REGHDFE, &clusters, &absorbed).0, 1 + 8 + 4);
        // A third effect, nested: the other two still meet in two components.
        let three = [effect("g", &clusters, 0), absorbed[0].clone(), effect("b", &b, 9)];
        assert_eq!(k_of(SmallSample::REGHDFE, &clusters, &three).0, 1 + 7 + 4 + 1);
    }
}
