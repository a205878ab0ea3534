//! Are unit effects correlated with the regressors? Hausman's and Mundlak's tests.

use parallax_model::{
    Design, FitError, Mat, Regression, RegressionInput, Statistics, Term, chi2_upper,
    linalg::quadratic_form_inverse, regress, wald,
};

use crate::{units, variance::Components};

/// Hausman (1978) three ways: each side's own error variance (plm's default), the random-effects
/// one in both (`sigmamore`), the within one in both (`sigmaless`). Slopes only, classical covariances.
///
/// # Errors
/// When the difference of covariances cannot be decomposed.
pub fn hausman(
    components: &Components,
    random: &Regression,
    offset: usize,
    sigma2_random: f64,
    stats: &mut Statistics,
) -> Result<(), FitError> {
    let within = &components.within;
    let common: Vec<(usize, usize)> = within
        .kept
        .iter()
        .enumerate()
        .filter_map(|(w, column)| random.kept.iter().position(|it| *it == column + offset).map(|r| (w, r)))
        .collect();
    if common.is_empty() {
        return Ok(());
    }
    let change: Vec<f64> = common.iter().map(|&(w, r)| within.coef[w] - random.coef[r]).collect();
    let versions = [
        ("hausman", components.sigma2_e, sigma2_random),
        ("hausman_sigmamore", sigma2_random, sigma2_random),
        ("hausman_sigmaless", components.sigma2_e, components.sigma2_e),
    ];
    for (name, of_within, of_random) in versions {
        let difference = Mat::from_fn(common.len(), common.len(), |i, j| {
            let ((wi, ri), (wj, rj)) = (common[i], common[j]);
            of_within * within.bread[(wi, wj)] - of_random * random.bread[(ri, rj)]
        });
        let (chi2, rank) = quadratic_form_inverse(&change, difference.as_ref())?;
        let [statistic, df, p] = names(name);
        stats.set(statistic, chi2);
        stats.set(df, rank as f64);
        stats.set(p, chi2_upper(chi2, rank as f64));
    }
    Ok(())
}

fn names(version: &str) -> [&'static str; 3] {
    match version {
        "hausman_sigmamore" => ["hausman_sigmamore_chi2", "hausman_sigmamore_df", "hausman_sigmamore_p"],
        "hausman_sigmaless" => ["hausman_sigmaless_chi2", "hausman_sigmaless_df", "hausman_sigmaless_p"],
        _ => ["hausman_chi2", "hausman_df", "hausman_p"],
    }
}

/// Mundlak (1978): unit means join the random-effects regression; their joint Wald test under the
/// requested covariance stays valid where Hausman's does not (Wooldridge 2010, eq. 10.82).
///
/// # Errors
/// What the augmented regression says.
pub fn mundlak(
    design: &Design<'_>,
    counts: &[f64],
    theta: &[f64],
    transformed: &[Vec<f64>],
    outcome: &[f64],
    stats: &mut Statistics,
) -> Result<(), FitError> {
    let offset = transformed.len() - design.regressors.len();
    let spread = |values: &[f64]| -> Vec<f64> {
        let means = units::means(design, counts, values);
        design.units.code.iter().map(|&it| (1.0 - theta[it as usize]) * means[it as usize]).collect()
    };
    let means: Vec<Vec<f64>> = design.regressors.iter().map(|it| spread(&it.values)).collect();
    let columns: Vec<&[f64]> = transformed.iter().chain(&means).map(Vec::as_slice).collect();
    let terms: Vec<Term> = (0..columns.len()).map(|it| Term::Slope(format!("column {it}").into())).collect();
    let fit = regress(
        &RegressionInput {
            terms: &terms,
            columns: &columns,
            outcome,
            weights: None,
            reference_norms: None,
            absorbed: &[],
            leverages: None,
            constant: None,
        },
        &design.vcov,
    )?;
    let tested: Vec<usize> =
        (0..fit.kept.len()).filter(|&it| offset + design.regressors.len() <= fit.kept[it]).collect();
    if !tested.is_empty() {
        let (chi2, rank, p) = wald(&fit.coef, fit.vcov.matrix.as_ref(), &tested)?;
        stats.set("mundlak_chi2", chi2);
        stats.set("mundlak_df", rank as f64);
        stats.set("mundlak_p", p);
    }
    Ok(())
}
