//! From columns to a matching: what step and estimator have in common.

use parallax_model::{
    Detail, Distribution, Name, Note, chi2_upper,
    linalg::{BinaryResponse, LinalgError},
};

use crate::{
    balance::{Balance, Overall, Sample, balance, overall},
    matching::{Matching, Scores, run},
    options::{MatchOptions, Method},
    score::{Scale, log_odds},
};

/// Columns of one sample, without missing values.
#[derive(Clone, Copy, Debug)]
pub struct Data<'a> {
    /// 0 and 1.
    pub treated: &'a [f64],
    /// Names of the covariates.
    pub names: &'a [Name],
    /// One column a covariate.
    pub covariates: &'a [&'a [f64]],
    /// Scores given, one a row.
    pub given: Option<&'a [f64]>,
}

/// Probabilities and distances of every row, and the model they come from.
#[derive(Clone, Debug)]
pub struct Scored {
    /// P(treated), or the column given.
    pub probability: Vec<f64>,
    /// On which distances are taken.
    pub distance: Vec<f64>,
    /// The fitted model; `None` for a column given.
    pub fit: Option<BinaryResponse>,
}

/// Why a sample cannot be matched, in words.
pub type Refusal = String;

/// Fits or takes the score.
///
/// # Errors
/// What fitting says, with the column by name; given scores on which odds have no meaning.
pub fn scored(data: &Data<'_>, options: &MatchOptions) -> Result<Scored, Refusal> {
    let (probability, fit) = match data.given {
        Some(it) => (it.to_vec(), None),
        None if data.covariates.is_empty() => {
            return Err("name covariates for the score, or a `score-column`".to_owned());
        }
        None => {
            let fit = options.model().fit(data.treated, data.covariates, None);
            let fit = fit.map_err(|it| in_names(&it, data.names))?;
            (fit.probabilities.clone(), Some(fit))
        }
    };
    let needs_odds = options.distance == Scale::Odds || options.method == Method::Ipw;
    if needs_odds && let Some(it) = probability.iter().find(|it| !(0.0 < **it && **it < 1.0)) {
        return Err(format!("a score of {it} has no odds; they are for scores between 0 and 1"));
    }
    let distance = match (options.distance, &fit) {
        (Scale::Odds, _) => probability.iter().map(|&it| log_odds(it)).collect(),
        (Scale::Index, Some(fit)) => fit.index.clone(),
        (Scale::Index | Scale::Probability, _) => probability.clone(),
    };
    Ok(Scored { probability, distance, fit })
}

/// Column numbers of an error in words: 0 is the constant, then the covariates.
fn in_names(error: &LinalgError, names: &[Name]) -> String {
    match error {
        LinalgError::Separated { column, rows } => {
            let name = column.checked_sub(1).and_then(|it| names.get(it));
            let name = name.map_or("the constant".to_owned(), |it| format!("`{it}`"));
            format!(
                "the model of treatment has no maximum: {name}, with the covariates beside it, decides {rows} rows \
                 perfectly; leave it out, or restrict the sample to rows it does not decide"
            )
        }
        LinalgError::OneOutcome { value } => {
            let who = if *value == 1.0 {
                "treated; there is no control"
            } else {
                "untreated; there is nobody to match"
            };
            format!("every row is {who}")
        }
        it => it.to_string(),
    }
}

/// Matches one sample.
///
/// # Errors
/// Options that do not fit; nobody who could be matched.
pub fn matched(
    data: &Data<'_>,
    scored: &Scored,
    outcome: Option<&[f64]>,
    options: &MatchOptions,
    both: bool,
) -> Result<Matching, Refusal> {
    let plan = options.plan(variance(&scored.distance))?;
    let treated: Vec<bool> = data.treated.iter().map(|&it| it == 1.0).collect();
    let scores = Scores { probability: &scored.probability, distance: &scored.distance };
    let found = run(&treated, &scores, outcome, &plan, &options.support(), both);
    if found.n_matched() == 0 {
        return Err(
            "no treated row finds a control; widen caliper or bandwidth, or look at the overlap".to_owned()
        );
    }
    Ok(found)
}

/// Variance with n - 1.
pub fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    values.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / (n - 1.0)
}

/// `propensity`: the model of the score.
pub fn propensity(fits: &[(String, BinaryResponse)], names: &[Name], model: &str) -> Detail {
    let mut words = (Vec::new(), Vec::new());
    let mut numbers = [(); 4].map(|()| Vec::new());
    for (sample, fit) in fits {
        for (at, (&column, &estimate)) in fit.kept.iter().zip(&fit.coef).enumerate() {
            let term = column.checked_sub(1).and_then(|it| names.get(it));
            let error = fit.covariance[(at, at)].sqrt();
            let z = estimate / error;
            words.0.push(sample.clone());
            words.1.push(term.map_or("(Intercept)".to_owned(), ToString::to_string));
            let row = [estimate, error, z, Distribution::Normal.p_value(z)];
            numbers.iter_mut().zip(row).for_each(|(to, it)| to.push(it));
        }
    }
    let [estimate, error, z, p] = numbers;
    let mut detail = Detail::new("propensity", format!("{model} of treatment"));
    if fits.iter().any(|it| !it.0.is_empty()) {
        detail = detail.text("sample", "Sample", words.0);
    }
    detail
        .text("term", "", words.1)
        .number("estimate", "Coefficient", estimate)
        .number("std_error", "Std. error", error)
        .number("z", "z", z)
        .number("p", "p", p)
}

