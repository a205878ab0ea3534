//! Are unit effects correlated with the regressors? Hausman's and Mundlak's tests.

use parallax_model::{
    Before, Design, FitError, Mat, Note, Regression, RegressionInput, Statistics, Term, chi2_upper,
    linalg::{LinalgError, symmetric_eigen},
    regress, wald,
};

use crate::{units, variance::Components};

/// Hausman (1978) three ways: each side's own error variance (plm's default), the random-effects
/// one in both (`sigmamore`), the within one in both (`sigmaless`). Slopes only, classical covariances.
///
/// With its own variances the difference of the covariances can have negative eigenvalues. They stay in, as
/// in Stata's `hausman` and plm's `phtest`; a note says so.
///
/// # Errors
/// When the difference of covariances cannot be decomposed.
pub fn hausman(
    components: &Components,
    random: &Regression,
    offset: usize,
    sigma2_random: f64,
    stats: &mut Statistics,
) -> Result<Option<Note>, FitError> {
    let within = &components.within;
    let common: Vec<(usize, usize)> = within
        .kept
        .iter()
        .enumerate()
        .filter_map(|(w, column)| random.kept.iter().position(|it| *it == column + offset).map(|r| (w, r)))
        .collect();
    let mut note = None;
    if common.is_empty() {
        return Ok(note);
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
        let unit: Vec<f64> = common.iter().map(|&(w, _)| (of_within * within.bread[(w, w)]).sqrt()).collect();
        let form = signed_form(&change, &difference, &unit)?;
        let [statistic, df, p] = names(name);
        stats.set(statistic, form.value);
        stats.count(df, form.rank);
        // A negative statistic says nothing about the hypothesis, so it has no p-value.
        let p_value = if form.value < 0.0 { f64::NAN } else { chi2_upper(form.value, form.rank as f64) };
        stats.set(p, p_value);
        if name == "hausman" && 0 < form.negative {
            note = Some(Note::remark(
                "the difference of covariances in Hausman's test is not positive definite with each side's own error \
                 variance; sigmamore is the version to read",
            ));
        }
    }
    Ok(note)
}

struct SignedForm {
    value: f64,
    rank: usize,
    negative: usize,
}

/// v' M^+ v for a symmetric M of any sign, each coordinate in units of its within standard error.
///
/// The units come from the within covariance and not from M: where both estimators agree (year
/// dummies in a balanced panel) M is rounding, and its own scale would blow that up.
fn signed_form(v: &[f64], m: &Mat<f64>, unit: &[f64]) -> Result<SignedForm, LinalgError> {
    let p = v.len();
    let scale: Vec<f64> = unit.iter().map(|it| if 0.0 < *it { 1.0 / it } else { 1.0 }).collect();
    let scaled = Mat::from_fn(p, p, |i, j| m[(i, j)] * scale[i] * scale[j]);
    let (values, vectors) = symmetric_eigen(scaled.as_ref())?;
    let mut form = SignedForm { value: 0.0, rank: 0, negative: 0 };
    for (k, value) in values.iter().enumerate().filter(|(_, it)| RANK_TOLERANCE * (p as f64) < it.abs()) {
        let projection: f64 = (0..p).map(|i| vectors[(i, k)] * v[i] * scale[i]).sum();
        form.value += projection * projection / value;
        form.rank += 1;
        form.negative += usize::from(*value < 0.0);
    }
    Ok(form)
}

/// A difference of variances below this share of the within variance is rounding: both variances
/// carry about twelve digits.
const RANK_TOLERANCE: f64 = 1e-11;

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
    let magnitude = |it: &[f64]| it.iter().map(|it| it.abs()).collect::<Vec<f64>>();
    let raw: Vec<Vec<f64>> =
        design.regressors.iter().map(|it| units::means(design, counts, &magnitude(&it.values))).collect();
    let raw: Vec<Vec<f64>> =
        raw.iter().map(|it| design.units.code.iter().map(|&unit| it[unit as usize]).collect()).collect();
    let ones = vec![1.0; design.n()];
    let own = std::iter::repeat_n(ones.as_slice(), offset)
        .chain(design.regressors.iter().map(|it| it.values.as_slice()));
    let before: Vec<&[f64]> = own.chain(raw.iter().map(Vec::as_slice)).collect();
    let term = |it: usize| match it < offset {
        true => Term::Intercept,
        false => Term::Slope(format!("column {it}").into()),
    };
    let terms: Vec<Term> = (0..columns.len()).map(term).collect();
    let fit = regress(
        &RegressionInput {
            terms: &terms,
            columns: &columns,
            outcome,
            weights: None,
            frequency: false,
            before: Some(Before { outcome: &design.outcome.values, columns: &before }),
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
        stats.count("mundlak_df", rank);
        stats.set("mundlak_p", p);
    }
    Ok(())
}
