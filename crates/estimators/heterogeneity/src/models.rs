//! Three ways to estimate effects by group.

use std::sync::Arc;

use parallax_model::{
    Before, Design, FitError, Influence, Mat, Note, Regression, RegressionInput, SampleReport,
    SingletonPolicy, Statistics, Term, Variable, Vcov, Within, counted, joint_covariance,
    linalg::{AbsorbOptions, Absorber, Factor, singletons},
    panel::Codes,
    regress,
    vcov::AbsorbedEffect,
};

use crate::{
    group_effects::{Mode, Options},
    groups::Groups,
};

/// Coefficients with their covariance, whichever way.
pub(crate) struct Fitted {
    pub terms: Vec<Term>,
    pub coef: Vec<f64>,
    pub covariance: Mat<f64>,
    pub clamped: usize,
    /// Position of each group's effect.
    pub of_groups: Vec<usize>,
    /// How covariances were made.
    pub base: Vcov,
    /// Degrees of freedom: the fewest of the regressions.
    pub t_df: f64,
    pub stats: Statistics,
    pub notes: Vec<Note>,
    pub sample: SampleReport,
}

/// # Errors
/// What regressions say; a group whose effect is collinear with the rest.
pub(crate) fn fit(design: &Design<'_>, options: &Options, groups: &Groups) -> Result<Fitted, FitError> {
    let absorb =
        AbsorbOptions { tolerance: options.tolerance, max_iterations: options.max_iterations, method: None };
    let within = Within::new(design, &absorb)?;
    match options.mode {
        Mode::Joint => joint(&within, groups),
        Mode::Interaction => interaction(design, &within, groups),
        Mode::Split => split(design, &within, groups, &absorb),
    }
}

/// Regressors in the formula's order, with others in the place of the treatment.
fn with_effects(
    within: &Within<'_, '_>,
    groups: &Groups,
    which: &[usize],
) -> Result<Vec<Variable>, FitError> {
    let columns = which.iter().map(|&it| (Term::Slope(groups.term(it)), groups.treatment_of(it))).collect();
    let effects = within.variables(columns)?;
    let treatment = Term::Slope(groups.treatment.clone());
    let place = |it: Variable| if it.term == treatment { effects.clone() } else { vec![it] };
    Ok(within.regressors().into_iter().flat_map(place).collect())
}

fn position(fit: &Regression, groups: &Groups, group: usize) -> Result<usize, FitError> {
    let term = Term::Slope(groups.term(group));
    fit.terms.iter().position(|it| *it == term).ok_or_else(|| {
        FitError::Model(format!(
            "the effect in group {} of `{}` is a combination of other regressors and effects, and cannot be \
             estimated; merge groups or leave it out with `restrict`",
            groups.label(group),
            groups.by
        ))
    })
}

fn joint(within: &Within<'_, '_>, groups: &Groups) -> Result<Fitted, FitError> {
    let all: Vec<usize> = (0..groups.n()).collect();
    let outcome = within.outcome();
    let fit = within.regress(&outcome, &with_effects(within, groups, &all)?, false)?;
    let of_groups = all.iter().map(|&it| position(&fit, groups, it)).collect::<Result<_, _>>()?;
    let stats = within.statistics(&outcome, &fit)?;
    let mut notes = fit.notes;
    notes.extend(within.iteration_note());
    Ok(Fitted {
        terms: fit.terms,
        coef: fit.coef,
        covariance: fit.vcov.matrix.clone(),
        clamped: 0,
        of_groups,
        t_df: fit.vcov.arithmetic.t_df,
        base: fit.vcov,
        stats,
        notes,
        sample: within.sample(),
    })
}

fn interaction(design: &Design<'_>, within: &Within<'_, '_>, groups: &Groups) -> Result<Fitted, FitError> {
    let outcome = within.outcome();
    let mut parts = Vec::new();
    for group in 0..groups.n() {
        let variables = with_effects(within, groups, &[group])?;
        let fit = within.regress(&outcome, &variables, false)?;
        let at = position(&fit, groups, group)?;
        parts.push((fit.coef[at], Influence::of(&fit, &variables, at)?, fit));
    }
    let mut fitted = assembled(design, within, groups, parts)?;
    if design.frequency {
        fitted.stats.count("observations", fitted.base.arithmetic.n);
    }
    fitted.notes.extend(within.iteration_note());
    fitted.notes.push(Note::remark(
        "each effect is from a model of its own, in which the treated of other groups are among the comparisons",
    ));
    Ok(fitted)
}

fn split(
    design: &Design<'_>,
    within: &Within<'_, '_>,
    groups: &Groups,
    absorb: &AbsorbOptions,
) -> Result<Fitted, FitError> {
    let mut parts = Vec::new();
    let mut lost = 0;
    for group in 0..groups.n() {
        let (rows, singletons) = rows_of(design, groups, group);
        lost += singletons;
        let place = |it: FitError| {
            FitError::Model(format!("group {} of `{}` alone: {it}", groups.label(group), groups.by))
        };
        parts.push(alone(design, groups, group, &rows, absorb).map_err(place)?);
    }
    let rows: usize = parts.iter().map(|it| it.2.vcov.arithmetic.n).sum();
    let mut fitted = assembled(design, within, groups, parts)?;
    fitted.stats.count("observations", rows);
    if 0 < lost {
        fitted.notes.push(Note::remark(format!(
            "left out, alone in an effect within their group: {}",
            counted(lost, "row")
        )));
    }
    fitted.notes.push(Note::remark(
        "every coefficient and effect differs between groups; each error is that of its own sample, and the line on the covariance that of the smallest",
    ));
    Ok(fitted)
}