/// `balance` and `balance-summary`; `weight` is NaN off support. Collinear or constant covariates stay in.
pub fn balance_tables(data: &Data<'_>, weight: &[f64], notes: &mut Vec<Note>) -> Vec<Detail> {
    let before = Sample { treated: data.treated, weight: None };
    let after = Sample { treated: data.treated, weight: Some(weight) };
    let rows = |sample: &Sample<'_>| -> Vec<Balance> {
        data.covariates.iter().map(|it| balance(it, sample, &before)).collect()
    };
    let (raw, kept) = (rows(&before), rows(&after));
    let reduction = |(a, b): (&Balance, &Balance)| 100.0 * (1.0 - b.bias.abs() / a.bias.abs());
    let names = data.names.iter().map(ToString::to_string).collect();
    let mut detail = Detail::new("balance", "Balance before and after matching").text("covariate", "", names);
    for (sample, rows) in [("before", &raw), ("after", &kept)] {
        let column = |of: fn(&Balance) -> f64| rows.iter().map(of).collect::<Vec<f64>>();
        let p = |it: &Balance| Distribution::StudentT(it.df).p_value(it.t);
        detail = detail
            .number(format!("treated_{sample}"), format!("Treated, {sample}"), column(|it| it.treated))
            .number(format!("control_{sample}"), format!("Control, {sample}"), column(|it| it.control))
            .number(format!("bias_{sample}"), format!("Bias (%), {sample}"), column(|it| it.bias))
            .number(format!("t_{sample}"), format!("t, {sample}"), column(|it| it.t))
            .number(format!("p_{sample}"), format!("p, {sample}"), column(p))
            .number(
                format!("ratio_{sample}"),
                format!("V(T)/V(C), {sample}"),
                column(|it| it.variance_ratio),
            );
    }
    let reduction = raw.iter().zip(&kept).map(reduction).collect();
    detail = detail.number("reduction", "Reduction of |bias| (%)", reduction);
    let summaries = [("before", &before, &raw), ("after", &after, &kept)].map(|(name, sample, rows)| {
        let biases: Vec<f64> = rows.iter().map(|it| it.bias).collect();
        overall(data.covariates, sample, &biases).unwrap_or_else(|why| {
            let text =
                format!("no probit of overall balance {name} matching: {}", in_names(&why, data.names));
            notes.push(Note::Step { step: "match".into(), text });
            Overall::without_probit(&biases)
        })
    });
    vec![detail, summary(&summaries)]
}

fn summary(rows: &[Overall]) -> Detail {
    let column = |of: fn(&Overall) -> f64| rows.iter().map(of).collect::<Vec<f64>>();
    Detail::new("balance-summary", "Overall balance before and after matching")
        .text("sample", "", vec!["before".to_owned(), "after".to_owned()])
        .number("pseudo_r2", "Ps R2", column(|it| it.pseudo_r2))
        .number("lr_chi2", "LR chi2", column(|it| it.lr_chi2))
        .number("p", "p > chi2", column(|it| chi2_upper(it.lr_chi2, it.lr_df)))
        .number("mean_bias", "Mean |bias| (%)", column(|it| it.mean_bias))
        .number("median_bias", "Median |bias| (%)", column(|it| it.median_bias))
        .number("rubin_b", "Rubin's B (%)", column(|it| it.rubin_b))
        .number("rubin_r", "Rubin's R", column(|it| it.rubin_r))
}

/// Rows of one group in one sample, on and off support.
#[derive(Clone, Debug, PartialEq)]
pub struct SupportRow {
    /// Empty for a sample as a whole, else the period.
    pub sample: String,
    /// Treated: matched and not. Controls: used and not.
    pub counts: [usize; 4],
}

impl SupportRow {
    /// Counts by the weights of a sample.
    pub fn of(sample: String, treated: &[f64], weight: &[f64]) -> SupportRow {
        let count = |group: f64, on: bool| {
            treated.iter().zip(weight).filter(|it| *it.0 == group && it.1.is_nan() != on).count()
        };
        SupportRow {
            sample,
            counts: [count(1.0, true), count(1.0, false), count(0.0, true), count(0.0, false)],
        }
    }
}

/// `support`: who was matched and who was used.
pub fn support(rows: &[SupportRow]) -> Detail {
    let column = |at: usize| rows.iter().map(|it| it.counts[at] as f64).collect::<Vec<f64>>();
    let mut detail = Detail::new("support", "Rows on and off support");
    if rows.iter().any(|it| !it.sample.is_empty()) {
        detail = detail.text("sample", "Sample", rows.iter().map(|it| it.sample.clone()).collect());
    }
    detail
        .count("treated_on", "Treated, matched", column(0))
        .count("treated_off", "Treated, off support", column(1))
        .count("control_on", "Controls, used", column(2))
        .count("control_off", "Controls, not used", column(3))
}
