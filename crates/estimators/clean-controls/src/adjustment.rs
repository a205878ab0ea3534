//! Effects of one horizon that give every adopter the same weight.
//!
//! Dube, Girardi, Jorda and Taylor (2025), section 3.4 and appendix B: without covariates a regression weighted by
//! period, with them a regression adjustment whose counterfactual comes from clean controls alone.

use std::collections::BTreeMap;

use parallax_model::{Design, FitError, Name, SingletonPolicy, Term, linalg::AbsorbOptions, panel::Codes};

use crate::{horizons::HorizonSample, subsample::Subsample};

/// Weighted sums of one period.
#[derive(Clone, Copy, Default)]
struct Period {
    treated: f64,
    controls: f64,
}

/// Rows of a horizon by their periods.
pub fn periods(design: &Design<'_>, sample: &HorizonSample) -> Codes {
    Codes::from_integers(sample.rows.iter().map(|&it| Some(i64::from(design.periods[it]))))
}

/// Weights of rows: the design's.
pub fn given_weights(design: &Design<'_>, rows: &[usize]) -> Option<Vec<f64>> {
    design.weight_values().map(|it| rows.iter().map(|&row| it[row]).collect())
}

/// The design's weights times rows over controls of the period: the regression then weighs periods by their adopters,
/// since a period's weight in it is the sum of weights times the shares of treated and controls.
pub fn equal_weights(design: &Design<'_>, sample: &HorizonSample) -> Vec<f64> {
    let given = given_weights(design, &sample.rows).unwrap_or_else(|| vec![1.0; sample.rows.len()]);
    let sums = sums(design, sample, &given);
    let weight = |(&row, given): (&usize, f64)| {
        let of = sums.get(&design.periods[row]).copied().unwrap_or_default();
        given * (of.treated + of.controls) / of.controls
    };
    sample.rows.iter().zip(given).map(weight).collect()
}

/// An effect of one horizon with what a unit adds to it.
pub struct Adjusted {
    /// The effect.
    pub estimate: f64,
    /// By unit of the design.
    pub psi: Vec<f64>,
    /// Covariates that the controls cannot tell from periods and from covariates before.
    pub dropped: Vec<String>,
}

/// The mean over adopters of the long difference less what clean controls of the same period and covariates show, and
/// psi of each unit.
///
/// # Errors
/// When the covariates of the controls cannot be used; [`FitError::NoRegressor`] where none varies within periods.
pub fn regression_adjusted(
    design: &Design<'_>,
    sample: &HorizonSample,
    covariates: &[(Term, Vec<f64>)],
    options: &AbsorbOptions,
) -> Result<Adjusted, FitError> {
    let weights = given_weights(design, &sample.rows).unwrap_or_else(|| vec![1.0; sample.rows.len()]);
    let controls: Vec<usize> = (0..sample.rows.len()).filter(|&it| !sample.treated[it]).collect();
    let pick = |values: &[f64]| controls.iter().map(|&it| values[it]).collect::<Vec<f64>>();
    let effect = (Name::from("period"), periods(design, sample).compact(controls.iter().copied()));
    let subsample = Subsample {
        rows: controls.iter().map(|&it| sample.rows[it]).collect(),
        outcome: pick(&sample.outcome),
        outcome_sizes: vec![design.outcome_size(); controls.len()],
        columns: covariates.iter().map(|(term, it)| (term.clone(), pick(it))).collect(),
        weights: Some(pick(&weights)),
        effects: vec![effect],
    };
    // A single control of a period is the counterfactual of that period.
    let solved = subsample.solve(design, options, SingletonPolicy::Keep)?;
    let lost = (0..covariates.len()).filter(|it| !solved.fit.kept.contains(it));
    let dropped = lost.map(|it| covariates[it].0.to_string()).collect();
    let kept: Vec<(&[f64], f64)> = (solved.fit.kept.iter().zip(&solved.fit.coef))
        .map(|(&it, &coef)| (covariates[it].1.as_slice(), coef))
        .collect();
    let unexplained = |at: usize| sample.outcome[at] - kept.iter().map(|(x, b)| x[at] * b).sum::<f64>();
    let sums = sums(design, sample, &weights);
    let period = |at: usize| design.periods[sample.rows[at]];
    let of = |at: usize| sums.get(&period(at)).copied().unwrap_or_default();
    let mut level: BTreeMap<i32, f64> = BTreeMap::new();
    for &at in &controls {
        *level.entry(period(at)).or_default() += weights[at] * unexplained(at) / of(at).controls;
    }
    let gap = |at: usize| unexplained(at) - level.get(&period(at)).copied().unwrap_or_default();
    let treated: Vec<usize> = (0..sample.rows.len()).filter(|&it| sample.treated[it]).collect();
    let total: f64 = treated.iter().map(|&it| weights[it]).sum();
    let effect = treated.iter().map(|&it| weights[it] * gap(it)).sum::<f64>() / total;
    let mut psi = vec![0.0; design.units.n_groups()];
    let unit = |at: usize| design.units.code[sample.rows[at]] as usize;
    for &at in &treated {
        psi[unit(at)] += weights[at] * (gap(at) - effect) / total;
    }
    // Share of the period's adopters over the weight of its controls.
    let reach = |at: usize| weights[at] * of(at).treated / (of(at).controls * total);
    for &at in &controls {
        psi[unit(at)] -= reach(at) * gap(at);
    }
    for (j, (x, _)) in kept.iter().enumerate() {
        let of_treated = treated.iter().map(|&it| weights[it] * x[it]).sum::<f64>() / total;
        let distance = of_treated - controls.iter().map(|&it| reach(it) * x[it]).sum::<f64>();
        psi.iter_mut().enumerate().for_each(|(unit, psi)| *psi -= distance * solved.psi[(unit, j)]);
    }
    Ok(Adjusted { estimate: effect, psi, dropped })
}

fn sums(design: &Design<'_>, sample: &HorizonSample, weights: &[f64]) -> BTreeMap<i32, Period> {
    let mut sums: BTreeMap<i32, Period> = BTreeMap::new();
    for ((&row, &treated), weight) in sample.rows.iter().zip(&sample.treated).zip(weights) {
        let of = sums.entry(design.periods[row]).or_default();
        *(if treated { &mut of.treated } else { &mut of.controls }) += weight;
    }
    sums
}