/// Coefficients of several regressions with the covariance of their moments.
fn assembled(
    design: &Design<'_>,
    within: &Within<'_, '_>,
    groups: &Groups,
    parts: Vec<(f64, Influence, Regression)>,
) -> Result<Fitted, FitError> {
    let mut notes: Vec<Note> = Vec::new();
    let (mut coef, mut influences, mut base) = (Vec::new(), Vec::new(), None::<Vcov>);
    for (value, influence, fit) in parts {
        coef.push(value);
        influences.push(influence);
        for note in fit.notes {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        let fewer = |it: &Vcov| fit.vcov.arithmetic.t_df < it.arithmetic.t_df;
        if base.as_ref().is_none_or(fewer) {
            base = Some(fit.vcov);
        }
    }
    let (covariance, clamped) = joint_covariance(design, &influences)?;
    let base = base.ok_or_else(|| FitError::Model("there is no group".to_owned()))?;
    Ok(Fitted {
        terms: (0..groups.n()).map(|it| Term::Slope(groups.term(it))).collect(),
        coef,
        covariance,
        clamped,
        of_groups: (0..groups.n()).collect(),
        t_df: base.arithmetic.t_df,
        base,
        stats: Statistics::default(),
        notes,
        sample: within.sample(),
    })
}

/// Rows of a group; without those that are alone in an effect there, where singletons are dropped.
fn rows_of(design: &Design<'_>, groups: &Groups, group: usize) -> (Vec<usize>, usize) {
    let all: Vec<usize> = (0..design.n()).filter(|it| groups.codes.code[*it] as usize == group).collect();
    if design.singletons == SingletonPolicy::Keep || design.effects.is_empty() {
        return (all, 0);
    }
    let codes: Vec<Codes> = design.effects.iter().map(|it| it.codes.compact(all.iter().copied())).collect();
    let factors: Vec<Factor<'_>> = codes.iter().map(factor).collect();
    let keep = singletons(&factors, all.len()).keep;
    let rows: Vec<usize> = all.iter().zip(&keep).filter(|it| *it.1).map(|it| *it.0).collect();
    let lost = all.len() - rows.len();
    (rows, lost)
}

fn factor(codes: &Codes) -> Factor<'_> {
    Factor { codes: &codes.code, n_groups: codes.n_groups() }
}

/// The formula's regression on some rows: the treatment's coefficient, its influence on all rows, the regression.
fn alone(
    design: &Design<'_>,
    groups: &Groups,
    group: usize,
    rows: &[usize],
    absorb: &AbsorbOptions,
) -> Result<(f64, Influence, Regression), FitError> {
    let pick = |values: &Arc<Vec<f64>>| rows.iter().map(|&it| values[it]).collect::<Vec<f64>>();
    let effects: Vec<AbsorbedEffect> = design
        .absorbed_effects()
        .into_iter()
        .map(|it| AbsorbedEffect {
            name: it.name,
            levels: 0,
            redundant: 0,
            codes: it.codes.compact(rows.iter().copied()),
        })
        .collect();
    let factors: Vec<Factor<'_>> = effects.iter().map(|it| factor(&it.codes)).collect();
    let weights = design.weights.as_ref().map(|it| pick(&it.values));
    let absorber = Absorber::new(&factors, weights.as_deref(), rows.len(), absorb.clone())?;
    let counts: Vec<(usize, usize)> =
        absorber.ranks().levels.iter().copied().zip(absorber.ranks().redundant.iter().copied()).collect();
    let effects: Vec<AbsorbedEffect> = effects
        .into_iter()
        .zip(counts)
        .map(|(it, (levels, redundant))| AbsorbedEffect { levels, redundant, ..it })
        .collect();
    let before: Vec<Vec<f64>> = design.regressors.iter().map(|it| pick(&it.values)).collect();
    let mut after = before.clone();
    let raw = pick(&design.outcome.values);
    after.push(raw.clone());
    absorber.residualize(&mut after)?;
    let outcome = after.pop().unwrap_or_default();
    let name = |name: &_| if *name == groups.treatment { groups.term(group) } else { Clone::clone(name) };
    let terms: Vec<Term> = design.regressors.iter().map(|it| Term::Slope(name(&it.name))).collect();
    let plan = design.vcov.on_rows(rows)?;
    let columns: Vec<&[f64]> = after.iter().map(Vec::as_slice).collect();
    let whole: Vec<&[f64]> = before.iter().map(Vec::as_slice).collect();
    let input = RegressionInput {
        terms: &terms,
        columns: &columns,
        outcome: &outcome,
        weights: weights.as_deref(),
        frequency: design.frequency,
        before: Some(Before { outcome: &raw, columns: &whole }),
        absorbed: &effects,
        leverages: None,
        constant: None,
    };
    let fit = regress(&input, &plan)?;
    let at = position(&fit, groups, group)?;
    let influence = on_all_rows(design.n(), rows, &fit, &columns, at);
    Ok((fit.coef[at], influence, fit))
}

fn on_all_rows(n: usize, rows: &[usize], fit: &Regression, columns: &[&[f64]], at: usize) -> Influence {
    let (mut projection, mut residuals) = (vec![0.0; n], vec![0.0; n]);
    for (place, &row) in rows.iter().enumerate() {
        let shares = fit.kept.iter().enumerate();
        projection[row] = shares.map(|(j, column)| fit.bread[(at, j)] * columns[*column][place]).sum();
        residuals[row] = fit.residuals[place];
    }
    Influence { projection, residuals, variance: fit.vcov.matrix[(at, at)] }
}
