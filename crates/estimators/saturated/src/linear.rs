//! The saturated regression by least squares.

use parallax_model::{
    Aggregate, Design, Distribution, FitError, InfluenceFunctions, Mat, Note, Term, Variable, Vcov, Within,
    aggregate_covariance,
};

use crate::{comparison::Cells, extended_twfe::Fitted, saturation::Saturation};

/// Mean effects of cells and slopes, as linear functions of the coefficients.
pub(crate) fn fit(
    design: &Design<'_>,
    within: &Within<'_, '_>,
    saturation: &Saturation,
    cells: &Cells,
) -> Result<Fitted, FitError> {
    let outcome = within.outcome();
    let variables: Vec<Variable> = within.variables(saturation.columns.clone())?;
    let fit = within.regress(&outcome, &variables, false)?;
    let absorbed: Vec<&[f64]> = variables.iter().map(|it| it.after.as_slice()).collect();
    let effects = saturation.effects(&fit.kept, cells, &absorbed, design.weight_values())?;
    let k = fit.coef.len();
    let sizes = cells.sizes(design.weight_values());
    let mut means: Vec<Vec<f64>> = vec![vec![0.0; k]; cells.cells.len()];
    for (row, cell) in cells.of_row.iter().enumerate() {
        let Some(cell) = *cell else { continue };
        let share = design.weight_values().map_or(1.0, |it| it[row]) / sizes[cell];
        effects.parts(cell, row).into_iter().for_each(|(at, factor)| means[cell][at] += share * factor);
    }
    let of_cells = cells.cells.iter().zip(means).map(|(&(cohort, period), weights)| {
        let estimate = weights.iter().zip(&fit.coef).map(|(w, b)| w * b).sum();
        Aggregate { term: Term::GroupTime { cohort, period }, estimate, effects: weights, sizes: Vec::new() }
    });
    let slope = |at: usize| {
        let weights = (0..k).map(|it| f64::from(u8::from(it == at))).collect();
        Aggregate { term: fit.terms[at].clone(), estimate: fit.coef[at], effects: weights, sizes: Vec::new() }
    };
    let all: Vec<Aggregate> = of_cells.chain(effects.reported().into_iter().map(slope)).collect();
    let influence = within.influence(&variables, &fit)?.map(|InfluenceFunctions { values, units }| {
        let weights = Mat::from_fn(k, all.len(), |i, j| all[j].effects[i]);
        InfluenceFunctions { values: values * weights, units }
    });
    let stats = within.statistics(&outcome, &fit)?;
    Ok(Fitted {
        coef: all.iter().map(|it| it.estimate).collect(),
        terms: all.iter().map(|it| it.term.clone()).collect(),
        distribution: Distribution::StudentT(fit.vcov.arithmetic.t_df),
        influence,
        stats,
        notes: dropped(saturation, &fit.kept),
        vcov: Vcov { matrix: aggregate_covariance(&all, fit.vcov.matrix.as_ref()), ..fit.vcov },
    })
}

/// Covariates that fell out by their name, columns made of them by their number.
pub(crate) fn dropped(saturation: &Saturation, kept: &[usize]) -> Vec<Note> {
    let lost: Vec<usize> =
        (0..saturation.columns.len()).filter(|it| kept.binary_search(it).is_err()).collect();
    let mut notes: Vec<Note> = (lost.iter())
        .filter(|it| saturation.is_named(**it))
        .map(|&it| Note::DroppedCollinear { column: saturation.columns[it].0.to_string().as_str().into() })
        .collect();
    let made = lost.iter().filter(|it| !saturation.is_named(**it)).count();
    if 0 < made {
        notes.push(Note::remark(format!(
            "{made} of {} columns made of covariates are collinear with others and left out; no effect depends on which",
            saturation.columns.len()
        )));
    }
    notes
}
